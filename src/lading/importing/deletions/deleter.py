"""Deletes doomed records with all that is theirs, in the reverse of the order of loading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.row_changes import delete_among, set_among
from lading.importing.deletions.children_first import ChildrenFirst, Turning
from lading.importing.deletions.deletion_steps import (
    DeletionStep,
    deletion_steps,
    required_self_references,
)
from lading.importing.deletions.doomed_tree import DoomedChunk, DoomedTree
from lading.importing.deletions.records import keys_of_records
from lading.importing.deletions.refusal import Refusal
from lading.importing.journal import Journal, WriteLog
from lading.importing.savepoints import attempt, insert_or_bisect, message_of
from lading.mapping.load_order import LoadOrder
from lading.model.rowsets import Reference, RowSet


class Deleter:
    """Deletes the doomed records of some entities, chunk by chunk.

    A chunk of rows takes the same number of statements, however many it has.  What is deleted
    is counted in the journal, below zero.

    Args:
        database: where the records are.
        order: the catalog's order of loading, whose reverse is the order of deleting.
        journal: takes the counts of rows and of set foreign keys.
        trees: the rows that go, by entity; read after all other changes, so that rows that
            moved to another owner stay.
    """

    def __init__(
        self,
        database: Database,
        order: LoadOrder,
        journal: Journal,
        trees: Mapping[str, DoomedTree],
    ) -> None:
        self.database = database
        self.order = order
        self.journal = journal
        self.trees = trees
        #: The records that the database refuses to delete, by entity.
        self.failed: dict[str, set[Row]] = defaultdict(set)
        #: How many records were deleted, by entity.
        self.deleted: Counter[str] = Counter()

    def delete(self) -> Iterator[Refusal]:
        """Delete everything; yield each record that the database refuses to delete."""
        for tree in self.trees.values():
            yield from self._clear(tree)
        for step in deletion_steps(self.order, self.trees):
            yield from self._delete(step)

    def _clear(self, tree: DoomedTree) -> Iterator[Refusal]:
        """Clear the references that close cycles, so that no row holds another one."""
        for rows in tree.root.tree():
            for reference in rows.references:
                if (rows.name, reference.name) in self.order.updated:
                    for chunk in tree.chunks(rows):
                        yield from self._write(tree, chunk, _Clearing(tree, rows, reference).run)

    def _delete(self, step: DeletionStep) -> Iterator[Refusal]:
        """Delete the rows of a row set, or only their links."""
        deletion, name = _Deletion(step, self.order), step.tree.root.name
        is_of_records = step.deletes_rows and step.rows is step.tree.root
        for chunk in self._chunks(step):
            failed = len(self.failed[name])
            yield from self._write(step.tree, chunk, deletion.run)
            if is_of_records:
                self.deleted[name] += len(chunk) - (len(self.failed[name]) - failed)

    def _chunks(self, step: DeletionStep) -> Iterator[DoomedChunk]:
        required = required_self_references(step.rows, self.order)
        if step.deletes_rows and required:
            chunks = ChildrenFirst(self.database, step.rows, required).chunks(step.tree)
        else:
            chunks = step.tree.chunks(step.rows)
        for chunk in chunks:
            yield chunk.without(self.failed[step.tree.root.name])

    def _write(
        self,
        tree: DoomedTree,
        chunk: DoomedChunk,
        write: Callable[[Database, DoomedChunk, WriteLog], None],
    ) -> Iterator[Refusal]:
        """Change a chunk's rows; narrow an error of the database down to the records at fault."""
        root, failed = tree.root, self.failed[tree.root.name]

        def run(part: DoomedChunk) -> Any:
            return attempt(self.database, self.journal, lambda log: write(self.database, part, log))

        for bad, objection in insert_or_bisect(chunk, run):
            (record,) = bad.records
            if record not in failed:
                failed.add(record)
                keys = keys_of_records(self.database, root, [record])
                message = message_of(objection, root)
                yield Refusal(root.name, keys.get(record), message, record)


class _Clearing:
    """Sets a reference to null where it is set."""

    def __init__(self, tree: DoomedTree, rows: RowSet, reference: Reference) -> None:
        self.columns = tree.columns(rows)
        self.cleared = reference.carried_columns
        self.place = self.columns.place[self.cleared[0]]
        self.table = self.cleared[0].table
        self.identity = rows.identity_in(self.table)

    def run(self, database: Database, chunk: DoomedChunk, log: WriteLog) -> None:
        """Clear the reference in a chunk's rows."""
        rows = [row for row in chunk.rows if row[self.place] is not None]
        if rows:
            keys = self.columns.identities(rows)
            set_among(database, self.table, self.identity, keys, dict.fromkeys(self.cleared))
            log.link_counts[self.cleared[0]] -= len(rows)


class _Deletion:
    """Deletes rows of a row set with some of their links, or only these."""

    def __init__(self, step: DeletionStep, order: LoadOrder) -> None:
        self.rows = rows = step.rows
        self.links = step.links
        self.deletes_rows = step.deletes_rows
        self.columns = step.tree.columns(rows)
        self.turnings = [
            Turning(self.columns, rows, reference)
            for reference in required_self_references(rows, order)
            if not reference.shared
        ]
        self.counted = [
            column
            for reference in rows.references
            if (rows.name, reference.name) not in order.updated
            for column in reference.carried_columns[:1]
        ]

    def run(self, database: Database, chunk: DoomedChunk, log: WriteLog) -> None:
        """Delete a chunk's rows."""
        for links in self.links:
            near = [column for column, _ in links.local]
            owners = self.columns.values(chunk.rows, [up for _, up in links.local])
            log.row_counts[links.table] -= delete_among(database, links.table, near, owners)
        if not self.deletes_rows:
            return
        for turning in self.turnings:
            turning.run(database, chunk)
        identities = self.columns.identities(chunk.rows)
        for table in reversed(self.rows.tables):
            keyed = self.rows.identity_in(table)
            log.row_counts[table] -= delete_among(database, table, keyed, identities)
        for column in self.counted:
            place = self.columns.place[column]
            log.link_counts[column] -= sum(1 for row in chunk.rows if row[place] is not None)
