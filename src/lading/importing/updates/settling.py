"""References that lead elsewhere once everything is written, since their targets changed.

A record that refers to another by a field that the same import changes says the same before and
after, and means another row.  So records with such references are compared once more in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lading.database.dialects.base import Row
from lading.exporting.reader import StoredRecords
from lading.importing.batch import Batch
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import ExistingRecords
from lading.importing.context import LoadContext
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.updates.record_matcher import Partner, RecordMatcher
from lading.importing.updates.row_changes import RecordUpdates
from lading.importing.updates.unique_values import UniqueValues
from lading.mapping.load_order import LoadOrder
from lading.model.rowsets import Reference, RowSet, Value, references_of
from lading.records.comparison import Content


class UnsettledRecords:
    """The records of an entity that are compared again, if any of its references needs that."""

    def __init__(self, context: LoadContext, root: RowSet, comparison: StoredComparison) -> None:
        self.context = context
        self.root = root
        self.comparison = comparison
        self.is_needed = may_turn(root, context.order)
        self.spool = context.journal.spool()

    def add_existing(self, existing: ExistingRecords) -> None:
        """Keep records that the database has."""
        if self.is_needed:
            self.spool.append((existing.batch.take(existing.places), existing.identities))

    def add_new(self, batch: Batch) -> None:
        """Keep records that are inserted."""
        if self.is_needed and len(batch):
            self.spool.append((batch, None))

    def differing(self, bad: set[int]) -> Iterator[RecordUpdates]:
        """Yield the records that differ from the database as it is now, but for bad ones."""
        journal = self.context.journal
        unique = journal.closing(UniqueValues(self.root, self.context.unique))
        matcher = RecordMatcher(self.root, self.context.database.dialect, journal, unique)
        for batch, known in self.spool:
            identities = self._identities(batch) if known is None else known
            stored = self.comparison.reader.stored_records(
                [row for row in identities if row is not None and row is not AMBIGUOUS]
            )
            updates = self._compared(matcher, batch, identities, stored)
            updates = updates.without(bad)
            if len(updates):
                yield updates

    def _identities(self, batch: Batch) -> list[Row | None]:
        rows = self.context.resolvers.by_key(self.root).find(batch.keys)
        return [rows.get(key) for key in batch.keys]

    def _compared(
        self,
        matcher: RecordMatcher,
        batch: Batch,
        identities: Sequence[Row | None],
        stored: StoredRecords,
    ) -> RecordUpdates:
        """Compare records with the rows that they are."""
        pairs = zip(stored.lines, stored.rows, strict=True)
        stored_by_identity = {row.identity: (line, row) for line, row in pairs}
        places: list[int] = []
        records: list[Content] = []
        partners: list[Partner] = []
        for place, identity in enumerate(identities):
            if identity is not None and identity in stored_by_identity:
                line, row = stored_by_identity[identity]
                if line == batch.lines[place]:
                    continue
                record, content = self.comparison.raw.contents(batch.lines[place], line)
                if any(self.comparison.differences(self.root, record, content)):
                    places.append(place)
                    records.append(record)
                    partners.append(Partner(row, content))
        part = batch.take(places)
        owners: list[Row | None] = [None] * len(places)
        return RecordUpdates(part, matcher.changes(self.root, part, records, partners, owners))


def may_turn(root: RowSet, order: LoadOrder) -> bool:
    """Tell whether a record may refer to another row though it says the same."""
    return any(_may_turn(root, reference, order) for _, _, reference in references_of(root))


def _may_turn(root: RowSet, reference: Reference, order: LoadOrder) -> bool:
    target = reference.target
    lasting = {*target.identity, *(v.column for v in target.key if isinstance(v, Value))}
    if target.parent is not None or not lasting.issuperset(reference.remote):
        return True
    is_later = order.entities.index(target.entity) >= order.entities.index(root.name)
    return any(
        (is_later and part not in target.key)
        or (
            isinstance(part, Reference)
            and part.target is not target
            and _may_turn(root, part, order)
        )
        for part in reference.parts
    )
