"""Inserts batches: rows by the driver's bulk way, then the links and rows that they nest.

References are resolved before, so a batch comes with the foreign keys' values.
Ids are allocated ahead, so children need no round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lading.database.columns import is_computed
from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.importing.batch import ResolvedBatch
from lading.importing.defaults import fresh_ids
from lading.importing.filled_columns import FilledColumns
from lading.importing.journal import DeferredReference, DeferredRows, WriteLog
from lading.importing.link_writer import ROWS, LinkWriter
from lading.importing.shared_columns import (
    Agreement,
    Disagreement,
    deferred_carriers,
)
from lading.mapping.load_order import LoadOrder
from lading.model.rowsets import Children, Classes, RowSet, carried_tables


class RowWriter:
    """Inserts the rows of one row set and, unless it is deferred, what they nest."""

    def __init__(self, database: Database, rows: RowSet, order: LoadOrder) -> None:
        self.database = database
        self.rows = rows
        self.filled = filled = database.dialect.once(FilledColumns, rows)
        self.columns, self.place = filled.columns, filled.place
        self.agreement = Agreement(rows, self.place)
        self.parts = [TablePart(self, table, classes) for table, classes in carried_tables(rows)]
        #: The lowest and the highest id that was reserved.
        self.reserved: tuple[int, int] | None = None
        self.deferrable = [
            (reference, deferred_carriers(rows, order, reference))
            for reference in rows.references
            if (rows.name, reference.name) in order.updated
        ]
        self.links = [LinkWriter(database, rows, links, order) for links in rows.links]
        self.children = [
            (children, RowWriter(database, children.rows, order)) for children in rows.children
        ]

    def insert(self, resolved: ResolvedBatch, log: WriteLog) -> list[Row]:
        """Insert a resolved batch with what it nests.

        Returns the rows, with the values of all columns that were written.
        """
        if not len(resolved):
            return []
        rows = self._rows(resolved)
        self.agreement.check(resolved.foreign, rows)
        for part in self.parts:
            part.insert(rows, resolved.batch.classes, log)
        for reference in self.rows.references:
            foreign = resolved.foreign.get(reference.name, [])
            log.set_links(reference, len(foreign) - foreign.count(None))
        self._defer(resolved, rows, log)
        for linker in self.links:
            linker.insert(resolved, rows, self.place, log)
        for children, writer in self.children:
            self._insert_children(children, writer, resolved, rows, log)
        return rows

    def _insert_children(
        self,
        children: Children,
        writer: RowWriter,
        resolved: ResolvedBatch,
        rows: list[Row],
        log: WriteLog,
    ) -> None:
        nested = resolved.batch.children[children.name]
        owner_values = [self.owner_values(children, rows[owner]) for owner in nested.owners]
        if children.name not in resolved.children:
            if owner_values:
                log.rows.append((children.rows.name, DeferredRows(nested.batch, owner_values)))
            return
        inner = resolved.children[children.name]
        inner.owner_values = owner_values
        try:
            writer.insert(inner, log)
        except Disagreement as error:
            raise error.within(children.written, nested.owners) from error

    def identities(self, rows: Sequence[Row]) -> list[Row]:
        """Return the primary keys of rows that were inserted."""
        places = [self.place[column] for column in self.rows.identity]
        return [tuple(row[place] for place in places) for row in rows]

    def allocate(self, count: int) -> list[Any]:
        """Return fresh ids for rows of this set."""
        assert self.rows.surrogate is not None
        if not count:
            return []
        ids = fresh_ids(self.database, self.rows, self.rows.surrogate, count)
        return ids[::-1] if self.rows.newest_first else ids

    def reserve(self, count: int) -> list[Any] | None:
        """Return ids for rows that may be inserted after later ones; ``None`` without any.

        An engine that counts on from the highest id in the table would give them out again.
        """
        if self.rows.surrogate is None:
            return None
        ids = self.allocate(count)
        if ids and isinstance(ids[0], int):
            low, high = self.reserved or (min(ids), min(ids) - 1)
            if min(ids) <= high and max(ids) >= low:
                ahead = high + 1 - min(ids)
                ids = [value + ahead for value in ids]
            self.reserved = min(low, *ids), max(high, *ids)
        return ids

    def _rows(self, resolved: ResolvedBatch) -> list[Row]:
        arguments = self._arguments(resolved)
        if self.filled.defaults.evaluated:
            arguments.append(self.filled.defaults.rows_of(self.database, len(resolved)))
        return self.filled.join(*arguments)

    def carried_rows(self, resolved: ResolvedBatch) -> list[Row]:
        """Return rows of which records carry the columns; those of defaults are left out.

        ``Disagreement`` where two fields give different values to one column.
        """
        rows = self.unchecked_rows(resolved)
        self.agreement.check(resolved.foreign, rows)
        return rows

    def unchecked_rows(self, resolved: ResolvedBatch) -> list[Row]:
        """Return the same rows, whether their fields agree or not."""
        return self.filled.join_carried(*self._arguments(resolved))

    def _arguments(self, resolved: ResolvedBatch) -> list[Any]:
        count = len(resolved)
        arguments: list[Any] = [resolved.batch.values]
        if self.rows.surrogate is not None:
            ids = resolved.ids
            arguments.insert(0, self.allocate(count) if ids is None else ids)
        for reference in self.rows.references:
            foreign = resolved.foreign.get(reference.name)
            arguments.append(foreign if foreign is not None else [None] * count)
        if self.rows.owner_columns:
            arguments.append(resolved.owner_values)
        return arguments

    def owner_values(self, children: Children, row: Row) -> Row:
        """Return what a row gives to the owner columns of its children; others are null."""
        values = {down: row[self.place[up]] for down, up in children.pairs}
        return tuple(values.get(column) for column in children.rows.owner_columns)

    def _defer(self, resolved: ResolvedBatch, rows: list[Row], log: WriteLog) -> None:
        """Log the references to set later, and the deferrable ones that are set already."""
        batch = resolved.batch
        identities = self.identities(rows) if self.deferrable else []
        for reference, carriers in self.deferrable:
            name = (self.rows.name, reference.name)
            deferred = log.references.setdefault(name, [])
            followed = log.followed.setdefault(name, [])
            keys = batch.references[reference.name]
            foreign = resolved.foreign.get(reference.name) or [None] * len(batch)
            for n, (key, target) in enumerate(zip(keys, foreign, strict=True)):
                if key is None:
                    continue
                if target is not None:
                    followed.append((batch.numbers[n], key, batch.keys[n]))
                    continue
                shared = self.agreement.values(reference, rows[n])
                carried = tuple(batch.references[other.name][n] for _, other, _ in carriers)
                deferred.append(
                    DeferredReference(
                        batch.numbers[n], identities[n], key, batch.keys[n], shared, carried
                    )
                )


class TablePart:
    """Inserts what full rows hold of one table: all of it, or a subclass's share."""

    def __init__(self, writer: RowWriter, table: sa.Table, classes: Classes) -> None:
        self.database = writer.database
        self.table = table
        self.classes = classes
        self.columns = [
            column
            for column in writer.place
            if column.table is table and not is_computed(writer.database.dialect, column)
        ]
        places = [writer.place[column] for column in self.columns]
        self.whole = places == list(range(len(writer.columns)))
        # itemgetter of one place gives no tuple
        self.take = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)

    def insert(self, rows: list[Row], classes: Sequence[Any], log: WriteLog) -> None:
        """Insert the rows whose class has this table; ``classes`` are their discriminators."""
        if self.classes is not None:
            rows = [
                row for row, class_ in zip(rows, classes, strict=True) if class_ in self.classes
            ]
        if not self.whole:
            rows = list(map(self.take, rows))
        for start in range(0, len(rows), ROWS):
            self.database.insert(self.table, self.columns, rows[start : start + ROWS])
        log.row_counts[self.table] += len(rows)
