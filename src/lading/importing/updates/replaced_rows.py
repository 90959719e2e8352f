"""Rows that a mirror would delete, but that become those of new records which need their keys.

The primary key of such a row is that of a new record, or a collation takes its natural key for the
record's.  Nothing else can have it meanwhile, and other rows refer to it.  So the row gets the
record's natural key before its entity is loaded, and is then updated like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lading.database.dialects.base import Dialect, Row
from lading.importing.batch import Batch, bare
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.filled_columns import FilledColumns
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.row_marks import RowMarks
from lading.importing.unique_sets import UniqueMembers
from lading.importing.updates.differing_records import key_refusal
from lading.importing.updates.parking import ParkedRows
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.update_writer import UpdateWriter
from lading.messages import Message
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key
from lading.scratch.pool import Pool
from lading.scratch.spool import Spool

#: The updates of natural keys that come before an entity is loaded, by its name.
Renames = Mapping[str, Spool]


class RowsReplaced(Exception):
    """New records need rows that go: a plan finds all of these before a load begins again."""


class ReplacedRows:
    """Finds the doomed rows of one entity that new records need.

    Where the key holds a reference to such a row, the row of the old key will have the new one.
    """

    def __init__(
        self, context: LoadContext, comparison: StoredComparison, outcome: EntityOutcome
    ) -> None:
        self.context = context
        self.comparison = comparison
        self.outcome = outcome
        self.root: RowSet = comparison.rows
        key, dialect = self.root.key, context.database.dialect
        can_be = not recurring(key) and _are_carried(dialect, self.root)
        sets = context.unique.of(self.root) if can_be else []
        self.primary = next((each for each in sets if _is_carried(each)), None)
        #: Whether a collation may take other natural keys for a record's.
        self.is_blind = self.root.surrogate is not None and any(
            set(each.parts) == set(key) and each.by_collation(dialect) for each in sets
        )
        #: The targets that the natural key leads to, by place, if any of them gets another key.
        self.targets = {
            n: part.target.entity
            for n, part in enumerate(key)
            if isinstance(part, Reference) and part.by is None
            if not recurring(key) and context.former_keys
        }

    def find(self, new: Iterable[Batch], doomed: Iterable[list[Row]]) -> Iterator[RecordUpdates]:
        """Yield new records with the doomed rows that they need, and how natural keys change.

        Args:
            new: the new records.
            doomed: the primary keys of the rows that the bundle lacks, in chunks.
        """
        marks: RowMarks | None = None
        for batch in new if self.primary or self.is_blind or self.targets else ():
            rows = {**self._rows(batch), **self._former_rows(batch)}
            if rows and marks is None:
                marks = self.context.journal.closing(RowMarks())
                for identities in doomed:
                    marks.add(identities)
            going = {place: row for place, row in rows.items() if marks and row in marks}
            updates = self._updates(batch, going)
            if len(updates):
                yield updates

    def _rows(self, batch: Batch) -> dict[int, Row]:
        """Map the places of new records to the rows that have their keys."""
        resolvers = self.context.resolvers
        if self.primary is not None:
            records = list(map(self.comparison.raw.new_content, batch.lines))
            keys = self.primary.keys(self.context.database, batch, records)
            rows = resolvers.of_unique(self.primary).find(keys.values())
        elif self.is_blind:
            keys = dict(enumerate(batch.keys))
            alike = resolvers.by_key(self.root).alike(batch.keys)
            rows = {key: row for key, (_, row) in alike.items()}
        else:
            return {}
        return _found(keys, rows)

    def _former_rows(self, batch: Batch) -> dict[int, Row]:
        """Map the places of new records to the rows that will have their natural keys."""
        if not self.targets:
            return {}
        keys = {
            n: former for n, key in enumerate(batch.keys) if (former := self._former(key)) != key
        }
        return _found(keys, self.context.resolvers.by_key(self.root).find(keys.values()))

    def _former(self, key: Key) -> Key:
        """Return the natural key that a row has until the targets of its references have theirs."""
        parts = list(key)
        for place, name in self.targets.items():
            former = self.context.former_keys.all(name, _text(key[place]))
            parts[place] = former[0] if former else key[place]
        return tuple(parts)

    def _updates(self, batch: Batch, rows: Mapping[int, Row]) -> RecordUpdates:
        """Return what is to happen to the natural keys of rows whose class is the records'."""
        reader = self.comparison.reader
        stored = reader.lines_of([*rows.values()]) if rows else {}
        keys = reader.keys_of([*rows.values()]) if rows else {}
        identities: dict[int, Row | None] = {}
        fields: list[Mapping[str, bool]] = []
        for place, row in rows.items():
            pair = self.comparison.raw.pair(batch.lines[place], stored[row])
            record, content = pair.contents()
            differing = [*self.comparison.differing(self.root, record, content, nested=False)]
            others = [member for member in differing if member not in self.root.key]
            refused = key_refusal(self.root, others, pair)
            if refused is not None:
                self._refuse(batch, place, keys[row], refused)
                continue
            identities[place] = row
            self.context.former_keys.add(self.root.name, _text(batch.keys[place]), keys[row])
            is_former = keys[row] == self._former(batch.keys[place])
            changing = () if is_former else (m for m in differing if m in self.root.key)
            fields.append({m.name: content.get(m.written) is not None for m in changing})
        records = bare(batch.take([*identities]))
        changes = _unchanged(records)
        changes.identities, changes.fields = [*identities.values()], fields
        return RecordUpdates(records, changes)

    def _refuse(self, batch: Batch, place: int, former: Key, message: Message) -> None:
        """Report a record whose row will have its key, but can't become its own.

        Another row that it needs only stays as it is.
        """
        if former == self._former(batch.keys[place]):
            key = self.outcome.key_at(batch, place)
            self.outcome.fail(batch.numbers[place], key, None, message)


