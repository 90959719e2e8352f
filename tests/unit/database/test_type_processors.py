"""Values by an application's own types: what is read and bound, and what no type gives back."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from lading.database.dialects.postgresql_columns import parsed
from lading.database.dialects.postgresql_stored import text_check
from lading.database.dialects.postgresql_values import PostgreSQLCodecs
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.database.dialects.type_processors import NotUndone, alike, fetched
from lading.values.base import Kind
from lading.values.scalars import Integer, Json, Text, Uuid
from support.coding import coders, column_of


class Typed(sa.TypeDecorator[Any]):
    """A type that binds and reads by two functions; nulls go by them as well."""

    impl, cache_ok = sa.String, False

    def __init__(self, bind: Any, undo: Any, impl: Any = sa.String) -> None:
        super().__init__()
        self.impl, self.bind, self.undo = impl(), bind, undo

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return self.bind(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return self.undo(value)


def same(value: Any) -> Any:
    """Return a value as it is."""
    return value


def failing(_value: Any) -> Any:
    """Fail as an application's code may."""
    raise ZeroDivisionError("oops")


def both(type_: Any, kind: Kind | None = None) -> Any:
    """Return a column's reader and binder on SQLite."""
    return coders(SQLiteCodecs(sqlite.dialect()), type_, kind or Text())


REVERSED = Typed(lambda value: value[::-1], lambda value: value[::-1])


def test_a_type_that_undoes_itself_goes_both_ways() -> None:
    """By its Python value."""
    read, bind = both(REVERSED)
    assert read("abc") == "cba"
    assert bind("cba") == "abc"


@pytest.mark.parametrize(
    ("type_", "kind", "raw", "problem"),
    [
        (Typed(lambda value: f"#{value}", same), None, "a", "'a' would be stored as '#a'"),
        (Typed(same, failing), None, "a", "its type can't read 'a': ZeroDivisionError('oops')"),
        (Typed(failing, same), None, "a", "'a' could not be stored again: ZeroDivisionError"),
        (Typed(same, lambda _: None), None, "a", "its type makes None of 'a', which isn't NULL"),
        (Typed(same, lambda value: [value]), None, "a", "its type makes other Python values than"),
        (Typed(str, int), Integer(), "007", "'007' would be stored as '7'"),
    ],
    ids=["one way", "can't read", "can't store", "none", "other type", "normalised"],
)
def test_a_type_that_does_not_undo_itself_is_refused_when_it_is_read(
    type_: Any, kind: Kind | None, raw: Any, problem: str
) -> None:
    """What an import would store isn't what is there."""
    read, _ = both(type_, kind)
    with pytest.raises(NotUndone) as caught:
        read(raw)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "written", "problem"),
    [
        (Typed(lambda value: value.upper(), same), "a", "'a' would be stored as 'A'"),
        (Typed(failing, same), "a", "'a' could not be stored again"),
        (sa.String(3), "abcd", "has 4 characters, its column holds 3"),
    ],
    ids=["changes", "can't store", "too long"],
)
def test_a_value_that_its_type_stores_as_another_is_not_bound(
    type_: Any, written: str, problem: str
) -> None:
    """Or that doesn't fit the column below."""
    _, bind = both(type_)
    with pytest.raises(ValueError) as caught:
        bind(written)
    assert problem in str(caught.value)


def test_a_decorated_value_must_fit_the_column_below() -> None:
    """Whatever the decorator makes of it."""
    read, bind = both(Typed(same, same, lambda: sa.String(3)))
    for coder in (read, bind):
        with pytest.raises(ValueError, match="has 4 characters, its column holds 3"):
            coder("abcd")


def test_decorated_json_has_two_nulls() -> None:
    """A type that leaves null to JSON stores it as SQLAlchemy's own does."""
    read, bind = both(Typed(same, same, sa.JSON), Json())
    assert read('{"b": 1, "a": []}') == b'{"a":[],"b":1}'
    assert bind(b'{"a":[]}') == '{"a": []}'
    assert read("null") == b'{"$json":null}'
    assert bind(b'{"$json":null}') == "null"
    read, _ = both(Typed(lambda value: {} if value is None else value, same, sa.JSON), Json())
    with pytest.raises(NotUndone, match="would be stored as"):
        read("null")


def test_a_uuid_kept_as_text_is_bound_as_its_type_takes_it() -> None:
    """PostgreSQL's own type is for others."""
    code = str(uuid.UUID(int=5))
    for as_uuid in (True, False):
        type_ = sa.Uuid(as_uuid=as_uuid, native_uuid=False)
        read, bind = coders(PostgreSQLCodecs(PGDialect_psycopg()), type_, Uuid())
        assert bind(code) == code.replace("-", "")
        assert read(code.replace("-", "")) == code


