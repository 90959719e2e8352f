"""Types for reflected columns by which their values travel as a bundle's do.

Engines lack types of each other: MariaDB's JSON is text and its BOOLEAN a number, and a SQLite
column has any name for its type.  What a column really keeps is checked by each import all the
same.  Composite foreign keys whose columns are plain fields in the bundle are so too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine

from lading.mapping.columns import kind_of
from lading.mapping.foreign_keys import AS_FIELDS, PARTLY_NULL
from lading.mapping.surrogate_keys import IS_NO_ID
from lading.values.base import Kind
from lading.values.scalars import Text, Uuid

Shape = Mapping[str, Any]
#: How many characters a UUID has with its dashes; a shorter column has room for one without.
UUID_LENGTH = 36
#: Under which a table's ``info`` says that records from elsewhere decide the kinds of its columns.
PREFERRED = "lading: as in other records"


class UuidText(sa.TypeDecorator[uuid.UUID]):
    """UUIDs as people write them, in a column of texts."""

    impl = sa.Text
    cache_ok = True

    @property
    def python_type(self) -> type[uuid.UUID]:
        """The type of values."""
        return uuid.UUID

    def process_bind_param(self, value: uuid.UUID | None, dialect: sa.Dialect) -> str | None:
        """Write a UUID with dashes."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> uuid.UUID | None:
        """Read a UUID."""
        del dialect
        return None if value is None else uuid.UUID(value)


class TextUuid(sa.TypeDecorator[str]):
    """Texts of UUIDs with dashes, in a column of UUIDs."""

    impl = sa.Uuid
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """The type of values."""
        return str

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> uuid.UUID | None:
        """Read a UUID; any other way to write it would come back otherwise."""
        del dialect
        if value is None:
            return None
        if Uuid().written(value) != value:
            raise ValueError("a UUID comes back in lower case")
        return uuid.UUID(value)

    def process_result_value(self, value: uuid.UUID | None, dialect: sa.Dialect) -> str | None:
        """Write a UUID with dashes."""
        del dialect
        return None if value is None else str(value)


_TYPES: Mapping[str, Callable[[Shape], TypeEngine[Any]]] = {
    "string": lambda _: sa.Text(),
    "integer": lambda _: sa.BigInteger(),
    "boolean": lambda _: sa.Boolean(),
    "float": lambda _: sa.Double(),
    "decimal": lambda shape: sa.Numeric(shape.get("precision"), shape.get("scale")),
    "date": lambda _: sa.Date(),
    "datetime": lambda shape: sa.DateTime(timezone=bool(shape.get("aware"))),
    "time": lambda shape: sa.Time(timezone=bool(shape.get("aware"))),
    "uuid": lambda _: sa.Uuid(),
    "bytes": lambda _: sa.LargeBinary(),
    "json": lambda _: sa.JSON(none_as_null=True),
    "enum": lambda shape: sa.Enum(*shape["names"], native_enum=False),
    "set": lambda shape: mysql.SET(*shape["names"]),
}


def prefer_types(shapes: Mapping[Mapper[Any], Shape]) -> None:
    """Give columns types of a bundle's kinds, where theirs are of others.

    Args:
        shapes: The shapes of records in the bundle, by the mappers of adopted tables.
    """
    for mapper, shape in shapes.items():
        table: Any = mapper.local_table
        table.info[PREFERRED] = True
        _prefer_fields(mapper, shape)
    retyped = {column for mapper, shape in shapes.items() for column in _retyped(mapper, shape)}
    metadatas = {column.table.metadata for column in retyped}
    tables = [other for metadata in metadatas for other in metadata.tables.values()]
    keys = [key for other in tables for key in other.foreign_keys]
    while following := {key.parent for key in keys if key.column in retyped} - retyped:
        for key in keys:
            if key.parent in following and key.column in retyped:
                key.parent.type = key.column.type
        retyped |= following


def _prefer_fields(mapper: Mapper[Any], shape: Shape) -> None:
    """Let composite foreign keys be plain fields where they are in a bundle, else references."""
    table: Any = mapper.local_table
    for key in table.foreign_key_constraints:
        columns = list(key.columns)
        names = tuple(column.name for column in columns)
        columns[0].info.get(PARTLY_NULL, set()).discard(names)
        attributes = {mapper.get_property_by_column(column).key for column in columns}
        if len(columns) > 1 and attributes <= shape["fields"].keys():
            columns[0].info.setdefault(AS_FIELDS, set()).add(names)


def _retyped(mapper: Mapper[Any], shape: Shape) -> Iterator[sa.Column[Any]]:
    """Retype columns whose values travel otherwise in a bundle, and yield them."""
    columns: Any = mapper.local_table.columns
    for column in columns:
        field = shape["fields"].get(mapper.get_property_by_column(column).key, {})
        kind = kind_of(column.type)
        if field.get("type") in _TYPES and kind is not None and _differs(kind.shape(), field):
            column.type = _type_of(column.type, kind, field)
            column.info[IS_NO_ID] = True
            yield column


def _differs(own: Shape, field: Shape) -> bool:
    return any(own.get(part) != field.get(part) for part in ("type", "aware"))


def _type_of(type_: TypeEngine[Any], kind: Kind, field: Shape) -> TypeEngine[Any]:
    """Return the type by which a column of another takes the values of a bundle's field."""
    has_room = (getattr(type_, "length", None) or UUID_LENGTH) >= UUID_LENGTH
    if field["type"] == "uuid" and isinstance(kind, Text) and has_room:
        return UuidText()
    if field["type"] == "string" and isinstance(kind, Uuid):
        return TextUuid()
    return _TYPES[field["type"]](field)
