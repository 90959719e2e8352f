"""Rows that a mirror would delete, but that become those of new records which need their keys.

The primary key of such a row is that of a new record, or a collation takes its natural key for the
record's.  Nothing else can have it meanwhile, and other rows refer to it.  So the row gets the
record's natural key before its entity is loaded (``renamed_rows``), and is then updated like any
other.
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
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.model.recursive_keys import level_parts, recurring
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key
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
        #: The part through which a key recurs; the others stand in each of its levels.
        self.own = recurring(key)
        self.parts = level_parts(key)
        sets = context.unique.of(self.root) if _are_carried(dialect, self.root) else []
        self.primary = next((each for each in sets if _is_carried(each)), None)
        #: Whether a collation may take other natural keys for a record's.
        self.is_blind = self.root.surrogate is not None and any(
            set(each.parts) == set(key) and each.by_collation(dialect) for each in sets
        )

    def find(self, new: Iterable[Batch], doomed: Iterable[list[Row]]) -> Iterator[RecordUpdates]:
        """Yield new records with the doomed rows that they need, and how natural keys change.

        Args:
            new: the new records.
            doomed: the primary keys of the rows that the bundle lacks, in chunks.
        """
        marks: RowMarks | None = None
        pairs = self.context.journal.spool()
        for batch in new if self.primary or self.is_blind or self.context.former_keys else ():
            rows = {**self._rows(batch), **self._former_rows(batch)}
            if rows and marks is None:
                marks = self.context.journal.closing(RowMarks())
                for identities in doomed:
                    marks.add(identities)
            going = {place: row for place, row in rows.items() if marks and row in marks}
            if going:
                pairs.append(self._noted(batch.take([*going]), [*going.values()]))
        for pair in pairs:
            updates = self._updates(*pair)
            if len(updates):
                yield updates

    def _noted(self, batch: Batch, rows: list[Row]) -> tuple[Batch, list[Row], list[Key]]:
        """Note the natural keys that rows have and those that they will have."""
        keys = self.comparison.reader.keys_of(rows)
        for new, row in zip(batch.keys, rows, strict=True):
            self.context.former_keys.add(self.root.name, _text(new), keys[row])
        return batch, rows, [keys[row] for row in rows]

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
        return _rows_having(keys, rows)

    def _former_rows(self, batch: Batch) -> dict[int, Row]:
        """Map the places of new records to the rows that will have their natural keys."""
        if not self.context.former_keys:
            return {}
        keys = {
            n: former for n, key in enumerate(batch.keys) if (former := self._former(key)) != key
        }
        return _rows_having(keys, self.context.resolvers.by_key(self.root).find(keys.values()))

    def _former(self, key: Key) -> Key:
        """Return the natural key that a row has until the targets of its references have theirs."""
        level = tuple(
            self._old(part.target.entity, value)
            if isinstance(part, Reference) and part.by is None
            else value
            for part, value in zip(self.parts, self._level(key), strict=True)
        )
        return level if self.own is None else (*self._old(self.root.name, key[:-1]), level)

    def _old(self, name: str, key: Key) -> Key:
        former = self.context.former_keys.all(name, _text(key))
        return former[0] if former else key

    def _level(self, key: Key) -> Key:
        """Return the lowest level of a key that recurs; others have one alone."""
        return key if self.own is None else key[-1]

    def _changing(self, key: Key, former: Key) -> dict[str, bool] | None:
        """Name the members of a natural key that change, each with whether it was set.

        ``None`` for a row that moves to another parent of a key that recurs, which can't be there.
        """
        if self.own is not None and key[:-1] != former[:-1]:
            return None
        levels = zip(self.parts, self._level(key), self._level(former), strict=True)
        return {part.name: old is not None for part, new, old in levels if new != old}

    def _updates(self, batch: Batch, rows: list[Row], keys: list[Key]) -> RecordUpdates:
        """Return what is to happen to the natural keys of rows whose class is the records'."""
        stored = self.comparison.reader.lines_of(rows)
        fields: dict[int, Mapping[str, bool]] = {}
        for place, row in enumerate(rows):
            changing = self._changing(self._former(batch.keys[place]), keys[place])
            pair = self.comparison.raw.pair(batch.lines[place], stored[row])
            differing = self.comparison.differing(self.root, *pair.contents(), nested=False)
            others = [member for member in differing if member not in self.root.key]
            refused = key_refusal(self.root, others, pair, batch.keys[place])
            if refused is not None and changing == {}:  # the row will have this record's key
                key = self.outcome.key_at(batch, place)
                self.outcome.fail(batch.numbers[place], key, None, refused)
            elif refused is None and changing is not None:
                fields[place] = changing
        records = bare(batch.take([*fields]))
        changes = _unchanged(records)
        changes.identities, changes.fields = [rows[place] for place in fields], [*fields.values()]
        return RecordUpdates(records, changes)


def _unchanged(batch: Batch) -> RowChanges:
    """Return no changes, in the form that changes of a batch's rows and what they nest have."""
    children = {name: _unchanged(nested.batch) for name, nested in batch.children.items()}
    return RowChanges([], [], children)


def _rows_having(keys: Mapping[int, Key], rows: Mapping[Key, Row]) -> dict[int, Row]:
    """Map the places of keys to the rows that have them, but for keys that several have."""
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
