"""Writes an entity's updates chunk by chunk, and reports the records that the database refuses."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lading.importing.batch import ResolvedBatch, unresolved
from lading.importing.collisions import Collision, Collisions
from lading.importing.context import LoadContext
from lading.importing.journal import WriteLog
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver, places_of_records
from lading.importing.savepoints import Objection, attempt, field_of, insert_or_bisect, message_of
from lading.importing.updates.held_values import held_columns
from lading.importing.updates.parking import ParkedRows
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.mapping.load_order import LoadOrder
from lading.messages import Message, listed, noted
from lading.model.rowsets import Column, RowSet
from lading.scratch.spool import Spool

#: What to do where foreign keys hold values that an update changes.
RELEASE_FIRST = (
    "While a row refers to the old value, no import can change it: let such rows refer to nothing, "
    "or to another record, in an import before this one, or declare the foreign key with ON UPDATE "
    "CASCADE"
)
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
    message: Message
    may_collide: bool


class UpdateWriter:
    """Writes the updates of one entity.

    Args:
        context: the load.
        root: the entity.
        outcome: takes the problems of records that are refused.
        updates: what is to be written.
        parked: knows the rows that must be written because they were parked.
    """

    def __init__(
        self,
        context: LoadContext,
        root: RowSet,
        outcome: EntityOutcome,
        updates: Spool,
        parked: ParkedRows,
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.updates = updates
        self.parked = parked
        #: What holds the values of the columns that refused updates change, asked for once.
        self.holders: dict[frozenset[Column], str] = {}

    def write_all(self, order: LoadOrder, write: Write) -> None:
        """Write something of all updates, and report what is refused."""
        for pair in self._resolved(order):
            self.write(pair, write)

    def write_unresolved(self, write: Write) -> None:
        """Write something that needs no references; what is refused must be written again later."""
        for updates in self._good_updates():
            pair = ResolvedUpdates(unresolved(updates.batch), updates)
            deque(self._attempt(pair, write), maxlen=0)

    def write_in_turn(self, order: LoadOrder, write: Write) -> None:
        """Write all updates; those that are refused again, as long as others make room for them."""
        pending: Iterable[ResolvedUpdates] = self._resolved(order)
        before = None
        while True:
            refused = self.context.journal.spool()
            for pair in pending:
                for bad in self._attempt(pair, write):
                    refused.append(bad)
            if not refused or (before is not None and refused.count >= before):
                break
            before, pending = refused.count, (update.pair for update in refused)
        self._report(refused)

    def write(self, pair: ResolvedUpdates, write: Write) -> None:
        """Write in bulk, and report what is refused."""
        self._report(self._attempt(pair, write))

    def resolve(self, updates: RecordUpdates, order: LoadOrder) -> ResolvedUpdates:
        """Return updates with what their references lead to; misses are problems."""
        places = places_of_records(self.outcome, updates.batch)
        references = ReferenceResolver(self.context.resolvers, order, self.outcome)
        return ResolvedUpdates(references.resolve(self.root, updates.batch, places), updates)

    def _resolved(self, order: LoadOrder) -> Iterator[ResolvedUpdates]:
        """Yield the updates of good records, with what their references lead to."""
        for updates in self._good_updates():
            pair = self.resolve(updates, order)
            if len(updates):
                yield ResolvedUpdates(
                    pair.resolved.without(self.outcome.bad), updates.without(self.outcome.bad)
                )

    def _good_updates(self) -> Iterator[RecordUpdates]:
        """Yield the updates of good records, with the fields that their rows were parked on."""
        for chunk in self.updates:
            updates: RecordUpdates = chunk.without(self.outcome.bad)
            self.parked.complete(self.root, updates.changes)
            yield updates

    def _attempt(self, pair: ResolvedUpdates, write: Write) -> Iterator[RefusedUpdate]:
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
            elif update.may_collide:
                message = noted(message, self._holding(update))
            self.outcome.fail(batch.numbers[0], key, field, message)

    def _holding(self, update: RefusedUpdate) -> str:
        """Say which foreign keys may hold values that a refused update changes."""
        columns = frozenset(
            value.column
            for rows, changes in update.pair.updates.changes.walk(self.root)
            for value in rows.values
            if any(value.name in fields for fields in changes.fields)
        )
        if columns not in self.holders:
            self.holders[columns] = self._holders_of(columns)
        return self.holders[columns]

    def _holders_of(self, columns: Iterable[Column]) -> str:
        """Say which foreign keys refer to columns, and what to do; empty if none does."""
        names: dict[sa.Table, set[str]] = defaultdict(set)
        for column in columns:
            names[column.table].add(column.name)
        texts = [
            f"{near} refers to {table.fullname}.{far}"
            for table, far, near in held_columns(self.context.database, names)
        ]
        return f"{listed(texts, separator='; ')}. {RELEASE_FIRST}" if texts else ""

    def _collision(self, update: RefusedUpdate) -> Collision | None:
        """Return the other row that has a unique value of a refused record, if there is one."""
        batch, identities = update.pair.resolved.batch, update.pair.updates.changes.identities
        collisions = Collisions(self.context, self.root)
        own = identities[0]
        collision = collisions.among(batch, identities).get(0) or collisions.within(batch, own)
        return collision or collisions.alike(batch, own)
