"""What PostgreSQL's columns really are: by its catalog tables, or by the DDL of a model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect

INTEGERS = {"smallint": 2, "integer": 4, "bigint": 8}
#: A FLOAT of no more bits than this is a REAL.
SINGLE_BITS = 24
#: The types that hold each other's values, within their limits; any other is alone.
FAMILIES = {
    **dict.fromkeys(["text", "character varying", "character", "citext"], "text"),
    **dict.fromkeys(INTEGERS, "integer"),
    **dict.fromkeys(["real", "double precision"], "float"),
    **dict.fromkeys(["json", "jsonb"], "json"),
}
#: What SQLAlchemy calls the types otherwise than the server.
SYNONYMS = {
    "varchar": "character varying",
    "char": "character",
    "nchar": "character",
    "bpchar": "character",
    "int": "integer",
    "decimal": "numeric",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}
KNOWN = {*FAMILIES, *SYNONYMS.values(), "float", "numeric", "boolean", "date", "uuid", "bytea"} | {
    "timestamp with time zone",
    "time with time zone",
    "interval",
}

_TYPE = re.compile(
    r"([^(\[]+?) ?(?:\(([0-9, -]+)\))?((?: with(?:out)? time zone)?)((?:\[[0-9]*\])*)"
)
_INTERVAL = re.compile(r"interval(?: ((?:year|month|day|hour|minute|second)(?: to \w+)?))?")


@dataclass(frozen=True, slots=True)
class PostgreSQLColumn:
    """One column as the database keeps it, or the items of an array.

    ``type`` is the type below any domain as the server names it, without limits
    (``character varying``); ``length`` counts characters, ``precision`` all digits of a
    number or those of a second, ``fields`` an interval's.  ``collation`` is its own, if it
    isn't the database's; ``labels`` are of enumerations alone, ``item`` of arrays.
    """

    type: str
    text: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fields: str | None = None
    collation: str | None = None
    labels: tuple[str, ...] | None = None
    item: PostgreSQLColumn | None = field(default=None)
    is_generated: bool = False

    @property
    def family(self) -> str | None:
        """The group of types that hold each other's values; ``None`` if it isn't known."""
        if self.labels is not None:
            return "enum"
        if self.item is not None:
            return "array"
        return FAMILIES.get(self.type, self.type if self.type in KNOWN else None)

    @property
    def is_padded(self) -> bool:
        """Whether it fills texts up with blanks."""
        return self.type == "character"

    @property
    def range(self) -> tuple[int, int] | None:
        """The least and the highest integer that it holds."""
        if self.type not in INTEGERS:
            return None
        bits = 8 * INTEGERS[self.type]
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    @property
    def parameter(self) -> str:
        """The type that texts or numbers are cast to, to be compared with it: uncut."""
        if self.family == "text":
            return "bpchar" if self.is_padded else "text"
        return re.sub(r"^bit(?=\[|$)", "bit varying", self.type)


class DeclaredPostgreSQLColumns:
    """Tells what a column is by its model's DDL, for where no server is asked."""

    def __init__(self, dialect: SQLAlchemyDialect) -> None:
        self.dialect = dialect

    def __call__(self, column: sa.ColumnElement[Any]) -> PostgreSQLColumn:
        """Return what a column would be in a table that the model makes."""
        return self.of(column.type)

    def of(self, type_: Any) -> PostgreSQLColumn:
        """Return the column that a type declares."""
        impl: Any = type_.dialect_impl(self.dialect)
        while isinstance(impl, sa.types.TypeDecorator):
            impl = impl.impl_instance
        if isinstance(impl, sa.ARRAY):
            item_column = self.of(impl.item_type)
            return PostgreSQLColumn(
                type=f"{item_column.type}[]", text=f"{item_column.text}[]", item=item_column
            )
        if isinstance(impl, sa.Enum) and impl.native_enum:
            return PostgreSQLColumn(type="", text="an enumeration", labels=tuple(impl.enums))
        try:
            return parsed(str(self.dialect.type_compiler_instance.process(type_)))
        except sa.exc.CompileError:
            return PostgreSQLColumn(type="", text=repr(type_))


def parsed(text: str) -> PostgreSQLColumn:
    """Return what a type's SQL says: ``numeric(10,2)``, ``timestamp(0) without time zone``."""
    plain = re.split(r" collate ", text, flags=re.IGNORECASE)[0]
    parts = _TYPE.fullmatch(plain.lower())
    if parts is None:
        return PostgreSQLColumn(type=plain, text=text)
    name, limits, zone, dimensions = parts.groups()
    numbers = [int(number) for number in limits.split(",")] if limits else []
    column = replace(_limited(SYNONYMS.get(f"{name}{zone}", f"{name}{zone}"), numbers), text=text)
    if not dimensions:
        return column
    return PostgreSQLColumn(type=f"{column.type}[]", text=text, item=column)


def _limited(name: str, numbers: list[int]) -> PostgreSQLColumn:
    """Return a type with the limits in its parentheses."""
    first = numbers[0] if numbers else None
    interval = _INTERVAL.fullmatch(name)
    if interval is not None:
        return PostgreSQLColumn("interval", "", precision=first, fields=interval[1])
    if name == "numeric":
        scale = (numbers[1] if len(numbers) > 1 else 0) if numbers else None
        return PostgreSQLColumn(name, "", precision=first, scale=scale)
    if name == "float":
        single = first is not None and first <= SINGLE_BITS
        return PostgreSQLColumn("real" if single else "double precision", "")
    if FAMILIES.get(name) == "text":
        bare = name == "character" and first is None
        return PostgreSQLColumn(name, "", length=1 if bare else first)
    return PostgreSQLColumn(name, "", precision=first)
