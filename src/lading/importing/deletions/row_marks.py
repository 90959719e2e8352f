"""Which rows go already, on disk where they are many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

from lading.database.dialects.base import Row
from lading.database.live.live_keys import RealPlace
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.live_graph import ReferringRow
from lading.model.rowsets import RowSet
from lading.scratch.key_index import KeyIndex


class RowMarks:
    """A set of rows of one table, by what tells them apart."""

    def __init__(self, stack: ExitStack) -> None:
        self._index: KeyIndex | None = None
        self._stack = stack

    def add(self, identities: Iterable[Row]) -> None:
        """Add rows."""
        if self._index is None:
            self._index = KeyIndex()
            self._stack.callback(self._index.close)
        self._index.fill((_text(identity), b"", 0) for identity in identities)

    def __contains__(self, identity: Row) -> bool:
        return self._index is not None and self._index.get(_text(identity)) is not None


class GoingRows:
    """The rows that go along, and the doomed ones of mirrored entities' own tables.

    Args:
        row_sets: the row sets of each table that a mirrored entity has.
        trees: the doomed rows, by entity.
        stack: closes the temporary files.
    """

    def __init__(
        self,
        row_sets: Mapping[RealPlace, Sequence[RowSet]],
        trees: Mapping[str, DoomedTree],
        stack: ExitStack,
    ) -> None:
        self.row_sets = row_sets
        self.trees = trees
        self.stack = stack
        self.along: dict[RealPlace, RowMarks] = {}
        self.doomed: dict[RealPlace, RowMarks] = {}

    def add(self, place: RealPlace, rows: Sequence[ReferringRow]) -> None:
        """Note rows that go along."""
        if place not in self.along:
            self.along[place] = RowMarks(self.stack)
        self.along[place].add(row.identity for row in rows)

    def without(self, place: RealPlace, rows: Sequence[ReferringRow]) -> list[ReferringRow]:
        """Return the rows of a table that don't go already."""
        if place in self.row_sets and place not in self.doomed:
            self.doomed[place] = self._doomed_rows(place)
        marks = [by_place[place] for by_place in (self.along, self.doomed) if place in by_place]
        return [row for row in rows if not any(row.identity in mark for mark in marks)]

    def _doomed_rows(self, place: RealPlace) -> RowMarks:
        marks = RowMarks(self.stack)
        for tree in self.trees.values():
            for rows in tree.root.tree():
                if any(rows is other for other in self.row_sets[place]):
                    for chunk in tree.chunks(rows):
                        marks.add(tree.columns(rows).identities(chunk.rows))
        return marks


def _text(identity: Row) -> bytes:
    return repr(identity).encode("utf-8", "surrogatepass")
