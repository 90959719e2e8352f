"""Loads the records of one entity: decides, resolves, inserts, and lets rows wait."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, ResolvedBatch
from lading.importing.change_recorder import ChangeRecorder
from lading.importing.collisions import Collision, Collisions
from lading.importing.conflicts import Conflicts
from lading.importing.context import LoadContext
from lading.importing.decode import RecordDecoder
from lading.importing.journal import WriteLog
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver, places_of_records
from lading.importing.savepoints import Objection, attempt, bisect, field_of, message_of
from lading.importing.self_references import SelfReferences
from lading.importing.updates.entity_updates import EntityUpdates
from lading.importing.waiting import WaitingRecords
from lading.importing.writer import RowWriter
from lading.loading.reference_keys import ReferenceKeys
from lading.messages import Message
from lading.model.rowsets import RowSet
from lading.records.comparison import RecordComparison

#: Another round is worthwhile if the last one placed at least one row in this many.
PATIENCE = 20


class EntityLoader:
    """Loads an entity's batches into rows."""

    def __init__(
        self,
        context: LoadContext,
        root: RowSet,
        outcome: EntityOutcome,
        conflicts: Conflicts,
        decoder: RecordDecoder,
        *,
        updates: EntityUpdates | None = None,
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.conflicts = conflicts
        self.decoder = decoder
        self.updates = updates
        self.references = ReferenceResolver(context.resolvers, context.order, outcome)
        self.writer = RowWriter(context.database, root, context.order)
        self.self_references = SelfReferences(context, self.references, self.writer)
        self.collisions = Collisions(context, root)
        #: Records what is inserted, where that is asked for.
        self.recorder: ChangeRecorder | None = None
        if context.outcomes.changes is not None:
            comparison = RecordComparison(root, context.database.dialect)
            self.recorder = ChangeRecorder(context.outcomes.changes, comparison)
        #: Checks fields by which references find records, where some may share them.
        self.reference_keys: ReferenceKeys | None = None
        #: Records that wait until the file is read, once one of them needs it.
        self.waiting: WaitingRecords | None = None
        #: Rows whose references aren't there in their turn either.
        self.is_reading = True
        self.stuck = context.journal.spool()

    def load(self, batch: Batch) -> None:
        """Load a batch's records, except those with problems and those that stay as they are."""
        decisions = self.conflicts.decide(batch)
        decisions.note(self.outcome, batch)
        new = batch.take(decisions.insert)
        if self.reference_keys is not None:
            self.reference_keys.add_new(new)
        if self.updates is not None:
            self.updates.collected.unsettled.add_new(new)
        if self.updates is None or self.conflicts.is_empty:
            self._take(new)
        else:
            self.updates.collected.add_new(new)

    def _take(self, new: Batch) -> None:
        """Insert new records, or let them wait for their parents."""
        if self.waiting is not None:
            self.waiting.add(new)
        elif len(new):
            self._insert_new(new)

    def _insert_new(self, batch: Batch) -> None:
        places = places_of_records(self.outcome, batch)
        resolved = self.references.resolve(self.root, batch, places)
        self._place(resolved.without(self.outcome.bad))

    def finish(self) -> None:
        """Insert the rows that wait for their parents; those that still wait then have none."""
        for batch in self.updates.prepare() if self.updates is not None else ():
            self._take(batch)
        self.is_reading = False
        # Triggers may fire where a reference is set later.
        self.self_references.is_patient &= self.context.journal.reads_back
        if self.waiting is not None:
            for batch in self.waiting.batches():
                self._insert_new(batch)
        self._go_round()
        if self.self_references.is_patient:
            self.self_references.is_patient = False
            self._go_round()
        waiting_keys = self.self_references.keys_of(resolved.batch for resolved in self.stuck)
        for resolved in self.stuck:
            for place, field, message in self.self_references.orphans(resolved, waiting_keys):
                self._fail(resolved.batch, place, field, message)
        self.context.resolvers.changed(self.root.table)
        if self.updates is not None:
            self.updates.insert_owned()
        for rows in self.root.tree():
            self.context.resolvers.changed(rows.table)

    # Rows that wait for others of their entity

    def _place(self, resolved: ResolvedBatch) -> None:
        """Insert rows whose self references can be set, and let the others wait."""
        if not len(resolved) or self.context.exclusions.must_restart:
            return
        if not self.self_references:
            self._insert(resolved)
            return
        ready, waiting = self.self_references.settle(resolved)
        if len(waiting):
            self._wait(waiting)
        if len(ready):
            self._insert(ready)
            self.context.resolvers.changed(self.root.table, growing=True)

    def _wait(self, resolved: ResolvedBatch) -> None:
        """Keep rows until those that they refer to are inserted."""
        if not self.is_reading:
            self.stuck.append(resolved)
            return
        if self.waiting is None:
            self.waiting = WaitingRecords(self.context.journal, self.self_references, self.decoder)
        self.waiting.add(resolved.batch)

    def _go_round(self) -> None:
        """Try the waiting rows again and again, until a round places too few of them.

        Rows that can also be placed without their targets don't justify long waiting.
        """
        placed, waited = 1, 1
        while self.stuck and placed > (
            waited // PATIENCE if self.self_references.is_patient else 0
        ):
            before, waited = self.outcome.counts.inserted, 0
            round_, self.stuck = self.stuck, self.context.journal.spool()
            for resolved in round_:
                waited += len(resolved)
                self._place(resolved)
            round_.close()
            placed = self.outcome.counts.inserted - before

    # Inserting

    def _insert(self, resolved: ResolvedBatch) -> None:
        """Insert in bulk; where the database objects, find the records that it objects to.

        Those that collide with other rows are looked up first.
        """
        objection = self._attempt(resolved)
        if objection is None:
            return
        resolved = self.self_references.without_preferred(resolved)
        collisions = self._collisions(resolved, objection)
        if not collisions:
            self._refuse_bad(resolved, objection)
            return
        self._refuse_colliding(resolved.batch, collisions)
        if not self.context.exclusions.must_restart:
            rest = [place for place in range(len(resolved)) if place not in collisions]
            if rest:
                self._insert(resolved.take(rest))

    def _attempt(self, resolved: ResolvedBatch) -> Objection | None:
        rows: list[Row] = []

        def write(log: WriteLog) -> None:
            rows.extend(self.writer.insert(resolved, log))

        objection = attempt(self.context.database, self.context.journal, write)
        if objection is None:
            self.outcome.counts.inserted += len(resolved)
            self.self_references.remember(resolved.batch, rows)
            self._note(resolved.batch, rows)
        return objection

    def _note(self, batch: Batch, rows: list[Row]) -> None:
        """Record what was inserted, and keep it to be read back, but what an update completes."""
        places: Sequence[int] = range(len(batch))
        if self.updates is not None and self.updates.collected.taker_numbers:
            incomplete = self.updates.collected.taker_numbers
            places = incomplete.without([(number,) for number in batch.numbers])
            batch = batch.take(places)
        if self.recorder is not None:
            self.recorder.insert(batch)
        if self.context.journal.reads_back:
            identities = self.writer.identities([rows[place] for place in places])
            self.context.journal.add_inserted(self.root.name, (batch.keys, batch.lines, identities))

    # Refusing

    def _refuse_bad(self, resolved: ResolvedBatch, objection: Objection) -> None:
        """Insert what the database takes of refused rows; the others are problems.

        Rows that wait for each other depend on each other, so an import that keeps good records
        begins again without the first bad one.
        """
        is_tied = bool(self.self_references.required) and len(resolved) > 1
        for row, reason in bisect(resolved, objection, self._attempt):
            self._fail(row.batch, 0, *self._explained(row.batch, reason))
            if is_tied:
                self.context.exclusions.add_bad(self.root.name, set(row.batch.numbers))
            if self.context.exclusions.must_restart:
                return

    def _explained(self, batch: Batch, objection: Objection) -> tuple[str | None, Message]:
        """Return the field that is at fault in one record, if it is known, and why."""
        message = message_of(objection, self.root)
        if isinstance(objection, sa.exc.IntegrityError):
            collision = (
                self.collisions.within(batch)
                or self.collisions.alike(batch)
                or self.collisions.appeared(batch, message)
            )
            if collision is not None:
                return collision.field, collision.message
            for reference in self.self_references.required:
                key = batch.references[reference.name][0]
                if key is not None and self.references.has_failed(reference, key):
                    return reference.written, self.references.missing(reference, key)
        return field_of(objection, self.root), message

    def _collisions(self, resolved: ResolvedBatch, objection: Objection) -> dict[int, Collision]:
        """Map the places of records that collide with other rows to these collisions."""
        if not isinstance(objection, sa.exc.IntegrityError):
            return {}
        return self.collisions.among(resolved.batch)

    def _refuse_colliding(self, batch: Batch, collisions: dict[int, Collision]) -> None:
        for place, collision in collisions.items():
            self._fail(batch, place, collision.field, collision.message)
        if self.self_references.required:
            numbers = {batch.numbers[place] for place in collisions}
            self.context.exclusions.add_bad(self.root.name, numbers)

    def _fail(self, batch: Batch, place: int, field: str | None, message: Message) -> None:
        key = self.outcome.key_at(batch, place)
        self.outcome.fail(batch.numbers[place], key, field, message)
