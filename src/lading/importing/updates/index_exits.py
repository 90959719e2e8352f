"""Values by which rows leave a partial unique index for a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.importing.unique_sets import Condition
from lading.model.rowsets import RowSet, Value


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """A row that an index holds: its primary key, and what its condition reads of it."""

    identity: Row
    cells: Row


def indexed_rows(
    database: Database, rows: RowSet, condition: Condition, identities: Sequence[Row]
) -> list[IndexedRow]:
    """Return those of some rows that a partial index holds.

    Args:
        database: where they are.
        rows: their row set.
        condition: the index's.
        identities: their primary keys.
    """
    key = rows.identity_in(condition.table)
    sql = database.dialect.text_of(sa.select(*key, *condition.columns))
    stored = rows_among(database, sql, key, database.dialect.qualified(key), identities)
    indexed = [
        IndexedRow(tuple(row[: len(key)]), _cells(condition, row[len(key) :])) for row in stored
    ]
    cells = _satisfying(database, condition, [row.cells for row in indexed])
    return [row for row in indexed if row.cells in cells]


def exits(
    database: Database,
    rows: RowSet,
    condition: Condition,
    indexed: Sequence[IndexedRow],
    values: Callable[[Value], Sequence[Row]],
) -> Iterator[tuple[Value, Row]]:
    """Yield fields with values by which all of some rows leave a partial index.

    Args:
        database: decides which rows satisfy the condition.
        rows: the row set.
        condition: the index's.
        indexed: the rows.
        values: returns what may be tried of a field.
    """
    for place, (column, member) in enumerate(condition.columns.items()):
        if not isinstance(member, Value) or member is rows.discriminator:
            continue
        for row in [*([(None,)] if column.nullable else []), *values(member)]:
            cell = _cell(row[0], by_null=column in condition.by_null)
            cells = [(*each.cells[:place], cell, *each.cells[place + 1 :]) for each in indexed]
            if not _satisfying(database, condition, cells):
                yield member, row


def _cells(condition: Condition, values: Sequence[object]) -> Row:
    return tuple(
        _cell(value, by_null=column in condition.by_null)
        for column, value in zip(condition.columns, values, strict=True)
    )


def _cell(value: object, *, by_null: bool) -> object:
    return 1 if by_null and value is not None else value


def _satisfying(database: Database, condition: Condition, cells: Sequence[Row]) -> set[Row]:
    columns, sql = list(condition.columns), database.dialect.escaped(condition.sql)
    return database.satisfying(condition.table, columns, condition.by_null, sql, cells)
