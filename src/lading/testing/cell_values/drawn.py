"""Strategies that draw more values of a kind than its samples have."""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from lading.database.dialects.limits import shortest
from lading.mapping.columns import kind_of, underlying
from lading.samples.datetimes import UTC, ZONES
from lading.samples.json_arrays import KEYS, SCALARS, shaped, split, tupled
from lading.samples.kinds import dimensions_of, item_facts, kind_supply
from lading.samples.numbers import DIGITS, NEAR_ENDS, SCALE, decimal_bounds, scaled
from lading.samples.supply import Facts
from lading.samples.texts import NASTY
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Bytes, Float, Integer, Json, Number, Text, Uuid

LONGEST = 20
ITEMS = 4
#: Characters of hostile texts, to make more of, the simplest first; and some of all of Unicode.
CHARACTERS = "".join(dict.fromkeys("ab" + "".join(NASTY)))
SURROGATES = range(0xD800, 0xE000)
ALL_OVER = "".join(
    map(chr, (n for n in (*range(1, 0x180), *range(0x181, 0x110000, 211)) if n not in SURROGATES))
)
#: The characters of texts that match a pattern and please every engine.
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
#: All that UTF-8 has; Hypothesis's own alphabet takes it a second to look up.
ANY = st.characters(exclude_categories=["Cs"])
_FLAGS = re.compile(r"\A(?:\(\?[aimsux]+\))+")


def drawn_values(kind: Kind, type_: Any, facts: Facts) -> SearchStrategy[Any] | None:
    """Return a strategy of a kind's values, as Core takes them for a type.

    ``None`` where its samples are all that there are; without a type, as the kind writes them.
    """
    for match, make in _RULES:
        if isinstance(kind, match):
            strategy: SearchStrategy[Any] = make(kind, type_, facts)
            return strategy
    return None


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
    return joined(
        _texts_of(CHARACTERS, 1, least, most),
        _texts_of(ALL_OVER, 2, least, most),
    )


def _texts_of(characters: str, width: int, least: int, most: int) -> SearchStrategy[str]:
    """Return texts of some characters, each chosen by so many bytes.

    ``st.text`` would show its whole alphabet in a test's statistics, and all of Unicode takes it
    a second to look up.
    """

    def text(data: bytes) -> str:
        groups = (data[place : place + width] for place in range(0, len(data), width))
        return "".join(characters[int.from_bytes(group) % len(characters)] for group in groups)

    return st.binary(min_size=least * width, max_size=most * width).map(text)


def _longest(facts: Facts) -> int:
    most = max(facts.shortest, LONGEST)
    return most if facts.longest is None else max(facts.shortest, min(most, facts.longest))


