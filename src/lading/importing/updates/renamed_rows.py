"""Gives rows the natural keys of the new records that they become, before these are loaded.

What is unique beside a key is freed first: rows that have it may give it up later.
"""

from __future__ import annotations

from collections.abc import Iterator

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.outcomes import EntityOutcome
from lading.importing.reference_values import Parts
from lading.importing.updates.held_values import held_columns
from lading.importing.updates.parking import ParkedRows, Parking
from lading.importing.updates.replaced_rows import Renames
from lading.importing.updates.row_changes import RowChanges
from lading.importing.updates.row_updater import RowUpdater
from lading.importing.updates.taken_values import TakenValues
from lading.importing.updates.unique_values import Contended, UniqueGroup, UniqueValues
from lading.importing.updates.update_writer import UpdateWriter
from lading.model.rowsets import Reference, RowSet, Value
from lading.scratch.pool import Pool
from lading.scratch.spool import Spool


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
    _free_values(context, root, renames[root.name], parked)
    writer = UpdateWriter(context, root, outcome, renames[root.name], parked)
    updater = RowUpdater(context.database, root, context.order)
    writer.write_all(context.order, updater.update)
    context.resolvers.changed(root.table)


def _free_values(context: LoadContext, root: RowSet, renames: Spool, parked: ParkedRows) -> None:
    """Park rows on what is unique together with members of their keys; updates set it again."""
    comparison = StoredComparison(context.database, root)
    unique = context.journal.closing(UniqueValues(root, context.unique))
    key = {member.name for member in root.key}
    sharing = [group for group in unique.groups[root] if not key.isdisjoint(group.fields)]
    for group in sharing if renames else ():
        fixed = {*root.key, *comparison.uncounted, *_held(context.database, group.parts)}
        taken = TakenValues(context.journal, group, unique.wanted)
        parking = Parking(context, group, parked, taken, fixed)
        for updates in renames:
            rows = _sharing(group, comparison, updates.changes)
            if rows:
                parking.park(Contended(group, rows, are_doomed=True))


def _sharing(group: UniqueGroup, comparison: StoredComparison, changes: RowChanges) -> list[Row]:
    """Return the rows that have unique values, of which their natural keys change some."""
    changed = zip(changes.identities, changes.fields, strict=True)
    rows = [row for row, fields in changed if row and not group.fields.isdisjoint(fields)]
    if not rows:
        return []
    stored = comparison.reader.stored_records(rows)
    contents = map(comparison.raw.stored_content, stored.lines)
    pairs = zip(stored.rows, contents, strict=True)
    return [row.identity for row, content in pairs if group.key(content, None) is not None]


def _held(database: Database, members: Parts) -> Iterator[Value | Reference]:
    """Yield the members that foreign keys refer to: rows of other tables may go along."""
    for member in members:
        columns = (member.column,) if isinstance(member, Value) else member.carried_columns
        names = {column.name for column in columns}
        if names and any(held_columns(database, {columns[0].table: names})):
            yield member
