"""Inserts the rows of a link table."""

from __future__ import annotations

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.importing.batch import ResolvedBatch
from lading.importing.journal import WriteLog
from lading.importing.shared_columns import Disagreement, compare, shared_columns
from lading.mapping.load_order import LoadOrder, link_name
from lading.model.rowsets import Column, Links, RowSet

#: Rows of one insert; a chunk of records may nest many more.
ROWS = 5_000


class LinkWriter:
    """Inserts the rows of one link table."""

    def __init__(self, database: Database, rows: RowSet, links: Links, order: LoadOrder) -> None:
        self.database = database
        self.links = links
        self.name = link_name(rows, links)
        self.is_deferred = self.name in order.deferred
        near = [column for column, _ in links.local]
        self.columns = [*near, *links.reference.carried_columns]
        self.shared = [near.index(column) for _, column in shared_columns(links.reference)]
        self.own = [
            n for n, c in enumerate(links.reference.columns) if c in links.reference.carried_columns
        ]

    def insert(
        self, resolved: ResolvedBatch, rows: list[Row], place: dict[Column, int], log: WriteLog
    ) -> None:
        """Insert the links of new owners, or log them if they are deferred.

        Args:
            resolved: the owners' batch, with the links' targets.
            rows: the owners' rows, in the batch's order.
            place: the place of each column in these rows.
            log: takes what was written, and what is deferred.
        """
        places = [place[up] for _, up in self.links.local]
        owners = [tuple(row[n] for n in places) for row in rows]
        if self.is_deferred:
            keys = resolved.batch.links[self.links.name]
            log.links.setdefault(self.name, []).extend(
                links
                for links in zip(resolved.batch.numbers, owners, keys, strict=True)
                if links[2]
            )
            return
        targets = resolved.links[self.links.name]
        self.write(
            [
                self.row(owner, remote)
                for owner, linked in zip(owners, targets, strict=True)
                for remote in linked
            ],
            log,
        )

    def row(self, owner: Row, remote: Row) -> Row:
        """Return the link's row; ``Disagreement`` if both ends share a column and differ in it."""
        if not self.shared:
            return (*owner, *remote)
        try:
            compare(self.links.reference, remote, [owner[n] for n in self.shared])
        except Disagreement as error:
            raise Disagreement(self.links.written, error.message) from error
        return (*owner, *(remote[n] for n in self.own))

    def write(self, rows: list[Row], log: WriteLog) -> None:
        """Insert link rows."""
        for start in range(0, len(rows), ROWS):
            self.database.insert(self.links.table, self.columns, rows[start : start + ROWS])
        log.row_counts[self.links.table] += len(rows)
