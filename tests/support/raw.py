"""What a database really stores, cell by cell, without the ids that it made up.

Equal exports can hide that values changed on their way; these dumps can't, for they
ask the database for each value's own type and text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from lading.mapping.generated_values import is_numbered
from lading.testing.compare.stored import Cell, cells_of

Dump = dict[str, list[tuple[Any, ...]]]
ROUNDS = 6
NULL = Cell("null", "None")


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
    references = {table: _references(table, made_up) for table in tables}
    plain = {
        table: [_plain(row, {made_up.get(table), *references[table]}) for row in rows[table]]
        for table in tables
    }
    labels = {table: [_digest(cells) for cells in plain[table]] for table in tables}
    for _ in range(ROUNDS):  # each round, a digest covers references one step further away
        by_id = _by_id(rows, made_up, labels)
        labels = {
            table: [
                _digest(cells, *_targets(row, references[table], by_id))
                for row, cells in zip(rows[table], plain[table], strict=True)
            ]
            for table in tables
        }
    return {
        table.fullname: sorted(
            (label, *cells) for label, cells in zip(labels[table], plain[table], strict=True)
        )
        for table in tables
    }


def _cells(connection: sa.Connection, table: sa.Table, hidden: set[str]) -> list[dict[str, Cell]]:
    """Fetch each row as {column: (type, text)}, without the columns that aren't looked at."""
    return [
        {n: cell or NULL for n, cell in row.items() if f"{table.fullname}.{n}" not in hidden}
        for row in cells_of(connection, table)
    ]


def _made_up(table: sa.Table) -> str | None:
    """Name the lone primary key that the database numbers, if there is one."""
    columns = list(table.primary_key.columns)
    is_lone = len(columns) == 1 and not columns[0].foreign_keys
    return columns[0].name if is_lone and is_numbered(columns[0]) else None


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


def _plain(row: dict[str, Cell], hidden: set[str | None]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, *cell) for name, cell in row.items() if name not in hidden)


def _by_id(
    rows: dict[sa.Table, list[dict[str, Cell]]],
    made_up: dict[sa.Table, str | None],
    labels: dict[sa.Table, list[str]],
) -> dict[sa.Table, dict[Cell, str]]:
    """Return each row's label by its id, of tables whose ids the database made up."""
    return {
        table: {row[name]: label for row, label in zip(rows[table], labels[table], strict=True)}
        for table, name in made_up.items()
        if name is not None and table in rows
    }


def _targets(
    row: dict[str, Cell],
    references: dict[str, tuple[sa.Table, str]],
    by_id: dict[sa.Table, dict[Cell, str]],
) -> list[tuple[str, str]]:
    """Return the label of each row that a row refers to, by the column that does."""
    return [
        (name, _target(row[name], by_id[target]))
        for name, (target, _) in sorted(references.items())
        if name in row and target in by_id
    ]


def _target(cell: Cell, labels: dict[Cell, str]) -> str:
    return "null" if cell == NULL else labels.get(cell, "dangling")


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
