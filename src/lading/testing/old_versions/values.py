"""Values in their written form, drawn from what a sealed shape says of a field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.shapes import Shape
from lading.values.arrays import Array, LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid

#: What limits a field beyond what can be drawn for: then values that were sealed are taken.
HIDDEN = ("patterns", "others", "field", "parts")
LONGEST = 40
DIGITS = 18


def value_strategy(inner: Shape, seen: Sequence[Any]) -> SearchStrategy[Any] | None:
    """Return a strategy of a field's values but null, or ``None`` where none can be drawn.

    ``seen`` are values that golden records have, which are always among them.
    """
    said = inner.get("constraints", {})
    kind = kind_of_shape(inner)
    known = st.sampled_from(list(seen)) if seen else None
    if kind is None or any(said.get(name) for name in HIDDEN):
        return known
    if said.get("choices"):
        return st.sampled_from(list(said["choices"]))
    drawn = _DRAWN[type(kind)](kind, said).map(kind.write)
    never = list(said.get("never", ()))
    if never:
        drawn = drawn.filter(lambda value: value not in never)
    return drawn if known is None else st.one_of(drawn, known)


def kind_of_shape(inner: Shape) -> Kind | None:
    """Return the kind that a shape tells of; ``None`` for types of the application's own."""
    make = _KINDS.get(str(inner.get("type")))
    return None if make is None else make(inner)


def _array(inner: Shape) -> Kind | None:
    item = kind_of_shape(inner["items"])
    return None if item is None else Array(item, inner.get("dimensions"))


_KINDS: dict[str, Callable[[Shape], Kind | None]] = {
    Text.name: lambda inner: Text(bool(inner.get("constraints", {}).get("padded"))),
    Integer.name: lambda _: Integer(),
    Boolean.name: lambda _: Boolean(),
    Float.name: lambda _: Float(),
    Number.name: lambda inner: Number(inner.get("precision"), inner.get("scale")),
    Date.name: lambda _: Date(),
    Time.name: lambda inner: Time(aware=bool(inner.get("aware"))),
    DateTime.name: lambda inner: DateTime(aware=bool(inner.get("aware"))),
    Interval.name: lambda _: Interval(),
    Uuid.name: lambda _: Uuid(),
    Bytes.name: lambda _: Bytes(),
    Choice.name: lambda inner: Choice({name: name for name in inner["names"]}),
    Json.name: lambda _: Json(),
    Array.name: _array,
    LabelSet.name: lambda inner: LabelSet(tuple(inner["names"])),
}


def _bounds(said: dict[str, Any], step: Any, number: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return the least and the greatest value that limits leave; ``None`` for no limit."""
    low = [number(said["least"])] if "least" in said else []
    low += [number(said["above"]) + step] if "above" in said else []
    high = [number(said["most"])] if "most" in said else []
    high += [number(said["below"]) - step] if "below" in said else []
    return max(low, default=None), min(high, default=None)


def _within(one: Any, other: Any, choose: Callable[[Any, Any], Any]) -> Any:
    return other if one is None else choose(one, other)


def _integers(_: Kind, said: dict[str, Any]) -> SearchStrategy[Any]:
    most = 2 ** (8 * int(said.get("bytes", 4)) - 1) - 1
    low, high = _bounds(said, 1, int)
    return st.integers(_within(low, -most - 1, max), _within(high, most, min))


def _decimals(kind: Any, said: dict[str, Any]) -> SearchStrategy[Any]:
    scale = kind.scale if kind.scale is not None else 4
    digits = min(kind.precision or DIGITS, DIGITS)
    unit = Decimal(1).scaleb(-scale)
    most = int(Decimal(10) ** digits) - 1
    low, high = _bounds(said, unit, Decimal)
    if low is not None:
        low = int((low / unit).to_integral_value("ROUND_CEILING"))
    if high is not None:
        high = int((high / unit).to_integral_value("ROUND_FLOOR"))
    return st.integers(_within(low, -most, max), _within(high, most, min)).map(
        lambda number: Decimal(number) * unit
    )


def _floats(_: Kind, said: dict[str, Any]) -> SearchStrategy[Any]:
    low, high = _bounds(said, 0, float)
    return st.floats(
        low,
        high,
        width=32 if int(said.get("bits", 53)) <= 24 else 64,
        allow_nan=False,
        allow_infinity=False,
        allow_subnormal=False,
    )


def _texts(kind: Any, said: dict[str, Any]) -> SearchStrategy[Any]:
    shortest = int(said.get("shortest") or 0)
    longest = min(int(said.get("longest") or LONGEST), max(shortest, LONGEST))
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    drawn = st.text(letters, min_size=shortest, max_size=longest)
    return drawn.map(lambda text: text.rstrip(" ")) if kind.padded else drawn


def _bytes(_: Kind, said: dict[str, Any]) -> SearchStrategy[Any]:
    shortest = int(said.get("shortest") or 0)
    return st.binary(
        min_size=shortest, max_size=min(int(said.get("longest") or LONGEST), shortest + LONGEST)
    )


def _cut(said: dict[str, Any]) -> Callable[[Any], Any]:
    """Leave the digits of a second that a column keeps."""
    keep = 10 ** (6 - min(6, int(said.get("fraction", 6))))
    return lambda moment: moment.replace(microsecond=moment.microsecond // keep * keep)


def _zones(kind: Any) -> SearchStrategy[Any]:
    return st.just(dt.UTC) if kind.aware else st.none()


def _times(kind: Any, said: dict[str, Any]) -> SearchStrategy[Any]:
    return st.times(timezones=_zones(kind)).map(_cut(said))


def _datetimes(kind: Any, said: dict[str, Any]) -> SearchStrategy[Any]:
    return st.datetimes(timezones=_zones(kind)).map(_cut(said))


def _json(_: Kind, __: dict[str, Any]) -> SearchStrategy[Any]:
    plain = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
    return st.recursive(
        plain,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("ab$", max_size=2), inner, max_size=3)
        ),
        max_leaves=5,
    ).filter(lambda value: not (isinstance(value, dict) and "$json" in value))


def _arrays(kind: Any, _: dict[str, Any]) -> SearchStrategy[Any]:
    drawn = _DRAWN[type(kind.item)](kind.item, {})
    for _level in range(kind.dimensions or 1):
        drawn = st.lists(drawn, min_size=1, max_size=2)
    return drawn


_DRAWN: dict[type[Kind], Callable[[Any, dict[str, Any]], SearchStrategy[Any]]] = {
    Text: _texts,
    Integer: _integers,
    Boolean: lambda _, __: st.booleans(),
    Float: _floats,
    Number: _decimals,
    Date: lambda _, __: st.dates(),
    Time: _times,
    DateTime: _datetimes,
    Interval: lambda _, __: st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)),
    Uuid: lambda _, __: st.uuids(),
    Bytes: _bytes,
    Choice: lambda kind, _: st.sampled_from(list(kind.members)),
    Json: _json,
    Array: _arrays,
    LabelSet: lambda kind, _: st.sets(st.sampled_from(kind.labels)),
}
