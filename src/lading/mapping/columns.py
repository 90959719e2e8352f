"""Which kind of value a column's type travels as.

This looks at SQLAlchemy types only; what a dialect can hold of them is decided
in ``database.dialects``.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
import typing
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeDecorator, TypeEngine

from lading.mapping.decorator_probes import gives_its_impls
from lading.values.arrays import Array, LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid

#: Where a column of a type that SQLAlchemy doesn't know remembers what its database calls it.
TYPE_NAME = "lading: type's name"
UNSAID = (None, type(None), Any, object)
BY_PYTHON_TYPE: dict[type, Kind] = {
    str: Text(),
    int: Integer(),
    bool: Boolean(),
    float: Float(),
    Decimal: Number(),
    dt.date: Date(),
    dt.time: Time(),
    dt.datetime: DateTime(),
    dt.timedelta: Interval(),
    uuid.UUID: Uuid(),
    bytes: Bytes(),
}


#: Whether decorators give their impl's values, as samples showed; a cipher may be slow.
_OUTCOMES: WeakKeyDictionary[TypeDecorator[Any], bool] = WeakKeyDictionary()


def type_name(column: sa.Column[Any]) -> str:
    """Return what a column's type is called: by its database, where SQLAlchemy doesn't know it."""
    name = column.info.get(TYPE_NAME)
    return repr(column.type) if name is None else f"the type {name}" if name else "no declared type"


def kind_of(type_: TypeEngine[Any]) -> Kind | None:
    """Return the kind that values of a column type travel as, or ``None`` if unknown."""
    if isinstance(type_, sqltypes.PickleType):
        return None
    if is_decorator(type_):
        return _decorated(type_)
    for match, make in _RULES:
        if isinstance(type_, match):
            kind: Kind | None = make(type_)
            return kind
    return None


def is_decorator(type_: TypeEngine[Any]) -> bool:
    """Tell whether a type decorates another; SQLAlchemy's own interval is one by accident."""
    return isinstance(type_, TypeDecorator) and not isinstance(type_, sqltypes.Interval)


def _decorated(type_: Any) -> Kind | None:
    """Return the kind of a decorator's Python values."""
    python = _python_type_of(type_)
    if python is None:
        return _probed(type_)
    if isinstance(python, type) and issubclass(python, enum.Enum):
        return Choice({member.name: member for member in python})
    for base, impl in _SAME_AS_IMPL:
        if _is_a(python, base) and isinstance(type_.impl_instance, impl):
            return kind_of(type_.impl_instance)
    return BY_PYTHON_TYPE.get(python)


def _probed(type_: Any) -> Kind | None:
    """Return the impl's kind for a decorator without a Python type, if samples are of that kind."""
    kind = kind_of(type_.impl_instance)
    if kind is None or not makes_values(type_):
        return kind
    if type_ not in _OUTCOMES:
        _OUTCOMES[type_] = gives_its_impls(type_, kind)
    return kind if _OUTCOMES[type_] else None


def _is_a(python: Any, base: type) -> bool:
    """Tell whether a type is another, or a subclass of an abstract one."""
    is_abstract = base in (Mapping, Sequence)
    return python is base or (
        is_abstract and isinstance(python, type) and issubclass(python, base) and python is not str
    )


def overrides_values(type_: TypeEngine[Any]) -> bool:
    """Tell whether a decorator changes values between Python and database."""
    names = ("process_bind_param", "process_result_value", "bind_processor", "result_processor")
    return _overrides(type_, *names)


def makes_values(type_: TypeEngine[Any]) -> bool:
    """Tell whether a decorator changes the values that its impl gives."""
    return _overrides(type_, "process_result_value", "result_processor")


def _overrides(type_: TypeEngine[Any], *names: str) -> bool:
    return any(getattr(type(type_), name) is not getattr(TypeDecorator, name) for name in names)


def _python_type_of(type_: TypeDecorator[Any]) -> Any:
    """Return a decorator's Python type, or ``None``.

    It is given by ``python_type``, or by the annotation of ``process_result_value``.
    """
    if type(type_).python_type is not TypeEngine.python_type:
        try:
            return type_.python_type
        except NotImplementedError:
            return None
    return _annotated(type(type_).process_result_value)


def _annotated(method: Any) -> Any:
    """Return the one type, apart from ``None``, that a method is annotated to return."""
    if method is TypeDecorator.process_result_value:
        return None
    try:
        return _plain(typing.get_type_hints(method).get("return"))
    except Exception:  # an annotation that can't be evaluated says nothing
        return None


