"""Strategies that draw more values of a kind than its samples have."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.database.dialects.limits import shortest
from lading.mapping.columns import underlying
from lading.samples.datetimes import UTC, ZONES
from lading.samples.json_arrays import KEYS, SCALARS
from lading.samples.numbers import DIGITS, SCALE, decimal_bounds, scaled
from lading.samples.supply import Facts
from lading.samples.texts import NASTY
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Bytes, Float, Integer, Json, Number, Text, Uuid

LONGEST = 20
ITEMS = 4
#: Characters of hostile texts, to make more of, the simplest first.
CHARACTERS = "".join(dict.fromkeys("ab" + "".join(NASTY)))
#: All that UTF-8 has; Hypothesis's own alphabet takes it a second to look up.
ANY = st.characters(exclude_categories=["Cs"])

Strategy = SearchStrategy[Any]


def drawn_values(kind: Kind, type_: Any, facts: Facts) -> Strategy | None:
    """Return a strategy of a kind's values, as Core takes them for a type.

    ``None`` where its samples are all that there are; without a type, as the kind writes them.
    """
    match kind:
        case Text():
            return joined(st.text(CHARACTERS, **_sizes(facts)), st.text(ANY, **_sizes(facts)))
        case Bytes():
            return st.binary(**_sizes(replace(facts, shortest=facts.exact or facts.shortest)))
        case Number():
            return _decimals(kind, facts)
        case Uuid():
            is_object = getattr(underlying(type_), "as_uuid", True)
            return st.uuids() if is_object else st.uuids().map(str)
        case Json():
            return _json()
        case _:
            return _ranged(kind, facts) if type(kind) in _RANGES else None


def drawn_lists(parts: Collection[Any], kind: Kind, facts: Facts) -> Strategy:
    """Return lists, or texts, of some items alone."""
    lists = st.lists(st.sampled_from(list(parts)), **_sizes(facts))
    return lists.map("".join) if isinstance(kind, Text) else lists


def picked(values: Collection[Any]) -> Strategy:
    """Return the strategy that gives one of some values, simplest first.

    By number, since Hypothesis shows the values of ``sampled_from`` whole, however long.
    """
    few = tuple(values)
    return st.integers(0, len(few) - 1).map(lambda place: few[place])


def joined(*strategies: Strategy | None) -> Strategy:
    """Return one strategy for values of all of these."""
    return st.one_of(*(strategy for strategy in strategies if strategy is not None))


def _sizes(facts: Facts) -> dict[str, Any]:
    longest = LONGEST if facts.longest is None else min(LONGEST, facts.longest)
    return {"min_size": facts.shortest, "max_size": max(facts.shortest, longest)}


# Numbers, dates and times


def single(number: float) -> float:
    """Return the nearest double that four bytes give back as it is."""
    try:
        return shortest(struct.pack("f", number)) if math.isfinite(number) else number
    except OverflowError:
        return 0.5


def _whole_seconds(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        return value - dt.timedelta(microseconds=value.microseconds)
    return value.replace(microsecond=0)


#: By kind: what draws its values, between which ends, and what makes of them such as narrow
#: columns hold too.
_RANGES: dict[type[Kind], tuple[Callable[..., Strategy], Any, Any, Callable[[Any], Any] | None]] = {
    Integer: (st.integers, -(2**63), 2**64 - 1, None),
    Float: (st.floats, -math.inf, math.inf, single),
    Date: (st.dates, dt.date.min, dt.date.max, None),
    DateTime: (st.datetimes, dt.datetime.min, dt.datetime.max, _whole_seconds),  # noqa: DTZ901
    Time: (st.times, dt.time.min, dt.time.max, _whole_seconds),
    Interval: (st.timedeltas, dt.timedelta(-700_000), dt.timedelta(2_900_000), _whole_seconds),
}


def _ranged(kind: Kind, facts: Facts) -> Strategy:
    """Return values of a kind, those of aware kinds in any zone."""
    draw, low, high, narrowed = _RANGES[type(kind)]
    values = _between(draw, low, high, facts)
    both = values if narrowed is None else joined(values.map(narrowed), values)
    if not getattr(kind, "aware", False):
        return both
    zones = joined(st.just(UTC), st.sampled_from(ZONES))
    return st.builds(lambda moment, zone: moment.replace(tzinfo=zone), both, zones)


def _between(draw: Callable[..., Strategy], low: Any, high: Any, facts: Facts) -> Strategy:
    """Return values between the column's bounds, or others where it has none."""
    low = low if facts.least is None else facts.least
    high = high if facts.most is None else facts.most
    if isinstance(low, dt.datetime | dt.time):
        low, high = low.replace(tzinfo=None), high.replace(tzinfo=None)
    return draw(min(low, high), high)


def _decimals(kind: Number, facts: Facts) -> Strategy:
    places = SCALE if kind.scale is None else kind.scale
    full = 10 ** max(DIGITS if kind.precision is None else kind.precision, 1) - 1
    bounds = decimal_bounds(facts)
    least = bounds.least and math.ceil(bounds.least.scaleb(places))
    most = bounds.most and math.floor(bounds.most.scaleb(places))
    numbers = _between(st.integers, -full, full, replace(facts, least=least, most=most))
    return numbers.map(lambda number: scaled(number, places))


def _json() -> Strategy:
    leaves = joined(st.sampled_from(SCALARS), st.floats(allow_nan=False, allow_infinity=False))
    keys = st.sampled_from(KEYS)

    def nested(inner: Strategy) -> Strategy:
        return joined(st.lists(inner, max_size=ITEMS), st.dictionaries(keys, inner, max_size=ITEMS))

    # Alone only with few digits: an application's own insert of a lone number has SQLite read
    # its text as a double, and not always as the nearest.
    lone = st.floats(width=16, allow_nan=False, allow_infinity=False)
    return joined(nested(leaves), nested(nested(leaves)), lone)
