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

#: What shows a stored value, without what may be normalised.
Shown = Callable[[Any], str]
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
    columns = [
        (column.name, 2 * n, *_selected(connection, dialect.name(column), column))
        for n, column in enumerate(table.columns)
    ]
    sql = f"SELECT {', '.join(sql for *_, sql, _ in columns)} FROM {dialect.table(table)}"
    return [
        {name: (row[n], show(row[n + 1])) for name, n, _, show in columns}
        for row in connection.exec_driver_sql(sql).fetchall()
    ]


def _selected(connection: sa.Connection, name: str, column: sa.Column[Any]) -> tuple[str, Shown]:
    """Return SQL for a cell's stored type and content, and what shows the content."""
    type_: Any = column.type.dialect_impl(connection.dialect)
    type_ = getattr(type_, "impl_instance", type_)  # below decorators
    engine = connection.dialect.name
    show: Shown = _json if isinstance(type_, sa.JSON) else repr
    if isinstance(type_, sa.Numeric | sa.Float):
        loose = not isinstance(type_, sa.Float) and type_.scale is None
        show = _number(loose=loose, is_text=engine != "sqlite")
    if engine == "sqlite":
        return f"typeof({name}), {name}", show
    if engine == "postgresql":
        return f"pg_typeof({name})::text, CAST({name} AS text)", show
    # On MariaDB every bit of a number, and every byte of the others; JSON is compared by value.
    content = f"({name} + 0e0)" if isinstance(type_, sa.Float) else f"CAST({name} AS CHAR)"
    if isinstance(type_, sa.JSON):
        content = name
    elif isinstance(type_, sa.String | sa.Enum | sa.types._Binary):
        content, show = f"HEX({name})", _bytes_of
    return f"'{type(type_).__name__}', {content}", show


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


def _bytes_of(digits: Any) -> str:
    """Show a cell that is fetched as the digits of its bytes."""
    if digits is None:
        return NULL_TEXT
    data = bytes.fromhex(digits)
    try:
        return repr(data.decode())
    except UnicodeDecodeError:
        return repr(data)
