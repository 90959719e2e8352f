"""What SQLite's columns really are: the affinity that a declared type gives, by its own rules."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect

from lading.database.dialects.limits import between, unstorable
from lading.messages import shown

Check = Callable[[Any], Any]

#: SQLite's rules, in its order: the first name that a declared type holds decides.
RULES = {
    "INTEGER": ("INT",),
    "TEXT": ("CHAR", "CLOB", "TEXT"),
    "BLOB": ("BLOB",),
    "REAL": ("REAL", "FLOA", "DOUB"),
}
#: Columns of these affinities store text that looks like a number as a number.
NUMERIC = ("INTEGER", "REAL", "NUMERIC")
DRIVER_TYPES = (str, int, float, bytes)
#: What tables that SQLite calls STRICT hold, by the driver's types; ANY holds all.
STRICT = {"INTEGER": (int,), "REAL": (float,), "TEXT": (str,), "BLOB": (bytes,)}
#: What a scratch database declares of columns whose values SQLite would refuse or change.
WRITTEN = "LADING_WRITTEN_TEXT"
#: Generated columns, by ``PRAGMA table_xinfo``.
GENERATED = (2, 3)

_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*"
)


@dataclass(frozen=True, slots=True)
class SQLiteColumn:
    """One column: the type that its table declares, and its affinity."""

    type: str
    affinity: str
    is_strict: bool = False
    is_generated: bool = False

    @property
    def is_written(self) -> bool:
        """Whether the column is a scratch database's, and keeps written forms as JSON text."""
        return self.type.upper() == WRITTEN

    @property
    def text(self) -> str:
        """The column's type, as errors name it."""
        return self.type or "without a type"


class DeclaredSQLiteColumns:
    """Tells what a column is by its model's DDL, for where no database is asked."""

    def __init__(self, dialect: SQLAlchemyDialect) -> None:
        self.dialect = dialect

    def __call__(self, column: sa.ColumnElement[Any]) -> SQLiteColumn:
        """Return what a column would be in a table that the model makes."""
        compiler: Any = self.dialect.type_compiler_instance
        return declared_as(str(compiler.process(column.type, type_expression=column)))


def declared_as(type_: str, *, is_strict: bool = False, is_generated: bool = False) -> SQLiteColumn:
    """Return a column of a declared type, with its affinity."""
    name = type_.upper()
    if not name or (is_strict and name == "ANY"):
        return SQLiteColumn(type_, "BLOB", is_strict and name != "ANY", is_generated)
    for affinity, parts in RULES.items():
        if any(part in name for part in parts):
            return SQLiteColumn(type_, affinity, is_strict, is_generated)
    return SQLiteColumn(type_, "NUMERIC", is_strict, is_generated)


def refused_types(real: SQLiteColumn) -> set[type]:
    """Return the driver's types whose values a column changes or refuses, all of them."""
    if real.is_strict:
        return set(DRIVER_TYPES).difference(STRICT[real.affinity])
    refused: dict[str, set[type]] = {"TEXT": {int, float}, "REAL": {int}}
    return refused.get(real.affinity, set())


def driver_checks(real: SQLiteColumn) -> dict[type, Check]:
    """Return checks of the driver values that a column could store as others, by their type."""
    checks: dict[type, Check] = {int: between(-(2**63), 2**63 - 1), float: a_number}
    if real.affinity in NUMERIC:
        checks[str] = no_number
    return checks | dict.fromkeys(refused_types(real), _refusing(real))


def a_number(double: float) -> float:
    """Refuse NaN, which would silently become NULL."""
    if math.isnan(double):
        raise unstorable("NaN would become NULL in SQLite, which can't store it")
    return double


def no_number(text: str) -> str:
    """Refuse a text that SQLite would store as a number."""
    if _NUMBER.fullmatch(text):
        raise ValueError(
            f"{shown(text)} looks like a number, and would be stored as one: its column's type "
            "has numeric affinity"
        )
    return text


def _refusing(real: SQLiteColumn) -> Check:
    def fail(value: Any) -> Any:
        raise ValueError(f"{shown(value)} changes in a column of affinity {real.affinity}")

    return fail
