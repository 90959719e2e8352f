"""What PostgreSQL sends as text or bytes, and what it reads as exactly the same."""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lading.database.dialects.postgresql_text import (
    array_text,
    date_text,
    interval_limit,
    interval_text,
    item_text,
    loader_of,
    moment_text,
    parsed_array,
    sent_interval,
    text_interval,
    time_of,
)

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("00:00:00", dt.timedelta()),
        ("1 day", DAY),
        ("-3 days", -3 * DAY),
        ("2 days 03:04:05", 2 * DAY + dt.timedelta(hours=3, minutes=4, seconds=5)),
        ("00:00:00.5", SECOND / 2),
        ("00:00:01.000001", SECOND + dt.timedelta(microseconds=1)),
        ("-1 days +23:00:00", -dt.timedelta(hours=1)),
        ("0 years 0 mons 1 day", DAY),
    ],
)
def test_an_interval_s_text_is_a_length(text: str, length: dt.timedelta) -> None:
    """And the server reads what is written of it as the same parts."""
    assert text_interval(text) == length
    raw = struct.pack(">qii", (length.seconds * 10**6) + length.microseconds, length.days, 0)
    assert sent_interval(raw) == length


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 mon", "an interval of 1 months, 0 days and 0.0 seconds"),
        ("1 year 2 mons", "an interval of 14 months"),
        ("-00:00:01", "0 days and -1.0 seconds, which a length of time alone would not give back"),
        ("24:00:00", "0 days and 86400.0 seconds"),
        ("", "not in IntervalStyle 'postgres' or has no end"),
        ("infinity", "has no end"),
        ("P1D", "not in IntervalStyle"),
        ("1000000000 days", "beyond timedelta"),
    ],
)
def test_an_interval_that_a_length_would_not_give_back_is_refused(text: str, problem: str) -> None:
    """With what to set it to, where that can be."""
    with pytest.raises(ValueError) as caught:
        text_interval(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_without_end_is_called_so(sign: int) -> None:
    """Its bytes are the farthest there are."""
    raw = struct.pack(">qii", sign * (2**63 - 1), sign * (2**31 - 1), sign * (2**31 - 1))
    with pytest.raises(ValueError, match="an interval without end"):
        sent_interval(raw)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (dt.timedelta(), "P0DT0.000000S"),
        (-SECOND, "P-1DT86399.000000S"),
        (DAY + SECOND / 2, "P1DT0.500000S"),
    ],
)
def test_a_length_is_written_for_any_style(length: dt.timedelta, text: str) -> None:
    """As days and the rest of a day, which is never negative."""
    assert interval_text(length) == text


@pytest.mark.parametrize(
    ("fields", "precision", "unit"),
    [
        (None, None, dt.timedelta(microseconds=1)),
        (None, 2, dt.timedelta(microseconds=10_000)),
        (None, 0, SECOND),
        ("DAY TO SECOND", 3, dt.timedelta(milliseconds=1)),
        ("day to minute", None, dt.timedelta(minutes=1)),
        ("HOUR", None, dt.timedelta(hours=1)),
        ("DAY", None, DAY),
    ],
)
def test_a_column_of_intervals_holds_multiples(
    fields: str | None, precision: int | None, unit: dt.timedelta
) -> None:
    """Of the least unit that it keeps; what is finer would be cut."""
    check = interval_limit(fields, precision)
    assert check(7 * unit) == 7 * unit
    if unit > dt.timedelta(microseconds=1):
        with pytest.raises(ValueError, match="would be cut: its column holds multiples of"):
            check(7 * unit + dt.timedelta(microseconds=1))


def test_a_column_of_months_holds_nothing_but_zero() -> None:
    """A length of time has no months."""
    check = interval_limit("YEAR TO MONTH", None)
    assert check(dt.timedelta()) == dt.timedelta()
    with pytest.raises(ValueError, match="its column holds whole months"):
        check(40 * DAY)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2025-01-31 08:00:00", "2025-01-31T08:00:00"),
        ("2025-01-31 08:00:00.5", "2025-01-31T08:00:00.500000"),
        ("0001-01-01 00:00:00.000001", "0001-01-01T00:00:00.000001"),
    ],
)
def test_a_moment_s_text_is_written_with_six_digits(text: str, written: str) -> None:
    """Or none."""
    assert moment_text(text) == written


