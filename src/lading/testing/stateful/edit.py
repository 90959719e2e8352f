"""A change to a database that an application could make, by plain Core statements past lading."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sqlalchemy as sa

from lading.testing.datasets.dataset import (
    FOLDING,
    Dataset,
    Instance,
    Resolved,
    Varying,
)
from lading.testing.datasets.insert import RowInserter
from lading.testing.trips.state import State


@dataclass(eq=False, repr=False)
class Edit:
    """A change to one database: rows that are added, changed (as they are afterwards), or gone."""

    where: str
    text: str = "nothing that can be done"
    added: list[Instance] = field(default_factory=list)
    changed: list[Instance] = field(default_factory=list)
    gone: list[Instance] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.where}: {self.text}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def apply(self, state: State) -> State:
        """Make the change, unless the database refuses it; return what that holds then."""
        for row in self.added:
            _number(row, [*state.instances, *self.added])
        rows = Dataset(state.plans, [*state.instances, *self.added])
        resolved = Resolved(rows, state.resolved.engines)
        if FOLDING in resolved.engines:
            resolved.folded.update(self._unique())
        # It refuses what would be gone and other rows need.
        with suppress(sa.exc.IntegrityError), state.engine.begin() as connection:
            inserter = RowInserter(connection, resolved)
            inserter.there.update(state.instances)
            for row in self.changed:
                for table in row.rows:
                    inserter.update(row, table)
            for row in reversed(self.gone):
                inserter.delete(row)
            inserter.write(self.added)
        return state.read()

    def _unique(self) -> set[Varying]:
        """Return the drawn cells that must be unique, of which nobody could tell which clash."""
        rows = [*self.added, *self.changed]
        cells = [row.cell(c) for row in rows for unique in row.plan.uniques for c in unique.columns]
        return {cell for cell in cells if isinstance(cell, Varying)}


def _number(new: Instance, rows: list[Instance]) -> None:
    """Give a new row an id that no other of its table has, as a database would."""
    own = new.plan.made_up
    if own is not None:
        taken_ids = {row.cell(own).value for row in rows if row.plan is new.plan}
        ids = map(new.plan.ids, count())
        new.cell(own).value = next(id_ for id_ in ids if id_ not in taken_ids)
