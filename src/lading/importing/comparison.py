"""Compares records with the rows that have their natural keys."""

from __future__ import annotations

from collections.abc import Sequence

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.exporting.reader import RecordReader
from lading.model.rowsets import RowSet
from lading.records.comparison import RecordComparison


class StoredComparison(RecordComparison):
    """Compares the records of a bundle with those of the database."""

    def __init__(self, database: Database, rows: RowSet) -> None:
        super().__init__(rows, database.dialect)
        self.reader = RecordReader(database, rows)

    def count_differing(self, lines: Sequence[bytes], identities: Sequence[Row]) -> int:
        """Count the lines that differ from the rows with these primary keys."""
        stored = self.reader.lines_of(identities)
        return sum(
            1
            for line, identity in zip(lines, identities, strict=True)
            if any(self.changes(line, stored[identity]))
        )
