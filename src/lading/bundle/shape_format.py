"""What a shape may look like, whoever wrote it: checked before anything relies on it.

Shapes stay plain JSON values, and may have members beyond these, for newer versions of lading.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lading.bundle.validation import JsonFile, Name
from lading.values.json_text import on_own_stack

Flag = bool | UnsetType
Text = str | UnsetType
Scalar = str | int | float | bool | None
Names = list[str]
Pair = Annotated[tuple[str | None, str], Meta(description="a field or null, and a direction")]

#: What must stand in a field's shape, by its type.
_REQUIRED = {
    "reference": ("entity",),
    "references": ("entity",),
    "decimal": ("precision", "scale"),
    "enum": ("names",),
    "set": ("names",),
    "array": ("items", "dimensions"),
    "owned": ("fields", "key"),
}


class ConstraintsFormat(Struct):
    """The limits of a field's values in a sealed shape."""

    choices: list[Any] | UnsetType = UNSET
    parts: list[Any] | UnsetType = UNSET
    never: list[Any] | UnsetType = UNSET
    patterns: list[Any] | UnsetType = UNSET
    others: list[Any] | UnsetType = UNSET


class RecordsFormat(Struct):
    """What the shape of an entity and that of an owned list have in common."""

    unique: list[Names] | UnsetType = UNSET
    discriminator: Text = UNSET
    kinds: list[Scalar] | UnsetType = UNSET
    hooks: Names | UnsetType = UNSET
    extra: Names | UnsetType = UNSET
    open: Flag = UNSET


class FieldFormat(RecordsFormat, kw_only=True):
    """The shape of a field; that of an owned list holds the shape of its records."""

    type: Name
    nullable: Flag = UNSET
    classes: list[Scalar] | UnsetType = UNSET
    computed: Flag = UNSET
    optional: Flag = UNSET
    constraints: ConstraintsFormat | UnsetType = UNSET
    default: dict[str, dict[str, Any]] | UnsetType = UNSET
    entity: Text = UNSET
    flat: Flag = UNSET
    by: Text = UNSET
    precision: int | UnsetType | None = UNSET
    scale: int | UnsetType | None = UNSET
    names: Names | UnsetType = UNSET
    items: FieldFormat | UnsetType = UNSET
    dimensions: int | UnsetType | None = UNSET
    order: Text = UNSET
    sequence: list[Pair] | UnsetType = UNSET
    fields: dict[str, FieldFormat] | UnsetType = UNSET
    key: Names | UnsetType = UNSET

    def __post_init__(self) -> None:
        for name in _REQUIRED.get(self.type, ()):
            if getattr(self, name) is UNSET:
                raise ValueError(f"a field of type {self.type!r} to have the member {name!r}")


class ShapeFormat(RecordsFormat, kw_only=True):
    """The shape of an entity's records."""

    fields: dict[str, FieldFormat]
    key: Names
    hidden: Names | UnsetType = UNSET
    sequences: dict[str, list[Pair]] | UnsetType = UNSET


def check_shape(file: JsonFile, value: Any, field: str) -> None:
    """Raise ``BundleError`` naming the member of a shape that is wrong."""
    file.convert(value, ShapeFormat, field)


def is_shape(value: Any) -> bool:
    """Tell whether a value is a shape, with those of what it owns."""
    try:
        on_own_stack(msgspec.convert, value, ShapeFormat)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True
