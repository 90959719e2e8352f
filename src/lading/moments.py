"""Dates, times and datetimes: their written form and order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from lading.errors import shown
from lading.kind import Kind, article

T = TypeVar("T")
UTC = dt.UTC

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?", re.ASCII)
_ZONE = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Date(Kind):
    """A calendar day, ``2025-12-24``."""

    name: ClassVar[str] = "date"
    python: ClassVar[type] = dt.date

    def write(self, value: Any) -> str:
        """Return ISO 8601."""
        return str(self.check(value).isoformat())

    def read(self, written: Any) -> dt.date:
        """Return the day; only ``YYYY-MM-DD`` is taken."""
        if type(written) is str and _DATE.fullmatch(written):
            return parsed(dt.date.fromisoformat, written, "date")
        raise ValueError(f"{shown(written)} is not a date (YYYY-MM-DD)")


@dataclass(frozen=True)
class Time(Kind):
    """A time of day without a zone, ``08:30:00``."""

    name: ClassVar[str] = "time"
    one_form: ClassVar[bool] = False
    python: ClassVar[type] = dt.time

    def write(self, value: Any) -> str:
        """Return ISO 8601, a fraction only where it isn't zero."""
        if self.check(value).tzinfo is not None:
            raise ValueError(f"{shown(value)} has a time zone, its column has none")
        return str(value.replace(fold=0).isoformat())

    def read(self, written: Any) -> dt.time:
        """Return the time; ``HH:MM:SS`` with up to six digits behind a point."""
        if type(written) is str and _TIME.fullmatch(written):
            return parsed(dt.time.fromisoformat, padded_fraction(written), "time")
        raise ValueError(f"{shown(written)} is not a time (HH:MM:SS, no zone)")


@dataclass(frozen=True)
class DateTime(Kind):
    """A moment: without a zone, or ``aware`` and then written in UTC with a ``Z``."""

    name: ClassVar[str] = "datetime"
    one_form: ClassVar[bool] = False
    python: ClassVar[type] = dt.datetime
    aware: bool = False

    @property
    def written_sorts(self) -> bool:  # type: ignore[override]
        """Without a zone the text sorts by time; a ``Z`` sorts above a fraction's point."""
        return not self.aware

    def write(self, value: Any) -> str:
        """Return ISO 8601, a fraction only where it isn't zero."""
        moment = self.check(value)
        if self.aware != (moment.tzinfo is not None):
            wrong = "has no time zone, its column wants one"
            if not self.aware:
                wrong = "has a time zone, its column has none"
            raise ValueError(f"{shown(value)} {wrong}")
        if not self.aware:
            return str(moment.replace(fold=0).isoformat())
        return utc_written(moment)

    def read(self, written: Any) -> dt.datetime:
        """Return the moment, an aware one in UTC."""
        if type(written) is str and written[10:11] == "T" and _DATE.fullmatch(written[:10]):
            clock = _TIME.match(written, 11)
            zone = written[clock.end() :] if clock else ""
            if clock and (_ZONE.fullmatch(zone) if self.aware else not zone):
                text = f"{written[:11]}{padded_fraction(clock.group())}{zone}"
                moment = parsed(dt.datetime.fromisoformat, text, "datetime")
                return in_utc(moment) if self.aware else moment
        wanted = "with Z or an offset" if self.aware else "no zone"
        raise ValueError(f"{shown(written)} is not a datetime (YYYY-MM-DDTHH:MM:SS, {wanted})")

    def order(self, written: Any) -> Any:
        """Aware moments compare without their ``Z``, so that a fraction sorts above none."""
        return written[:-1] if self.aware else written

    def shape(self) -> dict[str, Any]:
        """Whether a zone is carried belongs to a datetime's shape."""
        return {"type": self.name, "aware": self.aware}


def in_utc(moment: dt.datetime) -> dt.datetime:
    """Move an aware moment to UTC; ``ValueError`` where that leaves the years 1 to 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{shown(moment)} lies outside the years 1 to 9999 in UTC") from None


def utc_written(moment: dt.datetime) -> str:
    """Write an aware moment in UTC with a ``Z``."""
    return in_utc(moment).isoformat()[:-6] + "Z"


def padded_fraction(clock: str) -> str:
    """Fill a fraction of a second up to six digits."""
    whole, point, fraction = clock.partition(".")
    return f"{whole}.{fraction:0<6}" if point else whole


def parsed(parse: Callable[[str], T], text: str, name: str) -> T:
    """Parse a text of the right form, whose numbers may still be impossible."""
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not {article(name)}: {error}") from None
