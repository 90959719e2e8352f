"""A table's CHECK constraints, asked of SQLite and not understood.

A copy of the table, in memory and with its CHECKs alone, takes a row or refuses it.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from lading.mapping.columns import kind_of
from lading.testing.cell_values.storable import codecs_of
from lading.values.datetimes import DateTime
from lading.values.scalars import Text

#: The copy's own key, so that each row takes the place of the one before.
ROW = "lading row"
#: A CHECK of a text's length names no longer one than this, as far as texts are made of it.
LONGEST = 200

_TOKEN = re.compile(r"'((?:[^']|'')*)'|(?<![\w.\"])(-?[0-9]+(?:\.[0-9]+)?)(?![\w\"])")
Process = Callable[[Any], Any]


class Checks:
    """The CHECK constraints of a table, those of its types included.

    ``known`` lists the SQL of those that SQLite can read; the others are not asked.
    """

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        constraints = chain(table.constraints, *(column.constraints for column in table.columns))
        texts = {_sql_of(c) for c in constraints if isinstance(c, sa.CheckConstraint)}
        self.known = [text for text in sorted(texts) if self._is_known(text)]
        columns = [column for column in table.columns if self._naming(column)]
        self.processes = {column.name: _process_of(column) for column in columns}
        self.connection = _copy_of(columns, self.known) if self.known else None
        self.insert = f"INSERT OR REPLACE INTO checked VALUES (1{', ?' * len(columns)})"

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Tell whether the CHECKs take a row: Python values by column name, null where absent."""
        if self.connection is None:
            return True
        bound = [process(row.get(name)) for name, process in self.processes.items()]
        try:
            self.connection.execute(self.insert, bound)
        except sqlite3.Error:
            return False
        return True

    def literals(self, column: sa.Column[Any]) -> list[Any]:
        """Return the values that the CHECKs which name a column compare with, as Python has them.

        Numbers come with their neighbours, and texts of the lengths that are named.
        """
        values = [
            value
            for text in self._naming(column)
            for word, number in _TOKEN.findall(text)
            for value in (_numbers(column, text, number) if number else _read(column, word))
        ]
        return list({repr(value): value for value in values}.values())

    def _naming(self, column: sa.Column[Any]) -> list[str]:
        """Return the CHECKs that may name a column."""
        word = re.compile(rf"(?<!\w){re.escape(column.name)}(?!\w)", re.IGNORECASE)
        return [text for text in self.known if word.search(text)]

    def _is_known(self, text: str) -> bool:
        """Tell whether SQLite reads a CHECK."""
        try:
            _copy_of(self.table.columns, [text]).execute("INSERT INTO checked DEFAULT VALUES")
        except sqlite3.Error as error:
            return isinstance(error, sqlite3.IntegrityError)  # it refuses a row of nulls
        return True


def _copy_of(columns: Iterable[sa.Column[Any]], checks: Iterable[str]) -> sqlite3.Connection:
    """Return a database with a table of these columns and CHECKs, after a key of its own."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA case_sensitive_like = ON")  # as the other engines have it
    for name, (count, function) in _FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
    parts = [f'"{ROW}" INTEGER PRIMARY KEY', *map(_declared, columns)]
    parts += [f"CHECK ({text})" for text in checks]
    connection.execute(f"CREATE TABLE checked ({', '.join(parts)})")
    return connection


def _sql_of(check: sa.CheckConstraint) -> str:
    """Return a CHECK's condition as SQL of SQLite, without the table's name."""
    dialect = codecs_of("sqlite").dialect
    options = {"include_table": False, "literal_binds": True}
    return str(check.sqltext.compile(dialect=dialect, compile_kwargs=options))


def _declared(column: sa.Column[Any]) -> str:
    """Return a column's name and type; a type that SQLite lacks is none."""
    dialect = codecs_of("sqlite").dialect
    name = dialect.identifier_preparer.quote_identifier(column.name)
    with suppress(Exception):  # a dialect that lacks a type raises what it likes
        type_ = dialect.type_compiler_instance.process(column.type, type_expression=column)
        return f"{name} {type_}"
    return name


def _process_of(column: sa.Column[Any]) -> Process:
    """Return what makes SQLite's value of a column's Python value."""
    process = codecs_of("sqlite").bind_process(column.type)

    def bind(value: Any) -> Any:
        bound = value
        with suppress(Exception):  # a value that SQLite's form of the type doesn't take
            bound = None if value is None else process(value)
        if isinstance(bound, bool | int) and not -(2**63) <= bound < 2**63:
            return float(bound)
        return bound if isinstance(bound, str | int | float | bytes | None) else str(bound)

    return bind


# Literals


def _read(column: sa.Column[Any], literal: Any) -> list[Any]:
    """Return the Python value of what SQLite would store, in a list; none if it is of no use."""
    kind = kind_of(column.type)
    stored = literal.replace("''", "'") if isinstance(literal, str) else literal
    for reader in (codecs_of("sqlite").result_process, _parsing):
        with suppress(Exception):  # a type of the application's own may raise anything
            value = reader(column.type)(stored)
            if isinstance(kind, DateTime) and kind.aware:
                value = value.replace(tzinfo=dt.UTC)
            if kind is not None:
                kind.write(value)
            return [value]
    return []


def _parsing(type_: TypeEngine[Any]) -> Process:
    """Return what parses a text by a type's Python type."""
    python: Any = type_.python_type
    parse: Process = getattr(python, "fromisoformat", python)
    return parse


def _numbers(column: sa.Column[Any], text: str, literal: str) -> list[Any]:
    """Return a number and its neighbours, as the column has them; texts of such lengths."""
    kind, number = kind_of(column.type), Decimal(literal)
    unit = Decimal(f"1e-{getattr(kind, 'scale', None) or 0}")
    around = [number, number + unit, number - unit]
    if isinstance(kind, Text):
        is_length = "length" in text.lower() and literal.isdigit() and number <= LONGEST
        return ["x" * int(size) for size in around if size >= 0] if is_length else []
    stored = [int(near) if near == int(near) else float(near) for near in around]
    return [value for near in stored for value in _read(column, near)]


# Functions of other engines that CHECKs are often written with


def _set(*values: Any) -> list[Any]:
    return [value for value in values if value is not None]


def _encoded(data: Any) -> Any:
    return data.encode() if isinstance(data, str) else data


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "regexp": (2, lambda p, text: None if None in (p, text) else bool(re.search(p, text))),
    "char_length": (1, lambda text: None if text is None else len(text)),
    "character_length": (1, lambda text: None if text is None else len(text)),
    "octet_length": (1, lambda data: None if data is None else len(_encoded(data))),
    "num_nonnulls": (-1, lambda *values: len(_set(*values))),
    "num_nulls": (-1, lambda *values: values.count(None)),
    "greatest": (-1, lambda *values: max(_set(*values), default=None)),
    "least": (-1, lambda *values: min(_set(*values), default=None)),
    "btrim": (1, lambda text: text.strip(" ") if isinstance(text, str) else text),
}
