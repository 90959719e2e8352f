"""Sample values of a field in their written form, each tried by the field itself.

No chance is involved: the same declarations give the same values everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from lading.mapping.custom_fields import FieldKind
from lading.mapping.fields import OneOfClasses, ValueField
from lading.model.rowsets import Value
from lading.samples.fields import address_supply, field_supply, patterns_of
from lading.samples.kinds import kind_supply
from lading.samples.patterns import LENGTHS, pattern_supply
from lading.samples.supply import Supply, facts_of
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Float, Integer, Number, Text, Uuid

#: A plain value, the least that the field takes, and the fullest.
PLAIN, LEAST, FULLEST = "plain", "least", "fullest"
#: How many candidates of each supply are tried.
TRIES = 60
#: Texts that fields of the application's own may take.
FORMS: tuple[Callable[[int], Any], ...] = (
    lambda n: f"10.0.0.{n % 256}",
    lambda n: f"2001:db8::{n:x}",
    lambda n: f"#{n:06x}",
    lambda _: [],
    lambda _: {},
    lambda n: [n],
    lambda n: [n, n],
    lambda n: {"n": n},
)
#: The kinds whose forms a field of the application's own may take.
ANY: tuple[Kind, ...] = (
    *(Text(), Integer(), Number(9, 2), Boolean(), Date(), DateTime(), DateTime(aware=True)),
    *(Time(), Uuid(), Interval(), Float(), Bytes()),
)


class NoSample(Exception):
    """A field takes none of the values that are made for it."""


def sample(
    value: Value, limits: Mapping[str, Any], n: int, style: str = PLAIN, *, used: Any = ()
) -> Any:
    """Return a value's written form that its field takes; ``NoSample`` where it takes none.

    Args:
        value: The field.
        limits: What :func:`lading.samples.constraints.constraints_of` says of it.
        n: The number of the record, by which values differ.
        style: ``PLAIN``, ``LEAST`` or ``FULLEST``; where that isn't taken, a plain value.
        used: Written values that are avoided.
    """
    for candidate in _candidates(value, limits, n, style):
        try:
            loaded = value.field.deserialize(candidate)
            written = None if loaded is None else value.kind.write(loaded)
        except Exception:  # noqa: S112 - a field of the application's own may raise anything
            continue
        if written is not None and written not in used:
            return written
    raise NoSample(value.name)


def _candidates(value: Value, limits: Mapping[str, Any], n: int, style: str) -> Iterator[Any]:
    """Yield written values: those of the style, then plain ones from a number."""
    for validator in value.field.validators:
        if isinstance(validator, OneOfClasses):
            yield from sorted(name for name in validator.classes if name is not None)
    choices = limits.get("choices")
    if choices:
        start = {PLAIN: n, LEAST: 0, FULLEST: -1}[style] % len(choices)
        yield from [*choices[start:], *choices[:start]]
    for pattern in patterns_of(value.field):
        numbers = range(LENGTHS * n, LENGTHS * (n + TRIES))
        yield from map(pattern_supply(pattern).plain, numbers)
    supplies = list(_supplies(value, limits))
    for kind, supply in supplies if style != PLAIN else ():
        yield from _written(kind, [supply.least if style == LEAST else supply.fullest])
    for kind, supply in supplies:
        yield from _written(kind, islice(map(supply.plain, range(n, n + 10 * TRIES)), 10 * TRIES))
    if not isinstance(value.field, ValueField):
        yield from (make(n + more) for more in range(TRIES) for make in FORMS)


def _supplies(value: Value, limits: Mapping[str, Any]) -> Iterator[tuple[Kind, Supply]]:
    """Yield what may supply a field, with the kind that writes its values."""
    facts = facts_of(value.written, value.kind, limits)
    if (addresses := address_supply(value.field, facts)) is not None:
        yield Text(), addresses
    if (own := kind_supply(value.kind, value.column.type, facts)) is not None:
        yield value.kind, own
    if isinstance(value.field, ValueField):
        return
    kind = value.kind if isinstance(value.kind, FieldKind) else FieldKind(value.field)
    if (by_field := field_supply(value.field, facts)) is not None:
        yield kind, by_field
    for other in ANY:
        if (supply := kind_supply(other, None, facts_of(value.written, other, limits))) is not None:
            yield other, supply


def _written(kind: Kind, values: Any) -> Iterator[Any]:
    for value in values:
        try:
            yield kind.write(value)
        except Exception:  # noqa: S112 - a field of the application's own may raise anything
            continue
