"""An export, with what its database held at that moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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

    def failed(self, report: ImportReport | ImportPlan) -> set[Who]:
        """Return the records that a report's problems name."""
        # A bundle's file is named after its entity, as a document's list is.
        places = [
            (problem.file.partition("_")[2].removesuffix(".json"), problem)
            if isinstance(self.content, Path)
            else (problem.file, problem)
            for problem in report.problems
        ]
        return {(entity, plain_text(problem.key)) for entity, problem in places}

    def __repr__(self) -> str:
        form = self.content.suffix[1:] or "folder" if isinstance(self.content, Path) else "document"
        return f"<{form} of {self.where}>"
