"""Compares records with the rows that have their natural keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.exporting.reader import RecordReader
from lading.model.rowsets import RowSet
from lading.records.comparison import FieldDifference, RecordComparison


class StoredComparison(RecordComparison):
    """Compares the records of a bundle with those of the database."""

    def __init__(self, database: Database, rows: RowSet) -> None:
        super().__init__(rows, database.dialect)
        self.reader = RecordReader(database, rows)

    def differing_lines(
        self, lines: Sequence[bytes], identities: Sequence[Row]
    ) -> Iterator[tuple[int, list[FieldDifference]]]:
        """Yield the place of each line that differs from the row with its primary key, and how."""
        stored = self.reader.lines_of(identities)
        for place, (line, identity) in enumerate(zip(lines, identities, strict=True)):
            changes = list(self.changes(line, stored[identity]))
            if changes:
                yield place, changes
