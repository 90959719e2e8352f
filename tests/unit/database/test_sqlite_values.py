"""SQLite's raw values: what is read of them, what is bound, and what is refused both ways."""

from __future__ import annotations

import enum
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from lading.database.dialects.sqlite_columns import SQLiteColumn, declared_as
from lading.database.dialects.sqlite_decimals import Unscaled
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.values.scalars import Number
from support.coding import coders, column_of


class Size(enum.Enum):
    """A member's name is written, and stored."""

    small = "S"
    large = "L"


def codecs(declared: str | None = None, *, is_strict: bool = False) -> SQLiteCodecs:
    """Return the codecs of columns as their models say, or of one declared type."""
    if declared is None:
        return SQLiteCodecs(sqlite.dialect())
    real: SQLiteColumn = declared_as(declared, is_strict=is_strict)
    return SQLiteCodecs(sqlite.dialect(), lambda _: real)


UUID = "00000000-0000-0000-0000-0000000000ff"


@pytest.mark.parametrize(
    ("type_", "raw", "written"),
    [
        (sa.String(3), "abc", "abc"),
        (sa.CHAR(3), "a", "a"),
        (sa.Integer(), -5, -5),
        (sa.SmallInteger(), 2**63 - 1, 2**63 - 1),
        (sa.Boolean(), 1, True),
        (sa.Boolean(), 0, False),
        (sa.Float(), 0.5, 0.5),
        (sa.Float(), float("inf"), "Infinity"),
        (sa.Numeric(6, 2), 3.5, "3.50"),
        (sa.Numeric(6, 2), -0.25, "-0.25"),
        (sa.Numeric(), 0.1, "0.1"),
        (sa.LargeBinary(), b"\x00\xff", "AP8="),
        (sa.Date(), "2025-01-31", "2025-01-31"),
        (sa.Time(), "08:00:00.500000", "08:00:00.500000"),
        (sa.Time(), "08:00:00.000000", "08:00:00"),
        (sa.DateTime(), "2025-01-31 08:00:00.000000", "2025-01-31T08:00:00"),
        (sa.DateTime(timezone=True), "2025-01-31 08:00:00.000000", "2025-01-31T08:00:00Z"),
        (sa.Interval(), "1970-01-02 00:00:01.000000", "P1DT1S"),
        (sa.Uuid(), "000000000000000000000000000000ff", UUID),
        (sa.Uuid(as_uuid=False), "000000000000000000000000000000ff", UUID),
        (sa.JSON(), '{"a": [null], "b": 1}', b'{"a":[null],"b":1}'),
        (sa.JSON(), "null", b'{"$json":null}'),
        (sa.Enum("a", "b"), "b", "b"),
        (sa.Enum(Size), "small", "small"),
        (sa.Enum(Size, values_callable=lambda sizes: [s.value for s in sizes]), "S", "small"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_a_value_is_read_and_bound_again(type_: Any, raw: Any, written: Any) -> None:
    """As SQLAlchemy would store it."""
    read, bind = coders(codecs(), type_)
    assert read(raw) == written
    assert type(read(raw)) is type(written)
    assert bind(written) == raw


@pytest.mark.parametrize(
    ("type_", "raw", "written"),
    [
        (sa.CHAR(5), "ab   ", "ab"),
        (sa.Float(), 5, 5.0),
        (sa.Float(), -0.0, 0.0),
        (sa.Numeric(6, 2), 3, "3.00"),
        (sa.Numeric(6, 2), "3.5", "3.50"),
        (sa.Numeric(), 1e22, "10000000000000000000000"),
        (sa.Numeric(6, 2), -0.0, "0.00"),
        (sa.DateTime(), "2025-01-31 08:00:00", "2025-01-31T08:00:00"),
        (sa.JSON(), 5, b"5"),
        (sa.JSON(), 1e20, b"100000000000000000000"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_others_stored_is_read_as_what_it_means(type_: Any, raw: Any, written: Any) -> None:
    """Where that is certain."""
    read, _ = coders(codecs(), type_)
    assert read(raw) == written


@pytest.mark.parametrize(
    ("type_", "raw", "problem"),
    [
        (sa.String(3), "abcd", "has 4 characters, its column holds 3"),
        (sa.String(3), 5, "the database holds 5, which is not a string"),
        (sa.CHAR(3), b"a", "which is not a string"),
        (sa.Integer(), 5.0, "the database holds 5.0, which is not an integer"),
        (sa.Integer(), "5", "which is not an integer"),
        (sa.Boolean(), 2, "the database holds 2, which is not a boolean (0 or 1)"),
        (sa.Boolean(), "1", "which is not a boolean"),
        (sa.Float(), "x", "which is not a float"),
        (sa.Numeric(6, 2), 0.125, "the database holds 0.125, which is not 0.12"),
        (sa.Numeric(6, 2), b"1", "which is not a decimal"),
        (sa.Numeric(6, 2), "NaN", "which is not a decimal"),
        (sa.Numeric(6, 2), float("nan"), "which is not a decimal"),
        (sa.Numeric(4, 2), 100.0, "100.00"),
        (sa.LargeBinary(2), b"abc", "3 bytes are too many, its column holds 2"),
        (
            sa.Date(),
            "31.1.2025",
            "the database holds '31.1.2025', which is not a date (YYYY-MM-DD)",
        ),
        (sa.Date(), 1735689600, "the database holds 1735689600, which is not a date"),
        (sa.Time(), "25:00:00", "the database holds '25:00:00', which is not a time (HH:MM:SS)"),
        (sa.DateTime(), "2025-01-31 24:00:00", "which is not a datetime (YYYY-MM-DD HH:MM:SS)"),
        (sa.Time(), "08:00:00.0000001", "a time has no more than microseconds"),
        (sa.DateTime(), "2025-01-31 08:00:00.0000001", "no more than microseconds"),
        (sa.DateTime(), "2025-01-31 08:00:00+01:00", "a DateTime keeps no time zone on SQLite"),
        (sa.Uuid(), UUID, "which is not a uuid as SQLAlchemy stores it"),
        (sa.Uuid(), "000000000000000000000000000000FF", "as SQLAlchemy stores it"),
        (sa.JSON(), "{", "Expecting property name"),
        (sa.JSON(), '{"a":1,"a":2}', "twice"),
        (sa.Enum("a", "b"), "c", "the database holds 'c', which is not one of a, b"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_a_column_should_not_hold_is_refused(type_: Any, raw: Any, problem: str) -> None:
    """SQLite keeps anything anywhere."""
    read, _ = coders(codecs(), type_)
    with pytest.raises(ValueError) as caught:
        read(raw)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "written", "problem"),
    [
        (sa.String(3), "abcd", "has 4 characters, its column holds 3"),
        (sa.Integer(), 2**63, "is outside -9223372036854775808 to 9223372036854775807"),
        (sa.Float(), "NaN", "NaN would become NULL in SQLite"),
        (sa.Numeric(), "0.1234567890123456789", "changes in SQLite, which keeps decimals as doub"),
        (sa.Numeric(6, 2), "3.5", "3.5"),
        (sa.Numeric(6, 2), "-0.00", "-0.00"),
        (sa.LargeBinary(2), "YWJj", "3 bytes are too many"),
        (sa.Date(), "2025-1-31", "2025-1-31"),
        (sa.Time(), "08:00", "'08:00' is not a time (HH:MM:SS, no zone)"),
        (sa.Time(), "08:00:00Z", "is not a time (HH:MM:SS, no zone)"),
        (sa.DateTime(), "2025-01-31T08:00:00Z", "is not a canonical datetime"),
        (sa.DateTime(), "2025-01-31T08:00:00.5", "is not a canonical datetime"),
        (sa.DateTime(timezone=True), "2025-01-31T08:00:00", "is not a canonical datetime"),
        (sa.Interval(), "P4000000D", "lies outside the years 1 to 9999"),
        (sa.Uuid(), UUID.upper(), "is not canonical"),
        (sa.JSON(), b"1.0", "1.0 alone would become an integer in SQLite's JSON column"),
        (sa.JSON(), b"100000000000000000001", "100000000000000000001"),
        (sa.Enum("a", "b"), "c", "'c'"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_is_not_canonical_or_would_change_is_not_bound(
    type_: Any, written: Any, problem: str
) -> None:
    """The former is left to marshmallow, the latter refused."""
    _, bind = coders(codecs(), type_)
    with pytest.raises(ValueError) as caught:
        bind(written)
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["5", " -1.5e3 ", ".5", "+7."])
def test_a_text_that_looks_like_a_number_is_not_bound_to_a_column_of_numbers(text: str) -> None:
    """SQLite would store it as one; others stay texts there."""
    _, bind = coders(codecs("NUMERIC"), sa.String())
    with pytest.raises(ValueError, match="looks like a number, and would be stored as one"):
        bind(text)
    assert bind("5a") == "5a"


@pytest.mark.parametrize(
    ("declared", "written", "driver"),
    [
        ("JSON", b"5", "5"),
        ("TEXT", b"1.0", "1.0"),
        ("REAL", b"0.5", 0.5),
        ("JSON", b"1.5044752326288456e-304", 1.5044752326288456e-304),
        ("JSON", b"100000000000000000000", 1e20),
    ],
)
def test_json_of_a_lone_number_is_bound_where_its_column_keeps_it(
    declared: str, written: bytes, driver: object
) -> None:
    """As a double where SQLite would read one from a text, and not always the nearest."""
    assert coders(codecs(declared), sa.JSON())[1](written) == driver


def test_json_of_a_lone_integer_is_not_bound_to_a_column_of_floats() -> None:
    """It would come back as a float."""
    with pytest.raises(ValueError, match="5 alone would become a float in a column of floats"):
        coders(codecs("REAL"), sa.JSON())[1](b"5")


@pytest.mark.parametrize(
    ("declared", "is_strict", "type_", "misfit"),
    [
        ("TEXT", False, sa.Integer(), "is TEXT in the database, which has TEXT affinity"),
        ("FLOAT", False, sa.Integer(), "which has REAL affinity"),
        ("VARCHAR(5)", False, sa.Numeric(5, 2), "is VARCHAR(5) in the database"),
        ("TEXT", True, sa.LargeBinary(), "is TEXT of a STRICT table"),
        ("INTEGER", True, sa.String(), "is INTEGER of a STRICT table"),
        ("ANY", True, sa.String(), None),
        ("", False, sa.Integer(), None),
        ("BLOB", False, sa.Float(), None),
        ("INTEGER", False, sa.String(), None),
        ("TEXT", False, sa.DateTime(), None),
    ],
)
def test_a_column_that_changes_all_values_is_a_misfit(
    declared: str, is_strict: bool, type_: Any, misfit: str | None
) -> None:
    """By its affinity, or because it is strict; nothing is read or bound there."""
    coding = codecs(declared, is_strict=is_strict)
    found = coding.misfit(column_of(type_))
    assert (misfit in found) if misfit is not None and found else found == misfit
    if misfit is not None:
        for coder in coders(coding, type_):
            with pytest.raises(ValueError, match="isn't a value of its model"):
                coder("1")


def test_decimals_may_be_written_as_they_are_read() -> None:
    """Cells that are rounded are told from others; without the catalog's word none is."""
    coding, column, kind = codecs(), column_of(sa.Numeric(6, 2)), Number(precision=6, scale=2)
    assert coding.rounds(column, kind) is None
    with pytest.raises(Unscaled):
        coding.reader(column, kind).function()(0.125)
    coding.as_read = True
    assert coding.reader(column, kind).function()(0.125) == "0.12"
    is_rounded = coding.rounds(column, kind)
    assert is_rounded is not None
    assert [is_rounded(raw) for raw in (0.125, 0.25, 3, None)] == [True, False, False, False]
