"""Written forms as expressions: what is canonical, what is in range, and what is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.sql import sqltypes

from lading.codegen import Expression
from lading.database.dialects.limits import between
from lading.messages import shown
from lading.values.base import Kind, article
from lading.values.datetimes import DateTime, overflows
from lading.values.json_text import json_text, parse_json
from lading.values.scalars import JSON_NULL, Json, Number

T = TypeVar("T")
#: How many dates are remembered per column: 27 years.
MOST_DATES = 10_000


def refusing(what: str) -> Callable[[Any], Any]:
    """Return a function that refuses any value, and says what the column should hold."""

    def fail(value: Any) -> Any:
        if value is None:
            raise ValueError("the database holds NULL, which the model doesn't allow")
        raise ValueError(f"the database holds {shown(value)}, which is not {what}")

    return fail


def strict(parse: Callable[[str], T], what: str) -> Callable[[Any], T]:
    """Return a function that parses a column's text, and says of any other what it should hold."""
    fail = refusing(what)

    def read(raw: Any) -> T:
        try:
            if "24:" not in raw or not overflows(raw):
                return parse(raw)
        except (ValueError, TypeError):
            pass
        return fail(raw)  # type: ignore[no-any-return]

    return read


def refusing_kind(kind: Kind) -> Callable[[Any], Any]:
    """Return a function that refuses any value as not being of a kind."""
    return refusing(article(kind.name))


def in_range(low: int, high: int) -> Expression:
    """Refuse integers outside a range."""
    return Expression(
        f"({{x}} if {low} <= {{x}} <= {high} else fail({{x}}))", {"fail": between(low, high)}
    )


def decimal_form(kind: Number) -> Callable[[str], Any]:
    """Return a matcher of a decimal's canonical text with a precision and scale."""
    assert kind.precision is not None
    assert kind.scale is not None
    whole = kind.precision - kind.scale
    digits = "0" if whole < 1 else f"(?:0|[1-9][0-9]{{0,{whole - 1}}})"
    tail = rf"\.[0-9]{{{kind.scale}}}" if kind.scale > 0 else ""
    return re.compile(rf"(?!-0(?:\.0*)?\Z)-?{digits}{tail}", re.ASCII).fullmatch


def _canonical(parse: Callable[[str], Any], form: str) -> Callable[[str], str]:
    """Return a function that returns a text if it is canonical, and has no zone."""

    def check(text: str) -> str:
        try:
            value = parse(text)
            if value.isoformat() == text and getattr(value, "tzinfo", None) is None:
                return text
        except ValueError:
            pass
        raise ValueError(f"{shown(text)} is not {form}")

    return check


canonical_date = _canonical(dt.date.fromisoformat, "a date (YYYY-MM-DD)")
canonical_time = _canonical(dt.time.fromisoformat, "a time (HH:MM:SS, no zone)")
canonical_moment = _canonical(
    dt.datetime.fromisoformat, "a canonical datetime (YYYY-MM-DDTHH:MM:SS, no zone)"
)


def checked_date() -> Expression:
    """Check dates; the same few days stand in most records, so checked dates are remembered."""
    known_dates: set[str] = set()

    def check(text: str) -> str:
        date = canonical_date(text)
        if len(known_dates) < MOST_DATES:
            known_dates.add(date)
        return date

    return Expression(
        "({x} if known({x}) else check({x}))", {"known": known_dates.__contains__, "check": check}
    )


def without_zone(kind: DateTime, text: str) -> str:
    """Return an aware datetime's canonical text without its ``Z``, a naive one's as it is."""
    if not kind.aware:
        return canonical_moment(text)
    if text[-1:] != "Z":
        raise ValueError(f"{shown(text)} is not a canonical datetime (YYYY-MM-DDTHH:MM:SSZ)")
    return canonical_moment(text[:-1])


def written_json(value: Any) -> bytes:
    """Return the written text of a JSON value that stands in a column."""
    return json_text(Json().write(JSON_NULL if value is None else value))


def json_value(written: bytes) -> Any:
    """Turn the written text of a JSON value into what SQLAlchemy's type binds."""
    value = Json().read(parse_json(written))
    return sqltypes.JSON.NULL if value is JSON_NULL else value
