"""The records that the database has, in key order, read beside those of a bundle."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.errors import TargetError
from lading.exporting.reader import KeyedRecords, RecordReader, StoredRecords
from lading.exporting.reading import StoredRow, identities_of
from lading.model.rowsets import RowSet
from lading.records.layout import Key
from lading.scratch.sort import CHUNK
from lading.scratch.spool import Spool

NONE = KeyedRecords([], [], [], [])


class RecordsBeside:
    """Finds the stored records of a bundle's keys without lookups: both come in key order.

    Args:
        database: what is read, as an export reads it.
        rows: the entity whose records are read.
        lacking: takes the primary keys of records that the bundle lacks, in chunks.
        nested_rows: whether it must be known which rows the records nest.
    """

    def __init__(
        self,
        database: Database,
        rows: RowSet,
        lacking: Spool | None = None,
        *,
        nested_rows: bool = True,
    ) -> None:
        reader = RecordReader(database, rows)
        self.database = database
        self.rows = rows
        self.order = reader.compiled.reader.encoder.order
        self.lacking = lacking
        self.stream: Generator[KeyedRecords, None, None] | None = None
        if reader.compiled.order is not None:
            self.stream = reader.keyed_records(CHUNK, nested_rows=nested_rows)
        #: What was read, and comes after the last batch.
        self.pending = NONE
        self.passed: Any = None
        #: Whether the database has no more records.
        self.at_end = False

    def pass_equal(self, lines: list[bytes]) -> list[Row] | None:
        """Return the primary keys of the next stored records, if these are their lines."""
        count = len(lines)
        if not self._fill(count) or self.pending.lines[:count] != lines:
            return None
        return identities_of(self._take(count).rows)

    def find(self, keys: Sequence[Key]) -> tuple[Sequence[int], StoredRecords] | None:
        """Return the places of a bundle's next keys that are stored, and the records in this order.

        ``None`` where they must be looked up: they come out of order, or the database has rows
        that no export could write.
        """
        if not keys or not self._fill(len(keys)):
            return None
        if self.pending.keys[: len(keys)] == keys:
            records = self._take(len(keys))
            return range(len(keys)), StoredRecords(records.lines, records.rows)
        orders = self.order(list(keys))
        first, last = min(orders), max(orders)
        if self.passed is not None and not self.passed < first:
            self.close()
            return None
        return self._among(keys, last)

    def _among(self, keys: Sequence[Key], last: Any) -> tuple[list[int], StoredRecords] | None:
        """Return the records of keys up to a last one, and note the others that are passed."""
        places_by_key = {key: place for place, key in enumerate(keys)}
        records: dict[int, tuple[bytes, StoredRow]] = {}
        while True:
            passed = self._take(bisect_right(self.pending.orders, last))
            lacking = []
            for key, line, row in zip(passed.keys, passed.lines, passed.rows, strict=True):
                place = places_by_key.get(key)
                if place is None:
                    lacking.append(row.identity)
                else:
                    records[place] = line, row
            self._note_lacking(lacking)
            if self.pending.keys or self.at_end:
                break
            if not self._fill(1):
                return None
        self.passed = last
        places = sorted(records)
        in_order = [records[place] for place in places]
        return places, StoredRecords([line for line, _ in in_order], [row for _, row in in_order])

    def finish(self) -> bool:
        """Read the rest, which the bundle lacks.

        Returns:
            Whether every record was passed in order; else some may be noted that the bundle has.
        """
        while self._fill(1) and self.pending.keys:
            self._note_lacking(identities_of(self._take(len(self.pending.keys)).rows))
        return self.stream is not None and self.at_end

    def _take(self, count: int) -> KeyedRecords:
        """Pass so many of the records that were read."""
        taken, self.pending = self.pending.part(0, count), self.pending.part(count, None)
        self.passed = taken.orders[-1] if taken.orders else self.passed
        return taken

    def _note_lacking(self, identities: list[Row]) -> None:
        if self.lacking is not None and identities:
            self.lacking.append(identities)

    def _fill(self, count: int) -> bool:
        """Read on until so many records are pending, if there are; false where that is impossible.

        A row that no export could write ends the reading.
        """
        while self.stream is not None and not self.at_end and len(self.pending.keys) < count:
            try:
                with self.database.texts_of(self.rows):
                    chunk = next(self.stream, None)
            except TargetError:
                self.close()
                break
            self.at_end = chunk is None
            if chunk is not None:
                self.pending = self.pending + chunk if self.pending.keys else chunk
        return self.stream is not None

    def close(self) -> None:
        """End the reading."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
