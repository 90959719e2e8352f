"""Dates, times, datetimes and intervals: plain ones, the ends of calendars, odd zones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lading.samples.supply import Facts, Supply, stepped

UTC = dt.UTC
DAY_SECONDS = 24 * 60 * 60
#: Plain moments lie in the twenty years from here, which a TIMESTAMP holds as well.
START = dt.datetime(2005, 1, 3, 8, 30)  # noqa: DTZ001 - naive columns hold naive moments
PLAIN_DAYS = 20 * 365

DATES = (
    dt.date(2000, 1, 1),
    *(dt.date(2024, 2, 29), dt.date(2000, 2, 29), dt.date(1900, 2, 28), dt.date(1970, 1, 1)),
    *(dt.date(1969, 12, 31), dt.date(2038, 1, 19), dt.date(2038, 1, 20), dt.date(1582, 10, 10)),
    *(dt.date(1, 1, 1), dt.date(1, 1, 2), dt.date(99, 12, 31), dt.date(999, 12, 31)),
    *(dt.date(1000, 1, 1), dt.date(9999, 12, 31), dt.date(9999, 1, 1), dt.date(1752, 9, 14)),
)
TIMES = (
    dt.time(0, 0),
    *(dt.time(23, 59, 59), dt.time(12, 30), dt.time(0, 0, 1), dt.time(0, 0, 0, 1)),
    *(
        dt.time(23, 59, 59, 999_999),
        dt.time(12, 30, 0, 120_000),
        dt.time(1, 2, 3, 4),
        dt.time(9, 5),
    ),
)
#: Offsets in seconds: none, whole and part hours, odd seconds, and the farthest of PostgreSQL.
OFFSETS = (0, 3600, -5 * 3600, 20700, -12600, 3208, -57599, 57599, 14 * 3600, -12 * 3600)
ZONES = [dt.timezone(dt.timedelta(seconds=offset)) for offset in OFFSETS]
LENGTHS = (
    dt.timedelta(0),
    *(dt.timedelta(seconds=1), dt.timedelta(days=1), dt.timedelta(hours=-1), dt.timedelta(days=-1)),
    *(
        dt.timedelta(hours=23, minutes=59, seconds=59),
        dt.timedelta(hours=25),
        dt.timedelta(days=31),
    ),
    *(dt.timedelta(microseconds=1), dt.timedelta(microseconds=-1), dt.timedelta(seconds=0.12)),
    *(dt.timedelta(days=-1, microseconds=1), dt.timedelta(days=400, seconds=7, microseconds=500)),
    *(dt.timedelta(days=2_932_896), dt.timedelta(days=-719_162), dt.timedelta(days=2_932_897)),
    *(dt.timedelta.max, dt.timedelta.min, dt.timedelta(days=999_999_999)),
)


def date_supply(facts: Facts) -> Supply:
    """Return days from the year 1 to 9999."""
    counting = stepped(facts, START.date(), dt.timedelta(days=1), PLAIN_DAYS)
    return replace(counting, edges=[*counting.edges, *DATES])


def time_supply(facts: Facts) -> Supply:
    """Return times of day, with and without a fraction, aware ones with any offset."""
    start = _seconds(facts.least) if facts.least is not None else 0
    end = _seconds(facts.most) if facts.most is not None else DAY_SECONDS - 1
    span = max(1, end - start + 1)
    zone = UTC if facts.aware else None

    def at(second: int) -> dt.time:
        minutes, seconds = divmod(second, 60)
        return dt.time(minutes // 60, minutes % 60, seconds, tzinfo=zone)

    edges = [time.replace(tzinfo=zone) for time, zone in zoned(TIMES)] if zone else list(TIMES)
    bounds = [end for end in (facts.least, facts.most) if end is not None]

    def plain(n: int) -> dt.time:
        # 61 has no factor in common with a day's seconds, so that all of them come in turn.
        return at(start + (facts.seed + n * 61) % span)

    return Supply(plain, span, [*bounds, *edges], (), at(start), at(start + span - 1))


def _seconds(time: dt.time) -> int:
    return (time.hour * 60 + time.minute) * 60 + time.second


def moment_supply(facts: Facts) -> Supply:
    """Return datetimes, with and without a fraction, aware ones with any offset."""
    zone = UTC if facts.aware else None
    step = dt.timedelta(days=1, minutes=1)
    counting = stepped(facts, START.replace(tzinfo=zone), step, PLAIN_DAYS)
    edges = [dt.datetime.combine(day, time) for day in DATES for time in TIMES[:2]]
    edges += [dt.datetime.combine(DATES[0], time) for time in TIMES]
    edges += [dt.datetime.combine(dt.date.max, dt.time.max), START.replace(fold=1)]
    worst = [START.replace(microsecond=1), START.replace(microsecond=120_000)]
    if facts.aware:
        edges = [moment.replace(tzinfo=zone) for moment, zone in zoned(edges)]
        worst = [moment.replace(tzinfo=zone) for moment, zone in zoned(worst)]
    return replace(counting, edges=[*counting.edges, *edges], worst=worst)


def zoned(values: Sequence[Any]) -> list[tuple[Any, dt.timezone]]:
    """Pair values with zones: each with UTC, and each with one of the others in turn."""
    others = [(value, ZONES[n % len(ZONES)]) for n, value in enumerate(values)]
    return [*((value, UTC) for value in values), *others]


def interval_supply(facts: Facts) -> Supply:
    """Return lengths of time of both signs, those that count from 1970 among them."""
    counting = stepped(facts, dt.timedelta(days=1), dt.timedelta(days=1), PLAIN_DAYS)
    return replace(counting, edges=[*counting.edges, *LENGTHS])
