"""What PostgreSQL sends and takes as text or bytes, where a driver would change it.

A driver turns a month into 30 days and forgets where an array begins; the server's own
forms say all that is kept.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.messages import shown

Loader = Callable[[str], Any]

_DAY = 24 * 60 * 60 * 10**6
_FOREVER = 2**31 - 1
_SPAN = re.compile(
    r"(?:(-?[0-9]+) years? ?)?(?:([+-]?[0-9]+) mons? ?)?(?:([+-]?[0-9]+) days? ?)?"
    r"(?:([+-]?)([0-9]{2,}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?)?",
    re.ASCII,
)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?", re.ASCII
)
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},])|([^"{},\\]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'(["\\])')

#: SQL that keeps an interval's length, and converts it to the parts of a timedelta.
MENDED = (
    "justify_hours(column + interval '1000000000 days') - interval '1000000000 days'; months have "
    "no fixed length, so replace them by days first"
)


# Intervals


def sent_interval(raw: bytes) -> dt.timedelta:
    """Return the length that ``interval_send`` gives: microseconds, days and months."""
    microseconds, days, months = struct.unpack(">qii", raw)
    return length_of(months, days, microseconds)


def text_interval(text: str) -> dt.timedelta:
    """Return the length of an interval's text in PostgreSQL's usual style."""
    match = _SPAN.fullmatch(text)
    if match is None or not text:
        raise ValueError(
            f"the database gives the interval {shown(text)}, which is not in IntervalStyle "
            "'postgres' or has no end"
        )
    years, months, days, sign, *clock = match.groups(default="0")
    hours, minutes, seconds, fraction = clock
    microseconds = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    microseconds = microseconds * 10**6 + int(f"{fraction:0<6}")
    total = -microseconds if sign == "-" else microseconds
    return length_of(int(years) * 12 + int(months), int(days), total)


def length_of(months: int, days: int, microseconds: int) -> dt.timedelta:
    """Return an interval's length; ``ValueError`` where a timedelta wouldn't give its parts back.

    Drivers write a timedelta as days and the rest of a day, which is never negative.
    """
    parts = f"{months} months, {days} days and {microseconds / 10**6} seconds"
    if abs(months) >= _FOREVER and abs(days) >= _FOREVER:
        raise ValueError("the database holds an interval without end")
    if months or not 0 <= microseconds < _DAY:
        raise ValueError(
            f"the database holds an interval of {parts}, which a length of time alone would not "
            f"give back (set it to {MENDED})"
        )
    try:
        return dt.timedelta(days=days, microseconds=microseconds)
    except OverflowError:
        raise ValueError(f"the database holds an interval of {parts}, beyond timedelta") from None


def interval_text(length: dt.timedelta) -> str:
    """Return what PostgreSQL reads as exactly this length, whatever its IntervalStyle."""
    return f"P{length.days}DT{length.seconds}.{length.microseconds:06}S"


def interval_limit(fields: str | None, precision: int | None) -> Callable[[dt.timedelta], Any]:
    """Return the check that an interval column's fields and precision hold a length unchanged."""
    unit = _unit(fields, precision)

    def check(length: dt.timedelta) -> dt.timedelta:
        if length if unit is None else length % unit:
            holds = f"multiples of {unit}" if unit is not None else "whole months"
            raise ValueError(f"{length!s} would be cut: its column holds {holds}")
        return length

    return check


def _unit(fields: str | None, precision: int | None) -> dt.timedelta | None:
    """Return the unit whose multiples a column's intervals are; ``None`` for months."""
    last = (fields or "SECOND").upper().split()[-1]
    if last in ("YEAR", "MONTH"):
        return None
    if last in ("DAY", "HOUR", "MINUTE"):
        return dt.timedelta(**{f"{last.lower()}s": 1})
    return dt.timedelta(microseconds=10 ** (6 - min(6, 6 if precision is None else precision)))


# Dates and times, in DateStyle ISO


def date_text(text: str) -> str:
    """Return a date's text in the years 1 to 9999; ``ValueError`` for any other."""
    if len(text) != len("2025-12-24"):
        raise ValueError(f"the database holds the date {text}, outside the years 1 to 9999")
    return text


def moment_text(text: str) -> str:
    """Return the written form of a timestamp without a zone, in the years 1 to 9999."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"the database holds the moment {text}, outside the years 1 to 9999")
    day, clock, fraction = match.groups()
    return f"{day}T{clock}" + (f".{fraction:0<6}" if fraction else "")


def time_of(text: str) -> dt.time:
    """Return a time of day, with its offset if it has one; ``24:00`` isn't a time."""
    if text.startswith("24"):
        raise ValueError(f"the database holds the time {text}, which is the next day's 00:00:00")
    return dt.time.fromisoformat(text)


# Arrays


def parsed_array(text: str) -> list[Any]:
    """Return the nested texts (or ``None``) of an array's text.

    An array that doesn't begin at 1 is refused: a list has nowhere to say so.
    """
    if text.startswith("["):
        raise ValueError(
            f"the database holds an array with bounds of its own ({shown(text)}), which a list "
            "would not give back (rebuild it: ARRAY(SELECT unnest(column)))"
        )
    whole: list[Any] = []
    open_: list[list[Any]] = [whole]
    for quoted, sign, plain in _TOKEN.findall(text):
        if sign == "{":
            inner: list[Any] = []
            open_[-1].append(inner)
            open_.append(inner)
        elif sign == "}":
            open_.pop()
        elif plain:
            open_[-1].append(None if plain == "NULL" else plain)
        elif not sign:
            open_[-1].append(_ESCAPED.sub(r"\1", quoted))
    elements: list[Any] = whole[0]
    return elements


def array_text(value: Any) -> str:
    """Return the array literal of nested lists of driver values."""
    if isinstance(value, list | tuple):
        return f"{{{','.join(map(array_text, value))}}}"
    if value is None:
        return "NULL"
    return '"' + _SPECIAL.sub(r"\\\1", item_text(value)) + '"'


def item_text(value: Any) -> str:
    """Return an array's item as PostgreSQL's text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, dt.timedelta):
        return interval_text(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str | bool | int | float | Decimal | uuid.UUID):
        return str(value)
    raise ValueError(f"{shown(value)} can't be an item of an array")


# Values as the driver gives them outside of arrays


def loader_of(type_: TypeEngine[Any]) -> Loader:
    """Return a function from an item's text to the driver's value of a type of PostgreSQL."""
    for match, load in _LOADERS:
        if isinstance(type_, match):
            return load
    return str


def _moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the database holds the moment {text}, outside 1 to 9999") from None


def _boolean(text: str) -> bool:
    return {"t": True, "f": False}[text]


def _bytes(text: str) -> bytes:
    if not text.startswith("\\x"):
        raise ValueError("the database gives bytes in another form; RESET bytea_output")
    return bytes.fromhex(text[2:])


_LOADERS: list[tuple[Any, Loader]] = [
    (sqltypes.Enum, str),
    (sqltypes.String, str),
    (sqltypes.Boolean, _boolean),
    (sqltypes.Integer, int),
    (sqltypes.Float, float),
    (sqltypes.Numeric, Decimal),
    (sqltypes.Date, lambda text: dt.date.fromisoformat(date_text(text))),
    (sqltypes.DateTime, _moment),
    (sqltypes.Time, time_of),
    (postgresql.INTERVAL, text_interval),
    (sqltypes.Uuid, uuid.UUID),
    (sqltypes.LargeBinary, _bytes),
    (sqltypes.JSON, json.loads),
]
