"""What a database really stores, cell by cell.

Equal exports can hide that values changed on their way.  :func:`stored_cells` can't: it
asks the database for each value's own type and text, past every type processor.
:func:`typed_cells` compares by value instead, where two engines store one value differently.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from lading.database.live import database_for
from lading.errors import TargetError
from lading.mapping.columns import kind_of, underlying
from lading.values.base import Kind
from lading.values.datetimes import UTC, DateTime
from lading.values.json_text import json_text
from lading.values.scalars import JSON_NULL

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


def typed_cells(engine: sa.Engine, tables: Iterable[sa.Table]) -> Stored:
    """Return every row of these tables by the values that SQLAlchemy makes of it.

    Equal values give equal cells on any engine: a value's text is its canonical written form,
    and its type the kind that it travels as.  ``TargetError`` names the table of which
    SQLAlchemy can't read a row.
    """
    with engine.connect() as connection:
        return {table.fullname: _typed(connection, table) for table in tables}


def is_null(cell: Cell) -> bool:
    """Tell whether a cell holds SQL's NULL."""
    return cell[1] == NULL_TEXT


# As they are stored


def cells_of(connection: sa.Connection, table: sa.Table) -> list[dict[str, Cell]]:
    """Return one table's rows as they are stored; see :func:`stored_cells`."""
    dialect = database_for(connection).dialect
    names = [dialect.name(column) for column in table.columns]
    if connection.dialect.name == "sqlite":
        items = [f"typeof({name}), {name}" for name in names]
        texts = _texts(connection, table)
    elif connection.dialect.name == "postgresql":
        items = [f"pg_typeof({name})::text, CAST({name} AS text)" for name in names]
        texts = _texts(connection, table)
    else:
        types = _mariadb_types(connection, table)
        kinds = [types[column.name] for column in table.columns]
        items = [
            f"'{kind}', {_mariadb_sql(name, kind)}" for name, kind in zip(names, kinds, strict=True)
        ]
        texts = [
            _mariadb_bytes(kind) or text
            for kind, text in zip(kinds, _texts(connection, table), strict=True)
        ]
    sql = f"SELECT {', '.join(items)} FROM {dialect.table(table)}"
    places = [
        (column.name, 2 * n, text)
        for n, (column, text) in enumerate(zip(table.columns, texts, strict=True))
    ]
    return [
        {name: (row[n], text(row[n + 1])) for name, n, text in places}
        for row in connection.exec_driver_sql(sql).fetchall()
    ]


Shown = Callable[[Any], str]


def _texts(connection: sa.Connection, table: sa.Table) -> list[Shown]:
    """Return what shows a stored value of each column, without what may be normalised."""
    found: list[Shown] = []
    for column in table.columns:
        kind: Any = column.type.dialect_impl(connection.dialect)
        below = getattr(kind, "impl_instance", kind)
        if isinstance(below, sa.Numeric | sa.Float):
            loose = not isinstance(below, sa.Float) and below.scale is None
            is_text = connection.dialect.name != "sqlite"
            found.append(_number(loose=loose, is_text=is_text))
        else:
            found.append(_json if isinstance(below, sa.JSON) else repr)
    return found


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
        return json.dumps(_plain_numbers(json.loads(value)), sort_keys=True)
    except (ValueError, RecursionError):
        return repr(value)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if abs(value) >= 1e16 else value + 0.0
    return value


def _mariadb_types(connection: sa.Connection, table: sa.Table) -> dict[str, str]:
    """Map a table's columns to their types and character sets, as the server keeps them."""
    translate = connection.get_execution_options().get("schema_translate_map") or {}
    rows = connection.exec_driver_sql(
        "SELECT column_name, concat_ws(' ', data_type, datetime_precision, collation_name) "
        "FROM information_schema.columns "
        "WHERE table_schema = coalesce(%s, database()) AND table_name = %s",
        (translate.get(table.schema, table.schema), table.name),
    )
    return {row[0]: row[1] for row in rows}


def _mariadb_sql(name: str, type_: str) -> str:
    """Return SQL for a cell's exact content: every bit of a number, every byte of the others."""
    kind = type_.partition(" ")[0]
    if kind in ("float", "double"):
        return f"({name} + 0e0)"
    if kind == "longtext":
        return name  # a JSON column's text is compared by its value
    return f"HEX({name})" if _is_bytes(kind) else f"CAST({name} AS CHAR)"


def _is_bytes(kind: str) -> bool:
    return kind.endswith(("char", "text", "blob", "binary")) or kind == "enum"


def _mariadb_bytes(type_: str) -> Shown | None:
    """Return what shows a cell that is fetched as the digits of its bytes: text if it has any."""
    kind, _, collation = type_.partition(" ")
    if kind == "longtext" or not _is_bytes(kind):
        return None

    def show(digits: Any) -> str:
        if digits is None:
            return NULL_TEXT
        data = bytes.fromhex(digits)
        try:
            return repr(data.decode() if collation else data)
        except UnicodeDecodeError:
            return repr(data)

    return show


# As SQLAlchemy reads them


def _typed(connection: sa.Connection, table: sa.Table) -> list[dict[str, Cell]]:
    columns = list(table.columns)
    kinds = [_kind_of(column.type) for column in columns]
    # None is what a JSON column gives for SQL's NULL and for JSON's own alike.
    nulls = [sa.type_coerce(column, sa.String()).is_(None) for column in columns]
    try:
        rows = connection.execute(sa.select(*columns, *nulls)).all()
    except Exception as error:
        raise TargetError(
            f"SQLAlchemy can't read the rows of table {table.fullname} ({error})",
            "Correct what is stored there, or the column's type.",
            entity=table.fullname,
        ) from error
    width = len(columns)
    return [
        {
            column.name: _typed_cell(kind, row[n], is_sql_null=bool(row[width + n]))
            for n, (column, kind) in enumerate(zip(columns, kinds, strict=True))
        }
        for row in rows
    ]


def _kind_of(type_: TypeEngine[Any]) -> Kind | None:
    """Return a type's kind, or that of plain values which it is stored as."""
    below = underlying(type_)
    is_open = isinstance(type_, sa.PickleType) or isinstance(below, sa.JSON)
    return kind_of(type_) or (None if is_open else kind_of(below))


def _typed_cell(kind: Kind | None, value: Any, *, is_sql_null: bool) -> Cell:
    if is_sql_null:
        return "null", NULL_TEXT
    if value is None and (kind is None or not kind.is_json):
        return "None of its type", "something"  # it isn't SQL's NULL
    if kind is None:
        return type(value).__name__, _described(value)
    if value is None:
        value = JSON_NULL
    if isinstance(kind, DateTime) and kind.aware and _is_naive(value):
        value = value.replace(tzinfo=UTC)  # engines without zones hold UTC
    try:
        written = kind.write(value)
    except ValueError:
        return f"no {kind.name}", _described(value)
    return kind.name, json_text(written).decode() if kind.is_json else repr(written)


def _is_naive(value: Any) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is None


def _described(value: Any) -> str:
    """Show any object by what it holds; where it is in memory says nothing."""
    plain: Any = object.__repr__
    if type(value).__repr__ is plain and hasattr(value, "__dict__"):
        return f"{type(value).__name__}({vars(value)!r})"
    return repr(value)
