"""Values in their written form, drawn from what a sealed shape says of a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.shapes import Shape
from lading.samples.kinds import kind_supply
from lading.samples.supply import Facts, facts_of
from lading.samples.texts import fitted
from lading.testing.cell_values.drawn import drawn_values, joined, single
from lading.values.base import Kind
from lading.values.by_shape import kind_of_shape
from lading.values.datetimes import DateTime, Time
from lading.values.scalars import INFINITIES, NOT_A_NUMBER, Float, Integer, Text

#: What limits a field beyond what can be drawn for: then values that were sealed are taken.
HIDDEN = ("patterns", "others", "field", "parts")
#: Texts and bytes without a limit are drawn no longer than this.
LONGEST = 40
#: How many of a field's samples are drawn from.
MANY = 100
#: Texts that are nearly the same, for changes that fold or cut what tells records apart.
NEAR = ("near", "Near", "near ")
#: What floats are drawn without, since few functions that convert numbers know of them.
NO_NUMBERS = (NOT_A_NUMBER, *INFINITIES)


def value_strategy(path: str, inner: Shape, goldens: Iterable[Any]) -> SearchStrategy[Any] | None:
    """Return a strategy of a field's values but null, or ``None`` where none can be drawn.

    ``goldens`` are the values that golden records have, which are always among them.
    """
    limits = inner.get("constraints", {})
    kind = kind_of_shape(inner)
    some = [value for value in goldens if value is not None]
    known = st.sampled_from(some) if some else None
    if any(limits.get(hidden) for hidden in HIDDEN):
        return known
    if limits.get("choices"):
        return st.sampled_from(list(limits["choices"]))
    least = -(2 ** (8 * int(limits.get("bytes", 4)) - 1))
    ends = {"least": least} if isinstance(kind, Integer) else {"longest": LONGEST}
    facts = facts_of(path.rpartition(".")[2], kind, ends | limits)
    supply = kind_supply(kind, None, facts)
    if supply is None:
        return known
    near = [st.sampled_from(NEAR) for _ in range(3)] if isinstance(kind, Text) else []
    plain = st.integers(0, MANY).map(supply.plain)
    values = joined(*near, plain, drawn_values(kind, None, facts))
    drawn = values.map(lambda value: kind.write(_kept(kind, limits, facts, value)))
    never = [*limits.get("never", ()), *(NO_NUMBERS if isinstance(kind, Float) else ())]
    return joined(drawn.filter(lambda written: written not in never), known)


def _kept(kind: Kind, limits: Mapping[str, Any], facts: Facts, value: Any) -> Any:
    """Return what a column of these limits keeps of a value."""
    if isinstance(kind, Text):
        text = fitted(value.replace("\0", "0"), facts)
        return text.rstrip(" ") if limits.get("padded") else text
    if isinstance(kind, Time | DateTime):
        unit = 10 ** (6 - min(6, int(limits.get("fraction", 6))))
        return value.replace(microsecond=value.microsecond // unit * unit)
    return single(value) if isinstance(kind, Float) and limits.get("bits", 53) <= 24 else value
