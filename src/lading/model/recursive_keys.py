"""Keys that recur through a nullable self reference, such as a category's parent and name.

Such a key is written nested, each level within the one below it.  Everything that
walks it does so level by level and not by recursion, for Python's stack is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lading.model.rowsets import Reference, Value
from lading.values.json_text import DEEPEST_VALUE

Parts = tuple[Value | Reference, ...]

#: The most levels of a key: every import must be able to read what an export writes.
DEEPEST = DEEPEST_VALUE


def recurring(parts: Parts) -> Reference | None:
    """Return the part through which a key recurs, or ``None``."""
    for part in parts:
        if isinstance(part, Reference) and part.parts == parts:
            return part
    return None


def recurs(reference: Reference) -> bool:
    """Tell whether a reference is written by a recursive key."""
    return recurring(reference.parts) is not None


def holds_recurring(reference: Reference) -> bool:
    """Tell whether a reference's key recurs, or leads through one that does."""
    return recurs(reference) or any(
        holds_recurring(part) for part in reference.parts if isinstance(part, Reference)
    )


def level_parts(parts: Parts) -> Parts:
    """Return the parts of one level of a key that recurs: all but the reference to the next."""
    own = recurring(parts)
    return tuple(part for part in parts if part is not own)


def deepest(reference: Reference) -> int:
    """Return the most levels that a reference's key may have, so that no record has more."""
    return DEEPEST - 1 if reference in reference.parts else DEEPEST


def levels_of(key: Mapping[str, Any], own: Reference | None, *, loaded: bool = False) -> list[Any]:
    """List the levels of a nested key from its lowest up; one that doesn't recur has one.

    ``loaded`` says that it has the fields' names, and not those that are written.
    """
    levels: list[Any] = [key]
    if own is not None:
        name = own.name if loaded else own.written
        while isinstance(above := levels[-1].get(name), Mapping):
            levels.append(above)
    return levels


def flattened_order(orders: Sequence[Sequence[Any]], place: int) -> tuple[Any, ...]:
    """Return what a key that recurs sorts by, without nesting.

    ``orders`` are what its levels' parts sort by, the root's first; ``place`` is the
    recurring part's among them.  Comparing what is returned gives the order of the
    nested key: part by part, the recurring one by whether it is set and then by itself.
    """
    if not place:  # "is set" for each level above, and then "isn't set"
        return (len(orders), *(value for order in orders for value in order))
    result: list[Any] = []
    for order in reversed(orders):
        result += order[:place]
        result.append(True)
    result[-1] = False
    for order in orders:
        result += order[place:]
    return tuple(result)
