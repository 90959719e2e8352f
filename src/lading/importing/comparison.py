"""Compares records with the rows that have their natural keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from lading.database.live.base import Database
from lading.exporting.reader import RecordReader
from lading.model.rowsets import RowSet
from lading.records.comparison import FieldDifference, RecordComparison
from lading.records.raw_records import RawReader


class StoredComparison(RecordComparison):
    """Compares the records of a bundle with those of the database."""

    def __init__(self, database: Database, rows: RowSet) -> None:
        super().__init__(rows, database.dialect)
        self.reader = RecordReader(database, rows)

    @cached_property
    def raw(self) -> RawReader:
        """Reads records field by field, only where they differ from stored ones."""
        return RawReader(self.rows, self)

    def differing_lines(
        self, lines: Sequence[bytes], stored: Sequence[bytes]
    ) -> Iterator[tuple[int, list[FieldDifference]]]:
        """Yield the place of each line that differs from the stored one beside it, and how."""
        if lines == stored:
            return
        for place, (line, stored_line) in enumerate(zip(lines, stored, strict=True)):
            if line == stored_line:
                continue
            changes = list(self.differences(self.rows, *self.raw.contents(line, stored_line)))
            if changes:
                yield place, changes
