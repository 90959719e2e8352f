"""What a database really stores, cell by cell, without the ids that it made up.

Equal exports can hide that values changed on their way; these dumps can't, for they
ask the database for each value's own type and text.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

Cell = tuple[str, str]
Dump = dict[str, list[tuple[Any, ...]]]
ROUNDS = 6


def raw_values(
    bind: sa.Engine,
    metadata: sa.MetaData,
    *,
    keep: Iterable[str] = (),
    without: Iterable[str] = (),
) -> Dump:
    """Return the stored rows of every table, sorted, to compare two databases of one engine.

    A cell is (column, stored type, stored text). Primary keys that the database makes
    up are left out, and a foreign key to one stands as a digest of the row that it
    leads to, so that swapped references differ. ``keep`` names tables whose ids mean
    something and are compared as they are; ``without`` names tables (``shops``) and
    columns (``shops.name``) that are not looked at.
    """
    hidden = set(without)
    tables = [table for name, table in sorted(metadata.tables.items()) if name not in hidden]
    with bind.connect() as connection:
        rows = {table: _cells(connection, table, hidden) for table in tables}
    made_up = {table: _made_up(table) for table in tables if table.fullname not in set(keep)}
    labels = {
        table: [_digest(_plain(row, table, made_up)) for row in rows[table]] for table in tables
    }
    for _ in range(ROUNDS):  # each round, a digest covers references one step further away
        labels = _refined(tables, rows, made_up, labels)
    return {
        table.fullname: sorted(
            (label, *_plain(row, table, made_up))
            for row, label in zip(rows[table], labels[table], strict=True)
        )
        for table in tables
    }


def _cells(connection: sa.Connection, table: sa.Table, hidden: set[str]) -> list[dict[str, Cell]]:
    """Fetch each row as {column: (type, text)}, past every type processor."""
    prepare = connection.dialect.identifier_preparer
    names = [prepare.format_column(column) for column in table.columns]
    if connection.dialect.name == "sqlite":
        items = [f"typeof({name}), {name}" for name in names]
    elif connection.dialect.name == "postgresql":
        items = [f"pg_typeof({name})::text, CAST({name} AS text)" for name in names]
    else:
        types = _mariadb_types(connection, table)
        items = [
            f"'{types[column.name]}', {_mariadb_text(name, types[column.name])}"
            for name, column in zip(names, table.columns, strict=True)
        ]
    source = prepare.format_table(table)
    found = connection.exec_driver_sql(f"SELECT {', '.join(items)} FROM {source}").fetchall()
    kinds = [column.type.dialect_impl(connection.dialect) for column in table.columns]
    return [
        {
            column.name: (row[2 * n], _text(kinds[n], row[2 * n + 1]))
            for n, column in enumerate(table.columns)
            if f"{table.fullname}.{column.name}" not in hidden
        }
        for row in found
    ]


def _mariadb_types(connection: sa.Connection, table: sa.Table) -> dict[str, str]:
    """Map a table's columns to their types and character sets, as the server keeps them."""
    rows = connection.exec_driver_sql(
        "SELECT column_name, concat_ws(' ', data_type, datetime_precision, collation_name) "
        "FROM information_schema.columns "
        "WHERE table_schema = coalesce(%s, database()) AND table_name = %s",
        (table.schema, table.name),
    )
    return {row[0]: row[1] for row in rows}


def _mariadb_text(name: str, type_: str) -> str:
    """Return SQL for a cell's exact content: every bit of a number, every byte of the others."""
    kind = type_.partition(" ")[0]
    if kind in ("float", "double"):
        return f"({name} + 0e0)"
    if kind == "longtext":
        return name  # a JSON column's text is compared by its value
    is_text = kind.endswith(("char", "text", "blob", "binary")) or kind == "enum"
    return f"HEX({name})" if is_text else f"CAST({name} AS CHAR)"


def _text(kind: Any, value: Any) -> str:
    """Show a stored value, without what may be normalised.

    That is a zero's sign, the trailing zeros of a decimal without a scale, and in JSON the
    order of keys and an exponent.
    """
    below = getattr(kind, "impl_instance", kind)
    if isinstance(below, sa.Numeric | sa.Float) and value is not None:
        return _number(below, value)
    if isinstance(below, sa.JSON) and isinstance(value, str):
        return json.dumps(_plain_numbers(json.loads(value)), sort_keys=True)
    return repr(value)


def _number(type_: sa.Numeric[Any] | sa.Float[Any], value: Any) -> str:
    if isinstance(value, float):
        return repr(value + 0.0)
    text = value if isinstance(value, str) else repr(value)
    if not isinstance(type_, sa.Float) and type_.scale is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if abs(value) >= 1e16 else value + 0.0
    return value


def _made_up(table: sa.Table) -> str | None:
    """Name the lone primary key that isn't a foreign key itself, if there is one."""
    columns = list(table.primary_key.columns)
    if len(columns) != 1 or columns[0].foreign_keys:
        return None
    is_made_up = columns[0] is table.autoincrement_column or columns[0].default is not None
    return columns[0].name if is_made_up else None


def _references(
    table: sa.Table, made_up: dict[sa.Table, str | None]
) -> dict[str, tuple[sa.Table, str]]:
    """Map each column that holds a made-up id to the table and column it leads to."""
    found = {}
    for column in table.columns:
        seen: list[Any] = [column]
        for here in seen:  # a column may hold another's id by way of several tables
            seen += [key.column for key in here.foreign_keys if key.column not in seen]
        for target in seen[1:]:
            if made_up.get(target.table) == target.name:
                found[column.name] = (target.table, target.name)
    return found


def _plain(
    row: dict[str, Cell], table: sa.Table, made_up: dict[sa.Table, str | None]
) -> tuple[tuple[str, str, str], ...]:
    hidden = {made_up.get(table), *_references(table, made_up)}
    return tuple((name, *cell) for name, cell in row.items() if name not in hidden)


def _refined(
    tables: list[sa.Table],
    rows: dict[sa.Table, list[dict[str, Cell]]],
    made_up: dict[sa.Table, str | None],
    labels: dict[sa.Table, list[str]],
) -> dict[sa.Table, list[str]]:
    by_id = {
        table: {row[name]: label for row, label in zip(rows[table], labels[table], strict=True)}
        for table, name in made_up.items()
        if name is not None and table in rows
    }
    result = {}
    for table in tables:
        references = _references(table, made_up)
        result[table] = [
            _digest(
                _plain(row, table, made_up),
                *(
                    (name, _target(row[name], by_id[target]))
                    for name, (target, _) in sorted(references.items())
                    if name in row and target in by_id
                ),
            )
            for row in rows[table]
        ]
    return result


def _target(cell: Cell, labels: dict[Cell, str]) -> str:
    return "null" if cell[1] == "None" else labels.get(cell, "dangling")


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
