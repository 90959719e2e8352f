"""A database that a real application filled, reflected and moved as a whole.

``LADING_REAL_DB`` names an SQLite file of a real bakery application. It is data to test
against and no part of the project, so without it there is nothing to run.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.automap import automap_base

from lading import (
    Catalog,
    Manifest,
    Owned,
    Ref,
    TargetError,
    diff,
    export_all,
    import_all,
    import_order,
)
from lading.drawing import drawn, graph_of_catalog
from lading.html import database_page
from lading.scaffolding.loaded import package
from lading.scaffolding.scaffold import scaffold
from lading.testing.compare.stored import stored_cells
from support.backends import ON_SQLITE, Backend
from support.columns import FLOAT, MOMENT
from support.declaring import schema_for
from support.html_pages import data_of
from support.raw import raw_values
from support.rewriting import entity_bytes

REAL = os.environ.get("LADING_REAL_DB")
pytestmark = [
    pytest.mark.skipif(not REAL, reason="LADING_REAL_DB names no file"),
    # Some of its tables refer to each other, which concerns only the order of DDL.
    pytest.mark.filterwarnings("ignore:Cannot correctly sort tables:sqlalchemy.exc.SAWarning"),
]


@pytest.fixture
def real(tmp_path: Path) -> Iterator[sa.Engine]:
    """A copy of the real file."""
    assert REAL is not None
    engine = sa.create_engine(f"sqlite:///{shutil.copyfile(REAL, tmp_path / 'real.sqlite')}")
    yield engine
    engine.dispose()


def reflected(engine: sa.Engine) -> Any:
    """Map every table, with generic types, and references named after their columns."""
    Base = automap_base()

    def generic(_inspector: Any, _table: Any, column: Any) -> None:
        column["type"] = portable(column["type"].as_generic())

    sa.event.listen(Base.metadata, "column_reflect", generic)
    Base.prepare(
        autoload_with=engine,
        name_for_scalar_relationship=lambda _base, _local, _far, constraint: _column(
            constraint
        ).removesuffix("_id"),
        name_for_collection_relationship=lambda _base, _local, far, constraint: (
            f"{far.__name__}_by_{_column(constraint)}"
        ),
        generate_relationship=_without_secondary,
    )
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, sa.CheckConstraint) and changes_by_itself(constraint):
                constraint.ddl_if(dialect=("sqlite", "postgresql"))
    return Base


def changes_by_itself(check: sa.CheckConstraint) -> bool:
    """Tell whether a CHECK is over a reference that a deletion sets; MariaDB allows none."""
    words = set(re.findall(r"\w+", str(check.sqltext)))
    keys = [key for column in check.table.columns for key in column.foreign_keys]
    return any(key.ondelete and key.parent.name in words for key in keys)


def portable(type_: Any) -> Any:
    """Return a type that MariaDB doesn't round or cut."""
    if isinstance(type_, sa.DateTime):
        return MOMENT
    if isinstance(type_, sa.Float):
        return FLOAT
    return type_


def _column(constraint: sa.ForeignKeyConstraint) -> str:
    return str(next(iter(constraint.columns)).name)


def _without_secondary(
    base: Any, direction: Any, return_fn: Any, name: str, *rest: Any, **kw: Any
) -> Any:
    """Every table is an entity here, so no table is only a link."""
    from sqlalchemy.ext.automap import generate_relationship

    return (
        None
        if "secondary" in kw
        else generate_relationship(base, direction, return_fn, name, *rest, **kw)
    )


def by_loop(base: Any) -> Catalog:
    """A catalog of every table, each known by its uuid."""
    catalog = Catalog("real")
    for model in base.classes:
        schema_for(model, catalog, natural_key="uuid")
    return catalog


VARIANT = ("ingredient", "brand", "product_name", "package_size", "package_unit")


def by_hand(base: Any, product_key: Any = "uuid") -> Catalog:
    """A catalog of the recipe book, the pantry and the materials, as a person would write it."""
    of = base.classes
    parts = {"recipe_ingredients", "recipe_components", "compositions"}
    entities = {
        "suppliers", "ingredients", "products", "recipes", "purchases", "inventory_items", "finished_units",
        "finished_goods", "packages", "material_categories", "material_subcategories", "materials",
        "material_products", "material_units",
    }  # fmt: skip
    others = {name: "not moved" for name in base.metadata.tables if name not in parts | entities}
    catalog = Catalog("pantry", leaves_out=others)
    lines = schema_for(of.recipe_ingredients, catalog)
    components = schema_for(of.recipe_components, catalog)
    contents = schema_for(of.compositions, catalog)
    schema_for(
        of.recipes,
        catalog,
        {"ingredients": Owned(lines), "components": Owned(components, via="recipe")},
    )
    schema_for(of.finished_units, catalog, {"recipe": Ref(flat=True)})
    schema_for(of.finished_goods, catalog, {"contents": Owned(contents, via="assembly")})
    schema_for(
        of.packages, catalog, {"contents": Owned(contents, via="package")}, natural_key="uuid"
    )
    schema_for(of.ingredients, catalog, natural_key="slug", volatile=("last_modified",))
    schema_for(of.products, catalog, natural_key=product_key)
    declared = {schema.Meta.model.__name__ for schema in catalog.schemas}
    for name in sorted(entities - declared):
        key = {} if "slug" in of[name].__table__.c else {"natural_key": "uuid"}
        if name in {"material_products", "material_units"}:
            key = {"natural_key": "uuid"}
        schema_for(of[name], catalog, **key)
    return catalog


