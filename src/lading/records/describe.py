"""Describes keys for people, in the sentences of errors."""

from __future__ import annotations

from typing import Any

from lading.messages import counted, shown
from lading.model.hidden import HIDDEN, hides, masked
from lading.model.recursive_keys import level_parts, recurring
from lading.model.rowsets import Reference, Value
from lading.records.key_source import named_key
from lading.records.layout import Key, Part

#: How many levels of a recursive key are spelt out.
LEVELS = 3


def masked_key(parts: tuple[Part, ...], key: Key | None) -> Any:
    """Return a key in portable form for people, with hidden values masked."""
    return masked(parts, named_key(parts, key)) if any(map(hides, parts)) else named_key(parts, key)


def described(parts: tuple[Part, ...], key: Key) -> str:
    """Describe a key: ``slug 'flour'``, ``ingredient.slug 'flour' and brand 'X'``.

    Of a key that recurs, the lowest levels: ``name 'rye' and parent.name 'bread'``.
    """
    return " and ".join(described_parts(parts, key))


def described_parts(parts: tuple[Part, ...], key: Key, path: str = "") -> list[str]:
    """Describe the values in a key, each with its name; ``path`` leads to the key."""
    own = recurring(parts)
    if own is not None:
        return _recurring(parts, own, key, path)
    texts = []
    for part, part_value in zip(parts, key, strict=True):
        name = f"{path}{part.written}"
        if part_value is None:
            texts.append(f"{name} null")
        elif hides(part) and (isinstance(part, Value) or part.flat):
            texts.append(f"{name} {HIDDEN}")
        elif isinstance(part, Reference) and part.flat:
            texts.append(f"{name} {shown(part_value[0])}")
        elif isinstance(part, Reference):
            texts += described_parts(part.parts, part_value, f"{name}.")
        else:
            texts.append(f"{name} {shown(part_value)}")
    return texts


def _recurring(parts: tuple[Part, ...], own: Reference, key: Key, path: str) -> list[str]:
    texts = []
    lowest = key[-1 : -LEVELS - 1 : -1]
    for level in lowest:
        texts += described_parts(level_parts(parts), level, path)
        path = f"{path}{own.written}."
    levels_left_out = len(key) - len(lowest)
    if levels_left_out:
        texts.append(f"{counted(levels_left_out, 'more level')} above")
    elif len(key) == 1:
        texts.append(f"{path[:-1]} null")
    return texts
