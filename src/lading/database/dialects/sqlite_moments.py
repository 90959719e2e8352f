"""Moments as SQLite and SQLAlchemy keep them: texts, with a fraction of six digits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from lading.values.base import Kind
from lading.values.datetimes import Date, Time

_SAMPLES = (dt.datetime(2, 3, 4, 5, 6, 7), dt.datetime(2025, 12, 24, 18, 30, 15, 4500))  # noqa: DTZ001
_TOO_FINE = re.compile(r"[.,][0-9]{7}")


class Zoned(ValueError):
    """A text has a time zone, which SQLAlchemy's types of SQLite don't keep."""


def whole_fraction(text: Any) -> Any:
    """Refuse a fraction of a second beyond six digits, which Python would cut."""
    if type(text) is str and _TOO_FINE.search(text):
        raise ValueError(f"the database holds {text!r}, and a time has no more than microseconds")
    return text


def padded(text: str, length: int) -> str:
    """Give a time of ``length`` characters the fraction that it lacks."""
    return text if len(text) > length else f"{text}.000000"


def stores_as_usual(bind: Callable[[Any], Any], kind: Kind) -> bool:
    """Tell whether a type's dates, times or datetimes are stored in SQLAlchemy's own format."""
    samples = [_of_kind(sample, kind) for sample in _SAMPLES]
    return all(bind(sample) == _usual_text(sample) for sample in samples)


def _of_kind(moment: dt.datetime, kind: Kind) -> Any:
    """Return the part of a datetime that is a value of a kind."""
    if isinstance(kind, Date):
        return moment.date()
    return moment.time() if isinstance(kind, Time) else moment


def _usual_text(value: Any) -> str:
    """Return what SQLAlchemy stores of a date, time or datetime by default."""
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    return str(value.isoformat("microseconds") if isinstance(value, dt.time) else value.isoformat())
