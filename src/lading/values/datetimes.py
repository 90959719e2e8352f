"""Dates, times, datetimes and intervals: their written form and order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from lading.messages import shown
from lading.values.base import Kind, article

T = TypeVar("T")
UTC = dt.UTC

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?", re.ASCII)
_ZONE = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}", re.ASCII)
_OFFSET = re.compile(r"Z|[+-][0-9]{2}:[0-5][0-9](?::[0-5][0-9])?", re.ASCII)
#: Hours and minutes that some versions of Python take for those of another day or hour.
_OVERFLOWING = re.compile(r"(?:\A|[T ])24:|[+-][0-9]{2}:[6-9]", re.ASCII)
_INTERVAL = re.compile(
    r"(-?)P(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([01]?[0-9]|2[0-3])H)?(?:([0-5]?[0-9])M)?"
    r"(?:([0-5]?[0-9])(?:\.([0-9]{1,6}))?S)?)?(?<!P)",
    re.ASCII,
)


@dataclass(frozen=True)
class Date(Kind):
    """A calendar day, ``2025-12-24``."""

    name: ClassVar[str] = "date"
    python: ClassVar[type] = dt.date

    @property
    def form(self) -> str:
        """A day."""
        return 'a day of the calendar as "2025-12-24"'

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
    """A time of day, ``08:30:00``; an ``aware`` one has its offset from UTC behind it.

    An aware time keeps the offset that it was given (``08:30:00+02:00``), as databases
    do; ``Z`` stands for none.  It is no key: two of them may be one instant.
    """

    name: ClassVar[str] = "time"
    one_form: ClassVar[bool] = False
    python: ClassVar[type] = dt.time
    aware: bool = False

    @property
    def is_key(self) -> bool:  # type: ignore[override]
        """Engines that keep offsets hold times of one instant for neighbours, not for equal."""
        return not self.aware

    @property
    def form(self) -> str:
        """A time of day."""
        return 'a time of day as "08:30:00+02:00"' if self.aware else 'a time of day as "08:30:00"'

    def write(self, value: Any) -> str:
        """Return ISO 8601, a fraction only where it isn't zero."""
        time = self.check(value).replace(fold=0)
        if not self.aware:
            if time.tzinfo is not None:
                raise ValueError(f"{shown(value)} has a time zone, its column has none")
            return str(time.isoformat())
        offset = time.utcoffset()
        if offset is None or offset.microseconds:
            raise ValueError(f"{shown(value)} has no offset of whole seconds, its column wants one")
        return str(time.isoformat()) if offset else f"{time.replace(tzinfo=None).isoformat()}Z"

    def read(self, written: Any) -> dt.time:
        """Return the time; ``HH:MM:SS`` with up to six digits behind a point."""
        if type(written) is str and (clock := _TIME.match(written)):
            zone = written[clock.end() :]
            if _OFFSET.fullmatch(zone) if self.aware else not zone:
                text = f"{padded_fraction(clock.group())}{zone}"
                return parsed(dt.time.fromisoformat, text, "time")
        wanted = "with Z or an offset" if self.aware else "no zone"
        raise ValueError(f"{shown(written)} is not a time (HH:MM:SS, {wanted})")

    def shape(self) -> dict[str, Any]:
        """A zone, where one is carried, belongs to a time's shape."""
        return {"type": self.name, **({"aware": True} if self.aware else {})}


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

    @property
    def form(self) -> str:
        """A moment."""
        return f'a moment as "2025-12-24T08:30:00{"Z" if self.aware else ""}"'

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


@dataclass(frozen=True)
class Interval(Kind):
    """A length of time: days, hours, minutes and seconds, ``P3DT4H5M6.000007S``.

    ISO 8601 with a sign in front (``-P1DT2H``), only the parts that aren't zero, less than
    24 hours and 60 minutes; ``PT0S`` is none at all.  Years, months and weeks are refused:
    the first two have no fixed length, and a week would be a second form of seven days.
    """

    name: ClassVar[str] = "interval"
    one_form: ClassVar[bool] = False
    written_sorts: ClassVar[bool] = False
    python: ClassVar[type] = dt.timedelta

    @property
    def form(self) -> str:
        """A length of time."""
        return 'days and a time of less than 24 hours as "P3DT4H5M6S"'

    def write(self, value: Any) -> str:
        """Return the duration."""
        length = abs(self.check(value))
        minutes, seconds = divmod(length.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        fraction = f".{length.microseconds:06}" if length.microseconds else ""
        days = f"{length.days}D" if length.days else ""
        clock = f"{hours}H" if hours else ""
        clock += f"{minutes}M" if minutes else ""
        clock += f"{seconds}{fraction}S" if seconds or fraction else ""
        sign = "-" if value.days < 0 else ""
        return f"{sign}P{days}{'T' if clock else ''}{clock}" if days or clock else "PT0S"

    def read(self, written: Any) -> dt.timedelta:
        """Return the length; only days, hours, minutes and seconds are taken, each in range."""
        match = _INTERVAL.fullmatch(written) if type(written) is str else None
        if match is None:
            raise ValueError(
                f"{shown(written)} is not an interval (days, hours, minutes and seconds: "
                "P3DT4H5M6.000007S)"
            )
        sign, days, hours, minutes, seconds, fraction = match.groups(default="0")
        try:
            length = dt.timedelta(
                days=int(days),
                hours=int(hours),
                minutes=int(minutes),
                seconds=int(seconds),
                microseconds=int(f"{fraction:0<6}"),
            )
            return -length if sign == "-" else length
        except OverflowError:
            raise ValueError(f"{shown(written)} is longer than 999999999 days") from None

    def order(self, written: Any) -> Any:
        """Intervals compare by their length, negative ones first."""
        return self.read(written)


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


def overflows(text: str) -> bool:
    """Tell whether a text has an hour or minutes that Python may carry over."""
    return _OVERFLOWING.search(text) is not None


def parsed(parse: Callable[[str], T], text: str, name: str) -> T:
    """Parse a text of the right form, whose numbers may still be impossible."""
    try:
        if not overflows(text):
            return parse(text)
    except ValueError:
        pass
    raise ValueError(f"{shown(text)} is not {article(name)}: a number in it is out of range")
