"""The samples of each kind of value, by the kind that a column travels as."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy.types import TypeEngine

from lading.mapping.columns import kind_of, underlying
from lading.samples.datetimes import (
    date_supply,
    interval_supply,
    moment_supply,
    time_supply,
)
from lading.samples.json_arrays import array_supply, json_supply
from lading.samples.numbers import decimal_supply, float_supply, integer_supply
from lading.samples.supply import Facts, Supply, listed_supply
from lading.samples.texts import bytes_supply, text_supply, uuid_supply
from lading.values.arrays import Array, LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid


def kind_supply(kind: Kind, type_: TypeEngine[Any] | None, facts: Facts) -> Supply | None:
    """Return samples of a kind, as Core takes them for a type; ``None`` if it is unknown.

    Without a type, as the kind writes them.
    """
    for match, make in _RULES:
        if isinstance(kind, match):
            supply: Supply | None = make(kind, None if type_ is None else underlying(type_), facts)
            return supply
    return None


def _moments(kind: DateTime, _: Any, facts: Facts) -> Supply:
    return moment_supply(dataclasses.replace(facts, aware=kind.aware))


def _times(kind: Time, _: Any, facts: Facts) -> Supply:
    return time_supply(dataclasses.replace(facts, aware=kind.aware))


def _uuids(_kind: Uuid, type_: Any, facts: Facts) -> Supply:
    return uuid_supply(facts, as_text=not getattr(type_, "as_uuid", True))


def _choices(kind: Choice, _: Any, facts: Facts) -> Supply:
    return listed_supply(kind.members.values(), facts)


def item_facts(kind: Array, item_type: Any, facts: Facts) -> Facts:
    """Return the facts of an array's items."""
    length = getattr(item_type, "length", None)
    return dataclasses.replace(
        facts,
        everywhere=lambda element: facts.everywhere(_wrapped(kind, element)),
        least=None,
        most=None,
        shortest=0,
        room=length,
        longest=length,
    )


def dimensions_of(kind: Array) -> int | None:
    """Return how many levels an array has; SQLAlchemy reads a native enum's with one alone."""
    return 1 if isinstance(kind.item, Choice) else kind.dimensions


def _arrays(kind: Array, type_: Any, facts: Facts) -> Supply | None:
    item_type = getattr(type_, "item_type", None)
    item_kind = (kind_of(item_type) if item_type is not None else None) or kind.item
    elements = kind_supply(item_kind, item_type, item_facts(kind, item_type, facts))
    if elements is None:
        return None
    if isinstance(kind.item, Float):
        # A zero's sign is normalised; in an array nobody could tell that it was nothing else.
        elements = dataclasses.replace(elements, edges=[edge + 0.0 for edge in elements.edges])
    return array_supply(elements, dimensions_of(kind), as_tuple=kind.as_tuple)


def _label_sets(kind: LabelSet, _: Any, facts: Facts) -> Supply:
    firsts = [set(kind.labels[:count]) for count in range(len(kind.labels) + 1)]
    return listed_supply([*firsts, *({label} for label in kind.labels[1:])], facts)


def _wrapped(kind: Array, element: Any) -> Any:
    """Return the least array that holds an item."""
    for _ in range(kind.dimensions or 1):
        element = (element,) if kind.as_tuple else [element]
    return element


_RULES: list[tuple[type[Kind], Any]] = [
    (Text, lambda _kind, _type, facts: text_supply(facts)),
    (Integer, lambda _kind, _type, facts: integer_supply(facts)),
    (Boolean, lambda _kind, _type, facts: listed_supply([False, True], facts)),
    (Float, lambda _kind, _type, facts: float_supply(facts)),
    (Number, lambda kind, _type, facts: decimal_supply(facts, kind.precision, kind.scale)),
    (Date, lambda _kind, _type, facts: date_supply(facts)),
    (Time, _times),
    (DateTime, _moments),
    (Interval, lambda _kind, _type, facts: interval_supply(facts)),
    (Uuid, _uuids),
    (Bytes, lambda _kind, _type, facts: bytes_supply(facts)),
    (Choice, _choices),
    (Json, lambda _kind, _type, facts: json_supply(facts)),
    (Array, _arrays),
    (LabelSet, _label_sets),
]
