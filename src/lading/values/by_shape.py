"""The kind of the values that a shape describes, where no catalog is there to say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lading.values.arrays import Array, LabelSet
from lading.values.base import CUSTOM, Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.json_text import json_text
from lading.values.scalars import (
    Boolean,
    Bytes,
    Choice,
    Float,
    Integer,
    Json,
    Number,
    Text,
    Uuid,
)


@dataclass(frozen=True)
class AnyJson(Kind):
    """Values of a type that nobody here knows: any JSON, ordered by its text."""

    name: ClassVar[str] = CUSTOM
    python: ClassVar[type] = object
    one_form: ClassVar[bool] = False
    written_sorts: ClassVar[bool] = False

    def write(self, value: Any) -> Any:
        """Return the value, which is written as it is."""
        return value

    def read(self, written: Any) -> Any:
        """Return the value, which is written as it is."""
        return written

    def canonical(self, written: Any) -> Any:
        """Return what tells values apart, in keys as well: the text of lists and objects."""
        return json_text(written).decode() if isinstance(written, dict | list) else written

    def order(self, written: Any) -> Any:
        """Return the value's text."""
        return json_text(written)


ANY = AnyJson()


def kind_of_shape(shape: Mapping[str, Any]) -> Kind:
    """Return the kind of a field's values; ``ANY`` for a type that isn't known."""
    make = _KINDS.get(str(shape.get("type")))
    return ANY if make is None else make(shape)


def _array(shape: Mapping[str, Any]) -> Kind:
    return Array(kind_of_shape(shape["items"]), shape.get("dimensions"))


_KINDS: dict[str, Callable[[Mapping[str, Any]], Kind]] = {
    Text.name: lambda _: Text(),
    Integer.name: lambda _: Integer(),
    Boolean.name: lambda _: Boolean(),
    Float.name: lambda _: Float(),
    Number.name: lambda shape: Number(shape.get("precision"), shape.get("scale")),
    Uuid.name: lambda _: Uuid(),
    Bytes.name: lambda _: Bytes(),
    Choice.name: lambda shape: Choice({name: name for name in shape["names"]}),
    Json.name: lambda _: Json(),
    Date.name: lambda _: Date(),
    Time.name: lambda shape: Time(aware=bool(shape.get("aware"))),
    DateTime.name: lambda shape: DateTime(aware=bool(shape.get("aware"))),
    Interval.name: lambda _: Interval(),
    Array.name: _array,
    LabelSet.name: lambda shape: LabelSet(tuple(shape["names"])),
}
