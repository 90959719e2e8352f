"""An export, with what its database held at that moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.importer import import_all, import_document
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
from lading.testing.compare.records import plain_text
from lading.testing.compare.stored import Stored
from lading.testing.stateful.state import State
from lading.testing.trips.bundles import records_of
from lading.testing.trips.outcome import Who


class Exported:
    """An export, with what the database held at that moment.

    ``content`` is a bundle's path, or a document; ``records`` are its records by entity.
    """

    def __init__(
        self, where: str, state: State, content: Path | dict[str, Any], cells: Stored
    ) -> None:
        self.where = where
        self.state = state
        self.content = content
        self.cells = cells
        document = records_of(content) if isinstance(content, Path) else content
        self.records: dict[str, list[Any]] = {
            name: document[name] for name in state.plans.entities.roots
        }

    def load(self, engine: sa.Engine, catalog: Catalog, **options: Any) -> Any:
        """Import it, or plan to."""
        if isinstance(self.content, Path):
            return import_all(engine, self.content, catalog=catalog, **options)
        return import_document(engine, self.content, catalog=catalog, **options)

    def failed(self, report: ImportReport | ImportPlan) -> set[Who]:
        """Return the records that a report's problems name."""
        return {
            (_entity(problem.file, self.records), plain_text(problem.key))
            for problem in report.problems
        }

    def __repr__(self) -> str:
        form = self.content.suffix[1:] or "folder" if isinstance(self.content, Path) else "document"
        return f"<{form} of {self.where}>"


def _entity(file: str, names: Any) -> str:
    """Return the entity of a bundle's file, or of a document's list, which has its name."""
    return file if file in names else file.partition("_")[2].removesuffix(".json")
