"""Places in the records of one side, which skip what both sides have in the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from operator import ne
from typing import Protocol, Self

from lading.bundle.file_format import CLOSE, SEPARATOR

#: Bytes that are compared at once.
WINDOW = 16 * 1024
#: Bytes among which the line that differs is looked for.
NARROW = 512
#: What stands before a record's line in an entity file, but for the first.
_BEFORE = b"}" + SEPARATOR

#: Records as lines, and the number of each.
Numbered = tuple[Sequence[int], list[bytes]]


class UnusualLayout(Exception):
    """An entity file doesn't have one record a line, and must be read in another way."""


class Cursor(Protocol):
    """A place in the records of one side."""

    def line(self) -> bytes | None:
        """Return the record at this place; ``None`` at the end."""

    def previous(self) -> bytes | None:
        """Return the record before this place; ``None`` at the beginning."""

    def number(self) -> int:
        """Return the number of the record at this place in its file, from 1."""

    def advance(self) -> None:
        """Go to the next record."""

    def skip_equal(self, other: Self) -> bool:
        """Go on with another cursor while their records have equal bytes; tell whether any had."""

    def total(self) -> int:
        """Return how many records there are; ask at the end."""


class LineCursor:
    """A place in records that come in blocks of lines."""

    def __init__(self, blocks: Iterable[Numbered]) -> None:
        self._blocks = iter(blocks)
        self._numbers: Sequence[int] = ()
        self._lines: list[bytes] = []
        self._at = 0
        self._last: bytes | None = None
        self._total = 0

    def _fill(self) -> bool:
        """Make sure that there is a record at this place, unless all were read."""
        while self._at >= len(self._lines):
            block = next(self._blocks, None)
            if block is None:
                return False
            if self._lines:
                self._last = self._lines[-1]
            self._numbers, self._lines = block
            self._at = 0
            self._total += len(self._lines)
        return True

    def line(self) -> bytes | None:
        """Return the record at this place; ``None`` at the end."""
        return self._lines[self._at] if self._fill() else None

    def previous(self) -> bytes | None:
        """Return the record before this place; ``None`` at the beginning."""
        return self._lines[self._at - 1] if self._at else self._last

    def number(self) -> int:
        """Return the number of the record at this place, from 1."""
        return self._numbers[self._at]

    def advance(self) -> None:
        """Go to the next record."""
        self._at += 1

    def total(self) -> int:
        """Return how many records there are; ask at the end."""
        return self._total

    def skip_equal(self, other: LineCursor) -> bool:
        """Go on with another cursor while their records have equal bytes; tell whether any had."""
        has_any = False
        while self._fill() and other._fill():
            if self._lines[self._at] != other._lines[other._at]:
                break
            mine, theirs = self._lines[self._at :], other._lines[other._at :]
            shorter = min(len(mine), len(theirs))
            equal = next(
                (n for n, differs in zip(count(), map(ne, mine, theirs)) if differs), shorter
            )
            has_any = True
            self._at += equal
            other._at += equal
            if equal < shorter:
                break
        return has_any


class TextCursor:
    """A place in the text of an entity file that has one record a line.

    ``text`` is what follows the file's first line, ``total`` the number of its records.  Equal
    bytes are skipped by the window, and never cut into lines: what is skipped may be laid out in
    any way, if only a line that begins after ``},`` and reads as a record is one.
    """

    def __init__(self, text: Iterable[bytes], total: int) -> None:
        self._pieces = iter(text)
        self._text = b""
        self._at = 0
        self._total = total
        self._is_first = True

    def _read(self) -> bool:
        """Read on, and forget what was passed but for the line before; false at the end."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        before = self._text.rfind(b"\n", 0, max(self._at - 1, 0)) + 1
        self._text = self._text[before:] + piece
        self._at -= before
        return True

    def _end(self) -> int:
        """Return where the line at this place ends; ``UnusualLayout`` if it doesn't."""
        while (end := self._text.find(b"\n", self._at)) < 0:
            if not self._read():
                raise UnusualLayout
        return end

    def line(self) -> bytes | None:
        """Return the record at this place; ``None`` at the end."""
        end = self._end()
        line = self._text[self._at : end].removesuffix(b",")
        if line + b"\n" == CLOSE:
            if len(self._text) > end + 1 or self._read():
                raise UnusualLayout
            return None
        is_after_record = self._is_first or self._text.endswith(_BEFORE, 0, self._at)
        if not (is_after_record and line.startswith(b"{") and line.endswith(b"}")):
            raise UnusualLayout
        return line

    def previous(self) -> bytes | None:
        """Return the record before this place; ``None`` at the beginning."""
        end = self._at - len(SEPARATOR)
        return self._text[self._text.rfind(b"\n", 0, max(end, 0)) + 1 : end] if end > 0 else None

    def number(self) -> int:
        """Refuse: lines that are skipped aren't counted."""
        raise UnusualLayout

    def advance(self) -> None:
        """Go to the next record."""
        self._go(self._end() + 1 - self._at)

    def _go(self, size: int) -> None:
        self._at += size
        self._is_first = self._is_first and not size

    def total(self) -> int:
        """Return how many records there are."""
        return self._total

    def skip_equal(self, other: TextCursor) -> bool:
        """Go on with another cursor while their lines have equal bytes; tell whether any had."""
        has_any = False
        while True:
            size = min(len(self._text) - self._at, len(other._text) - other._at, WINDOW)
            mine = self._text[self._at : self._at + size]
            theirs = other._text[other._at : other._at + size]
            is_equal = mine == theirs
            equal = mine.rfind(b"\n") + 1 if is_equal else _equal_lines(mine, theirs)
            if mine.endswith(CLOSE, 0, equal):  # a file's last line, which is no record
                equal -= len(CLOSE)
            self._go(equal)
            other._go(equal)
            has_any = has_any or equal > 0
            if not is_equal or not (equal or self._read_on(other, size)):
                return has_any

    def _read_on(self, other: TextCursor, size: int) -> bool:
        """Read on where a window ended within a line; false at the end of either file.

        A line that is longer than the window is left to be compared as a record.
        """
        short = [cursor for cursor in (self, other) if len(cursor._text) - cursor._at <= size]
        return bool(short) and all(cursor._read() for cursor in short)


def _equal_lines(mine: bytes, theirs: bytes) -> int:
    """Return the length of the whole lines with which two texts of one size begin alike."""
    equal, step = 0, len(mine)
    while step > NARROW:
        step //= 2
        if mine[equal : equal + step] == theirs[equal : equal + step]:
            equal += step
    start = mine.rfind(b"\n", 0, equal) + 1
    while (end := mine.find(b"\n", start) + 1) and mine[start:end] == theirs[start:end]:
        start = end
    return start
