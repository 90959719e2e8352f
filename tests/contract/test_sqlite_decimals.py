"""Decimals that SQLite keeps with more digits than their scale: refused, or written as read."""

from __future__ import annotations

import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    DeclarationError,
    ImportFailed,
    Owned,
    RoundedWarning,
    TargetError,
    export_all,
    export_document,
    import_document,
)
from support.declaring import new_base, schema_for

NINTH = Decimal(5) / 9


class Money(sa.TypeDecorator[Decimal]):
    """A decorated decimal, which is rounded before the decorator sees it."""

    impl, cache_ok = sa.Numeric(10, 4), True

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return value


def world(type_: Any, **options: Any) -> tuple[Any, Any, Catalog]:
    """Declare batches that own parts, each with a cost of a type."""
    base = new_base()
    batch = type(base)(
        "Batch",
        (base,),
        {
            "__tablename__": "batches",
            "code": mapped_column(sa.String(9), primary_key=True),
            "cost": mapped_column(type_),
            "parts": relationship("Part"),
        },
    )
    part = type(base)(
        "Part",
        (base,),
        {
            "__tablename__": "parts",
            "id": mapped_column(sa.Integer, primary_key=True),
            "cost": mapped_column(type_),
            "batch_code": mapped_column(sa.ForeignKey("batches.code"), nullable=False),
        },
    )
    catalog = Catalog("test", **options)
    parts = schema_for(part, catalog)
    schema_for(batch, catalog, {"parts": Owned(parts)})
    return batch, part, catalog


def filled(batch: Any, part: Any) -> sa.Engine:
    """Return a database with computed costs beside some that have their scale."""
    engine = sa.create_engine("sqlite://")
    batch.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        costs = {"a": NINTH, "b": Decimal("0.5"), "c": -NINTH / 10000, "d": None}
        for code, cost in costs.items():
            session.add(batch(code=code, cost=cost, parts=[part(cost=cost), part(cost=NINTH)]))
    return engine


@pytest.mark.parametrize("type_", [sa.Numeric(10, 4), Money()], ids=["plain", "decorated"])
def test_more_digits_are_refused_and_the_remedy_named(type_: Any) -> None:
    """Nothing is rounded unless the catalog says so."""
    batch, part, catalog = world(type_)
    engine = filled(batch, part)
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog)
    assert caught.value.field == "cost"
    assert "which is not 0.5556 (its column has 4 decimal places)" in caught.value.problem
    assert caught.value.remedy.endswith("option sqlite_decimals='as_read'.")
    engine.dispose()


@pytest.mark.parametrize("type_", [sa.Numeric(10, 4), Money()], ids=["plain", "decorated"])
def test_they_can_be_written_as_they_are_read(type_: Any, tmp_path: Path) -> None:
    """One warning for each column, with the count of cells that the manifest holds as well."""
    batch, part, catalog = world(type_, sqlite_decimals="as_read")
    engine, new = filled(batch, part), sa.create_engine("sqlite://")
    with pytest.warns(RoundedWarning) as told:
        manifest = export_all(engine, tmp_path / "a", catalog=catalog)
    assert [str(warning.message).partition(";")[0] for warning in told] == [
        "SQLite holds more digits in 2 cells of batches.cost than its scale has",
        "SQLite holds more digits in 6 cells of parts.cost than its scale has",
    ]
    assert manifest.rounded == {"batches.cost": 2, "parts.cost": 6}
    with pytest.warns(RoundedWarning):
        document = export_document(engine, catalog=catalog)
    assert [record["cost"] for record in document["batches"]] == [
        "0.5556",
        "0.5000",
        "-0.0001",
        None,
    ]
    batch.metadata.create_all(new)
    import_document(new, document, catalog=catalog)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = export_all(new, tmp_path / "b", catalog=catalog)
    assert again.content_sha256 == manifest.content_sha256
    assert "rounded" not in (tmp_path / "b" / "manifest.json").read_text()
    engine.dispose()
    new.dispose()


class Cents(sa.TypeDecorator[Decimal]):
    """A decimal that is rounded on its way in."""

    impl, cache_ok = sa.Numeric(6, 4), True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else round(value, 2)

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return value


@pytest.mark.parametrize("written", ["99.9999", "1.2345", "NaN", "Infinity"])
def test_what_a_type_would_store_otherwise_is_not_imported(written: str) -> None:
    """A value that is rounded beyond its column, or becomes NULL, is a problem of its record."""
    batch, _, catalog = world(Cents())
    engine = sa.create_engine("sqlite://")
    batch.metadata.create_all(engine)
    record = {"code": "a", "cost": written, "parts": []}
    with pytest.raises(ImportFailed, match="batches record 1, cost: "):
        import_document(engine, {"batches": [record]}, catalog=catalog)
    engine.dispose()


@pytest.mark.parametrize("given", ["AS_READ", "round", None, True, 2])
def test_another_word_is_refused(given: Any) -> None:
    """A misspelt option would do nothing, or too much."""
    with pytest.raises(DeclarationError) as caught:
        Catalog("test", sqlite_decimals=given)
    assert str(caught.value) == (
        f"Catalog: sqlite_decimals is {given!r}; expected one of: 'exact', 'as_read'."
    )


@pytest.mark.parametrize("options", [{}, {"sqlite_decimals": "as_read"}], ids=["exact", "as-read"])
def test_what_sqlalchemy_reads_whole_has_no_such_remedy(options: Any) -> None:
    """A decimal that is read as a float isn't rounded, so only the row can be corrected."""
    batch, part, catalog = world(sa.Numeric(10, 4, asdecimal=False), **options)
    engine = filled(batch, part)
    with pytest.raises(TargetError) as caught:
        export_document(engine, catalog=catalog)
    assert "which is not 0.5556 (its column has 4 decimal places)" in caught.value.problem
    assert "let the column's model say what it holds" in caught.value.remedy
    engine.dispose()
