"""What the kit found when it was turned on the library itself: each stays mended."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session, mapped_column

from lading import (
    Catalog,
    ImportFailed,
    Ref,
    export_document,
    import_document,
)
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.world import key, slug, to


def item(type_: Any) -> Any:
    """Map a table with a value of some type."""

    class Item(new_base()):
        __tablename__ = "items"
        code = mapped_column(sa.String(60), primary_key=True)
        value = mapped_column(type_)

    return Item


def test_the_smallest_singles_come_back(backend: Backend) -> None:
    """Their shortest text has fewer than six digits."""
    model = item(sa.REAL().with_variant(mysql.FLOAT(), "mysql", "mariadb"))
    items = [{"code": f"c{n}", "value": value} for n, value in enumerate([1e-45, 1.4e-44, 1e-40])]
    with backend.database(model.metadata) as engine:
        catalog = catalog_of(model)
        import_document(engine, {"items": items}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["items"] == items


@pytest.mark.parametrize("value", [10_000_000.0, -10_000_000.0, 1e300])
def test_a_double_beyond_its_column_s_digits_is_named(mariadb: Backend, value: float) -> None:
    """MariaDB gives doubles digits, and would speak of no field."""
    model = item(mysql.DOUBLE(9, 2))
    with mariadb.database(model.metadata) as engine:
        catalog = catalog_of(model)
        kept = [{"code": "a", "value": 9_999_999.5}, {"code": "b", "value": -0.25}]
        import_document(engine, {"items": kept}, catalog=catalog)
        assert export_document(engine, catalog=catalog)["items"] == kept
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, {"items": [{"code": "c", "value": value}]}, catalog=catalog)
    (problem,) = caught.value.report.problems
    assert problem.field == "value"
    assert problem.message.startswith(f"{value!r} is outside of its column")


def test_a_negative_double_in_an_unsigned_column_is_named(mariadb: Backend) -> None:
    model = item(mysql.DOUBLE(unsigned=True))
    with mariadb.database(model.metadata) as engine, pytest.raises(ImportFailed) as caught:
        items = [{"code": "c", "value": -1.5}]
        import_document(engine, {"items": items}, catalog=catalog_of(model))
    assert caught.value.report.problems[0].field == "value"


def test_an_object_dumps_its_reference_to_a_column_of_a_subclass(sqlite_memory: Backend) -> None:
    """Without a relationship, whose foreign key leads to a table that only a subclass has."""
    base, catalog = new_base(), Catalog("assets")

    class Asset(base):  # type: ignore[misc, valid-type]
        __tablename__ = "assets"
        id = key()
        slug = slug()
        kind = mapped_column(sa.String(20), nullable=False)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}

    class Licence(Asset):
        __tablename__ = "licences"
        id = mapped_column(sa.ForeignKey("assets.id"), primary_key=True)
        code = mapped_column(sa.String(30), unique=True)
        __mapper_args__ = {"polymorphic_identity": "licence"}

    class Check(base):  # type: ignore[misc, valid-type]
        __tablename__ = "checks"
        id = key()
        slug = slug()
        licence_code = to("licences.code", null=True)
        owner_id = to("licences.id", null=True)

    schema_for(Asset, catalog)
    checks = schema_for(Check, catalog, {"licence": Ref("licence_code")})
    with sqlite_memory.database(base.metadata) as engine, Session(engine) as session:
        licence = Licence(slug="l", code="c")
        session.add(licence)
        session.flush()
        check = Check(slug="k", licence_code="c", owner_id=licence.id)
        session.add(check)
        session.commit()
        document = export_document(session, catalog=catalog)
        assert document["checks"][0]["licence"] == {"slug": "l"}
        assert checks().dump(check) == document["checks"][0]
