"""TODO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from lading.model.recursive_keys import deepest, levels_of, recurring
from lading.model.rowsets import Reference, Value


def write_key(reference: Reference, value: Any) -> dict[str, Any]:
    """Write the natural key of an object, or of a mapping that holds its parts."""
    own = recurring(reference.parts)
    levels = [value]
    while own is not None and (above := _held(own, levels[-1])) is not None:
        levels.append(above)
        _refuse_deep(reference, levels)
    written: dict[str, Any] = {}
    for place, level in enumerate(reversed(levels)):
        level_keys = {}
        for part in reference.parts:
            if part is own:
                level_keys[part.written] = written if place else None
            else:
                level_keys[part.written] = part.field._serialize(
                    _held(part, level), part.name, level
                )
        written = level_keys
    return written


def _held(part: Value | Reference, value: Any) -> Any:
    """Return what an object, or a mapping, holds as a part of its key."""
    part_value = part.field.get_value(value, part.name)
    if part_value is ma.missing:
        raise ma.ValidationError(f"has no {part.name}")
    return part_value


def _refuse_deep(reference: Reference, levels: list[Any]) -> None:
    if len(levels) > deepest(reference):
        raise ma.ValidationError(f"has more than {deepest(reference)} levels.")


def read_key(reference: Reference, value: Any) -> dict[str, Any]:
    """Read a nested natural key, strictly: its fields, all of them, and no other."""
    own = recurring(reference.parts)
    levels = levels_of(value, own) if isinstance(value, Mapping) else [value]
    _refuse_deep(reference, levels)
    read: dict[str, Any] = {}
    errors: dict[Any, Any] = {}
    for place, level in enumerate(reversed(levels)):
        read, errors = _read_level(reference.parts, level, own if place else None, read, errors)
    if errors:
        raise ma.ValidationError(errors)
    return read


def _read_level(
    parts: tuple[Value | Reference, ...],
    value: Any,
    own: Reference | None,
    above: dict[str, Any],
    above_errors: dict[Any, Any],
) -> tuple[dict[str, Any], dict[Any, Any]]:
    """Read one level of a key and return its errors too; ``own`` was read as ``above``."""
    names = ", ".join(part.written for part in parts)
    if not isinstance(value, Mapping):
        raise ma.ValidationError(f"expected an object with {names}.")
    errors: dict[Any, Any] = {}
    result = {}
    for part in parts:
        if part.written not in value:
            errors[part.written] = ["Missing data for required field."]
            continue
        try:
            if part is not own:
                part_value = part.field.deserialize(value[part.written], part.name, value)
            elif above_errors:
                raise ma.ValidationError(above_errors)
            else:
                part_value = above
                part.field._validate(part_value)
            result[part.name] = part_value
        except ma.ValidationError as error:
            errors[part.written] = error.messages
    for extra in value.keys() - {part.written for part in parts}:
        errors[extra] = ["Unknown field."]
    return result, errors


def read_list(value: Any, read: Any) -> list[Any]:
    """Read each item of a list, and gather the errors of all by position."""
    if not isinstance(value, list):
        raise ma.ValidationError("Not a valid list.")
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
