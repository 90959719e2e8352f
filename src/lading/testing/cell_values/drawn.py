"""Strategies that draw more values of a kind than its samples have."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.database.dialects.limits import shortest
from lading.mapping.columns import underlying
from lading.samples.datetimes import UTC, ZONES
from lading.samples.json_arrays import KEYS, SCALARS
from lading.samples.numbers import DIGITS, NEAR_ENDS, SCALE, scaled
from lading.samples.supply import Facts
from lading.samples.texts import NASTY
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Bytes, Float, Integer, Json, Number, Text, Uuid

LONGEST = 20
ITEMS = 4
#: Characters of hostile texts, to make more of, the simplest first.
CHARACTERS = "".join(dict.fromkeys("ab" + "".join(NASTY)))
SURROGATES = range(0xD800, 0xE000)
#: All that UTF-8 has; Hypothesis's own alphabet takes it a second to look up.
ANY = st.characters(exclude_categories=["Cs"])


def drawn_values(kind: Kind, type_: Any, facts: Facts) -> SearchStrategy[Any] | None:
    """Return a strategy of a kind's values, as Core takes them for a type.

    ``None`` where its samples are all that there are; without a type, as the kind writes them.
    """
    make = _RULES.get(type(kind))
    return None if make is None else make(kind, type_, facts)


def picked(values: Sequence[Any]) -> SearchStrategy[Any]:
    """Return the strategy that gives one of some values, simplest first.

    By number, since Hypothesis shows the values of ``sampled_from`` whole, however long.
    """
    few = tuple(values)

    def pick(place: int) -> Any:
        return few[place]

    return st.integers(0, len(few) - 1).map(pick)


def joined(*strategies: SearchStrategy[Any] | None) -> SearchStrategy[Any]:
    """Return one strategy for values of all of these."""
    return st.one_of(*(strategy for strategy in strategies if strategy is not None))


# Texts and bytes


def _texts(_kind: Text, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    least, most = facts.shortest, _longest(facts)
    # Of all of Unicode by number, since it takes Hypothesis's own alphabet a second to look up.
    letters = st.integers(1, 0x10F7FF).map(lambda n: chr(n if n < SURROGATES.start else n + 0x800))
    anywhere = st.lists(letters, min_size=least, max_size=most).map("".join)
    return joined(st.text(CHARACTERS, min_size=least, max_size=most), anywhere)


def _longest(facts: Facts) -> int:
    most = LONGEST if facts.longest is None else min(LONGEST, facts.longest)
    return max(facts.shortest, most)


def _bytes(_kind: Bytes, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    least = facts.shortest if facts.exact is None else facts.exact
    return st.binary(min_size=least, max_size=max(least, _longest(facts)))


# Numbers, dates and times

#: By kind, what draws its values, and between which ends.
_RANGES: dict[type[Kind], tuple[Callable[..., SearchStrategy[Any]], Any, Any]] = {
    Integer: (st.integers, -(2**63), 2**64 - 1),
    Float: (st.floats, -math.inf, math.inf),
    Date: (st.dates, dt.date.min, dt.date.max),
    DateTime: (st.datetimes, dt.datetime.min, dt.datetime.max),  # noqa: DTZ901
    Time: (st.times, dt.time.min, dt.time.max),
    Interval: (st.timedeltas, dt.timedelta(-700_000), dt.timedelta(2_900_000)),
}


def _between(kind: Kind, facts: Facts, low: Any = None, high: Any = None) -> SearchStrategy[Any]:
    """Return values of a kind within the column's bounds, else within others."""
    draw, lowest, highest = _RANGES[type(kind)]
    ends = [
        next(end for end in (bound, other, last) if end is not None)
        for bound, other, last in ((facts.least, low, lowest), (facts.most, high, highest))
    ]
    if isinstance(kind, Integer):
        ends = [math.ceil(ends[0]), math.floor(ends[1])]
    elif isinstance(kind, Float):
        ends = [float(end) for end in ends]
    elif isinstance(kind, DateTime | Time):
        ends = [end.replace(tzinfo=None) for end in ends]
    return draw(min(ends), ends[1])


def _integers(kind: Integer, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    kept = [number for number in (0, *NEAR_ENDS) if facts.everywhere(number)] or [0, 100]
    return joined(_between(kind, facts, min(kept), max(kept)), _between(kind, facts))


def _decimals(kind: Number, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    places = SCALE if kind.scale is None else kind.scale
    most_digits = max(DIGITS if kind.precision is None else kind.precision, 1)
    ends = [end and Decimal(str(end)).scaleb(places) for end in (facts.least, facts.most)]
    units = replace(facts, least=ends[0], most=ends[1])
    numbers = [
        _between(Integer(), units, 1 - 10**digits, 10**digits - 1)
        for digits in (min(most_digits, 9), most_digits)
    ]
    return joined(*numbers).map(lambda number: scaled(number, places))


def _floats(kind: Float, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    return joined(_between(kind, facts).map(single), _between(kind, facts), st.just(math.nan))


def single(number: float) -> float:
    """Return the nearest double that four bytes give back as it is."""
    try:
        return shortest(struct.pack("f", number)) if math.isfinite(number) else number
    except OverflowError:
        return 0.5


def _times(kind: DateTime | Time | Interval, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    drawn = _between(kind, facts)
    both = joined(drawn.map(_whole_seconds), drawn)
    if not getattr(kind, "aware", False):
        return both
    zones = joined(st.just(UTC), st.sampled_from(ZONES))
    return st.builds(lambda moment, zone: moment.replace(tzinfo=zone), both, zones)


def _whole_seconds(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        return value - dt.timedelta(microseconds=value.microseconds)
    return value.replace(microsecond=0)


# Others


def _uuids(_kind: Uuid, type_: Any, _facts: Facts) -> SearchStrategy[Any]:
    is_text = type_ is not None and not getattr(underlying(type_), "as_uuid", True)
    return st.uuids().map(str) if is_text else st.uuids()


def _json(_kind: Json, _type: Any, _facts: Facts) -> SearchStrategy[Any]:
    finite = partial(st.floats, allow_nan=False, allow_infinity=False)
    leaves, keys = joined(st.sampled_from(SCALARS), finite()), st.sampled_from(KEYS)

    def nested(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
        return joined(st.lists(inner, max_size=ITEMS), st.dictionaries(keys, inner, max_size=ITEMS))

    # Alone only with few digits: an application's own insert of a lone number has SQLite read
    # its text as a double, and not always as the nearest.
    return joined(nested(leaves), nested(nested(leaves)), finite(width=16))


_RULES: dict[type[Kind], Callable[..., SearchStrategy[Any]]] = {
    Text: _texts,
    Integer: _integers,
    Float: _floats,
    Number: _decimals,
    Date: lambda kind, _type, facts: _between(kind, facts),
    DateTime: _times,
    Time: _times,
    Interval: _times,
    Uuid: _uuids,
    Bytes: _bytes,
    Json: _json,
}
