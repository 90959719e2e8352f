"""A database that lives through changes, made by plain Core statements past lading."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.exporter import export_document
from lading.testing.compare.stored import Stored, stored_cells
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Instance, Resolved
from lading.testing.datasets.insert import RowInserter
from lading.testing.stateful.edits import Edit
from lading.testing.trips.bundles import noted
from lading.testing.trips.state import State


@dataclass(eq=False, repr=False)
class Exported:
    """An export, a bundle's path or a document, with what the database held at that moment."""

    where: str
    state: State
    content: Path | dict[str, Any]
    cells: Stored

    def __repr__(self) -> str:
        form = self.content.suffix[1:] or "folder" if isinstance(self.content, Path) else "document"
        return f"<{form} of {self.where}>"


class Live:
    """A database, and what it holds."""

    def __init__(self, name: str, engine: sa.Engine, plans: Plans) -> None:
        self.name = name
        self.engine = engine
        self.plans = plans
        self.read()

    def read(self) -> None:
        """Read what the database holds now."""
        self.state = State.read(self.engine, self.plans)

    def document(self) -> dict[str, Any]:
        """Export what the database holds now."""
        with noted(f"the export of {self.name} as a document"):
            return export_document(self.engine, catalog=self.plans.catalog)

    def cells(self) -> Stored:
        """Return what the database stores now."""
        return stored_cells(self.engine, self.plans.of)

    def apply(self, edit: Edit) -> None:
        """Make a change, unless the database refuses it."""
        self._number(edit.added)
        rows = Dataset(self.plans, [*self.state.instances, *edit.added])
        resolved = Resolved(rows, {self.state.engine})
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
                ids = map(row.plan.ids, count())
                row.cell(own).value = next(id_ for id_ in ids if id_ not in taken)
