"""The records that the database has as lines in key order, read beside those of a bundle."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from lading.database.live.base import Database
from lading.errors import TargetError
from lading.exporting.reader import RecordReader
from lading.model.rowsets import RowSet
from lading.scratch.sort import CHUNK

#: How many chunks in turn may differ before reading on isn't worthwhile.
PATIENCE = 3
#: How many lines are kept to find the next chunk among.
WINDOW = 3 * CHUNK


class StoredLines:
    """Tells of whole chunks that the database has their very lines, which needs no lookup.

    Args:
        database: what is read, as an export reads it.
        rows: the entity whose records are read.
    """

    def __init__(self, database: Database, rows: RowSet) -> None:
        reader = RecordReader(database, rows)
        self.stream: Generator[list[bytes], None, None] | None = None
        if reader.compiled.order is not None:
            self.stream = reader.chunks()
        self.window: list[bytes] = []
        self.misses = 0

    def hold(self, lines: Sequence[bytes]) -> bool:
        """Tell whether the next stored lines are these; if not, they may be there all the same."""
        if self.stream is None or not lines:
            return False
        start = self._start(lines[0])
        end = start + len(lines)
        while start >= 0 and len(self.window) < end and self._read():
            pass
        is_equal = start >= 0 and self.window[start:end] == lines
        self.window = self.window[end:] if is_equal else self.window[-WINDOW:]
        self.misses = 0 if is_equal else self.misses + 1
        if self.misses == PATIENCE:
            self.close()
        return is_equal

    def _start(self, line: bytes) -> int:
        """Return where a line is in the window; -1 if it isn't there, nor in the next chunks."""
        for _ in range(PATIENCE):
            if line in self.window:
                return self.window.index(line)
            if not self._read():
                break
        return -1

    def _read(self) -> bool:
        """Read a chunk, if there is one; a row that no export could write ends the reading."""
        try:
            chunk = next(self.stream, None) if self.stream is not None else None
        except TargetError:
            chunk = None
        if chunk is None:
            self.close()
            return False
        self.window += chunk
        return True

    def close(self) -> None:
        """End the reading."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