@pytest.mark.parametrize(
    ("type_", "text", "problem"),
    [
        (sa.Uuid(), str(uuid.UUID(int=5)), None),
        (sa.Uuid(), uuid.UUID(int=5).hex, "is a UUID in another form than PostgreSQL keeps"),
        (sa.JSON(), '{"a":1}', None),
        (sa.JSON(), "{", "Expecting"),
        (sa.String(), "a\0", "holds a NUL character"),
    ],
    ids=repr,
)
def test_text_that_travels_stored_is_what_postgresql_keeps(
    type_: Any, text: str, problem: str | None
) -> None:
    """Of a column that is text elsewhere, and of another type there."""
    if problem is None:
        assert text_check(type_)(text) == text
    else:
        with pytest.raises(ValueError, match=problem):
            text_check(type_)(text)


PLAIN_DAY = dt.datetime(2025, 1, 31, 8)
AWARE_DAY = PLAIN_DAY.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("real", "impl", "value", "problem"),
    [
        ("smallint", sa.Integer, 2**15, "is outside -32768 to 32767"),
        ("real", sa.Float, 0.1 + 0.2, "changes in a single-precision column"),
        ("numeric(6,2)", lambda: sa.Numeric(6, 2), Decimal("1.125"), "decimal places"),
        ("integer", lambda: sa.Numeric(6, 2), Decimal("1.5"), "is not whole"),
        ("character varying(3)", sa.String, "abcd", "its column holds 3"),
        ("timestamp(0) without time zone", sa.DateTime, PLAIN_DAY.replace(microsecond=1), "finer"),
        ("timestamp without time zone", sa.DateTime, AWARE_DAY, "would be shifted"),
        ("interval(0)", sa.Interval, dt.timedelta(microseconds=1), "would be cut"),
        ("smallint[]", lambda: sa.ARRAY(sa.Integer), [2**15], "is outside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_decorator_gives_postgresql_must_fit_the_real_column(
    real: str, impl: Any, value: Any, problem: str
) -> None:
    """The server would round, cut or shift it."""
    column = column_of(Typed(same, same, impl))
    codecs = PostgreSQLCodecs(PGDialect_psycopg(), lambda _: parsed(real))
    with pytest.raises(ValueError) as caught:
        codecs.limited(column)(value)
    assert problem in str(caught.value)


def test_what_a_decorator_gives_postgresql_may_be_given_in_another_form() -> None:
    """Intervals and arrays go as text."""

    def limited(real: str, impl: Any, value: Any) -> Any:
        codecs = PostgreSQLCodecs(PGDialect_psycopg(), lambda _: parsed(real))
        return codecs.limited(column_of(Typed(same, same, impl)))(value)

    assert limited("interval", sa.Interval, dt.timedelta(days=1)) == "P1DT0.000000S"
    assert limited("integer[]", lambda: sa.ARRAY(sa.Integer), [1, None]) == '{"1",NULL}'
    assert limited("timestamp with time zone", sa.DateTime, AWARE_DAY) == AWARE_DAY
    assert limited("integer", sa.Integer, 5) == 5


class Adapted:
    """What a driver wraps JSON in."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj


Adapted.__module__ = "psycopg.types.json"


@pytest.mark.parametrize(
    ("bound", "value"),
    [(bytearray(b"a"), b"a"), (memoryview(b"a"), b"a"), (Adapted([1]), [1]), ("a", "a"), (5, 5)],
    ids=lambda value: type(value).__name__,
)
def test_a_driver_gives_back_what_it_was_given_unwrapped(bound: Any, value: Any) -> None:
    """To be compared with what is stored."""
    assert fetched(bound) == value


class Colour(enum.Enum):
    """A member is itself."""

    red = 1


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        (1, 1.0, True),
        (NAN, float("nan"), True),
        ([1, NAN], [1, float("nan")], True),
        ((1, 2), (1, 3), False),
        ([1], [1, 2], False),
        ([1], (1,), False),
        (Colour.red, Colour.red, True),
        (dt.date(2025, 1, 1), dt.date(2025, 1, 2), False),
    ],
)
def test_values_are_alike_if_they_are_equal_or_both_nan(
    one: Any, other: Any, are_alike: bool
) -> None:
    """In lists as well."""
    assert alike(one, other) is are_alike
