"""Draws changes to a database that an application could make.

A change may yet be one that the database refuses; then nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import networkx as nx
from hypothesis import strategies as st

from lading.model.rowsets import Column
from lading.testing.cell_values.cells import Cells
from lading.testing.datasets.dataset import Instance
from lading.testing.datasets.draw import Drawing, is_free
from lading.testing.datasets.references import Draw
from lading.testing.datasets.table_plan import Foreign
from lading.testing.stateful.edit import Edit
from lading.testing.trips.state import State

#: How many rows of a table an insert adds at most.
ADDED = 2
#: How many drawings as large as the first rows of a database a run has room for.
DRAWINGS = 4
#: How many rows of a table pass cells on at most.
CHAINED = 3


class NothingToDo(Exception):
    """What is there allows no such change."""


class Edits:
    """Draws one change to what a database holds.

    Args:
        draw: What draws from a strategy.
        state: What the database holds, which stays as it is.
        most: The most rows of each table that the first ones are.
        others: Rows of other databases, whose values are taken over now and then.
        begin: The number of the first row of each table: where databases begin at different
            ones, some of their records have the same keys, and not all.
    """

    def __init__(
        self,
        draw: Draw,
        state: State,
        most: int,
        others: Collection[Instance] = (),
        *,
        begin: int = 0,
    ) -> None:
        self.draw = draw
        self.plans = state.plans
        self.state = state
        self.most = most
        self.others = others
        self.drawing = partial(Drawing, draw, state.plans, least=1, begin=begin, parts=DRAWINGS)
        keys = [foreign for plan in self.plans.plans() for foreign in plan.foreign]
        self.referred = {column for foreign in keys for column in foreign.remote}

    def drawn(self, make: Callable[[Edits], Edit]) -> Edit:
        """Draw a change by one of the methods below; none where nothing can be done."""
        try:
            return make(self)
        except NothingToDo:
            return Edit(self.state.name)

    def filled(self) -> Edit:
        """Draw the first rows of all tables."""
        return self._added(None, self.most)

    def inserted(self) -> Edit:
        """Draw further rows of an entity, and of those that they must refer to."""
        return self._added({self.draw(st.sampled_from(list(self.plans.entities.roots)))}, ADDED)

    def _added(self, names: Collection[str] | None, most: int) -> Edit:
        drawing = self.drawing(self.plans.wanted(names), most, onto=self.state.instances)
        new = drawing.dataset().instances
        text = ", ".join(f"{row.plan.name} #{row.number}" for row in new)
        return Edit(self.state.name, f"insert {text or 'nothing'}", added=new)

    def edited(self) -> Edit:
        """Draw a few cells of a row anew."""
        row = self._pick([row for row in self.state.instances if self._editable(row)])

        def change(copy: Instance, drawing: Drawing) -> None:
            for drawn in drawing.touch(copy, self._editable(row), least=1):
                self._take_over(copy, drawn)

        return self._changed(f"edit {self.state.named(row)}", {row: change})

    def swapped(self) -> Edit:
        """Let rows of a table pass their cells in a column on, most often in a unique one.

        The first row gives up its own for a new one, in a circle only meanwhile.
        """
        able: dict[Column, list[Instance]] = {}
        for row in self.state.instances:
            for drawn in self._editable(row):
                able.setdefault(drawn.column, []).append(row)
        choices = [(column, rows) for column, rows in able.items() if len(rows) > 1]
        plans = {row.plan for row in self.state.instances}
        uniques = {c for plan in plans for unique in plan.uniques for c in unique.columns}
        column, rows = self._pick([*(pair for pair in choices if pair[0] in uniques), *choices])
        rows = self.draw(st.permutations(rows))[:CHAINED]
        drawing = self._without(rows)
        parked = rows[0].copy()
        drawing.touch(parked, [d for d in self._editable(rows[0]) if d.column is column], least=1)
        is_circle = self.draw(st.booleans())
        copies = [row.copy() for row in (*rows[1:], *rows[: int(is_circle)])]
        for near, copy in zip(rows, copies, strict=False):
            copy.put(column, near.cell(column))
        last = copies if is_circle else [parked, *copies]
        self._require(parked.is_allowed() and all(map(drawing.takes, last)))
        names = " to ".join(map(self.state.named, rows))
        return Edit(
            self.state.name, f"pass {column.name} on from {names}", changed=[parked, *copies]
        )

    def linked(self) -> Edit:
        """Let a foreign key of a row lead elsewhere, or nowhere."""
        rows = self.state.instances
        pairs = [(row, key) for row in rows for key in row.plan.foreign if self._may_lead(row, key)]
        row, foreign = self._pick(pairs)
        # What can't wait leads to earlier rows alone.
        near = rows[: rows.index(row)] if foreign.hard else rows

        def change(copy: Instance, drawing: Drawing) -> None:
            for column in foreign.columns:
                copy.rows[foreign.table].pop(column.name, None)
            able: list[Instance | None] = [
                far
                for far in drawing.references.able(copy, foreign)
                if far in near and far is not row.led.get(foreign)
            ]
            if foreign.optional and foreign not in row.plan.owners:
                able.append(None)
            copy.lead(foreign, self._pick(able))

        columns = " and ".join(column.name for column in foreign.columns)
        return self._changed(f"link {self.state.named(row)}, {columns}", {row: change})

    def deleted(self) -> Edit:
        """Delete a row with all that it owns; optional references to it become null first."""
        row = self._pick(self.state.instances)
        gone = self._owned(row)
        changes: dict[Instance, Callable[[Instance, Drawing], None]] = {}
        for near in self.state.instances:
            foreigns = [
                foreign
                for foreign, far in near.led.items()
                if far in gone and foreign.optional and len(foreign.own) == len(foreign.columns)
            ]
            if foreigns and (near not in gone or not any(foreign.hard for foreign in foreigns)):
                changes[near] = partial(_unlink, foreigns)
        edit = self._changed(f"delete {self.state.named(row)}", changes)
        edit.gone = [old for old in self.state.instances if old in gone]
        return edit

    # What may change

    def _without(self, rows: Collection[Instance]) -> Drawing:
        """Return what draws beside the rows that are there but some."""
        others = [row for row in self.state.instances if row not in rows]
        return self.drawing((), ADDED, onto=others)

    def _pick(self, choices: list[Any]) -> Any:
        self._require(choices)
        return choices[self.draw(st.integers(0, len(choices) - 1))]

    def _require(self, possible: object) -> None:
        if not possible:
            raise NothingToDo

    def _changed(
        self, text: str, changes: dict[Instance, Callable[[Instance, Drawing], None]]
    ) -> Edit:
        """Change copies of rows, unless they would then clash with others or fail a CHECK."""
        drawing = self._without(changes)
        copies = []
        for row, change in changes.items():
            copy = row.copy()
            drawing.instances[row.plan].append(row)
            change(copy, drawing)
            self._require(drawing.takes(copy))
            copies.append(copy)
        return Edit(self.state.name, text, changed=copies)

    def _take_over(self, copy: Instance, drawn: Cells) -> None:
        """Now and then say what a row of another database says, so that the two clash."""
        column = drawn.column
        rows = [far for far in self.others if far.plan is copy.plan]
        cells = [far.cell(column) for far in rows if far.cell(column) is not None]
        if cells and self.draw(st.booleans()):
            copy.put(column, self.draw(st.sampled_from(cells)))

    def _editable(self, row: Instance) -> list[Cells]:
        """Return what may change of a row: nothing that others hold, and no primary key."""
        return [
            drawn
            for drawn in (row.plan.cells.values() if row.plan.rows is not None else ())
            if drawn.column.name in row.rows.get(drawn.column.table, {})
            and not drawn.column.primary_key
            and drawn.column not in self.referred
            and is_free(row, drawn)
        ]

    def _may_lead(self, row: Instance, foreign: Foreign) -> bool:
        """Leave alone what is part of an identity, shared with others, or held by others."""
        if row.plan.rows is None or not row.has(foreign.kinds):
            return False
        if foreign in row.plan.owners and row.led.get(foreign) is None:
            return False
        others = {c for other in row.plan.foreign if other is not foreign for c in other.columns}
        fixed = others | self.referred
        return not any(column.primary_key or column in fixed for column in foreign.columns)

    def _owned(self, row: Instance) -> set[Instance]:
        """Return a row with its owned rows and its links."""
        owned = nx.DiGraph(
            (far, near)
            for near in self.state.instances
            for foreign, far in near.led.items()
            if far is not None and (foreign in near.plan.owners or near.plan.rows is None)
        )
        return {row} | (nx.descendants(owned, row) if row in owned else set())


def _unlink(foreigns: list[Foreign], copy: Instance, _drawing: Drawing) -> None:
    for foreign in foreigns:
        copy.lead(foreign, None)
