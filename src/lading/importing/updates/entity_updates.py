"""Updates the records of one entity: collects what differs, frees values, writes it in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, ResolvedBatch, bare, joined, unresolved
from lading.importing.change_recorder import ChangeRecorder
from lading.importing.collisions import Collision, Collisions
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import ExistingRecords
from lading.importing.context import LoadContext
from lading.importing.deletions.doomed_rows import doomed_rows
from lading.importing.journal import WriteLog
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver, places_of_records
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.savepoints import Objection, attempt, field_of, insert_or_bisect, message_of
from lading.importing.updates.differing_records import UpdateExisting
from lading.importing.updates.left_rows import delete_left, note_left
from lading.importing.updates.parking import ParkedRows, Parking
from lading.importing.updates.record_matcher import Partner, RecordMatcher
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.settling import UnsettledRecords
from lading.importing.updates.unique_values import UniqueGroup, UniqueValues
from lading.mapping.load_order import LoadOrder
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import RowSet
from lading.records.comparison import Content
from lading.scratch.pool import Pool
from lading.scratch.sort import CHUNK
from lading.values.json_text import json_text

#: Writes the changes of a batch's rows.
Write = Callable[[ResolvedBatch, RowChanges, WriteLog], object]


@dataclass(slots=True)
class ResolvedUpdates:
    """Updates whose references are resolved."""

    resolved: ResolvedBatch
    updates: RecordUpdates

    def __len__(self) -> int:
        return len(self.resolved)

    def __getitem__(self, part: slice) -> ResolvedUpdates:
        return ResolvedUpdates(self.resolved[part], self.updates[part])


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """A record by itself that the database refuses to update, with the field and the reason."""

    pair: ResolvedUpdates
    field: str | None
    message: str
    may_collide: bool


class EntityUpdates:
    """What an update is to do to one entity.

    ``decide`` collects, ``prepare`` comes before its new records are inserted, and ``finish``
    once the new records of all entities are there.
    """

    def __init__(
        self, context: LoadContext, root: RowSet, outcome: EntityOutcome, *, mirrors: bool
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.comparison = StoredComparison(context.database, root)
        self.recorder = ChangeRecorder(context.outcomes.changes, self.comparison)
        journal = context.journal
        self.unique = journal.closing(UniqueValues(root))
        left = journal.closing(Pool())
        self.matcher = RecordMatcher(root, context.database.dialect, left, self.unique)
        self.parked = ParkedRows(journal.closing(Pool()))
        self.differing = journal.spool()
        #: New records: as they came, and without the owned rows that they take over.
        self.new = journal.spool()
        self.ready = journal.spool()
        self.updates = journal.spool()
        #: Updates of new records that take owned rows over.
        self.takers = journal.spool()
        self.taker_numbers: set[int] = set()
        #: Whether there may be records that the bundle lacks; those of an empty table are its own.
        self.unsettled = UnsettledRecords(context, root, self.comparison)
        self.mirrors = mirrors and not context.tables.is_empty(root)
        #: The primary keys of records that the bundle has, and of those that it lacks.
        self.kept = journal.spool()
        self.doomed = journal.spool()

    def policy(self, *_: Any) -> UpdateExisting:
        """Return the policy that collects the records that differ."""
        return UpdateExisting(self.comparison, self.differing.append, self._exist)

    # Before new records are inserted

    def _exist(self, existing: ExistingRecords) -> None:
        if self.mirrors:
            self.kept.append(existing.identities)
        self.unsettled.add_existing(existing)

    def add_new(self, batch: Batch) -> None:
        """Keep new records until unique values are free."""
        if len(batch):
            self.new.append(batch)

    def prepare(self) -> Iterator[Batch]:
        """Free what other rows take, and yield the new records, which can be inserted then."""
        self.match()
        self._delete_left(last=False)
        self._park()
        self._write_referred()
        yield from self.ready

    def _doom(self) -> None:
        """Find the records that the bundle lacks, and the unique values that they give up."""
        reader = self.comparison.reader
        for identities in doomed_rows(self.context.database, self.root, self.kept):
            self.doomed.append(identities)
            records = reader.stored_records(identities) if self._reads_doomed else {}
            self.recorder.delete(line for line, _ in records.values())
            for line, row in records.values():
                content = self.comparison.raw.stored_content(line)
                self.unique.leave(self.root, content, None, row.identity)
                self.matcher.leave_doomed(Partner(row, content))

    @property
    def _reads_doomed(self) -> bool:
        return bool(self.unique) or bool(self.root.children) or self.recorder.log is not None

    def match(self) -> None:
        """Find the records that go and the changes of all rows; this only reads.

        A first pass finds the owned rows that other records may take over.
        """
        if self.mirrors and not self.context.tables.is_empty(self.root):
            self._doom()
        if self.root.children:
            for differing in self.differing:
                records, partners = differing.records, differing.partners
                self.matcher.leave(self.root, records, partners, differing.batch.numbers)
        for differing in self.differing:
            batch = differing.batch
            changes = self._changes(batch, differing.records, differing.partners)
            self.updates.append(RecordUpdates(batch, changes))
        for batch in self.new:
            self.ready.append(self._without_taken(batch))
        note_left(self.context, self.root, self.outcome, self.matcher)

    def _changes(
        self, batch: Batch, records: Sequence[Content], partners: Sequence[Partner | None]
    ) -> RowChanges:
        owners: list[Row | None] = [None] * len(batch)
        return self.matcher.changes(self.root, batch, records, partners, owners)

    def _without_taken(self, batch: Batch) -> Batch:
        """Return new records; those that take owned rows over come without what they nest.

        What these nest is written in the end, as if they had been there without it.
        """
        if not (self.matcher.left or self.unique.leaving):
            return batch
        changes = self._changes(
            batch, list(map(self.comparison.raw.new_content, batch.lines)), [None] * len(batch)
        )
        takers = changes.with_stored_rows(batch)
        if not takers:
            return batch
        self.takers.append(RecordUpdates(batch, changes, are_new=True).take(takers))
        self.taker_numbers.update(batch.numbers[place] for place in takers)
        others = [place for place in range(len(batch)) if place not in takers]
        without = bare(batch.take(sorted(takers)))
        names = {children.written for children in self.root.children}
        for place, line in enumerate(without.lines):
            record = self.comparison.loaded(line)
            without.lines[place] = json_text(record | {n: [] for n in names & record.keys()})
        return joined([batch.take(others), without])

    def _delete_left(self, *, last: bool) -> None:
        delete_left(self.context, self.root, self.outcome, self.matcher, last=last)

    def _park(self) -> None:
        """Park rows whose unique values others take."""
        for rows, row in self.matcher.doomed():
            self.unique.leave(rows, row.content, row.owner, row.row.identity)
        parkings: dict[UniqueGroup, Parking] = {}
        for contended in self.unique.contended(CHUNK):
            group = contended.group
            if group not in parkings:
                parkings[group] = Parking(self.context, group, self.parked)
            parkings[group].park(contended)

    def _write_referred(self) -> None:
        """Write the fields by which others refer to these records, before these are resolved."""
        fields = referred_fields(self.context.entities)
        if any(name.startswith(f"{rows.name}.") for rows in self.root.tree() for name in fields):
            updater = RowUpdater(self.context.database, self.root, self.context.order)
            for updates in self._good_updates():
                pair = ResolvedUpdates(unresolved(updates.batch), updates)
                self._report(self._write(pair, partial(updater.update, only=fields)))
        self.context.resolvers.changed(self.root.table)

    # Once the new records of the entity are there

    def insert_owned(self) -> None:
        """Insert the new owned rows of stored records, as those of new records are inserted."""
        for updates in self.takers:
            self._add_identities(updates)
        if not self.root.children:
            return
        updater = RowUpdater(self.context.database, self.root, self.context.order)
        for pair in self._resolved(self.context.order):
            self._report(self._write(pair, updater.insert))

    def _add_identities(self, updates: RecordUpdates) -> None:
        """Take over the updates of new records that were inserted, by their primary keys."""
        identities = self.context.resolvers.by_key(self.root).find(updates.batch.keys)
        for place, key in enumerate(updates.batch.keys):
            identity = identities.get(key)
            updates.changes.identities[place] = None if identity is AMBIGUOUS else identity
        places = [n for n, row in enumerate(updates.changes.identities) if row is not None]
        self.updates.append(updates.take(places))

    # Once the new records of all entities are there

    def finish(self) -> None:
        """Write everything that differs, and delete what is left."""
        order = self.context.order.when_loaded()
        deferred = self.context.order.deferred
        updater = RowUpdater(self.context.database, self.root, order, deferred)
        if any(rows.name in deferred and rows.children for rows in self.root.tree()):
            for pair in self._resolved(order):
                self._report(self._write(pair, updater.insert_late))
        if any(rows.links for rows in self.root.tree()):
            for pair in self._resolved(order):
                self._report(self._write(pair, updater.remove_links))
        self._update(updater, order)
        self._delete_left(last=True)
        self._note_written()
        for rows in self.root.tree():
            self.context.resolvers.changed(rows.table)
        self.context.exclusions.add_bad(self.root.name, self._bad())

    def _bad(self) -> set[int]:
        """Return the numbers of records that turned out bad after others made room for them."""
        numbers = (number for chunk in self.updates for number in chunk.batch.numbers)
        return self.outcome.bad.intersection(numbers) if self.outcome.bad else set()

    def settle(self) -> None:
        """Write references whose targets changed after their records were compared."""
        if self.context.outcomes.problems:
            return
        order = self.context.order.when_loaded()
        updater = RowUpdater(self.context.database, self.root, order)
        for updates in self.unsettled.differing(self.outcome.bad):
            places = places_of_records(self.outcome, updates.batch)
            references = ReferenceResolver(self.context.resolvers, order, self.outcome)
            pair = ResolvedUpdates(references.resolve(self.root, updates.batch, places), updates)
            for write in (updater.remove_links, updater.update):
                self._report(self._write(pair, write))

    def _note_written(self) -> None:
        """Count the records that were updated, and keep what is to be read back."""
        for differing in self.differing if self.recorder.log is not None else ():
            stored = [partner.content if partner else {} for partner in differing.partners]
            numbers = differing.batch.numbers
            self.recorder.update(numbers, differing.records, stored, self.outcome.bad)
        for chunk in self.updates:
            updates = chunk.without(self.outcome.bad)
            if updates.are_new:
                self.recorder.insert(updates.batch)
            else:
                self.outcome.counts.updated += len(updates)
            if self.context.journal.reads_back:
                batch, identities = updates.batch, updates.changes.identities
                written = (batch.keys, batch.lines, [row or () for row in identities])
                self.context.journal.add_inserted(self.root.name, written)

    def _update(self, updater: RowUpdater, order: LoadOrder) -> None:
        """Update all rows; those that are refused again, as long as others make room for them."""
        pending: Iterable[ResolvedUpdates] = self._resolved(order)
        before = None
        while True:
            refused = self.context.journal.spool()
            for pair in pending:
                for bad in self._write(pair, updater.update):
                    refused.append(bad)
            if not refused or (before is not None and refused.count >= before):
                break
            before, pending = refused.count, (update.pair for update in refused)
        self._report(refused)

    def _resolved(self, order: LoadOrder) -> Iterator[ResolvedUpdates]:
        """Yield the updates of good records, with what their references lead to."""
        references = ReferenceResolver(self.context.resolvers, order, self.outcome)
        for updates in self._good_updates():
            places = places_of_records(self.outcome, updates.batch)
            resolved = references.resolve(self.root, updates.batch, places)
            if len(updates):
                yield ResolvedUpdates(
                    resolved.without(self.outcome.bad), updates.without(self.outcome.bad)
                )

    def _good_updates(self) -> Iterator[RecordUpdates]:
        """Yield the updates of good records, with the fields that their rows were parked on."""
        for chunk in self.updates:
            updates: RecordUpdates = chunk.without(self.outcome.bad)
            self.parked.complete(self.root, updates.changes)
            yield updates

    def _write(self, pair: ResolvedUpdates, write: Write) -> Iterator[RefusedUpdate]:
        """Write in bulk; yield the records that the database refuses, each by itself."""

        def run(part: ResolvedUpdates) -> Objection | None:
            changes = part.updates.changes
            return attempt(
                self.context.database,
                self.context.journal,
                lambda log: write(part.resolved, changes, log),
            )

        for part, objection in insert_or_bisect(pair, run):
            field, message = field_of(objection, self.root), message_of(objection, self.root)
            may_collide = isinstance(objection, sa.exc.IntegrityError)
            yield RefusedUpdate(part, field, message, may_collide)

    def _report(self, refused: Iterable[RefusedUpdate]) -> None:
        for update in refused:
            batch = update.pair.resolved.batch
            key = self.outcome.key_at(batch, 0)
            field, message = update.field, update.message
            collision = self._collision(update) if update.may_collide else None
            if collision is not None:
                field, message = collision.field, collision.message
            self.outcome.fail(batch.numbers[0], key, field, message)

    def _collision(self, update: RefusedUpdate) -> Collision | None:
        """Return the other row that has a unique value of a refused record, if there is one."""
        batch, identities = update.pair.resolved.batch, update.pair.updates.changes.identities
        collisions = Collisions(self.context, self.root)
        collision = collisions.among(batch, identities).get(0)
        return collision or collisions.within(batch, identities[0])


@computed_once
def referred_fields(entities: Entities) -> frozenset[str]:
    """Return the fields by which references find records beside natural keys, as dotted names."""
    references = [
        reference
        for rows in entities.all_rows()
        for reference in (*rows.references, *(links.reference for links in rows.links))
    ]
    return frozenset(
        f"{reference.target.name}.{part.name}"
        for reference in references
        for part in reference.parts
        if part not in reference.target.key
    )