def _plain(hint: Any) -> Any:
    """Return the class that a type hint stands for, or ``None``."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    options = [
        option for option in (typing.get_args(hint) if union else (hint,)) if option not in UNSAID
    ]
    plain = [typing.get_origin(option) or option for option in options]
    return plain[0] if len(plain) == 1 and isinstance(plain[0], type) else None


def underlying(type_: TypeEngine[Any]) -> Any:
    """Return the type that decorators decorate, or the type itself."""
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    return type_


class AsStored(TypeDecorator[Any]):
    """The type below a decorator: values are read and bound without the decorator."""

    cache_ok = False

    def __init__(self, type_: TypeEngine[Any]) -> None:
        self.impl = underlying(type_)  # SQLAlchemy asks instances for it, and calls classes
        self.impl_instance = self.impl
        self.type = type_

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """Return what the other type is on a dialect, below any decorators."""
        return typing.cast("TypeEngine[Any]", underlying(self.type.dialect_impl(dialect)))

    def __repr__(self) -> str:
        return f"{self.type!r} as it is stored"


def converts_in_sql(type_: TypeEngine[Any]) -> bool:
    """Tell whether a type, or a variant of it, wraps columns or parameters in SQL of its own.

    A SET does so only to be read as a number, and is read as text here.
    """
    return type(type_) is not mysql.SET and any(
        getattr(type(form), name) not in (getattr(TypeEngine, name), getattr(TypeDecorator, name))
        for form in (type_, *type_._variant_mapping.values())
        for name in ("bind_expression", "column_expression")
    )


def _choice(type_: sa.Enum) -> Kind:
    members = type_.enum_class.__members__ if type_.enum_class is not None else None
    if members is None:
        return Choice({name: name for name in type_.enums})
    return Choice({name: member for name, member in members.items() if member.name == name})


def _label_set(type_: mysql.SET) -> Kind | None:
    """Return a SET's kind; its text can't tell an empty label from no label."""
    return None if "" in type_.values else LabelSet(type_.values)


def _number(type_: sa.Numeric[Any]) -> Kind:
    return Number(precision=type_.precision, scale=type_.scale)


def _array(type_: sa.ARRAY[Any]) -> Kind | None:
    item_kind = kind_of(type_.item_type)
    if item_kind is None:
        return None
    return Array(item_kind, dimensions=type_.dimensions, as_tuple=type_.as_tuple)


# A decorator whose Python type is its impl's own has the impl's zone, scale and items.
_SAME_AS_IMPL: list[tuple[Any, Any]] = [
    (dt.datetime, sqltypes.DateTime),
    (dt.time, sqltypes.Time),
    (Decimal, sqltypes.Numeric),
    (list, sqltypes.ARRAY),
    (Mapping, sqltypes.JSON),
    (Sequence, sqltypes.JSON),
]

# The first match counts, so a subclass stands before its base.
_RULES: list[tuple[Any, Any]] = [
    (sqltypes.Enum, _choice),
    (mysql.SET, _label_set),
    ((sqltypes.CHAR, sqltypes.NCHAR), lambda _: Text(padded=True)),
    (sqltypes.String, lambda _: Text()),
    (sqltypes.Boolean, lambda _: Boolean()),
    (sqltypes.Integer, lambda _: Integer()),
    (sqltypes.Float, lambda _: Float()),
    (sqltypes.Numeric, _number),
    (sqltypes.Date, lambda _: Date()),
    (sqltypes.DateTime, lambda type_: DateTime(aware=bool(type_.timezone))),
    (sqltypes.Time, lambda type_: Time(aware=bool(type_.timezone))),
    ((sqltypes.Interval, postgresql.INTERVAL), lambda _: Interval()),
    (sqltypes.Uuid, lambda _: Uuid()),
    ((sqltypes.LargeBinary, sqltypes.BINARY, sqltypes.VARBINARY), lambda _: Bytes()),
    ((mysql.TINYBLOB, mysql.MEDIUMBLOB, mysql.LONGBLOB), lambda _: Bytes()),
    (sqltypes.JSON, lambda _: Json()),
    (sqltypes.ARRAY, _array),
]


def integer_bytes(type_: TypeEngine[Any]) -> int:
    """Return how many bytes an integer column has by its declaration."""
    if isinstance(type_, sqltypes.BigInteger):
        return 8
    return 2 if isinstance(type_, sqltypes.SmallInteger) else 4
