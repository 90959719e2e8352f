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
from lading.testing.stateful.database import Live
from lading.testing.trips.bundles import manifest_of, records_of
from lading.testing.trips.outcome import Who


class Exported:
    """An export, with what the database held at that moment.

    ``content`` is a bundle's path, or a document; ``records`` are its records by entity, and
    ``files`` maps the names under which an import reports problems to entities.
    """

    def __init__(
        self, live: Live, form: str, content: Path | dict[str, Any], cells: Stored
    ) -> None:
        self.form = form
        self.content = content
        self.cells = cells
        self.where = live.name
        self.state = live.state
        self.files = {name: name for name in live.plans.entities.roots}
        self.records: dict[str, list[Any]]
        if isinstance(content, Path):
            self.files = {entry.filename: entry.entity_type for entry in manifest_of(content).files}
            self.records = records_of(content)
        else:
            self.records = {name: content[name] for name in self.files}

    def load(self, engine: sa.Engine, catalog: Catalog, **options: Any) -> Any:
        """Import it, or plan to."""
        if isinstance(self.content, Path):
            return import_all(engine, self.content, catalog=catalog, **options)
        return import_document(engine, self.content, catalog=catalog, **options)

    def failed(self, report: ImportReport | ImportPlan) -> set[Who]:
        """Return the records that a report's problems name."""
        return {(self.files[problem.file], plain_text(problem.key)) for problem in report.problems}

    def __repr__(self) -> str:
        return f"<{self.form} of {self.where}>"
