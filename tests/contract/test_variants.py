"""A type's variant for an engine is what that engine stores, so it decides what fits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, mapped_column

from lading import (
    Catalog,
    DeclarationError,
    ImportFailed,
    TargetError,
    export_document,
    import_document,
)
from lading.records.faults import ALTER
from support.backends import Backend
from support.declaring import catalog_of, new_base

ENGINES = ("sqlite", "postgresql", "mariadb")


class Marked(sa.TypeDecorator[str]):
    """Text behind a mark; its implementation has a variant."""

    impl = sa.String(50).with_variant(sa.String(4), *ENGINES)
    cache_ok = True
    python_type = str  # type: ignore[assignment]

    def process_bind_param(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else f"!{value}"

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else value[1:]


def item(type_: Any) -> Any:
    """Map a table with a value of some type."""

    class Item(new_base()):  # type: ignore[misc]
        __tablename__ = "items"
        code = mapped_column(sa.String(9), primary_key=True)
        value = mapped_column(type_)

    return Item


def held(backend: Backend, type_: Any, *values: Any) -> list[Any]:
    """Return the written values of rows that were stored, exported, imported and exported."""
    model = item(type_)
    catalog = catalog_of(model)
    with backend.database(model.metadata) as old, backend.database(model.metadata) as new:
        with Session(old) as session, session.begin():
            session.add_all(model(code=f"{n}", value=value) for n, value in enumerate(values))
        first = export_document(old, catalog=catalog)
        import_document(new, first, catalog=catalog)
        assert export_document(new, catalog=catalog)["items"] == first["items"]
    return [record["value"] for record in first["items"]]


def refusal(backend: Backend, type_: Any, written: Any) -> str:
    """Return why a written value doesn't fit."""
    model = item(type_)
    catalog = catalog_of(model)
    with backend.database(model.metadata) as engine:
        document = export_document(engine, catalog=catalog)
        document["items"] = [{"code": "a", "value": written}]
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document, catalog=catalog)
    (problem,) = caught.value.report.problems
    assert (problem.record, problem.field) == (1, "value")
    assert "the database refused" not in problem.message
    return problem.message


def test_a_shorter_variant_limits_texts(backend: Backend) -> None:
    """On the engine that has it, though the model's own type would take them."""
    type_ = sa.String(50).with_variant(sa.String(20), backend.dialect)
    assert held(backend, type_, "x" * 20, "ä" * 20) == ["x" * 20, "ä" * 20]
    assert refusal(backend, type_, "x" * 30).endswith(
        f"has 30 characters, its column holds 20. {ALTER}"
    )


def test_a_longer_variant_frees_texts(backend: Backend) -> None:
    """What the model's own type limits is no limit where a variant stands for it."""
    type_ = sa.String(20).with_variant(sa.String(50), backend.dialect)
    assert held(backend, type_, "x" * 50) == ["x" * 50]


def test_a_decorator_s_implementation_may_vary(backend: Backend) -> None:
    """What a decorator gives the driver must fit the variant."""
    assert held(backend, Marked(), "abc") == ["abc"]
    assert (
        refusal(backend, Marked(), "abcd")
        == f"'!abcd' has 5 characters, its column holds 4. {ALTER}"
    )


def test_a_char_variant_has_no_trailing_blanks(backend: Backend) -> None:
    """It would pad or strip them, so a text that ends with one is refused."""
    type_ = sa.String(5).with_variant(sa.CHAR(5), backend.dialect)
    assert held(backend, type_, "ab", "") == ["ab", ""]
    assert "ab " in refusal(backend, type_, "ab ")


def test_a_decimal_variant_is_written_in_the_model_s_scale(backend: Backend) -> None:
    """And holds no more digits than it has itself, before the point and behind it."""
    type_ = sa.Numeric(12, 4).with_variant(sa.Numeric(8, 2), backend.dialect)
    assert held(backend, type_, Decimal("1.5")) == ["1.5000"]
    assert refusal(backend, type_, "1.2345") == (
        f"1.2345 has 4 decimal places, its column holds 2. {ALTER}"
    )
    assert refusal(backend, type_, "1234567.0000") == (
        f"1234567.00 has 7 digits before the point, its column holds 6. {ALTER}"
    )


def test_an_integer_variant_has_its_own_range(backend: Backend) -> None:
    """SQLite's integers all have eight bytes."""
    type_ = sa.BigInteger().with_variant(sa.SmallInteger(), backend.dialect)
    assert held(backend, type_, 32767, -32768) == [32767, -32768]
    if backend.dialect != "sqlite":
        assert "-32768 to 32767" in refusal(backend, type_, 40000)


def test_json_may_be_jsonb_on_postgresql(backend: Backend) -> None:
    """Which holds no NUL; the others do."""
    type_ = sa.JSON().with_variant(JSONB, "postgresql")
    assert held(backend, type_, {"b": [1.5], "a": None}) == [{"a": None, "b": [1.5]}]
    if backend.dialect == "postgresql":
        assert "which JSONB can't store" in refusal(backend, type_, "a\0")
    else:
        assert held(backend, type_, "a\0") == ["a\0"]


def test_a_variant_without_the_zone_is_refused(postgresql: Backend) -> None:
    """PostgreSQL would shift values between the two; zone-less engines hold UTC anyway."""
    model = item(sa.DateTime(timezone=True).with_variant(sa.DateTime(), "postgresql"))
    with postgresql.database(model.metadata) as engine:
        with pytest.raises(TargetError, match=r"items\.value has a time zone in its type or"):
            export_document(engine, catalog=catalog_of(model))


def test_a_variant_that_converts_in_sql_is_refused() -> None:
    """A bulk load would go past its expressions, as it would past the type's own."""

    class Crypt(sa.TypeDecorator[str]):
        impl = sa.String(9)
        cache_ok = True

        def bind_expression(self, bindvalue: Any) -> Any:
            return sa.func.upper(bindvalue)

    catalog: Catalog = catalog_of(item(sa.String(9).with_variant(Crypt(), "mariadb")))
    with pytest.raises(DeclarationError, match="converts values in SQL"):
        catalog.use()
