"""What a manifest's shapes say of fields; a shape isn't checked before a catalog reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def fields_of(shape: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the fields of a shape that are of any form that is known."""
    fields = shape.get("fields")
    pairs = fields.items() if isinstance(fields, dict) else ()
    return {name: field for name, field in pairs if isinstance(field, dict)}


def owned_lists(path: str, shape: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of owned lists in a shape, at any depth.

    Args:
        path: The path of the shape itself.
        shape: An entity's, or an owned list's.
    """
    for name, field in fields_of(shape).items():
        if field.get("type") == "owned":
            yield f"{path}.{name}"
            yield from owned_lists(f"{path}.{name}", field)
