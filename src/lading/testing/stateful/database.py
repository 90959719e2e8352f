"""A database that lives through changes, made by plain Core statements past lading."""

from __future__ import annotations

from itertools import count

import sqlalchemy as sa

from lading.fresh_databases.factories import engine_name
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance, made_up_id
from lading.testing.datasets.insert import RowInserter
from lading.testing.datasets.reading import read_rows
from lading.testing.stateful.edits import Edit
from lading.testing.stateful.state import State


class Live:
    """A database, and what it holds."""

    def __init__(self, name: str, engine: sa.Engine, plans: Plans) -> None:
        self.name = name
        self.engine = engine
        self.plans = plans
        self.state = State(plans, engine_name(engine), [])

    def read(self) -> None:
        """Read what the database holds now."""
        self.state = State(self.plans, self.state.engine, read_rows(self.engine, self.plans))

    def apply(self, edit: Edit) -> None:
        """Make a change, unless the database refuses it."""
        self._number(edit.added)
        rows = Dataset(self.plans, [*self.state.instances, *edit.added])
        resolved = rows.resolved({self.state.engine})
        try:
            with self.engine.begin() as connection:
                inserter = RowInserter(connection, resolved)
                inserter.there.update(self.state.instances)
                for row in edit.changed:
                    for table in row.rows:
                        inserter.update(row, table)
                for row in reversed(edit.gone):
                    inserter.delete(row)
                inserter.write(edit.added)
        except sa.exc.IntegrityError:
            pass  # other rows need what would be gone
        self.read()

    def _number(self, added: list[Instance]) -> None:
        """Give new rows ids that no others of their table have, as a database would."""
        for row in added:
            own = row.plan.made_up
            if own is not None:
                cells = [r.cell(own) for r in (*self.state.instances, *added) if r.plan is row.plan]
                taken = {cell.value for cell in cells}
                ids = (made_up_id(row.plan, number) for number in count())
                row.cell(own).value = next(id_ for id_ in ids if id_ not in taken)
