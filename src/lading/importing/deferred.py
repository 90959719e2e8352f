"""Inserts owned rows and links whose targets came after their records."""

from __future__ import annotations

from lading.database.dialects.base import Row
from lading.importing.batch import ResolvedBatch
from lading.importing.context import LoadContext
from lading.importing.journal import DeferredLinks, DeferredRows, WriteLog
from lading.importing.late_refusals import LateRefusals
from lading.importing.link_writer import LinkWriter
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver, places_within
from lading.importing.savepoints import (
    Objection,
    attempt,
    field_of,
    insert_or_bisect,
    message_of,
    path_to,
)
from lading.importing.self_references import SelfReferences
from lading.importing.writer import RowWriter
from lading.model.rowsets import Links, RowSet

#: The record of a link, and what its two ends hold.
LinkRow = tuple[int, Row, Row]


class DeferredRowLoader:
    """Inserts the deferred rows of one owned table; those that need others of it wait for them."""

    def __init__(self, context: LoadContext, rows: RowSet, outcome: EntityOutcome) -> None:
        self.context = context
        self.rows = rows
        self.outcome = outcome
        self.path = path_to(rows, outcome.root)
        self.references = ReferenceResolver(context.resolvers, context.order, outcome)
        self.writer = RowWriter(context.database, rows, context.order)
        self.self_references = SelfReferences(context, self.references, self.writer)
        self.waiting = context.journal.spool()
        self.refused = LateRefusals(context, outcome)

    def load(self) -> None:
        """Insert all rows that were deferred."""
        for deferred in self.context.journal.rows.pop(self.rows.name, ()):
            self._place(self._resolved(deferred))
        self._go_round()
        self.context.resolvers.changed(self.rows.table)
        self.refused.report()
        self.context.exclusions.add_bad(self.outcome.root.name, self.outcome.bad)

    def _resolved(self, deferred: DeferredRows) -> ResolvedBatch:
        places = places_within(self.path)
        resolved = self.references.resolve(self.rows, deferred.batch, places)
        resolved.owner_values = deferred.owner_values
        resolved = resolved.without(self.outcome.bad)
        if self.self_references.required:
            # A list may be ordered by its ids, so they are made before any row overtakes others.
            resolved.ids = self.writer.reserve(len(resolved))
        return resolved

    def _place(self, resolved: ResolvedBatch) -> int:
        """Insert the rows whose self references can be set, and let the others wait.

        Returns how many were ready.
        """
        if not self.self_references.required:
            self._insert(resolved)
            return len(resolved)
        ready, waiting = self.self_references.settle(resolved)
        if len(waiting):
            self.waiting.append(waiting)
        if len(ready):
            self._insert(ready)
            self.context.resolvers.changed(self.rows.table, growing=True)
        return len(ready)

    def _go_round(self) -> None:
        """Try the waiting rows again and again, until none of them finds what it refers to."""
        placed = 1
        while self.waiting and placed:
            round_, self.waiting = self.waiting, self.context.journal.spool()
            placed = sum(map(self._place, round_))
        keys = self.self_references.keys_of(resolved.batch for resolved in self.waiting)
        for resolved in self.waiting:
            for place, field, message in self.self_references.orphans(resolved, keys):
                number = resolved.batch.numbers[place]
                self.outcome.fail(number, None, f"{self.path}{field}", message)

    def _insert(self, resolved: ResolvedBatch) -> None:
        for row, objection in insert_or_bisect(resolved, self._attempt):
            field = f"{self.path}{field_of(objection, self.rows) or ''}".removesuffix(".")
            self.refused.add(row.batch.numbers[0], field, objection)

    def _attempt(self, resolved: ResolvedBatch) -> Objection | None:
        return attempt(
            self.context.database,
            self.context.journal,
            lambda log: self.writer.insert(resolved, log),
        )


class DeferredLinkLoader:
    """Inserts the deferred rows of one link table."""

    def __init__(
        self, context: LoadContext, rows: RowSet, links: Links, outcome: EntityOutcome
    ) -> None:
        self.context = context
        self.links = links
        self.outcome = outcome
        self.path = path_to(rows, outcome.root)
        self.references = ReferenceResolver(context.resolvers, context.order, outcome)
        self.writer = LinkWriter(context.database, rows, links, context.order)

    def load(self) -> None:
        """Insert all links that were deferred."""
        for chunk in self.context.journal.links.get(self.writer.name, ()):
            self._insert(self._link_rows(chunk))
        self.context.exclusions.add_bad(self.outcome.root.name, self.outcome.bad)

    def _link_rows(self, chunk: list[DeferredLinks]) -> list[LinkRow]:
        numbers = [number for number, _, _ in chunk]
        lists = [keys for _, _, keys in chunk]
        targets = self.references.links(self.links, numbers, lists, places_within(self.path))
        return [
            (number, owner_values, remote)
            for (number, owner_values, _), linked in zip(chunk, targets, strict=True)
            for remote in linked
            if number not in self.outcome.bad
        ]

    def _insert(self, rows: list[LinkRow]) -> None:
        for (row,), objection in insert_or_bisect(rows, self._attempt):
            message = message_of(objection, self.outcome.root)
            self.outcome.fail(row[0], None, f"{self.path}{self.links.written}", message)

    def _attempt(self, rows: list[LinkRow]) -> Objection | None:
        def write(log: WriteLog) -> None:
            self.writer.write([self.writer.row(near, far) for _, near, far in rows], log)

        return attempt(self.context.database, self.context.journal, write)
