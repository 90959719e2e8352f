"""What a field's validators, its column and its defaults say, as plain JSON values.

Each is read from explicit attributes, so that equal declarations read alike in every process.
What only a function knows is told by that function's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from marshmallow import validate
from sqlalchemy.types import TypeEngine

from lading.changes.compatibility import compared
from lading.mapping.columns import integer_bytes, underlying
from lading.mapping.custom_fields import class_of
from lading.mapping.fields import OneOfClasses, Owned, Ref, RefList, ValueField
from lading.model.rowsets import Member, Value
from lading.values.base import Kind
from lading.values.datetimes import DateTime, Time
from lading.values.json_text import plain_json_text
from lading.values.scalars import Bytes, Float, Integer, Text

Said = dict[str, Any]
OURS = (ValueField, Ref, RefList, Owned)


def constraints_of(member: Member) -> Said:
    """Return what limits a field beyond its type; nothing for none.

    ``longest`` and ``shortest`` count characters or bytes, ``least`` and ``most`` include their
    value, ``above`` and ``below`` don't.
    """
    said = _of_column(member) if isinstance(member, Value) else {}
    kind = member.kind if isinstance(member, Value) else None
    _take(said, limits_of(member.field, kind))
    if not isinstance(member.field, OURS):
        said["field"] = class_of(member.field).__name__
    return dict(sorted(said.items()))


def limits_of(field: ma.fields.Field[Any], kind: Kind | None) -> Said:
    """Return what a field's validators ask; values are written as their kind writes them."""
    said: Said = {}
    for validator in validators_of(field):
        if not isinstance(validator, OneOfClasses):  # the shape says so itself
            _take(said, _of_validator(validator, kind))
    return said


def validators_of(field: ma.fields.Field[Any]) -> Iterator[Any]:
    """Yield a field's validators, those inside of ``And`` too."""
    found = list(field.validators)
    while found:
        validator = found.pop(0)
        if isinstance(validator, validate.And):
            found[:0] = validator.validators
        else:
            yield validator


def _of_column(value: Value) -> Said:
    type_: TypeEngine[Any] = underlying(value.column.type)
    kind = value.kind
    said: Said = {}
    length = getattr(type_, "length", None)
    if isinstance(kind, Text | Bytes) and isinstance(length, int):
        said["longest"] = length
    if isinstance(kind, Text) and kind.padded:
        said["padded"] = True
    if isinstance(kind, Integer):
        said["bytes"] = integer_bytes(type_)
    precision = getattr(type_, "precision", None)
    if isinstance(kind, Float) and isinstance(precision, int):
        said["bits"] = precision
    fraction = getattr(type_, "fsp", precision)
    if isinstance(kind, Time | DateTime) and isinstance(fraction, int):
        said["fraction"] = fraction
    return said


def _of_validator(validator: Any, kind: Kind | None) -> Said:
    for match, read in _READERS:
        if isinstance(validator, match):
            return {name: item for name, item in read(validator, kind).items() if item is not None}
    name = getattr(validator, "__qualname__", None) or type(validator).__qualname__
    return {"others": [name.rpartition("<locals>.")[2]]}


def _length(one: validate.Length, _: Kind | None) -> Said:
    if one.equal is not None:
        return {"shortest": one.equal, "longest": one.equal}
    return {"shortest": one.min, "longest": one.max}


def _range(one: validate.Range, kind: Kind | None) -> Said:
    low = "least" if one.min_inclusive else "above"
    high = "most" if one.max_inclusive else "below"
    return {low: _written(one.min, kind), high: _written(one.max, kind)}


def _regexp(one: validate.Regexp, _: Kind | None) -> Said:
    flags = f"(?{int(one.regex.flags)})" if isinstance(one.regex.pattern, str) else ""
    return {"patterns": [f"{flags}{one.regex.pattern!s}"]}


# The first match counts, so a subclass stands before its base.
_READERS: list[tuple[type, Callable[[Any, Kind | None], Said]]] = [
    (
        validate.ContainsOnly,
        lambda one, kind: {"parts": [_written(item, kind) for item in one.choices]},
    ),
    (validate.OneOf, lambda one, kind: {"choices": [_written(c, kind) for c in one.choices]}),
    (validate.NoneOf, lambda one, kind: {"never": [_written(c, kind) for c in one.iterable]}),
    (validate.Equal, lambda one, kind: {"choices": [_written(one.comparable, kind)]}),
    (validate.Range, _range),
    (validate.Length, _length),
    (validate.Regexp, _regexp),
]

#: How two statements about one thing become one: the stricter counts.
_JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "longest": min,
    "shortest": max,
    "choices": lambda one, two: [item for item in one if item in two],
}


def _take(said: Said, more: Said) -> None:
    for name, item in more.items():
        if name not in said:
            said[name] = item
        elif name in _JOINED:
            said[name] = _JOINED[name](said[name], item)
        elif isinstance(item, list):
            said[name] = [*said[name], *item]
        else:
            said[name] = _stricter(name, said[name], item)


def _stricter(name: str, one: Any, two: Any) -> Any:
    lower = name in ("least", "above")
    return two if (compared(two) > compared(one)) is lower else one


def _written(value: Any, kind: Kind | None) -> Any:
    """Return a validator's value as records have it, or else its text."""
    if value is None:
        return None
    try:
        made = kind.write(value) if kind is not None else value
        plain_json_text(made)
    except Exception:  # a field of the application's own may raise anything
        return str(value)
    return made


# Defaults


def defaults_of(member: Member) -> Said:
    """Return the defaults that the schema and the column declare; nothing for none.

    One that is no plain value is told as ``{"made": true}``.
    """
    said: Said = {}
    kind = member.kind if isinstance(member, Value) else None
    if member.field.load_default is not ma.missing:
        said["schema"] = _default(member.field.load_default, kind)
    if isinstance(member, Value):
        column = member.column
        if column.default is not None:
            scalar = getattr(column.default, "arg", None) if _is_scalar(column.default) else None
            said["column"] = _default(scalar, kind) if scalar is not None else {"made": True}
        if column.server_default is not None:
            said["server"] = _server(column.server_default)
    return said


def _is_scalar(default: Any) -> bool:
    return bool(getattr(default, "is_scalar", False))


def _default(value: Any, kind: Kind | None) -> Said:
    if value is None:
        return {"value": None}
    try:
        made = kind.write(value) if kind is not None else value
        plain_json_text(made)
    except Exception:  # a function, or what the kind doesn't write
        return {"made": True}
    return {"value": made}


def _server(default: Any) -> Said:
    text = getattr(default, "arg", None)
    if isinstance(text, sa.TextClause):
        return {"sql": text.text}
    return {"sql": text} if isinstance(text, str) else {"made": True}
