"""The rows that go with doomed records: their own and those that they own, on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import keys_at, rows_among
from lading.exporting.query import Selection
from lading.importing.row_marks import RowMarks
from lading.model.rowsets import Children, Column, RowSet
from lading.scratch.sort import CHUNK
from lading.scratch.spool import Spool


@dataclass(frozen=True, slots=True)
class DoomedChunk:
    """Rows of one row set that go; ``records`` are the primary keys of the records they are of."""

    records: list[Row]
    rows: list[Row]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> Self:
        return type(self)(self.records[part], self.rows[part])

    def at(self, places: Iterable[int]) -> Self:
        """Return the rows at some places."""
        chosen = list(places)
        return type(self)([self.records[n] for n in chosen], [self.rows[n] for n in chosen])

    def without(self, records: Collection[Row]) -> Self:
        """Return the rows of other records than these."""
        if not records:
            return self
        return self.at(n for n, record in enumerate(self.records) if record not in records)


class DoomedColumns:
    """The columns of a row set by which its rows are deleted and counted, and how to read them.

    Shared by all imports.  ``place`` says where each column stands in a row.
    """

    def __init__(self, dialect: Dialect, rows: RowSet) -> None:
        self.selection = Selection(dialect, rows.table)
        self.selection.extend(rows)
        self.place: dict[Column, int] = {
            column: self.selection.raw(column) for column in _columns_needed(rows)
        }
        self.sql = dialect.text_of(self.selection.statement())
        self.identity = [self.place[column] for column in rows.identity]

    def among(
        self, database: Database, columns: Sequence[Column], keys: Sequence[Row]
    ) -> list[Row]:
        """Read the rows whose columns hold one of the keys."""
        names = database.dialect.qualified(columns)
        rows = rows_among(database, self.sql, columns, names, keys)
        return list(map(tuple, self.selection.completed(database, rows)))

    def values(self, rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
        """Return what some columns hold in each row."""
        return keys_at(rows, [self.place[column] for column in columns])

    def identities(self, rows: Sequence[Row]) -> list[Row]:
        """Return the primary key of each row."""
        return keys_at(rows, self.identity)


def _columns_needed(rows: RowSet) -> Iterator[Column]:
    yield from rows.identity
    yield from rows.owner_columns
    for children in rows.children:
        yield from (up for _, up in children.pairs)
    for links in rows.links:
        yield from (up for _, up in links.local)
    for reference in rows.references:
        yield from reference.columns
        if reference.target.table is rows.table:
            yield from map(rows.in_base, reference.remote)


class DoomedTree:
    """The rows that go with an entity's doomed records, by row set, parents before children.

    ``spool`` returns a new spool for each row set; whoever gives it closes them.  Owned rows that
    ``moved`` has, by row set and primary key, belong to others that stay, or will.
    """

    def __init__(
        self,
        database: Database,
        root: RowSet,
        spool: Callable[[], Spool],
        moved: RowMarks | None = None,
    ) -> None:
        self.database = database
        self.root = root
        self.moved = moved
        self.spools = {rows: spool() for rows in root.tree()}
        self.counts = dict.fromkeys(self.spools, 0)

    def columns(self, rows: RowSet) -> DoomedColumns:
        """Return the columns that rows of a row set come with."""
        return self.database.dialect.once(DoomedColumns, rows)

    def chunks(self, rows: RowSet) -> Iterator[DoomedChunk]:
        """Yield the rows of a row set that go."""
        yield from self.spools[rows]

    def add(self, identities: Sequence[Row]) -> None:
        """Read doomed records, by their primary keys, and what they own.

        A statement a row set reads a chunk, whatever the number of rows.
        """
        columns = self.columns(self.root)
        rows = columns.among(self.database, self.root.identity, identities)
        self._add(self.root, DoomedChunk(columns.identities(rows), rows))

    def _add(self, rows: RowSet, chunk: DoomedChunk) -> None:
        for start in range(0, len(chunk), CHUNK):
            part = chunk[start : start + CHUNK]
            self.spools[rows].append(part)
            self.counts[rows] += len(part)
            for children in rows.children:
                self._add(children.rows, self._owned(rows, children, part))

    def _owned(self, rows: RowSet, children: Children, owners: DoomedChunk) -> DoomedChunk:
        """Read the rows that a chunk of owners has in one list."""
        keys = self.columns(rows).values(owners.rows, [up for _, up in children.pairs])
        records = dict(zip(keys, owners.records, strict=True))
        columns, down = self.columns(children.rows), [down for down, _ in children.pairs]
        owned = columns.among(self.database, down, keys)
        owner_keys = columns.values(owned, down)
        # A collation may find rows of other owners, which are not theirs.
        places = [n for n, key in enumerate(owner_keys) if key in records]
        chunk = DoomedChunk([records[owner_keys[n]] for n in places], [owned[n] for n in places])
        if not self.moved:
            return chunk
        marks = [(children.rows.name, row) for row in columns.identities(chunk.rows)]
        return chunk.at(self.moved.without(marks))