DECLARED = pytest.mark.parametrize("declare", [by_loop, by_hand])


def counts(manifest: Manifest) -> dict[str, Any]:
    """Return the records and links of each entity."""
    return {entry.entity_type: (entry.record_count, entry.references) for entry in manifest.files}


@DECLARED
@ON_SQLITE
def test_a_real_database_comes_back_whole(
    backend: Backend, real: sa.Engine, tmp_path: Path, declare: Callable[[Any], Catalog]
) -> None:
    """Counts, links and bytes are equal on each engine, and on SQLite every stored cell."""
    Base = reflected(real)
    catalog = declare(Base)
    first = export_all(real, tmp_path / "a", catalog=catalog)
    assert sum(entry.record_count for entry in first.files) > 600
    with backend.database(Base.metadata) as target:
        report = import_all(target, tmp_path / "a", catalog=catalog)
        assert not report.problems
        second = export_all(target, tmp_path / "b", catalog=catalog)
        assert counts(first) == counts(second)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
        again = import_all(target, tmp_path / "a", catalog=catalog)
        assert (again.imported, again.differing) == (0, 0)
        if backend.dialect == "sqlite":
            assert_equal_rows(real, target, Base.metadata, catalog)


@DECLARED
def test_a_real_database_survives_another_engine(
    postgresql: Backend,
    mariadb_if_installed: Backend | None,
    sqlite_file: Backend,
    real: sa.Engine,
    tmp_path: Path,
    declare: Callable[[Any], Catalog],
) -> None:
    """SQLite to PostgreSQL to MariaDB and back: equal bytes, and not a cell differs."""
    Base = reflected(real)
    catalog = declare(Base)
    export_all(real, tmp_path / "start", catalog=catalog)
    stations = [postgresql, *filter(None, [mariadb_if_installed]), sqlite_file]
    last = tmp_path / "start"
    with ExitStack() as stack:
        for number, station in enumerate(stations):
            engine = stack.enter_context(station.database(Base.metadata))
            import_all(engine, last, catalog=catalog)
            last = tmp_path / f"{number}"
            export_all(engine, last, catalog=catalog)
            assert entity_bytes(last) == entity_bytes(tmp_path / "start")
        assert_equal_rows(real, engine, Base.metadata, catalog)


def assert_equal_rows(
    real: sa.Engine, target: sa.Engine, metadata: sa.MetaData, catalog: Catalog
) -> None:
    """Compare the stored cells of every table that the catalog carries."""
    carried = {rows.table.fullname for rows in catalog.use().all_rows()}
    before, after = raw_values(real, metadata), raw_values(target, metadata)
    assert {name: before[name] for name in carried} == {name: after[name] for name in carried}


def test_a_real_catalogs_order_follows_its_references(real: sa.Engine) -> None:
    """Parents come before children, whatever the order of declaration."""
    order = import_order(by_hand(reflected(real)))
    for parent, child in (
        ("ingredients", "recipes"),
        ("ingredients", "products"),
        ("suppliers", "products"),
        ("recipes", "finished_units"),
        ("finished_units", "finished_goods"),
        ("material_categories", "material_subcategories"),
        ("materials", "material_products"),
        ("products", "inventory_items"),
    ):
        assert order[parent] < order[child]


def test_twins_that_the_real_constraint_let_in_are_named(real: sa.Engine, tmp_path: Path) -> None:
    """Its products are unique by a constraint with nullable columns, and some of them aren't."""
    with pytest.raises(TargetError, match="products: two rows have the natural key") as caught:
        export_all(real, tmp_path / "a", catalog=by_hand(reflected(real), VARIANT))
    assert set(caught.value.key) == set(VARIANT)
    assert not (tmp_path / "a").exists()


def edited(engine: sa.Engine, tables: list[sa.Table], rnd: random.Random) -> int:
    """Update, swap and delete at random what the database lets happen; return how much did."""
    done = 0
    with engine.begin() as connection:
        for _ in range(60):
            table = rnd.choice(tables)
            key = next(iter(table.primary_key))
            ids = list(connection.scalars(sa.select(key).limit(500)))
            columns = [c for c in table.c if not c.primary_key and c.name not in {"uuid", "slug"}]
            if not ids or not columns:
                continue
            column, row, other = rnd.choice(columns), rnd.choice(ids), rnd.choice(ids)
            here, there = (
                connection.scalar(sa.select(column).where(key == n)) for n in (row, other)
            )
            deletion = table.delete().where(key == row)
            update = table.update().where(key == row).values({column.name: there})
            back = table.update().where(key == other).values({column.name: here})
            try:
                with connection.begin_nested():
                    for statement in rnd.choice([[update], [update, back], [deletion]]):
                        connection.execute(statement)
                done += 1
            except sa.exc.IntegrityError:
                pass
    return done


