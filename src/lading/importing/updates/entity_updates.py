"""Writes the updates of one entity: frees what other rows take, and writes all in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import chain

import sqlalchemy as sa

from lading.importing.batch import Batch
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.updates.collected_updates import CollectedUpdates
from lading.importing.updates.held_values import ReleasedReferences
from lading.importing.updates.left_rows import delete_left
from lading.importing.updates.parking import ParkedRows, Parking
from lading.importing.updates.replaced_rows import RowsReplaced
from lading.importing.updates.row_changes import OWNER, RecordUpdates
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.taken_values import TakenValues
from lading.importing.updates.unique_values import UniqueGroup
from lading.importing.updates.update_writer import UpdateWriter
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet, Value
from lading.scratch.pool import Pool
from lading.scratch.sort import CHUNK


class EntityUpdates:
    """What an update does to one entity, once it is collected.

    ``prepare`` comes before its new records are inserted, ``finish`` once the new records of all
    entities are there, and ``settle`` once everything is written.
    """

    def __init__(self, collected: CollectedUpdates) -> None:
        self.collected = collected
        self.context = context = collected.context
        self.root = collected.root
        self.outcome = collected.outcome
        self.updates = collected.updates
        self.parked = ParkedRows(context.journal.closing(Pool()))
        self.writer = UpdateWriter(context, self.root, self.outcome, self.updates, self.parked)

    # Before new records are inserted

    def prepare(self) -> Iterator[Batch]:
        """Free what other rows take, and yield the new records, which can be inserted then."""
        self.collected.match()
        if self.collected.replaced:
            raise RowsReplaced
        self._delete_left(last=False)
        self._park()
        self._write_referred()
        yield from self.collected.ready

    def _delete_left(self, *, last: bool) -> None:
        delete_left(self.context, self.root, self.outcome, self.collected.matcher, last=last)

    def _park(self) -> None:
        """Park rows whose unique values others take."""
        for rows, row in self.collected.matcher.doomed():
            self.collected.unique.leave(rows, row.content, row.owner, row.row.identity)
        parkings: dict[UniqueGroup, Parking] = {}
        for contended in self.collected.unique.contended(CHUNK):
            group = contended.group
            if group not in parkings:
                taken = TakenValues(self.context.journal, group, self.collected.unique.wanted)
                parkings[group] = Parking(self.context, group, self.parked, taken)
            parkings[group].park(contended)

    def _write_referred(self) -> None:
        """Write the fields by which others refer to these records, before these are resolved."""
        fields = referred_fields(self.context.entities)
        referred = [
            rows
            for rows in self.root.tree()
            if any(name.startswith(f"{rows.name}.") for name in fields)
        ]
        if referred:
            updater = RowUpdater(self.context.database, self.root, self.context.order)
            self.writer.write_unresolved(partial(updater.update, only=fields))
        for rows in {self.root, *referred}:
            self.context.resolvers.changed(rows.table)

    # Once the new records of the entity are there

    def insert_owned(self) -> None:
        """Insert the new owned rows of stored records, as those of new records are inserted."""
        if self.collected.takers:
            for updates in self.collected.takers:
                self._add_identities(updates)
            self._write_referred()
        if self.root.children:
            updater = RowUpdater(self.context.database, self.root, self.context.order)
            self.writer.write_all(self.context.order, updater.insert)

    def _add_identities(self, updates: RecordUpdates) -> None:
        """Take over the updates of new records that were inserted, by their primary keys."""
        identities = self.context.resolvers.by_key(self.root).find(updates.batch.keys)
        for place, key in enumerate(updates.batch.keys):
            identity = identities.get(key)
            updates.changes.identities[place] = None if identity is AMBIGUOUS else identity
        places = [n for n, row in enumerate(updates.changes.identities) if row is not None]
        self.updates.append(updates.take(places))

    # Once the new records of all entities are there

    def release(self) -> None:
        """Clear the references that hold values which others are to change."""
        released = ReleasedReferences(self.context, self.root)
        for updates in self.updates if released.references else ():
            released.release(updates.without(self.outcome.bad))

    def finish(self) -> None:
        """Write everything that differs, and delete what is left."""
        order = self.context.order.when_loaded()
        deferred = self.context.order.deferred
        updater = RowUpdater(self.context.database, self.root, order, deferred)
        if any(rows.name in deferred and rows.children for rows in self.root.tree()):
            self.writer.write_all(order, updater.insert_late)
        if any(rows.links for rows in self.root.tree()):
            self.writer.write_all(order, updater.remove_links)
        self.writer.write_in_turn(order, updater.update)
        self._delete_left(last=True)
        self._note_written()
        for rows in self.root.tree():
            self.context.resolvers.changed(rows.table)
        self.context.exclusions.add_bad(self.root.name, self._bad())

    def _bad(self) -> set[int]:
        """Return the numbers of records that turned out bad after others made room for them.

        New ones are among these that were to take owned rows over.
        """
        chunks = chain(self.updates, self.collected.takers)
        numbers = (number for chunk in chunks for number in chunk.batch.numbers)
        return self.outcome.bad.intersection(numbers) if self.outcome.bad else set()

    def settle(self) -> None:
        """Write references whose targets changed after their records were compared."""
        if self.context.outcomes.problems:
            return
        order = self.context.order.when_loaded()
        updater = RowUpdater(self.context.database, self.root, order)
        for updates in self.collected.unsettled.differing(self.outcome.bad):
            pair = self.writer.resolve(updates, order)
            for write in (updater.remove_links, updater.update):
                self.writer.write(pair, write)

    def _note_written(self) -> None:
        """Count the records that were updated, and keep what is recorded or read back."""
        recorder, journal = self.collected.recorder, self.context.journal
        if recorder.log is None and not (journal.reads_back or self.outcome.bad):
            self.outcome.counts.updated += self.collected.count
            return
        for chunk in self.updates:
            updates = chunk.without(self.outcome.bad)
            if updates.are_new:
                recorder.insert(updates.batch)
            else:
                self.outcome.counts.updated += len(updates)
                recorder.update(updates.batch.numbers, updates.alterations, ())
            if journal.reads_back:
                batch, identities = updates.batch, updates.changes.identities
                written = (batch.keys, batch.lines, [row or () for row in identities])
                journal.add_inserted(self.root.name, written)


@computed_once
def referred_fields(entities: Entities) -> frozenset[str]:
    """Return the fields by which references find records and that may change, as dotted names.

    These are fields beside natural keys, and the natural keys of owned rows, with their owners.
    """
    parts: dict[sa.Table, set[Value | Reference]] = defaultdict(set)
    for rows in entities.all_rows():
        for reference in (*rows.references, *(links.reference for links in rows.links)):
            parts[reference.target.table].update(reference.parts)
    return frozenset(
        f"{rows.name}.{name}"
        for rows in entities.all_rows()
        if rows.table in parts
        for name in _changing(rows, parts[rows.table])
    )


def _changing(rows: RowSet, parts: set[Value | Reference]) -> Iterator[str]:
    """Yield those fields among parts of references that an update may change.

    The key of owned rows is left out if it has members that await other records.
    """
    yield from (part.name for part in parts.difference(rows.key))
    if rows.parent is None or parts.isdisjoint(rows.key):
        return
    own = {rows.parent.surrogate, *(value.column for value in rows.parent.values)}
    pairs = next(each.pairs for each in rows.parent.children if each.rows is rows)
    has_owner = len(rows.key) < len(rows.whole_key)
    if all(isinstance(part, Value) for part in rows.key) and (
        not has_owner or own.issuperset(up for _, up in pairs)
    ):
        yield from (part.name for part in rows.key)
        yield from [OWNER] if has_owner else []