def _bytes(_kind: Bytes, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    least = facts.shortest if facts.exact is None else facts.exact
    return st.binary(min_size=least, max_size=max(least, _longest(facts)))


def matching(pattern: re.Pattern[str], *, plain: bool) -> SearchStrategy[str]:
    """Return texts that a pattern matches from their start, as ``re.match`` does.

    ``plain`` ones are printable ASCII, where the pattern lets them.
    """
    end = "\n" if pattern.flags & re.VERBOSE else ""  # so that no comment takes the bracket
    body = _FLAGS.sub("", pattern.pattern)  # they may only stand in front, and are known
    anchored = re.compile(rf"\A(?:{body}{end})", pattern.flags)
    if plain:
        try:
            texts = st.from_regex(anchored, fullmatch=True, alphabet=PRINTABLE)
            texts.validate()
            return texts
        except InvalidArgument:  # it asks for other characters
            pass
    return st.from_regex(anchored, alphabet=ANY)


# Numbers


def _integers(_kind: Integer, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    kept_numbers = [number for number in (0, *NEAR_ENDS) if facts.everywhere(number)] or [0, 100]
    return joined(
        st.integers(*_within(facts, min(kept_numbers), max(kept_numbers))),
        st.integers(*_within(facts, -(2**63), 2**64 - 1)),
    )


def _within(facts: Facts, low: int, high: int, unit: Any = 1) -> tuple[int, int]:
    """Return a range of numbers of units, cut to the column's bounds."""
    low = low if facts.least is None else math.ceil(facts.least / unit)
    high = high if facts.most is None else math.floor(facts.most / unit)
    return min(low, high), high


def _decimals(kind: Number, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    places = SCALE if kind.scale is None else kind.scale
    most_digits = max(DIGITS if kind.precision is None else kind.precision, 1)
    bounds = decimal_bounds(facts)
    strategies = []
    for digits in (min(most_digits, 9), most_digits):
        ends = _within(bounds, -(10**digits) + 1, 10**digits - 1, Decimal(f"1e-{places}"))
        strategies.append(st.integers(*ends).map(lambda number: scaled(number, places)))
    return joined(*strategies)


def _floats(_kind: Float, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    names = {"min_value": facts.least, "max_value": facts.most}
    ends: dict[str, Any] = {name: float(end) for name, end in names.items() if end is not None}
    return joined(st.floats(**ends).map(single), st.floats(**ends))


def single(number: float) -> float:
    """Return the nearest double that four bytes give back as it is."""
    try:
        return shortest(struct.pack("f", number)) if math.isfinite(number) else number
    except OverflowError:
        return 0.5


# Dates and times


#: By kind, what draws its values.
_IN_TIME: dict[type[Kind], Callable[..., SearchStrategy[Any]]] = {
    Date: st.dates, DateTime: st.datetimes, Time: st.times, Interval: st.timedeltas,
}  # fmt: skip
#: The ends of intervals that have no bounds.
LENGTHS = (dt.timedelta(-700_000), dt.timedelta(2_900_000))


def _in_time(kind: Kind, _type: Any, facts: Facts) -> SearchStrategy[Any]:
    python: Any = kind.python
    low, high = LENGTHS if isinstance(kind, Interval) else (python.min, python.max)
    ends: list[Any] = [
        low if facts.least is None else facts.least,
        high if facts.most is None else facts.most,
    ]
    if isinstance(kind, DateTime | Time):
        ends = [end.replace(tzinfo=None) for end in ends]
    drawn = _IN_TIME[type(kind)](ends[0], max(ends))
    if isinstance(kind, Date):
        return drawn
    both = joined(drawn.map(_whole_seconds), drawn)
    if not getattr(kind, "aware", False):
        return both
    return joined(
        both.map(lambda moment: moment.replace(tzinfo=UTC)),
        st.builds(lambda moment, zone: moment.replace(tzinfo=zone), both, st.sampled_from(ZONES)),
    )


def _whole_seconds(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        return value - dt.timedelta(microseconds=value.microseconds)
    return value.replace(microsecond=0)


# Others


def _uuids(_kind: Uuid, type_: Any, _facts: Facts) -> SearchStrategy[Any]:
    is_text = type_ is not None and not getattr(underlying(type_), "as_uuid", True)
    return st.uuids().map(str) if is_text else st.uuids()


def _json(_kind: Json, _type: Any, _facts: Facts) -> SearchStrategy[Any]:
    leaves, keys = st.sampled_from(SCALARS), st.sampled_from(KEYS)
    flat = joined(
        st.lists(leaves, max_size=ITEMS),
        st.dictionaries(keys, leaves, max_size=ITEMS),
    )
    return joined(
        flat,
        st.dictionaries(keys, flat, max_size=2),
        st.lists(flat, max_size=2),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=2),
        # Alone only with few digits: an application's own insert of a lone number has SQLite read
        # its text as a double, and not always as the nearest.
        st.floats(allow_nan=False, allow_infinity=False, width=16),
    )


def _arrays(kind: Array, type_: Any, facts: Facts) -> SearchStrategy[Any]:
    item_type = getattr(underlying(type_), "item_type", None) if type_ is not None else None
    item_kind = (kind_of(item_type) if item_type is not None else None) or kind.item
    own = item_facts(kind, item_type, facts)
    supply = kind_supply(item_kind, item_type, own)
    samples = [] if supply is None else [*supply.edges, *map(supply.plain, range(3))]
    values = joined(picked(samples), drawn_values(item_kind, item_type, own), st.none())
    if isinstance(kind.item, Float):  # a zero's sign is normalised, and not told in an array
        values = values.map(lambda number: number if number is None else number + 0.0)
    depth = dimensions_of(kind) or 1
    if depth == 1:
        lists: SearchStrategy[Any] = st.lists(values, max_size=ITEMS)
    else:
        shapes = st.sampled_from([[1] * depth, split(2, depth), split(ITEMS, depth)])
        lists = shapes.flatmap(lambda lengths: _filled(values, lengths))
    return lists.map(tupled) if kind.as_tuple else lists


def _filled(values: SearchStrategy[Any], lengths: list[int]) -> SearchStrategy[Any]:
    size = math.prod(lengths)
    return st.lists(values, min_size=size, max_size=size).map(lambda items: shaped(items, lengths))


_RULES: list[tuple[type[Kind] | tuple[type[Kind], ...], Any]] = [
    (Text, _texts),
    (Integer, _integers),
    (Float, _floats),
    (Number, _decimals),
    ((Date, DateTime, Time, Interval), _in_time),
    (Uuid, _uuids),
    (Bytes, _bytes),
    (Json, _json),
    (Array, _arrays),
]
