"""Writes the changes of rows that stay, and inserts the rows and links that they gain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.importing.batch import Batch, ResolvedBatch, unresolved
from lading.importing.journal import DeferredRows, WriteLog
from lading.importing.shared_columns import Disagreement
from lading.importing.updates.link_updater import LinkUpdater
from lading.importing.updates.row_changes import OWNER, RowChanges
from lading.importing.updates.versions import next_versions
from lading.importing.writer import RowWriter
from lading.mapping.load_order import LoadOrder
from lading.model.rowsets import Children, Column, RowSet

#: How many sets of changed columns a chunk's rows are written by; the rest share one.
MOST_SETS = 8


@dataclass(frozen=True, slots=True)
class NestedRows:
    """The owned rows of one list of a batch, with what is to happen to them.

    ``places`` are theirs among the rows of the whole list.
    """

    updater: RowUpdater
    batch: Batch
    resolved: ResolvedBatch
    changes: RowChanges
    places: list[int]

    def at(self, places: list[int]) -> NestedRows:
        """Return the rows at some places."""
        changes = self.changes.take(places, self.batch)
        resolved = self.resolved.take(places)
        return NestedRows(self.updater, resolved.batch, resolved, changes, places)

    def new(self) -> NestedRows:
        """Return the rows that are new."""
        return self.at([n for n, row in enumerate(self.changes.identities) if row is None])

    def staying(self) -> NestedRows:
        """Return the rows that stay."""
        return self.at([n for n, row in enumerate(self.changes.identities) if row is not None])


class RowUpdater:
    """Updates the rows of one row set, and of those that it nests.

    Args:
        database: where the rows are.
        rows: the row set.
        order: says which rows and references wait for others.
        deferred: the names of owned row sets whose new rows a step of their own inserted.
    """

    def __init__(
        self,
        database: Database,
        rows: RowSet,
        order: LoadOrder,
        deferred: frozenset[str] = frozenset(),
    ) -> None:
        self.database = database
        self.rows = rows
        self.order = order
        self.deferred = deferred
        self.writer = RowWriter(database, rows, order)
        self.columns: dict[str, tuple[Column, ...]] = {OWNER: rows.owner_columns}
        self.columns |= {value.name: (value.column,) for value in rows.values}
        self.columns |= {reference.name: reference.carried_columns for reference in rows.references}
        self.links = [LinkUpdater(database, rows, links, order) for links in rows.links]
        self.children = [
            (children, RowUpdater(database, children.rows, order, deferred))
            for children in rows.children
        ]

    # Rows that are new

    def insert(self, resolved: ResolvedBatch, changes: RowChanges, log: WriteLog) -> None:
        """Insert the new owned rows of rows that stay, or log those of deferred tables."""
        rows = self._rows(resolved, changes)
        for children, nested in self._nested(resolved, changes, rows):
            new, staying = nested.new(), nested.staying()
            if children.rows.name in self.order.deferred:
                if new.places:
                    rows_later = DeferredRows(new.batch, new.resolved.owner_values)
                    log.rows.append((children.rows.name, rows_later))
                continue
            if new.places:
                new.resolved.ids = None
                nested.updater.writer.insert(new.resolved, log)
            if staying.places:
                nested.updater.insert(staying.resolved, staying.changes, log)

    def insert_late(self, resolved: ResolvedBatch, changes: RowChanges, log: WriteLog) -> None:
        """Insert what is new below rows of deferred tables that stay."""
        rows = self._rows(resolved, changes)
        for children, nested in self._nested(resolved, changes, rows):
            staying, updater = nested.staying(), nested.updater
            is_deferred = children.rows.name in self.deferred
            if staying.places:
                insert = updater.insert if is_deferred else updater.insert_late
                insert(staying.resolved, staying.changes, log)

    # Rows that stay

    def update(
        self,
        resolved: ResolvedBatch,
        changes: RowChanges,
        log: WriteLog,
        only: frozenset[str] | None = None,
    ) -> None:
        """Write what differs of rows that stay, and of those that they nest.

        Args:
            resolved: the rows, with what their references lead to.
            changes: what is to happen to them.
            log: takes what was written.
            only: the fields that are written, as dotted names; by default all, with new links.
        """
        rows = self._rows(resolved, changes)
        self._write(rows, changes, log, only)
        for linker in self.links if only is None else ():
            linker.add(resolved, rows, changes, self.writer.place, log)
        for children, nested in self._nested(resolved, changes, rows):
            staying = nested.staying()
            if staying.places:
                try:
                    nested.updater.update(staying.resolved, staying.changes, log, only)
                except Disagreement as error:
                    error.place = staying.places[error.place]
                    owners = resolved.batch.children[children.name].owners
                    raise error.within(children.written, owners) from error

    def remove_links(self, resolved: ResolvedBatch, changes: RowChanges, log: WriteLog) -> None:
        """Remove the links that rows have and their records don't."""
        rows = self._rows(resolved, changes)
        for linker in self.links:
            linker.remove(resolved, rows, changes, self.writer.place, log)
        for _, nested in self._nested(resolved, changes, rows):
            staying = nested.staying()
            if staying.places:
                nested.updater.remove_links(staying.resolved, staying.changes, log)

    # Rows and their parts

    def _rows(self, resolved: ResolvedBatch, changes: RowChanges) -> list[Row]:
        """Return full rows, but for columns that records don't carry."""
        if self.rows.surrogate is not None:
            resolved.ids = [identity and identity[0] for identity in changes.identities]
        return self.writer.carried_rows(resolved)

    def _nested(
        self, resolved: ResolvedBatch, changes: RowChanges, rows: Sequence[Row]
    ) -> Iterator[tuple[Children, NestedRows]]:
        """Yield the owned rows of each list, with what their owners give them."""
        for children, updater in self.children:
            nested = resolved.batch.children[children.name]
            inner = resolved.children.get(children.name) or unresolved(nested.batch)
            inner.owner_values = [
                self.writer.owner_values(children, rows[owner]) for owner in nested.owners
            ]
            places = list(range(len(inner)))
            yield (
                children,
                NestedRows(updater, nested.batch, inner, changes.children[children.name], places),
            )

    def _write(
        self, rows: Sequence[Row], changes: RowChanges, log: WriteLog, only: frozenset[str] | None
    ) -> None:
        """Write rows by the sets of columns that change, in a few statements at most."""
        places_by_fields: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, fields in enumerate(changes.fields):
            places_by_fields[tuple(fields)].append(place)
        places_by_set: dict[frozenset[str], list[int]] = defaultdict(list)
        for changed, places in places_by_fields.items():
            names = frozenset(
                name
                for name in changed
                if name in self.columns and (only is None or f"{self.rows.name}.{name}" in only)
            )
            if names:
                places_by_set[names] = sorted(places_by_set[names] + places)
        for names, places in _fewer(places_by_set).items():
            columns = [column for name in sorted(names) for column in self.columns[name]]
            self._write_columns(columns, places, rows, changes, is_last=only is None)
            if only is None:
                self._count(places, rows, changes, log)

    def _write_columns(
        self,
        columns: Sequence[Column],
        places: Sequence[int],
        rows: Sequence[Row],
        changes: RowChanges,
        *,
        is_last: bool,
    ) -> None:
        """Write some columns of the rows at some places, and in the end their next versions."""
        identities = [changes.identities[place] or () for place in places]
        versions = next_versions(self.database, self.rows, identities) if is_last else None
        for table in self.rows.tables:
            written = [column for column in columns if column.table is table]
            at = [self.writer.place[column] for column in written]
            new = [tuple(rows[place][n] for n in at) for place in places]
            if versions is not None and versions.column.table is table:
                written.append(versions.column)
                new = [(*row, v) for row, v in zip(new, versions.values, strict=True)]
            if written:
                parameters = [(*i, *row) for i, row in zip(identities, new, strict=True)]
                self.database.update(table, self.rows.identity_in(table), written, parameters)

    def _count(
        self, places: Sequence[int], rows: Sequence[Row], changes: RowChanges, log: WriteLog
    ) -> None:
        """Count the references that are set now and weren't before, or the other way round."""
        for reference in self.rows.references:
            for column in reference.carried_columns[:1]:
                at = self.writer.place[column]
                for place in places:
                    was_set = changes.fields[place].get(reference.name)
                    if was_set is not None:
                        log.link_counts[column] += (rows[place][at] is not None) - was_set


def _fewer(places_by_set: dict[frozenset[str], list[int]]) -> dict[frozenset[str], list[int]]:
    """Return the most frequent sets as they are, and the others as one.

    A chunk then takes a bounded number of statements; what doesn't change is written as it is.
    """
    if len(places_by_set) <= MOST_SETS:
        return places_by_set
    ordered = sorted(places_by_set.items(), key=lambda entry: -len(entry[1]))
    fewer = dict(ordered[:MOST_SETS])
    rest = ordered[MOST_SETS:]
    union = frozenset(name for names, _ in rest for name in names)
    fewer[union] = fewer.get(union, []) + [place for _, places in rest for place in places]
    return fewer
