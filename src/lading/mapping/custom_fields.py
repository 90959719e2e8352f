"""Fields of the application's own: what they write and read, as plain JSON and back."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any, ClassVar

import marshmallow as ma

from lading.messages import shown
from lading.values.base import CUSTOM, Kind
from lading.values.json_text import json_text, on_own_stack
from lading.values.plain_json import plain_json, wide_integer
from lading.values.scalars import JSON_KEY, JSON_NULL, is_wrapper


class FieldKind(Kind):
    """What a field of the application's own writes and reads, for types that we don't know.

    ``like`` is the kind of the column's type, if it is known; it describes and orders the values.
    """

    name: ClassVar[str] = CUSTOM
    python: ClassVar[type] = object
    is_key: bool = False  # type: ignore[misc]

    def __init__(self, field: ma.fields.Field[Any], like: Kind | None = None) -> None:
        self.field = field
        self.like = like
        self.is_key = like is not None and like.is_key

    def write(self, value: Any) -> Any:
        """Return what the field serializes, as plain JSON; it may edit a copy of the value."""
        own_copy = separate(value)
        try:
            written = self.field._serialize(own_copy, self.field.name, {self.field.name: own_copy})
            plain = plain_json(written)
        except Exception as error:  # a field of the application's own may raise anything
            raise ValueError(
                f"its field, {class_of(self.field).__name__}, can't write {shown(value)} "
                f"({error_text(error)})"
            ) from error
        if wide_integer(plain):
            raise ValueError(f"{shown(plain)} holds a number of more than 64 bits")
        return plain

    def read(self, written: Any) -> Any:
        """Return what the field deserializes; it may edit a copy of what is written."""
        try:
            return self.field.deserialize(separate(written))
        except ma.ValidationError as error:
            raise ValueError("; ".join(map(str, error.messages))) from error
        except Exception as error:  # a field of the application's own may raise anything
            raise ValueError(
                f"its field, {class_of(self.field).__name__}, can't read {shown(written)} "
                f"({error_text(error)})"
            ) from error

    def canonical(self, written: Any) -> Any:
        """Return the form unchanged: only the field knows other forms of the value."""
        return written

    def order(self, written: Any) -> Any:
        """Return what lists are ordered by: numbers by value, then texts, then all else as JSON."""
        if isinstance(written, int | float):
            return (0, written)
        return (1, written) if isinstance(written, str) else (2, json_text(written))

    def shape(self) -> dict[str, Any]:
        """Return its description in a manifest, by the kind of the column's type if known."""
        return super().shape() if self.like is None else self.like.shape()


def separate(value: Any) -> Any:
    """Return a copy that may be edited, of whatever can be copied."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    try:
        return on_own_stack(copy.deepcopy, value)
    except Exception:  # an object of the application's own may refuse
        return value


def error_text(error: Exception) -> str:
    """Return what an exception of the application's code says, or else its type."""
    return str(error) or type(error).__name__


def class_of(field: ma.fields.Field[Any]) -> type:
    """Return the class that the application gave a field."""
    return next(cls for cls in type(field).__mro__ if not cls.__dict__.get("_keeps_null"))


def keep_json_null(field: ma.fields.Field[Any]) -> None:
    """Have a field of a JSON column carry JSON's own null, which its class needn't know of.

    It is written as values of JSON columns are: as ``{"$json":null}``, and what looks like that
    wrapper is wrapped itself.
    """
    if not getattr(type(field), "_keeps_null", False):
        field.__class__ = _null_keeping(type(field))  # type: ignore[arg-type]


@cache
def _null_keeping(cls: Any) -> Any:
    def _serialize(self: Any, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if value is JSON_NULL:
            return {JSON_KEY: None}
        written = cls._serialize(self, value, attr, obj, **kwargs)
        return {JSON_KEY: written} if is_wrapper(written) else written

    def deserialize(self: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        if is_wrapper(value):
            value = value[JSON_KEY]
            if value is None:
                return JSON_NULL
        return cls.deserialize(self, value, *args, **kwargs)

    body = {"_serialize": _serialize, "deserialize": deserialize, "_keeps_null": True}
    return type(cls.__name__, (cls,), {**body, "__module__": cls.__module__})
