"""Values beside primary keys that foreign keys hold: no update can change them meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.row_changes import set_among
from lading.importing.context import LoadContext
from lading.importing.savepoints import attempt
from lading.importing.updates.row_changes import RecordUpdates
from lading.model.rowsets import Reference, RowSet


def held_columns(
    database: Database, columns: Mapping[Any, set[str]]
) -> Iterator[tuple[Any, str, str]]:
    """Yield the columns that foreign keys refer to, each set with its table and the foreign key.

    Args:
        database: whose foreign keys these are.
        columns: the names of the columns in question, by table.
    """
    tables = {place: table for table, place in database.real_places(list(columns)).items()}
    for key in database.live_keys().foreign:
        table = tables.get(key.target)
        if table is not None and (names := columns[table].intersection(key.target_columns)):
            yield table, ", ".join(sorted(names)), f"{key.table[1]}.{', '.join(key.columns)}"


class ReleasedReferences:
    """Clears the references of one entity that change and hold more than primary keys.

    What they hold may change as well, in the same import, before they are written.
    """

    def __init__(self, context: LoadContext, root: RowSet) -> None:
        self.context = context
        self.root = root
        self.references = {
            rows: references
            for rows in root.tree()
            if (references := [each for each in rows.references if _can_be_released(each)])
        }

    def release(self, updates: RecordUpdates) -> None:
        """Clear such references of rows that stay; where the database objects they stay as well."""
        for rows, changes in updates.changes.walk(self.root) if self.references else ():
            pairs = list(zip(changes.identities, changes.fields, strict=True))
            for reference in self.references.get(rows, ()):
                known = [row for row, fields in pairs if row and reference.name in fields]
                if known:
                    clear = partial(self._clear, rows, reference, known)
                    attempt(self.context.database, self.context.journal, clear)

    def _clear(self, rows: RowSet, reference: Reference, identities: list[Row], _: object) -> None:
        columns = reference.carried_columns
        table = columns[0].table
        set_among(
            self.context.database,
            table,
            rows.identity_in(table),
            identities,
            dict.fromkeys(columns),
        )


def _can_be_released(reference: Reference) -> bool:
    """Tell whether a reference may be null and holds what an update of its target may change."""
    columns, target = reference.carried_columns, reference.target
    changing = {value.column for value in target.values if value not in target.key}
    return (
        bool(columns)
        and all(column.nullable for column in columns)
        and not changing.difference(target.identity).isdisjoint(reference.remote)
    )
