"""Rows that a mirror would delete, but that become those of new records which need their keys.

The primary key of such a row is that of a new record, or a collation takes its natural key for the
record's.  Nothing else can have it meanwhile, and other rows refer to it.  So the row gets the
record's natural key before its entity is loaded, and is then updated like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lading.database.dialects.base import Dialect, Row
from lading.importing.batch import Batch, bare
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.filled_columns import FilledColumns
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.row_marks import RowMarks
from lading.importing.unique_sets import UniqueMembers
from lading.importing.updates.parking import ParkedRows
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.update_writer import UpdateWriter
from lading.model.recursive_keys import recurring
from lading.model.rowsets import RowSet, Value
from lading.scratch.pool import Pool
from lading.scratch.spool import Spool

#: The updates of natural keys that come before an entity is loaded, by its name.
Renames = Mapping[str, Spool]


class RowsReplaced(Exception):
    """New records need rows that go: a plan finds all of these before a load begins again."""


class ReplacedRows:
    """Finds the doomed rows of one entity that new records need."""

    def __init__(self, context: LoadContext, comparison: StoredComparison) -> None:
        self.context = context
        self.comparison = comparison
        self.root: RowSet = comparison.rows
        dialect = context.database.dialect
        can_be = not recurring(self.root.key) and _are_carried(dialect, self.root)
        sets = context.unique.of(self.root) if can_be else []
        own = set(self.root.key)
        self.primary = next((each for each in sets if _is_carried(each)), None)
        #: Whether a collation may take other natural keys for a record's.
        self.is_blind = self.root.surrogate is not None and any(
            set(each.parts) == own and each.by_collation(dialect) for each in sets
        )

    def find(self, new: Iterable[Batch], doomed: Iterable[list[Row]]) -> Iterator[RecordUpdates]:
        """Yield new records with the doomed rows that they need, and how natural keys change.

        Args:
            new: the new records.
            doomed: the primary keys of the rows that the bundle lacks, in chunks.
        """
        marks: RowMarks | None = None
        for batch in new if self.primary or self.is_blind else ():
            rows = self._rows(batch)
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
        else:
            keys = dict(enumerate(batch.keys))
            alike = resolvers.by_key(self.root).alike(batch.keys)
            rows = {key: row for key, (_, row) in alike.items()}
        return {n: rows[k] for n, k in keys.items() if rows.get(k, AMBIGUOUS) is not AMBIGUOUS}

    def _updates(self, batch: Batch, rows: Mapping[int, Row]) -> RecordUpdates:
        """Return what is to happen to the natural keys of rows whose class is the records'."""
        stored = self.comparison.reader.lines_of([*rows.values()]) if rows else {}
        identities: dict[int, Row | None] = {}
        fields: list[Mapping[str, bool]] = []
        for place, row in rows.items():
            record, content = self.comparison.raw.contents(batch.lines[place], stored[row])
            class_ = self.root.discriminator
            if class_ is None or record[class_.written] == content[class_.written]:
                identities[place] = row
                differing = self.comparison.differing(self.root, record, content, nested=False)
                fields.append(
                    {
                        member.name: content.get(member.written) is not None
                        for member in differing
                        if member in self.root.key
                    }
                )
        children = {children.name: RowChanges([], []) for children in self.root.children}
        changes = RowChanges([*identities.values()], fields, children)
        return RecordUpdates(bare(batch.take([*identities])), changes)


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
