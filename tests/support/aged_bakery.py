"""The bakery at each of its releases, and its season as each release could tell it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import bakery
from bakery import changes, models
from bakery.releases import FIRST, RELEASES, TODAY
from lading import Catalog, Ref, export_all
from support.earlier import Difference, Earlier, References, earlier

T = models.Base.metadata.tables
OLDER = [label for label in RELEASES if label != TODAY]


def _moments(*names: str) -> dict[str, sa.Column[Any]]:
    return {
        name: sa.Column(name, sa.DateTime(timezone=True), nullable=False)
        for name in (*names, "created_at", "updated_at")
    }


def _words(**lengths: int) -> dict[str, sa.Column[Any]]:
    return {name: sa.Column(name, sa.String(length)) for name, length in lengths.items()}


def _tables(label: str) -> dict[str, Difference | None]:
    """Return how tables differ from today's; each release adds to the differences of the next."""
    found: dict[str, Any] = {
        "production_runs": _moments("produced_at"),
        "production_losses": {
            "finished_unit_id": sa.Column(
                "finished_unit_id", sa.ForeignKey("finished_units.id"), nullable=True
            )
        },
        "assembly_runs": _moments("assembled_at"),
        "assembly_packaging_consumptions": {
            "product_id": None,
            "material_unit_id": None,
            **_words(ingredient_slug=100, brand=80, product_name=120, package_size=40),
            **_words(material_product_slug=100, unit_name=120),
        },
    }
    if label <= "1.1":
        found["products"] = {
            "product_name": None,
            "name": sa.Column("name", sa.String(120), nullable=False),
            "known by": sa.UniqueConstraint("ingredient_id", "brand", "name"),
        }
        found["material_categories"] = None
        found["material_subcategories"] = {
            "category_id": None,
            "category_name": sa.Column("category_name", sa.String(120), nullable=False),
            "category_sort_order": sa.Column("category_sort_order", sa.Integer, nullable=False),
            "known by": sa.UniqueConstraint("category_name", "name"),
        }
    if label == "1.0":
        found["production_runs"] |= {"production_status": None, "loss_quantity": None}
        found["production_losses"] = None
        found["assembly_runs"] |= {"packaging_bypassed": None}
    return found


def _references() -> References:
    """Return the references that runs had before 3.0, all of them flat."""
    event = {"event": Ref(flat=True)}
    unit = {"finished_unit": Ref(flat=True)}
    return {
        "ProductionRun": {"recipe": Ref(flat=True), **unit, **event},
        "ProductionConsumption": {"ingredient": Ref(flat=True)},
        "ProductionLoss": {"finished_unit": Ref(flat=True)},
        "AssemblyRun": {"finished_good": Ref(flat=True), "event": Ref(flat=True)},
        "AssemblyFinishedUnitConsumption": {"finished_unit": Ref(flat=True)},
    }


@cache
def bakery_at(label: str) -> Earlier:
    """Return the application at a release before today's."""
    return earlier(
        bakery.bakery,
        models.Base.metadata,
        RELEASES[label],
        _tables(label),
        _references(),
        source=f"bakery {label}",
        releases={name: found for name, found in RELEASES.items() if name <= label},
        unlabelled=FIRST,
    )


def catalog_at(label: str) -> Catalog:
    """Return the catalog of a release, today's included."""
    return bakery.bakery if label == TODAY else bakery_at(label).catalog


# Its season


@cache
def _whole() -> sa.Engine:
    """Return a database with the whole season, to be copied."""
    engine = sa.create_engine("sqlite://")
    models.Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        bakery.fill(session)
    return engine


def season(label: str = TODAY) -> sa.Engine:
    """Return today's database with the season's facts, as far as a release could say them."""
    engine = sa.create_engine("sqlite://")
    with _whole().connect() as source, engine.connect() as copy:
        source.connection.driver_connection.backup(copy.connection.driver_connection)
    with engine.begin() as connection:
        for statement in _untold(label):
            connection.execute(statement)
    return engine


def _untold(label: str) -> list[Any]:
    """Return what takes out of today's database that a release couldn't say."""
    found: list[Any] = []
    if label <= "1.1":
        products, other = T["products"], T["products"].alias()
        key = ("ingredient_id", "brand", "product_name")
        same = [products.c[name] == other.c[name] for name in key]
        twin = sa.exists().where(*same, other.c.id < products.c.id)
        since = datetime.fromisoformat(changes.CATEGORIES_SINCE)
        found = [
            _update(
                "products", product_name=products.c.product_name + " " + products.c.package_size
            ).where(twin),
            _update("material_categories", created_at=since, updated_at=since),
        ]
    if label == "1.0":
        found += [
            sa.delete(T["production_losses"]),
            _update("production_runs", production_status="complete", loss_quantity=0),
            _update("assembly_runs", packaging_bypassed=False),
        ]
    return found


def _update(name: str, **values: Any) -> Any:
    return sa.update(T[name]).values({"updated_at": T[name].c.updated_at, **values})


def _told(name: str) -> tuple[Any, dict[str, Any]]:
    """Return what to select from for a table of once, and its columns that are told otherwise."""
    table = T[name]
    if name == "products":
        return table, {"name": table.c.product_name}
    if name == "production_losses":  # a loss of the run's own unit needn't repeat it
        return table, {"finished_unit_id": sa.case((table.c.id % 2 == 0, table.c.finished_unit_id))}
    if name == "material_subcategories":
        category = T["material_categories"].c
        columns = {"category_name": category.name, "category_sort_order": category.sort_order}
        return table.join(T["material_categories"]), columns
    if name != "assembly_packaging_consumptions":
        return table, {}
    told_by = ("products", "ingredients", "material_units", "material_products")
    source: Any = table
    for other in told_by:
        source = source.outerjoin(T[other])
    product, ingredient, unit, roll = (T[other].c for other in told_by)
    return source, {
        "ingredient_slug": ingredient.slug,
        **{column: product[column] for column in ("brand", "product_name", "package_size")},
        "material_product_slug": roll.slug,
        "unit_name": unit.name,
    }


def season_at(label: str) -> sa.Engine:
    """Return a release's own database with the season, the same facts as ``season(label)`` has."""
    today, metadata = season(label), bakery_at(label).metadata
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with today.connect() as source, engine.begin() as target:
        for table in metadata.sorted_tables:
            origin, told = _told(table.name)
            columns = [told.get(c.name, T[table.name].c.get(c.name)).label(c.name) for c in table.c]
            found = source.execute(sa.select(*columns).select_from(origin))
            rows = [dict(row) for row in found.mappings()]
            if rows:
                target.execute(sa.insert(table), rows)
    today.dispose()
    return engine


def bundle_at(label: str, path: Path) -> Path:
    """Export the season as a release did."""
    engine = season(label) if label == TODAY else season_at(label)
    export_all(engine, path, catalog=catalog_at(label))
    engine.dispose()
    return path