@pytest.mark.parametrize("text", ["infinity", "10000-01-01 00:00:00", "0001-01-01 00:00:00 BC", ""])
def test_a_moment_outside_of_python_s_is_refused(text: str) -> None:
    """The driver would fail without saying where."""
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        moment_text(text)
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        date_text(text)


def test_the_day_s_end_is_no_time() -> None:
    """The others are, with their offset if they have one."""
    assert time_of("08:00:00.5") == dt.time(8, microsecond=500_000)
    assert time_of("08:00:00+02").utcoffset() == dt.timedelta(hours=2)
    with pytest.raises(ValueError, match="which is the next day's 00:00:00"):
        time_of("24:00:00")


ARRAYS: list[tuple[str, Any]] = [
    ("{}", []),
    ('{"a","b"}', ["a", "b"]),
    ('{NULL,"NULL"}', [None, "NULL"]),
    ('{"","a b"}', ["", "a b"]),
    ('{"q\\"q","b\\\\b","c,c","{}"}', ['q"q', "b\\b", "c,c", "{}"]),
    ('{{"a","b"},{"c",NULL}}', [["a", "b"], ["c", None]]),
    ('{"two\nlines"}', ["two\nlines"]),
]


@pytest.mark.parametrize(("text", "items"), ARRAYS)
def test_an_array_s_text_is_its_items(text: str, items: Any) -> None:
    """And the text that is written of them is the same."""
    assert parsed_array(text) == items
    assert array_text(items) == text


def test_items_need_no_quotes_where_the_server_leaves_them_out() -> None:
    """Only what is special is quoted by it."""
    assert parsed_array("{1,-2.5,t,2025-01-31}") == ["1", "-2.5", "t", "2025-01-31"]


def test_an_array_with_bounds_of_its_own_is_refused() -> None:
    """A list begins at 1."""
    with pytest.raises(ValueError, match="an array with bounds of its own"):
        parsed_array("[0:1]={1,2}")


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (sa.String(), "a", "a"),
        (sa.Enum("a"), "a", "a"),
        (sa.Boolean(), "t", True),
        (sa.Boolean(), "f", False),
        (sa.Integer(), "-5", -5),
        (sa.Float(), "0.5", 0.5),
        (sa.Numeric(), "0.50", Decimal("0.50")),
        (sa.Date(), "2025-01-31", dt.date(2025, 1, 31)),
        (sa.DateTime(), "2025-01-31 08:00:00", dt.datetime(2025, 1, 31, 8)),
        (sa.Time(), "08:00:00", dt.time(8)),
        (postgresql.INTERVAL(), "1 day", DAY),
        (sa.Uuid(), str(uuid.UUID(int=5)), uuid.UUID(int=5)),
        (sa.LargeBinary(), "\\x00ff", b"\x00\xff"),
        (sa.JSON(), '{"a": 1}', {"a": 1}),
        (postgresql.INET(), "::1", "::1"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_an_item_is_loaded_as_the_driver_would(type_: Any, text: str, value: Any) -> None:
    """Into the same Python type."""
    loaded = loader_of(type_)(text)
    assert (loaded, type(loaded)) == (value, type(value))


@pytest.mark.parametrize(
    ("type_", "text", "problem"),
    [
        (sa.DateTime(), "infinity", "the moment infinity, outside 1 to 9999"),
        (sa.Date(), "infinity", "the date infinity, outside the years 1 to 9999"),
        (sa.LargeBinary(), "\\000", "RESET bytea_output"),
    ],
)
def test_an_item_without_a_python_value_is_refused(type_: Any, text: str, problem: str) -> None:
    """By what the database holds."""
    with pytest.raises(ValueError) as caught:
        loader_of(type_)(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "True"),
        (-5, "-5"),
        (Decimal("0.50"), "0.50"),
        (b"\x00\xff", "\\x00ff"),
        (memoryview(b"a"), "\\x61"),
        (DAY, "P1DT0.000000S"),
        (dt.date(2025, 1, 31), "2025-01-31"),
        (dt.time(8), "08:00:00"),
        (uuid.UUID(int=5), str(uuid.UUID(int=5))),
    ],
)
def test_an_item_has_a_text(value: Any, text: str) -> None:
    """Which the server reads as the same value."""
    assert item_text(value) == text


def test_what_no_item_is_made_of_is_refused() -> None:
    """Rather than written as what Python shows."""
    with pytest.raises(ValueError, match="can't be an item of an array"):
        item_text(object())