def _unchanged(batch: Batch) -> RowChanges:
    """Return no changes, in the form that changes of a batch's rows and what they nest have."""
    children = {name: _unchanged(nested.batch) for name, nested in batch.children.items()}
    return RowChanges([], [], children)


def _found(keys: Mapping[int, Key], rows: Mapping[Key, Row]) -> dict[int, Row]:
    return {n: rows[key] for n, key in keys.items() if rows.get(key, AMBIGUOUS) is not AMBIGUOUS}


def _text(key: Any) -> bytes:
    return repr(key).encode("utf-8", "surrogatepass")


def _are_carried(dialect: Dialect, root: RowSet) -> bool:
    """Tell whether records carry all that rows hold: nothing may pass to another record unasked."""
    for rows in root.tree():
        filled = dialect.once(FilledColumns, rows)
        own = {*filled.place, rows.mapper.version_id_col}.difference(filled.defaults.columns)
        for table in rows.tables:
            known = {
                dialect.columns.known_as(c.name) for c in own if c is not None and c.table is table
            }
            for name, column in dialect.columns.of(table).items():
                if name not in known and not column.is_generated:
                    return False
    return True


def _is_carried(unique: UniqueMembers) -> bool:
    """Tell whether records carry the primary key beside a natural key of other fields."""
    rows = unique.rows
    return (
        set(unique.columns) == set(rows.identity)
        and all(type(part) is Value for part in unique.parts)
        and not set(unique.parts) <= set(rows.key)
    )


def rename_rows(
    context: LoadContext, root: RowSet, outcome: EntityOutcome, renames: Renames
) -> None:
    """Give the rows of an entity that new records need the natural keys of these.

    Args:
        context: the load.
        root: the entity.
        outcome: takes the problems of records whose rows can't be changed.
        renames: what a plan has found.
    """
    parked = ParkedRows(context.journal.closing(Pool()))
    writer = UpdateWriter(context, root, outcome, renames[root.name], parked)
    updater = RowUpdater(context.database, root, context.order)
    writer.write_all(context.order, updater.update)
    context.resolvers.changed(root.table)
