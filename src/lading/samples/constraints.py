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

from lading.changes.compatibility import ITEM, compared
from lading.mapping.columns import integer_bytes, underlying
from lading.mapping.custom_fields import class_of
from lading.mapping.fields import OneOfClasses, Owned, Ref, RefList, ValueField
from lading.model.rowsets import Children, Member, Value
from lading.model.uniqueness import is_single
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.datetimes import DateTime, Time
from lading.values.json_text import plain_json_text
from lading.values.scalars import Bytes, Float, Integer, Text

Facts = dict[str, Any]
#: The bits of a REAL's fraction.
SINGLE = 24
OURS = (ValueField, Ref, RefList, Owned)


def constraints_of(member: Member) -> Facts:
    """Return what limits a field beyond its type; nothing for none.

    ``longest`` and ``shortest`` count characters, bytes or items, ``least`` and ``most`` include
    their value, ``above`` and ``below`` don't.
    """
    kind = member.kind if isinstance(member, Value) else None
    limits = _of_type(member.column.type, kind) if isinstance(member, Value) else {}
    _tighten(limits, limits_of(member.field, kind))
    if isinstance(member, Children) and is_single(member):
        limits["longest"] = 1
    if not isinstance(member.field, OURS):
        limits["field"] = class_of(member.field).__name__
    return dict(sorted(limits.items()))


def limits_of(field: ma.fields.Field[Any], kind: Kind | None) -> Facts:
    """Return what a field's validators ask; values are written as their kind writes them."""
    limits: Facts = {}
    for validator in validators_of(field):
        if not isinstance(validator, OneOfClasses):  # the shape says so itself
            _tighten(limits, _of_validator(validator, kind))
    return limits


def validators_of(field: ma.fields.Field[Any]) -> Iterator[Any]:
    """Yield a field's validators, those inside of ``And`` too."""
    validators = list(field.validators)
    while validators:
        validator = validators.pop(0)
        if isinstance(validator, validate.And):
            validators[:0] = validator.validators
        else:
            yield validator


def _of_type(column_type: TypeEngine[Any], kind: Kind | None) -> Facts:
    type_: TypeEngine[Any] = underlying(column_type)
    limits: Facts = {}
    if isinstance(kind, Array) and isinstance(type_, sa.ARRAY):
        of_items = _of_type(type_.item_type, kind.item)
        limits |= {f"{ITEM}{name}": limit for name, limit in of_items.items()}
    length = getattr(type_, "length", None)
    if isinstance(kind, Text | Bytes) and isinstance(length, int):
        limits["longest"] = length
    if isinstance(kind, Text) and kind.padded:
        limits["padded"] = True
    if isinstance(kind, Integer):
        limits["bytes"] = integer_bytes(type_)
    precision = getattr(type_, "precision", None)
    if isinstance(type_, sa.REAL) and precision is None:
        precision = SINGLE
    if isinstance(kind, Float) and isinstance(precision, int):
        limits["bits"] = precision
    fraction = getattr(type_, "fsp", precision)
    if isinstance(kind, Time | DateTime) and isinstance(fraction, int):
        limits["fraction"] = fraction
    return limits


def _of_validator(validator: Any, kind: Kind | None) -> Facts:
    for match, read in _READERS:
        if isinstance(validator, match):
            return {
                name: limit for name, limit in read(validator, kind).items() if limit is not None
            }
    name = getattr(validator, "__qualname__", None) or type(validator).__qualname__
    return {"others": [name.rpartition("<locals>.")[2]]}


def _length(validator: validate.Length, _: Kind | None) -> Facts:
    if validator.equal is not None:
        return {"shortest": validator.equal, "longest": validator.equal}
    return {"shortest": validator.min, "longest": validator.max}


def _range(validator: validate.Range, kind: Kind | None) -> Facts:
    low = "least" if validator.min_inclusive else "above"
    high = "most" if validator.max_inclusive else "below"
    return {low: _written(validator.min, kind), high: _written(validator.max, kind)}


def _regexp(validator: validate.Regexp, _: Kind | None) -> Facts:
    flags = f"(?{int(validator.regex.flags)})" if isinstance(validator.regex.pattern, str) else ""
    return {"patterns": [f"{flags}{validator.regex.pattern!s}"]}


# The first match counts, so a subclass stands before its base.
_READERS: list[tuple[type, Callable[[Any, Kind | None], Facts]]] = [
    (
        validate.ContainsOnly,
        lambda rule, kind: {"parts": [_written(part, kind) for part in rule.choices]},
    ),
    (validate.OneOf, lambda rule, kind: {"choices": [_written(c, kind) for c in rule.choices]}),
    (validate.NoneOf, lambda rule, kind: {"never": [_written(c, kind) for c in rule.iterable]}),
    (validate.Equal, lambda rule, kind: {"choices": [_written(rule.comparable, kind)]}),
    (validate.Range, _range),
    (validate.Length, _length),
    (validate.Regexp, _regexp),
]

#: How two statements about one thing become one: the stricter counts.
_JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "longest": min,
    "shortest": max,
    "choices": lambda choices, others: [choice for choice in choices if choice in others],
}


def _tighten(limits: Facts, more: Facts) -> None:
    for name, limit in more.items():
        if name not in limits:
            limits[name] = limit
        elif name in _JOINED:
            limits[name] = _JOINED[name](limits[name], limit)
        elif isinstance(limit, list):
            limits[name] = [*limits[name], *limit]
        else:
            limits[name] = _stricter(name, limits[name], limit)


def _stricter(name: str, first: Any, second: Any) -> Any:
    lower = name in ("least", "above")
    return second if (compared(second) > compared(first)) is lower else first


def _written(value: Any, kind: Kind | None) -> Any:
    """Return a validator's value as records have it, or else its text."""
    if value is None:
        return None
    try:
        written = kind.write(value) if kind is not None else value
        plain_json_text(written)
    except Exception:  # a field of the application's own may raise anything
        return str(value)
    return written


# Defaults


def defaults_of(member: Member) -> Facts:
    """Return the defaults that the schema and the column declare; nothing for none.

    One that is no plain value is told as ``{"made": true}``.
    """
    defaults: Facts = {}
    kind = member.kind if isinstance(member, Value) else None
    if member.field.load_default is not ma.missing:
        defaults["schema"] = _default(member.field.load_default, kind)
    if isinstance(member, Value):
        column = member.column
        if column.default is not None:
            scalar = getattr(column.default, "arg", None) if _is_scalar(column.default) else None
            defaults["column"] = _default(scalar, kind) if scalar is not None else {"made": True}
        if column.server_default is not None:
            defaults["server"] = _server(column.server_default)
    return defaults


def _is_scalar(default: Any) -> bool:
    return bool(getattr(default, "is_scalar", False))


def _default(value: Any, kind: Kind | None) -> Facts:
    if value is None:
        return {"value": None}
    try:
        written = kind.write(value) if kind is not None else value
        plain_json_text(written)
    except Exception:  # a function, or what the kind doesn't write
        return {"made": True}
    return {"value": written}


def _server(default: Any) -> Facts:
    text = getattr(default, "arg", None)
    if isinstance(text, sa.TextClause):
        return {"sql": text.text}
    return {"sql": text} if isinstance(text, str) else {"made": True}