@DECLARED
@pytest.mark.parametrize("seed", range(3))
def test_an_edited_real_database_comes_back_by_its_plan(
    real: sa.Engine, tmp_path: Path, declare: Callable[[Any], Catalog], seed: int
) -> None:
    """Its rows were updated, swapped and deleted; the plan is carried out, and no diff is left."""
    catalog = declare(reflected(real))
    export_all(real, tmp_path / "a", catalog=catalog)
    sa.event.listen(real, "connect", lambda c, _: c.execute("PRAGMA foreign_keys = ON"))
    real.dispose()
    tables = sorted({rows.table for rows in catalog.use().all_rows()}, key=lambda table: table.name)
    assert edited(real, tables, random.Random(seed)) > 5
    plan = import_all(
        real, tmp_path / "a", catalog=catalog, on_conflict="mirror", cascade=True, dry_run=True
    )
    assert plan
    import_all(
        real, tmp_path / "a", catalog=catalog, on_conflict="mirror", cascade=True, expect=plan
    )
    assert not diff(real, tmp_path / "a", catalog=catalog)


@pytest.fixture
def same_structure(real: sa.Engine, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database, made by the statements by which the real one was made."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with real.connect() as connection, engine.begin() as empty:
        for sql in connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE sql > ''")):
            empty.exec_driver_sql(sql)
    yield engine
    engine.dispose()


def rows_as_they_are(engine: sa.Engine, catalog: Catalog) -> dict[str, list[str]]:
    """Return what each table stores, ids included, in one order."""
    tables = [rows.table for rows in catalog.use().all_rows()]
    return {name: sorted(map(repr, rows)) for name, rows in stored_cells(engine, tables).items()}


def test_a_real_database_is_restored_without_a_declaration(
    real: sa.Engine, same_structure: sa.Engine, tmp_path: Path
) -> None:
    """All tables, every record, every cell; and equal bytes when it is exported again."""
    catalog = Catalog.from_metadata(real)
    manifest = export_all(None, tmp_path / "a", catalog=catalog)
    assert (len(manifest.files), catalog.coverage()) == (
        len(sa.inspect(real).get_table_names()),
        {},
    )
    report = import_all(same_structure, tmp_path / "a", catalog=catalog)
    assert report.imported == sum(entry.record_count for entry in manifest.files)
    assert rows_as_they_are(same_structure, catalog) == rows_as_they_are(real, catalog)
    other = Catalog.from_metadata(same_structure, name=catalog.name)
    export_all(None, tmp_path / "b", catalog=other)
    assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")


def test_a_real_database_moves_and_comes_back_without_a_declaration(
    real: sa.Engine,
    postgresql: Backend,
    same_structure: sa.Engine,
    tmp_path: Path,
) -> None:
    """To PostgreSQL, by the tables as they were reflected, and back: no cell is another."""
    catalog = Catalog.from_metadata(real)
    export_all(None, tmp_path / "a", catalog=catalog)
    (metadata,) = {rows.table.metadata for rows in catalog.use().all_rows()}
    with postgresql.database(metadata) as engine:
        import_all(engine, tmp_path / "a", catalog=catalog)
        export_all(engine, tmp_path / "b", catalog=catalog)
    import_all(same_structure, tmp_path / "b", catalog=catalog)
    assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
    assert rows_as_they_are(same_structure, catalog) == rows_as_they_are(real, catalog)


def test_its_graph_and_its_page_have_everything(real: sa.Engine) -> None:
    """Without a declaration: a card for each table, each record, and where each reference leads."""
    catalog = Catalog.from_metadata(real)
    data = data_of(database_page(real, catalog=catalog))
    svg = drawn(graph_of_catalog(catalog), "svg")
    assert svg.count('class="card"') == len(data["entities"]) == len(catalog.use().roots) == 55
    assert all(entity["total"] == len(entity["rows"]) for entity in data["entities"])
    for entity in data["entities"]:
        for reference in entity["references"] if entity["rows"] else ():
            column = entity["columns"].index(reference["path"])
            filled = sum(row[column] is not None for row in entity["rows"])
            assert sum(reference["path"] in links for links in entity["links"]) == filled


def test_declarations_of_a_real_database_do_the_same(
    real: sa.Engine, same_structure: sa.Engine, tmp_path: Path
) -> None:
    """Those that `lading init` writes, which are proved as they are written."""
    result = scaffold(real, tmp_path / "app")
    assert (result.problems, result.remarks) == ([], [])
    assert result.entities == len(sa.inspect(real).get_table_names())
    with package(tmp_path / "app") as (_, schemas):
        catalog = schemas.catalog
        export_all(real, tmp_path / "a", catalog=catalog)
        import_all(same_structure, tmp_path / "a", catalog=catalog)
        export_all(same_structure, tmp_path / "b", catalog=catalog)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
        assert rows_as_they_are(same_structure, catalog) == rows_as_they_are(real, catalog)
    before = {path.name: path.read_bytes() for path in (tmp_path / "app").iterdir()}
    assert not scaffold(real, tmp_path / "app").written
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "app").iterdir()}
