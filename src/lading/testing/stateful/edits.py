"""Draws changes to a database that an application could make, each consistent in itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Instance
from lading.testing.datasets.draw import Drawing, allowed, harmless, is_free, join
from lading.testing.datasets.references import Draw, fits
from lading.testing.datasets.table_plan import Drawn, Foreign, Plan
from lading.testing.stateful.state import Edit, State, cells_text

NOTHING = "nothing that can be done"
#: How many rows of a table an insert adds at most.
ADDED = 2


class Edits:
    """Draws one change to what the database ``where`` holds; the state given stays as it is.

    ``others`` are rows of other databases, whose values are taken over now and then, and
    ``begin`` is the number of the first row of each table: where databases begin at different
    ones, some of their records have the same keys, and not all.
    """

    def __init__(
        self,
        draw: Draw,
        plans: Plans,
        where: str,
        state: State,
        *,
        others: Collection[Instance] = (),
        begin: int = 0,
    ) -> None:
        self.draw = draw
        self.plans = plans
        self.where = where
        self.before = state
        self.others = others
        self.begin = begin
        self.state = state.copy()

    def _drawing(
        self, wanted: Collection[Plan] = (), most: int = ADDED, first: Plan | None = None
    ) -> Drawing:
        rows = self.state.instances
        return Drawing(
            self.draw, self.plans, wanted, most, first=first, onto=rows, begin=self.begin
        )

    def _made(self, text: str) -> Edit:
        return Edit(self.where, self.state, text)

    def _nothing(self) -> Edit:
        return Edit(self.where, self.before.copy(), NOTHING)

    def inserted(self, wanted: set[Plan], most: int, *, first: Plan) -> Edit:
        """Draw further rows of some tables, of each one at least."""
        new = self._drawing(wanted, most, first).dataset().instances
        self.state.settle(new)
        self.state.instances += new
        return self._made("insert " + (self._list(new) or "nothing"))

    def _list(self, rows: list[Instance]) -> str:
        return ", ".join(map(self.state.named, rows))

    # Edits

    def edited(self) -> Edit:
        """Draw a few cells of a row anew."""
        able = {row: self._editable(row) for row in self.state.instances}
        rows = [row for row, items in able.items() if items]
        if not rows:
            return self._nothing()
        row = self._pick(rows)
        drawing = self._drawing()
        before = self.state.origin[row]
        drawing.claims.release(row)
        touched = drawing.touch(row, able[row], least=1)
        for item in touched:
            self._take_over(row, item)
        if not self._taken(drawing, row):
            number = row.number + len(self.state.of(row.plan))
            for item in touched:
                row.rows[item.column.table][item.column.name] = harmless(item, number)
            if not self._taken(drawing, row):
                return self._nothing()
        self.state.settle([row])
        name = self.before.named(self.state.origin[row])
        return self._made(f"edit {name}: {cells_text(before, row)}")

    def _take_over(self, row: Instance, item: Drawn) -> None:
        """Now and then say what a row of another database says, so that the two clash."""
        column = item.column
        rows = [far for far in self.others if far.plan is row.plan and column.table in far.rows]
        cells = [far.cell(column) for far in rows if column.name in far.rows[column.table]]
        cells = [cell for cell in cells if cell is not None]
        if cells and self.draw(st.booleans()):
            row.rows[column.table][column.name] = self.draw(st.sampled_from(cells))

    def _taken(self, drawing: Drawing, row: Instance) -> bool:
        """Tell whether a changed row is one that a database takes."""
        join(row)
        return allowed(row) and drawing.claims.take(row)

    def _editable(self, row: Instance) -> list[Drawn]:
        """Return what may change of a row: nothing that others hold, and no primary key."""
        if row.plan.rows is None:
            return []
        return [
            item
            for item in row.plan.drawn
            if item.cells is not None
            and row.has(item.kinds)
            and item.column.name in row.rows.get(item.column.table, {})
            and not item.column.primary_key
            and item.column not in self._referred
            and is_free(row, item)
        ]

    @property
    def _referred(self) -> set[Any]:
        """The columns that foreign keys hold."""
        plans = [*self.plans.plans(), *self.plans.links]
        return {column for plan in plans for item in plan.foreign for column in item.remote}

    def _pick(self, rows: list[Instance]) -> Instance:
        return rows[self.draw(st.integers(0, len(rows) - 1))]

    # References

    def linked(self) -> Edit:
        """Let a foreign key of a row lead elsewhere, or nowhere."""
        able = [
            (row, item)
            for row in self.state.instances
            for item in row.plan.foreign
            if self._may_lead(row, item)
        ]
        if not able:
            return self._nothing()
        row, item = able[self.draw(st.integers(0, len(able) - 1))]
        drawing = self._drawing()
        drawing.claims.release(row)
        old = row.led.get(item)
        held = {column.name: row.rows[item.table].pop(column.name, None) for column in item.columns}
        targets: list[Instance | None] = list(self._targets(drawing, row, item))
        if item.optional and item not in row.plan.owners:
            targets.append(None)
        targets = [far for far in targets if far is not old]
        start = self.draw(st.integers(0, len(targets) - 1)) if targets else 0
        for place in range(len(targets)):
            far = targets[(start + place) % len(targets)]
            self._lead(drawing, row, item, far)
            if self._taken(drawing, row):
                name = self.before.named(self.state.origin[row])
                columns = " and ".join(held)
                return self._made(f"link {name}, {columns}: to {self._said(far)}")
        return self._nothing()

    def _said(self, far: Instance | None) -> str:
        return "nothing" if far is None else self.state.named(far)

    def _may_lead(self, row: Instance, item: Foreign) -> bool:
        """Leave alone what is part of an identity, shared with others, or held by others."""
        if row.plan.rows is None or item.void or not row.has(item.kinds):
            return False
        if item in row.plan.owners and row.led.get(item) is None:
            return False
        others = {c for other in row.plan.foreign if other is not item for c in other.columns}
        return not any(
            column.primary_key or column in others or column in self._referred
            for column in item.columns
        )

    def _targets(self, drawing: Drawing, row: Instance, item: Foreign) -> list[Instance]:
        """Return where a foreign key may lead; what can't wait leads to earlier rows alone."""
        able = [far for far in drawing.references.targets(item) if fits(row, item, far)]
        if item.hard:
            able = able if row not in able else able[: able.index(row)]
            places = {far: place for place, far in enumerate(self.state.instances)}
            able = [far for far in able if places[far] < places[row]]
        return able

    def _lead(self, drawing: Drawing, row: Instance, item: Foreign, far: Instance | None) -> None:
        if far is not None:
            drawing.references.lead(row, item, far)
            return
        row.led[item] = None
        row.rows[item.table].update({column.name: None for column in item.columns})

    # Deletions

    def deleted(self) -> Edit:
        """Delete a row with all that it owns; optional references to it become null first."""
        able = [
            row
            for row in self.before.instances
            if (row.plan.rows is not None or row.plan in self.plans.links)
            # MariaDB deletes no row that refers to itself, and such a reference may not be null.
            and not any(far is row and not item.optional for item, far in row.led.items())
        ]
        if not able:
            return self._nothing()
        start = self.draw(st.integers(0, len(able) - 1))
        for place in range(len(able)):
            old = able[(start + place) % len(able)]
            self.state = self.before.copy()
            row = next(new for new, was in self.state.origin.items() if was is old)
            gone = self._owned(row)
            if self._let_go(gone):
                self.state.remove(gone)
                return self._made(f"delete {self.before.named(old)}")
        return self._nothing()

    def _owned(self, row: Instance) -> set[Instance]:
        """Return a row with its owned rows and its links."""
        gone = {row}
        size = 0
        while size < len(gone):
            size = len(gone)
            for near, item in self.state.referring(gone):
                if item in near.plan.owners or near.plan in self.plans.links:
                    gone.add(near)
        return gone

    def _let_go(self, gone: set[Instance]) -> bool:
        """Set the references to rows null; ``False`` where one may not be."""
        drawing = self._drawing()
        for near, item in self.state.referring(gone):
            if not item.optional or len(item.own) < len(item.columns):
                return False
            drawing.claims.release(near)
            self._lead(drawing, near, item, None)
            if any(column in self._referred for column in item.columns):
                return False
            if not self._taken(drawing, near):
                return False
        return True
