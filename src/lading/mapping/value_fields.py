"""The field and the kind of each plain column, derived or declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow_sqlalchemy import ModelConverter
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeEngine

from lading.mapping.columns import (
    AsStored,
    converts_in_sql,
    is_decorator,
    kind_of,
    makes_values,
    overrides_values,
    underlying,
)
from lading.mapping.custom_fields import FieldKind, keep_json_null
from lading.mapping.decorator_probes import gives_its_impls, is_steady
from lading.mapping.errors import AmbiguousDeclaration
from lading.mapping.fields import ValueField
from lading.model.rowsets import Column, retyped
from lading.values.base import Kind
from lading.values.datetimes import DateTime
from lading.values.scalars import Bytes, Text


@dataclass(frozen=True, slots=True)
class Carried:
    """How a column's values travel; ``stored`` is the type that they are read by as they are."""

    field: ma.fields.Field[Any]
    kind: Kind
    stored: TypeEngine[Any] | None = None


def carried(
    name: str, column: Column, declared: ma.fields.Field[Any] | None, *, stored: bool
) -> Carried:
    """Return a column's field and kind, and ``AmbiguousDeclaration`` where neither is known.

    Args:
        name: The field's name, for what an error tells to write.
        column: The column whose values travel.
        declared: The field that the application gives the column, if any.
        stored: Whether the schema says that values travel as they are stored.
    """
    if stored or (declared is None and travels_stored(column.type)):
        return _stored(name, column)
    if converts_in_sql(column.type):
        raise AmbiguousDeclaration(
            f"{column.type!r} converts values in SQL (bind_expression, column_expression), which a "
            f"bulk load goes past; let what is stored travel as it is: stored = ({name!r},) in "
            "Meta, or change its type"
        )
    kind = kind_of(column.type)
    if declared is None:
        return Carried(_derived(name, column), _known(kind))
    if isinstance(underlying(column.type), sqltypes.JSON):
        keep_json_null(declared)
    if kind is None or _knows_a_zone(declared, kind):
        return Carried(_required(declared, column), FieldKind(declared))
    if _may_be_other(column.type, kind):
        kind = FieldKind(declared, like=kind)
    return Carried(_required(declared, column), kind)


def travels_stored(type_: TypeEngine[Any]) -> bool:
    """Tell whether a decorator's values travel as they are stored, unless a field is declared.

    They do where the type or the zone of its Python values is unknown, and where it stores the
    same value differently each time, as encryption with a fresh nonce does.
    """
    if not is_decorator(type_):
        return False
    kind = kind_of(type_)
    if kind is None or not is_steady(type_, kind):
        return True
    zoneless = isinstance(kind, DateTime) and not kind.aware
    return zoneless and makes_values(type_) and not gives_its_impls(type_, kind)


def _stored(name: str, column: Column) -> Carried:
    """Return how a column's values travel as they are stored, without its decorators."""
    type_ = AsStored(column.type)
    kind = kind_of(type_)
    if kind is None:
        raise _unknown(name, underlying(column.type))
    return Carried(_derived(name, retyped(column, type_)), kind, type_)


def _may_be_other(type_: TypeEngine[Any], kind: Kind | None) -> bool:
    """Tell whether a decorator changes values, and claims its impl's type."""
    return is_decorator(type_) and overrides_values(type_) and kind_of(underlying(type_)) == kind


def _knows_a_zone(field: ma.fields.Field[Any], kind: Kind) -> bool:
    """Tell whether a declared field has zones that its column's type doesn't have."""
    return (
        isinstance(field, ma.fields.AwareDateTime) and isinstance(kind, DateTime) and not kind.aware
    )


def _required(field: ma.fields.Field[Any], column: Column) -> ma.fields.Field[Any]:
    """Make a declared field required, like a derived one: a missing field isn't a null."""
    if not field.dump_only and field.load_default is ma.missing:
        field.required = True
    if column.nullable:
        field.allow_none = True
    return field


# Derived fields


def _known(kind: Kind | None) -> Kind:
    assert kind is not None  # otherwise there would be no derived field
    return kind


def _unknown(name: str, type_: TypeEngine[Any]) -> AmbiguousDeclaration:
    return AmbiguousDeclaration(
        f"{type_!r} has a Python type that lading doesn't know; declare {name} = "
        "fields.…(required=True), give its TypeDecorator a python_type"
    )


def _derived(name: str, column: Column) -> ma.fields.Field[Any]:
    if kind_of(column.type) is None:
        raise _unknown(name, column.type)
    return StrictConverter().column2field(column, required=True)


def strict_field(_: ModelConverter, type_: TypeEngine[Any]) -> Callable[..., ma.fields.Field[Any]]:
    """Return a function from the converter's options to our own field for a column type."""
    kind = _known(kind_of(type_))

    def make(*, validate: Any, **options: Any) -> ma.fields.Field[Any]:
        for lossy in ("enum", "places"):
            options.pop(lossy, None)
        sized = isinstance(kind, Text | Bytes)
        return ValueField(kind, validate=validate if sized else [], **options)

    return make


class StrictConverter(ModelConverter):
    """marshmallow-sqlalchemy's converter, with our fields in place of its lossy ones."""

    SQLA_TYPE_MAPPING = {TypeEngine: strict_field}  # noqa: RUF012
