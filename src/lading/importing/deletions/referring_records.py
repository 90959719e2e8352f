"""The records whose rows refer to others by one reference, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import LiveForeignKey
from lading.database.lookup import keys_at, streamed_among
from lading.exporting.selection import chain
from lading.importing.deletions.live_graph import LiveGraph
from lading.model.rowsets import Column, RowSet


@dataclass(frozen=True, slots=True)
class RecordReference:
    """A foreign key of an entity's records: of the records themselves, or of rows that they own."""

    root: RowSet
    rows: RowSet
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class ReferringRecords:
    """The rows of one chunk that refer to others: by what, which rows, and of which records."""

    near: list[Row]
    identities: list[Row]
    records: list[Row]


def referring_records(
    database: Database,
    graph: LiveGraph,
    key: LiveForeignKey,
    owner: RecordReference,
    keys: Sequence[Row],
) -> Iterator[ReferringRecords]:
    """Yield the rows that refer to others by a reference, with the records that hold them.

    Args:
        database: where the rows are.
        graph: tells a table's rows apart.
        key: the foreign key of the reference.
        owner: the reference.
        keys: what the rows hold, in the order of the foreign key's columns.
    """
    by_name = {graph.known_as(column.name): column for column in owner.columns}
    near = [by_name[graph.known_as(name)] for name in key.columns]
    columns = {column.name: column for column in near[0].table.columns}
    identity = [columns[name] for name in graph.identity(key.table)]
    selected = [*near, *identity, *owner.root.identity]
    statement = sa.select(*(column.label(f"c{n}") for n, column in enumerate(selected)))
    statement = statement.select_from(chain(owner.rows, owner.columns[0].table)).correlate(None)
    sql, names = database.dialect.text_of(statement), database.dialect.qualified(near)
    first, second = len(near), len(near) + len(identity)
    for part in streamed_among(database, sql, near, names, keys):
        yield ReferringRecords(
            keys_at(part, range(first)),
            [row[first:second] for row in part],
            keys_at(part, range(second, len(selected))),
        )
