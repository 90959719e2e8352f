"""What a database really stores, cell by cell.

Equal exports can hide that values changed on their way.  :func:`stored_cells` can't: it
asks the database for each value's own type and text, past every type processor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from lading.database.live import database_for
from lading.values.json_text import canonical_json, json_text

#: What shows a stored value, without what may be normalised.
Shown = Callable[[Any], str]


class Cell(NamedTuple):
    """A stored value's type and text; two cells of one column are equal if both are."""

    type: str
    text: str

    def __repr__(self) -> str:
        return f"{self.text} ({self.type})"


#: A row's cells by the names of its columns, ``None`` for SQL's NULL.
Row = dict[str, Cell | None]
#: Each table's full name with its rows.
Stored = dict[str, list[Row]]


def stored_cells(engine: sa.Engine, tables: Iterable[sa.Table]) -> Stored:
    """Return every row of these tables as it is stored; made for one engine's databases.

    A text stands in quotes, as ``repr`` gives it.  Left out is only what has no meaning: a
    zero's sign, the trailing zeros of a decimal without a scale, and in JSON the order of keys
    and an exponent.  The rows stand in the order in which the database gives them.
    """
    with engine.connect() as connection:
        return {table.fullname: cells_of(connection, table) for table in tables}


# As they are stored


def cells_of(connection: sa.Connection, table: sa.Table) -> list[Row]:
    """Return one table's rows as they are stored; see :func:`stored_cells`."""
    dialect = database_for(connection).dialect
    columns = [
        (column.name, 2 * n, *_selected(connection, dialect.name(column), column))
        for n, column in enumerate(table.columns)
    ]
    sql = f"SELECT {', '.join(sql for *_, sql, _ in columns)} FROM {dialect.table(table)}"
    return [
        {
            name: None if row[n + 1] is None else Cell(row[n], show(row[n + 1]))
            for name, n, _, show in columns
        }
        for row in connection.exec_driver_sql(sql).fetchall()
    ]


def _selected(connection: sa.Connection, name: str, column: sa.Column[Any]) -> tuple[str, Shown]:
    """Return SQL for a cell's stored type and content, and what shows the content."""
    type_: Any = column.type.dialect_impl(connection.dialect)
    type_ = getattr(type_, "impl_instance", type_)  # below decorators
    show: Shown = _json if isinstance(type_, sa.JSON) else _plain
    if connection.dialect.name == "sqlite":
        return f"typeof({name}), {name}", show
    is_double = isinstance(type_, sa.Float)
    if isinstance(type_, sa.Numeric | sa.Float):
        show = partial(_digits, loose=not is_double and type_.scale is None)
    if connection.dialect.name == "postgresql":
        return f"pg_typeof({name})::text, CAST({name} AS text)", show
    # On MariaDB every bit of a number, and every byte of the others; JSON is compared by value.
    content = name if isinstance(type_, sa.JSON) else f"CAST({name} AS CHAR)"
    if is_double:
        content, show = f"({name} + 0e0)", _plain
    elif isinstance(type_, sa.String | sa.Enum | sa.types._Binary):
        content, show = f"HEX({name})", _bytes_of
    return f"'{type(type_).__name__}', {content}", show


def _plain(value: Any) -> str:
    """Show a value as it is, a zero without its sign."""
    return repr(value + 0.0 if isinstance(value, float) else value)


def _digits(text: str, *, loose: bool) -> str:
    """Show a number that a server gives as text; zeros at the end mean nothing if it is loose."""
    if loose and "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _json(value: Any) -> str:
    """Show JSON by what it says; what isn't JSON at all, as it is."""
    if not isinstance(value, str):
        return repr(value)
    try:
        return json_text(canonical_json(json.loads(value))).decode()
    except (ValueError, RecursionError):
        return repr(value)


def _bytes_of(digits: Any) -> str:
    """Show a cell that is fetched as the digits of its bytes."""
    data = bytes.fromhex(digits)
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return repr(data)
