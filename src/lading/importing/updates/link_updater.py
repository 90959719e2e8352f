"""Changes the links of rows that stay by difference: links that stay aren't touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.database.row_changes import delete_among
from lading.importing.batch import ResolvedBatch
from lading.importing.journal import WriteLog
from lading.importing.link_writer import LinkWriter
from lading.importing.shared_columns import comparable
from lading.importing.updates.row_changes import RowChanges
from lading.mapping.load_order import LoadOrder
from lading.model.rowsets import Column, Links, RowSet


class LinkUpdater:
    """Updates the rows of one link table."""

    def __init__(self, database: Database, rows: RowSet, links: Links, order: LoadOrder) -> None:
        self.database = database
        self.links = links
        self.writer = LinkWriter(database, rows, links, order)
        self.near = [column for column, _ in links.local]
        dialect = database.dialect
        self.names = dialect.qualified(self.near)
        columns = self.writer.columns
        self.sql = dialect.text_of(sa.select(*columns).select_from(links.table))

    def remove(
        self,
        resolved: ResolvedBatch,
        rows: Sequence[Row],
        changes: RowChanges,
        place: Mapping[Column, int],
        log: WriteLog,
    ) -> None:
        """Delete the links that rows have and their records don't.

        Args:
            resolved: the rows' batch, with the links' targets.
            rows: the rows, in the batch's order.
            changes: says which of them have other links than their records.
            place: the place of each column in a row.
            log: takes what was deleted.
        """
        wanted, owners = self._wanted(resolved, rows, changes, place)
        if owners:
            gone = [row for key, row in self._stored(owners).items() if key not in wanted]
            count = delete_among(self.database, self.links.table, self.writer.columns, gone)
            log.row_counts[self.links.table] -= count

    def add(
        self,
        resolved: ResolvedBatch,
        rows: Sequence[Row],
        changes: RowChanges,
        place: Mapping[Column, int],
        log: WriteLog,
    ) -> None:
        """Insert the links that records have and their rows don't; arguments as of ``remove``.

        Args:
            resolved: the records, with the rows that they refer to.
            rows: the rows that they update.
            changes: what becomes of each.
            place: where in a row each column stands.
            log: takes what was written.
        """
        wanted, owners = self._wanted(resolved, rows, changes, place)
        if owners:
            stored = self._stored(owners)
            self.writer.write([row for key, row in wanted.items() if key not in stored], log)

    def _wanted(
        self,
        resolved: ResolvedBatch,
        rows: Sequence[Row],
        changes: RowChanges,
        place: Mapping[Column, int],
    ) -> tuple[dict[Row, Row], list[Row]]:
        """Return the links of changed lists by what they are compared by, and their owners."""
        at = [place[up] for _, up in self.links.local]
        owners: list[Row] = []
        wanted: dict[Row, Row] = {}
        for n, fields in enumerate(changes.fields):
            if self.links.name in fields:
                owners.append(tuple(rows[n][column] for column in at))
                for remote in resolved.links[self.links.name][n]:
                    row = self.writer.row(owners[-1], remote)
                    wanted[_key(row)] = row
        return wanted, owners

    def _stored(self, owners: Sequence[Row]) -> dict[Row, Row]:
        rows = rows_among(self.database, self.sql, self.near, self.names, owners)
        keys = {_key(owner) for owner in owners}
        # A collation may find links of other owners, which are not theirs.
        return {_key(row): tuple(row) for row in rows if _key(row[: len(self.near)]) in keys}


def _key(row: Sequence[object]) -> Row:
    return tuple(map(comparable, row))
