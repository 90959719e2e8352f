"""Compares one entity's records on both sides, in the fastest way that they allow."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import Any

from lading.diffing.cursors import Cursor, LineCursor, Numbered, TextCursor, UnusualLayout
from lading.diffing.merge import merge
from lading.diffing.places import OutOfOrder, SidePlace
from lading.diffing.results import EntityResult
from lading.diffing.sides import Block, Side
from lading.importing.duplicates import key_repeated
from lading.model.rowsets import RowSet
from lading.records.comparison import RecordComparison
from lading.records.raw_records import RawReader
from lading.report import Problem
from lading.scratch.sort import CHUNK, chunked, externally_sorted

#: Makes a cursor over a side's records, by way of a stack that closes what it reads.
MakeCursor = Callable[["EntityDiff", Side, ExitStack], Cursor]


class EntityDiff:
    """The comparison of one entity's records on both sides."""

    def __init__(self, rows: RowSet, left: Side, right: Side) -> None:
        self.rows = rows
        self.left = left
        self.right = right
        dialects = [side.dialect for side in (left, right) if side.dialect is not None]
        self.reading = RawReader(rows, RecordComparison(rows, *dialects))
        self.result = EntityResult(rows)

    def run(self) -> EntityResult:
        """Return what would make the left side's records the right one's."""
        if self._is_same_file():
            return self.result
        try:
            self._merge(EntityDiff._text)
        except UnusualLayout:
            self._merge_lines()
        except OutOfOrder:
            self._merge(EntityDiff._in_order)
        return self.result

    def _merge_lines(self) -> None:
        try:
            self._merge(EntityDiff._lines)
        except OutOfOrder:
            self._merge(EntityDiff._in_order)

    def _is_same_file(self) -> bool:
        """Tell whether both sides have one file, which is then verified and not compared."""
        name = self.rows.name
        digest = self.left.digest(name)
        if digest is None or digest != self.right.digest(name):
            return False
        self.left.verify(name)
        self.right.verify(name)
        self.result.counts.unchanged = self.left.total(name)
        return True

    def _merge(self, cursor: MakeCursor) -> None:
        self.result = EntityResult(self.rows)
        is_sorted = cursor is EntityDiff._in_order
        with ExitStack() as stack:
            left, right = (
                SidePlace(side, cursor(self, side, stack), self.reading, is_sorted=is_sorted)
                for side in (self.left, self.right)
            )
            merge(left, right, self.result)

    def _text(self, side: Side, stack: ExitStack) -> Cursor:
        return TextCursor(
            stack.enter_context(closing(side.text(self.rows))), side.total(self.rows.name)
        )

    def _lines(self, side: Side, stack: ExitStack) -> Cursor:
        blocks = self._blocks(side, stack)
        return LineCursor((range(first, first + len(lines)), lines) for first, lines in blocks)

    def _in_order(self, side: Side, stack: ExitStack) -> Cursor:
        if side.dialect is not None:
            return self._lines(side, stack)
        return LineCursor(self._sorted(side, self._blocks(side, stack)))

    def _blocks(self, side: Side, stack: ExitStack) -> Generator[Block, None, None]:
        return stack.enter_context(closing(side.blocks(self.rows.name, self.result.report)))

    def _sorted(self, side: Side, blocks: Iterator[Block]) -> Iterator[Numbered]:
        """Yield a side's records in key order; those that can't be read are problems."""
        ordered = externally_sorted(self._orders(side, blocks), size=lambda item: len(item[1][1]))
        for part in chunked(self._unique(side, ordered), CHUNK):
            yield [number for number, _ in part], [line for _, line in part]

    def _orders(self, side: Side, blocks: Iterator[Block]) -> Iterator[tuple[Any, Any]]:
        for first, lines in blocks:
            for number, line in enumerate(lines, first):
                try:
                    order = self.reading.order(self.reading.read(line, canonical=False))
                except Exception:  # whatever the schema raises, the problems of the record say it
                    if not self.result.fail(side, number, line):
                        raise
                else:
                    yield order, (number, line)

    def _unique(self, side: Side, ordered: Iterator[Any]) -> Iterator[tuple[int, bytes]]:
        last: tuple[Any, int] | None = None
        for order, (number, line) in ordered:
            if last is None or last[0] != order:
                yield number, line
                last = order, number
                continue
            text = key_repeated(f"record {last[1]}")
            self.result.report(Problem.of(text, side.file(self.rows.name), number))
