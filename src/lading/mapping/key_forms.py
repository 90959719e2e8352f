"""Nested natural keys as marshmallow writes and reads them, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from lading.messages import Message, shown
from lading.model.recursive_keys import Parts, deepest, levels_of, recurring
from lading.model.rowsets import Reference, Value

#: What was read of one level of a key, and the errors of its fields.
Level = tuple[dict[str, Any], dict[Any, Any]]


def write_key(reference: Reference, value: Any) -> dict[str, Any]:
    """Write the natural key of an object, or of a mapping that holds its parts."""
    own = recurring(reference.parts)
    levels = [value]
    while own is not None and (above := _part_of(levels[-1], own)) is not None:
        levels.append(above)
        _refuse_deep(reference, levels)
    written: dict[str, Any] | None = None
    for level in reversed(levels):
        written = {
            part.written: written
            if part is own
            else part.field._serialize(_part_of(level, part), part.name, level)
            for part in reference.parts
        }
    return written or {}


def _part_of(value: Any, part: Value | Reference) -> Any:
    """Return what an object, or a mapping, has as a part of its key."""
    part_value = part.field.get_value(value, part.name)
    if part_value is ma.missing:
        raise ma.ValidationError(Message("key-incomplete", f"has no {part.name}"))
    return part_value


def _refuse_deep(reference: Reference, levels: list[Any]) -> None:
    if len(levels) > deepest(reference):
        text = f"has more than {deepest(reference)} levels. Correct the key, or shorten the chain"
        raise ma.ValidationError(Message("key-too-deep", text))


def read_key(reference: Reference, value: Any) -> dict[str, Any]:
    """Read a nested natural key, strictly: its fields, all of them, and no other."""
    own = recurring(reference.parts)
    levels = levels_of(value, own) if isinstance(value, Mapping) else [value]
    _refuse_deep(reference, levels)
    above: Level | None = None
    for level in reversed(levels):
        above = _read_level(reference.parts, level, own, above)
    read, errors = above or ({}, {})
    if errors:
        raise ma.ValidationError(errors)
    return read


def _read_level(parts: Parts, level: Any, own: Reference | None, above: Level | None) -> Level:
    """Read one level of a key, and gather the errors of its fields.

    Args:
        parts: The key's parts.
        level: What is written.
        own: The part through which the key recurs, if one does.
        above: What was read of the level above; ``None`` for the topmost.
    """
    if not isinstance(level, Mapping):
        names = ", ".join(part.written for part in parts)
        raise ma.ValidationError(
            Message(
                "reference-malformed",
                f"expected an object with {names}, found {shown(level)}. Write the target's key",
            )
        )
    read: dict[str, Any] = {}
    errors: dict[Any, Any] = {}
    for part in parts:
        if part.written not in level:
            errors[part.written] = ["Missing data for required field."]
            continue
        try:
            if part is own and above is not None:
                read[part.name] = _validated(part, above)
            else:
                read[part.name] = part.field.deserialize(level[part.written], part.name, level)
        except ma.ValidationError as error:
            errors[part.written] = error.messages
    for extra in level.keys() - {part.written for part in parts}:
        errors[extra] = ["Unknown field."]
    return read, errors


def _validated(part: Reference, above: Level) -> dict[str, Any]:
    """Return the level above as a part of a key, if its fields and validators agree."""
    read, errors = above
    if errors:
        raise ma.ValidationError(errors)
    part.field._validate(read)
    return read


def read_list(value: Any, read: Any) -> list[Any]:
    """Read each item of a list, and gather the errors of all by position."""
    if not isinstance(value, list):
        text = "Not a valid list. Write a list, in brackets, of one thing as well"
        raise ma.ValidationError(Message("value-malformed", text))
    errors: dict[Any, Any] = {}
    result = []
    for index, element in enumerate(value):
        try:
            result.append(read(element))
        except ma.ValidationError as error:
            errors[index] = error.messages
    if errors:
        raise ma.ValidationError(errors)
    return result
