"""Fields that a catalog declares for every column of a type."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from sqlalchemy.types import TypeEngine

from lading.errors import DeclarationError
from lading.mapping.errors import AmbiguousDeclaration
from lading.messages import shown

#: Fields by the classes of their columns' types.
Types = Mapping[type[TypeEngine[Any]], Any]


def checked_types(types: Any) -> Types:
    """Return a catalog's ``types``; ``DeclarationError`` for what isn't a field of a type."""
    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise DeclarationError(
            "catalog-malformed", f"Catalog: types is {shown(types)}; give it a mapping"
        )
    for type_, field in types.items():
        if not (isinstance(type_, type) and issubclass(type_, TypeEngine)):
            raise DeclarationError(
                "catalog-malformed",
                f"Catalog: types has the key {shown(type_)}; name a class of SQLAlchemy types",
            )
        if not isinstance(field, ma.fields.Field) and not callable(field):
            raise DeclarationError(
                "catalog-malformed",
                f"Catalog: types[{type_.__name__}] is {shown(field)}; give it a field, a class of "
                "fields, or a function from the column's type to a field",
            )
    return dict(types)


def field_for(type_: TypeEngine[Any], types: Types) -> ma.fields.Field[Any] | None:
    """Return a new field for a column of a type, if it or a base of its class has one."""
    for cls in type(type_).__mro__:
        if cls in types:
            return _new_field(types[cls], type_)
    return None


def _new_field(declared: Any, type_: TypeEngine[Any]) -> ma.fields.Field[Any]:
    name = type(type_).__name__
    if isinstance(declared, ma.fields.Field):
        return copy.copy(declared)
    try:
        field = declared() if inspect.isclass(declared) else declared(type_)
    except Exception as error:
        raise AmbiguousDeclaration(
            f"Catalog's types[{name}] fails ({error!r}); correct it"
        ) from error
    if not isinstance(field, ma.fields.Field):
        raise AmbiguousDeclaration(
            f"Catalog's types[{name}] gives {shown(field)}; let it give a field"
        )
    return field
