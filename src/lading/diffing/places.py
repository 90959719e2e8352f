"""A place in the records of one side, and what the record there says."""

from __future__ import annotations

from typing import Any

from lading.diffing.cursors import Cursor
from lading.diffing.results import EntityResult
from lading.diffing.sides import Side
from lading.records.raw_records import RawReader, RawRecord


class OutOfOrder(Exception):
    """A side's records aren't in the order of their keys, or two of them share one."""


class SidePlace:
    """A place in the records of one side.

    ``is_sorted`` says that its records are known to be in key order, each key once.
    """

    def __init__(self, side: Side, cursor: Cursor, reading: RawReader, *, is_sorted: bool) -> None:
        self.side = side
        self.cursor = cursor
        self.reading = reading
        self.is_sorted = is_sorted or side.dialect is not None
        self._record: RawRecord | None = None
        self._order: Any = None
        #: How many records can't be read.
        self.failed = 0

    def record(self) -> RawRecord:
        """Return the record at this place, which is read once."""
        if self._record is None:
            line = self.cursor.line()
            assert line is not None, "it isn't the end"
            self._record = self._read(line)
        return self._record

    def _read(self, line: bytes) -> RawRecord:
        return self.reading.read(line, canonical=self.side.dialect is not None)

    def order(self) -> Any:
        """Return what the record at this place sorts by."""
        if self._order is None:
            self._order = self.reading.order(self.record())
        return self._order

    def advance(self) -> None:
        """Go to the next record."""
        self._forget()
        self.cursor.advance()

    def skip_equal(self, other: SidePlace) -> None:
        """Go over the records that both sides have in the same bytes."""
        if self.cursor.skip_equal(other.cursor):
            self._forget()
            other._forget()

    def _forget(self) -> None:
        self._record = self._order = None

    def refuse_disorder(self) -> None:
        """Raise ``OutOfOrder`` unless the key of the record before comes before this one's."""
        previous = None if self.is_sorted else self.cursor.previous()
        if previous is None:
            return
        try:
            before = self.reading.order(self._read(previous))
        except Exception:  # it was a problem of its own
            return
        if before >= self.order():
            raise OutOfOrder

    def fail(self, result: EntityResult) -> bool:
        """Report what is wrong with the record at this place, and tell whether anything is."""
        line = self.cursor.line()
        if line is None or not result.fail(self.side, self.cursor.number(), line):
            return False
        self.failed += 1
        return True
