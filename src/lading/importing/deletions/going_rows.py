"""Which rows go already, by themselves or along with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from lading.database.dialects.base import Row
from lading.database.live.live_keys import RealPlace
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.live_graph import ReferringRow
from lading.importing.row_marks import RowMarks
from lading.model.rowsets import RowSet


class GoingRows:
    """The rows that go along, and those of the trees.

    Args:
        row_sets: the row sets of each table that a tree has rows of.
        trees: the rows that go by themselves.
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
        self.doomed_records: dict[str, RowMarks] = {}

    def add(self, place: RealPlace, rows: Sequence[ReferringRow]) -> None:
        """Note rows that go along."""
        if place not in self.along:
            self.along[place] = self._marks()
        self.along[place].add(row.identity for row in rows)

    def without(self, place: RealPlace, rows: Sequence[ReferringRow]) -> list[ReferringRow]:
        """Return the rows of a table that don't go already."""
        return [rows[n] for n in self.staying(place, [row.identity for row in rows])]

    def staying(self, place: RealPlace, identities: Sequence[Row]) -> list[int]:
        """Return which of a table's rows, by their primary keys, don't go already."""
        if place in self.row_sets and place not in self.doomed:
            self.doomed[place] = self._doomed_rows(place)
        staying = list(range(len(identities)))
        for marks_by_place in (self.along, self.doomed):
            if place in marks_by_place:
                places = marks_by_place[place].without([identities[n] for n in staying])
                staying = [staying[n] for n in places]
        return staying

    def without_doomed(self, name: str, records: Sequence[Row]) -> list[int]:
        """Return the places of an entity's records that aren't doomed."""
        if name not in self.doomed_records:
            self.doomed_records[name] = self._marks()
            tree = self.trees.get(name)
            for chunk in tree.chunks(tree.root) if tree is not None else ():
                self.doomed_records[name].add(chunk.records)
        return self.doomed_records[name].without(records)

    def _marks(self) -> RowMarks:
        marks = RowMarks()
        self.stack.callback(marks.close)
        return marks

    def _doomed_rows(self, place: RealPlace) -> RowMarks:
        marks = self._marks()
        for tree in self.trees.values():
            for rows in tree.root.tree():
                if any(rows is other for other in self.row_sets[place]):
                    for chunk in tree.chunks(rows):
                        marks.add(tree.columns(rows).identities(chunk.rows))
        return marks
