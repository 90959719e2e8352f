"""Values in their written form, drawn from what a sealed shape says of a field."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.shapes import Shape
from lading.samples.kinds import kind_supply
from lading.samples.supply import facts_of
from lading.samples.texts import fitted
from lading.testing.cell_values.drawn import drawn_values, joined, single
from lading.values.base import Kind
from lading.values.by_shape import kind_of_shape
from lading.values.datetimes import DateTime, Time
from lading.values.scalars import Float, Integer, Text

#: What limits a field beyond what can be drawn for: then values that were sealed are taken.
HIDDEN = ("patterns", "others", "field", "parts")
#: Texts and bytes without a limit are drawn no longer than this.
LONGEST = 40
#: How many of a field's samples are drawn from.
MANY = 100
#: Texts that are nearly the same, for changes that fold or cut what tells records apart.
NEAR = ("near", "Near", "near ")


def value_strategy(name: str, inner: Shape, goldens: Collection[Any]) -> SearchStrategy[Any] | None:
    """Return a strategy of a field's values but null, or ``None`` where none can be drawn.

    ``goldens`` are values that golden records have, which are always among them.
    """
    limits = inner.get("constraints", {})
    kind = kind_of_shape(inner)
    known = st.sampled_from(list(goldens)) if goldens else None
    if any(limits.get(hidden) for hidden in HIDDEN):
        return known
    if limits.get("choices"):
        return st.sampled_from(list(limits["choices"]))
    facts = facts_of(name, kind, {"longest": LONGEST, **limits})
    if isinstance(kind, Integer) and facts.least is None:
        facts = replace(facts, least=-(2 ** (8 * int(limits.get("bytes", 4)) - 1)))
    supply = kind_supply(kind, None, facts)
    if supply is None:
        return known
    values = joined(st.integers(0, MANY).map(supply.plain), drawn_values(kind, None, facts))
    if isinstance(kind, Text):
        values = joined(st.sampled_from(NEAR), st.sampled_from(NEAR), values)
    values = values.filter(lambda value: not isinstance(value, float) or math.isfinite(value))
    drawn = values.map(lambda value: kind.write(_kept(kind, limits, facts, value)))
    if never := list(limits.get("never", ())):
        drawn = drawn.filter(lambda value: value not in never)
    return joined(drawn, known)


def _kept(kind: Kind, limits: dict[str, Any], facts: Any, value: Any) -> Any:
    """Return what a column of these limits keeps of a value."""
    if isinstance(kind, Text):
        text = fitted(value.replace("\0", "0"), facts)
        return text.rstrip(" ") if limits.get("padded") else text
    if isinstance(kind, Time | DateTime):
        unit = 10 ** (6 - min(6, int(limits.get("fraction", 6))))
        return value.replace(microsecond=value.microsecond // unit * unit)
    return single(value) if isinstance(kind, Float) and limits.get("bits", 53) <= 24 else value
