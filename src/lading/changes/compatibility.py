"""Whether a field's limits or its type's parameters became wider or narrower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lading.changes.rewriting.shapes import Shape

#: What a difference does: takes more values than before, or fewer.
WIDER, NARROWER = "wider", "narrower"
Way = Callable[[Any, Any], set[str]]


def _number(before: Any, after: Any) -> set[str]:
    """The more, the wider; ``None`` is no limit."""
    if before == after:
        return set()
    if before is None or after is None:
        return {NARROWER if before is None else WIDER}
    return {WIDER if compared(after) > compared(before) else NARROWER}


def _swapped(way: Way) -> Way:
    swap = {WIDER: NARROWER, NARROWER: WIDER}
    return lambda before, after: {swap[difference] for difference in way(before, after)}


def _least(before: Any, after: Any) -> set[str]:
    """The less, the wider; ``None`` is no limit."""
    if None in (before, after):
        return _number(before, after)
    return _number(after, before)


def _among(before: Any, after: Any) -> set[str]:
    """The more choices, the wider; ``None`` is any."""
    if before is None or after is None:
        return _number(before, after)
    ways = set()
    if any(choice not in before for choice in after):
        ways.add(WIDER)
    if any(choice not in after for choice in before):
        ways.add(NARROWER)
    return ways


def _demands(before: Any, after: Any) -> set[str]:
    """The more demands, the narrower."""
    return _swapped(_among)(before or [], after or [])


def _flag(before: Any, after: Any) -> set[str]:
    """What holds for fewer values than without; another such flag is as narrow."""
    if before == after:
        return set()
    return {WIDER if after is None else NARROWER}


#: What stands before the names of what limits an array's items.
ITEM = "item_"
#: By the names in ``constraints``; whatever else stands there only narrows.
_WAYS: dict[str, Way] = {
    "longest": _number,
    "most": _number,
    "below": _number,
    "bytes": _number,
    "bits": _number,
    "fraction": _number,
    "shortest": _least,
    "least": _least,
    "above": _least,
    "choices": _among,
    "parts": _among,
    "never": _demands,
    "patterns": _demands,
    "others": _demands,
}


def constraint_ways(before: Shape, after: Shape) -> set[str]:
    """Return in which ways a field's limits differ."""
    old, new = before.get("constraints", {}), after.get("constraints", {})
    ways: set[str] = set()
    for name in sorted(old.keys() | new.keys()):
        ways |= _WAYS.get(name.removeprefix(ITEM), _flag)(old.get(name), new.get(name))
    return ways


# What a type says of itself

#: What a type's shape holds beside its name; what isn't listed makes another type of it.
_GENERAL = {
    "nullable",
    "computed",
    "classes",
    "constraints",
    "default",
    "optional",
    "entity",
    "flat",
    "by",
    "order",
    "sequence",
    "fields",
    "key",
    "discriminator",
    "kinds",
    "unique",
    "partly_unique",
    "hooks",
    "extra",
    "open",
}


def type_ways(before: Shape, after: Shape) -> set[str] | None:
    """Return in which ways two fields' types differ; ``None`` if they are different types."""
    if before["type"] != after["type"] or before.get("stored") != after.get("stored"):
        return None
    if before["type"] == "decimal":
        return _decimal(before, after)
    if before["type"] in ("enum", "set"):
        return _among(before.get("names"), after.get("names"))
    if before["type"] == "array":
        return _array(before, after)
    old = {name: limit for name, limit in before.items() if name not in _GENERAL}
    new = {name: limit for name, limit in after.items() if name not in _GENERAL}
    return set() if old == new else None


def _decimal(before: Shape, after: Shape) -> set[str]:
    """Digits before the point and behind it; a scale that is missing is no limit."""
    ways = _number(before["scale"], after["scale"])
    return ways | _number(_whole(before), _whole(after))


def _whole(shape: Shape) -> int | None:
    precision, scale = shape["precision"], shape["scale"]
    return None if precision is None or scale is None else int(precision) - int(scale)


def _array(before: Shape, after: Shape) -> set[str] | None:
    ways = type_ways(before["items"], after["items"])
    if ways is None:
        return None
    return ways | _number(before["dimensions"], after["dimensions"])


def compared(value: Any) -> Any:
    """Return what a bound in its written form compares by: numbers by value, else as text."""
    try:
        return (0, float(value), "")
    except (TypeError, ValueError):
        return (1, 0.0, str(value))
