"""What a database really stores, cell by cell.

Equal exports can hide that values changed on their way.  :func:`stored_cells` can't: it
asks the database for each value's own type and text, past every type processor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from lading.database.live import database_for
from lading.values.json_text import canonical_json, json_text

#: A stored type and a stored text; two cells of one column are equal if both are.
Cell = tuple[str, str]
#: Each table's full name with its rows, and each row's column names with their cells.
Stored = dict[str, list[dict[str, Cell]]]
#: The text of SQL's NULL, whatever its type; no value has it, for texts stand in quotes.
NULL_TEXT = "None"


def stored_cells(engine: sa.Engine, tables: Iterable[sa.Table]) -> Stored:
    """Return every row of these tables as it is stored; made for one engine's databases.

    A text stands in quotes, as ``repr`` gives it.  Left out is only what has no meaning: a
    zero's sign, the trailing zeros of a decimal without a scale, and in JSON the order of keys
    and an exponent.  The rows stand in the order in which the database gives them.
    """
    with engine.connect() as connection:
        return {table.fullname: cells_of(connection, table) for table in tables}


def is_null(cell: Cell) -> bool:
    """Tell whether a cell holds SQL's NULL."""
    return cell[1] == NULL_TEXT


# As they are stored


def cells_of(connection: sa.Connection, table: sa.Table) -> list[dict[str, Cell]]:
    """Return one table's rows as they are stored; see :func:`stored_cells`."""
    dialect = database_for(connection).dialect
    names = [dialect.name(column) for column in table.columns]
    shows = _shows(connection, table)
    if connection.dialect.name == "sqlite":
        items = [f"typeof({name}), {name}" for name in names]
    elif connection.dialect.name == "postgresql":
        items = [f"pg_typeof({name})::text, CAST({name} AS text)" for name in names]
    else:
        below = [_below(connection, column) for column in table.columns]
        items = [
            f"'{type(type_).__name__}', {_mariadb_sql(name, type_)}"
            for name, type_ in zip(names, below, strict=True)
        ]
        shows = [
            _bytes_of if _is_bytes(type_) else show
            for type_, show in zip(below, shows, strict=True)
        ]
    sql = f"SELECT {', '.join(items)} FROM {dialect.table(table)}"
    places = [
        (column.name, 2 * n, text)
        for n, (column, text) in enumerate(zip(table.columns, shows, strict=True))
    ]
    return [
        {name: (row[n], text(row[n + 1])) for name, n, text in places}
        for row in connection.exec_driver_sql(sql).fetchall()
    ]


Shown = Callable[[Any], str]


def _below(connection: sa.Connection, column: sa.Column[Any]) -> Any:
    """Return the type that a column has on an engine, without decorators."""
    type_: Any = column.type.dialect_impl(connection.dialect)
    return getattr(type_, "impl_instance", type_)


def _shows(connection: sa.Connection, table: sa.Table) -> list[Shown]:
    """Return what shows a stored value of each column, without what may be normalised."""
    shows: list[Shown] = []
    for column in table.columns:
        below = _below(connection, column)
        if isinstance(below, sa.Numeric | sa.Float):
            loose = not isinstance(below, sa.Float) and below.scale is None
            is_text = connection.dialect.name != "sqlite"
            shows.append(_number(loose=loose, is_text=is_text))
        else:
            shows.append(_json if isinstance(below, sa.JSON) else repr)
    return shows


def _number(*, loose: bool, is_text: bool) -> Shown:
    """Show numbers; ``is_text`` says that the database gave their digits as text."""

    def show(value: Any) -> str:
        if isinstance(value, float):
            return repr(value + 0.0)
        text = value if is_text and isinstance(value, str) else repr(value)
        if loose and "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    return show


def _json(value: Any) -> str:
    """Show JSON by what it says; what isn't JSON at all, as it is."""
    if not isinstance(value, str):
        return repr(value)
    try:
        return json_text(canonical_json(json.loads(value))).decode()
    except (ValueError, RecursionError):
        return repr(value)


def _mariadb_sql(name: str, type_: Any) -> str:
    """Return SQL for a cell's exact content: every bit of a number, every byte of the others."""
    if isinstance(type_, sa.Float):
        return f"({name} + 0e0)"
    if isinstance(type_, sa.JSON):
        return name  # its text is compared by its value
    return f"HEX({name})" if _is_bytes(type_) else f"CAST({name} AS CHAR)"


def _is_bytes(type_: Any) -> bool:
    return isinstance(type_, sa.String | sa.Enum | sa.types._Binary)


def _bytes_of(digits: Any) -> str:
    """Show a cell that is fetched as the digits of its bytes."""
    if digits is None:
        return NULL_TEXT
    data = bytes.fromhex(digits)
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return repr(data)
