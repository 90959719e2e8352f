"""One import into a database that holds records, and what must hold of it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lading.differ import diff
from lading.errors import ImportFailed, LadingError, PlanChanged
from lading.fresh_databases.factories import EngineFactory, database
from lading.importer import import_document
from lading.importing.import_options import ImportOptions
from lading.planning.differences import first_differences
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
from lading.testing.compare.records import Who, plain_text
from lading.testing.compare.written_rows import rows_written_in_vain
from lading.testing.stateful.database import Live
from lading.testing.trips.bundles import load, noted, records_of
from lading.testing.trips.outcome import Document, Outcome
from lading.testing.trips.trip import RoundTripError


class ImportCheck:
    """One import into a database that holds records, and what must hold of it.

    Args:
        live: The database.
        content: A bundle's path, or a document.
        options: What ``import_all`` takes beside, as keyword arguments.
        bundle: The records of the content in canonical form; by default as they stand there.
    """

    def __init__(
        self,
        live: Live,
        content: Path | dict[str, Any],
        options: dict[str, Any],
        bundle: Document | None = None,
    ) -> None:
        self.live = live
        self.content = content
        self.options = options
        self.cells = live.cells()
        self.exported = self.document = live.document()
        if bundle is None:
            bundle = records_of(content) if isinstance(content, Path) else content
        known = [options.get(name, default) for name, default in DEFAULTS.items()]
        cascade = options.get("cascade", False)
        terms = ImportOptions(live.plans.entities, *known, cascade=cascade)
        self.outcome = Outcome(live.state, self.document, bundle, terms)

    def _load(self, **options: Any) -> Any:
        engine, catalog = self.live.engine, self.live.plans.catalog
        return load(engine, self.content, catalog, **self.options, **options)

    def hold_cells(self, what: str) -> None:
        """Hold what the database stores against what it stored before."""
        if self.live.cells() != self.cells:
            raise RoundTripError(f"{what} changed cells of {self.live.name}")

    def planned(self) -> ImportPlan:
        """Plan the import, which only reads."""
        with noted(f"a dry run of an import into {self.live.name}"):
            plan: ImportPlan = self._load(dry_run=True)
        self.hold_cells("a dry run")
        return plan

    def imported(self, plan: ImportPlan | None = None, *, watches: bool = False) -> ImportReport:
        """Import; what is refused must leave the database as it was.

        Args:
            plan: The plan that the import is held to.
            watches: Whether it may write no row that says the same afterwards.  Triggers tell,
                which are read back, so not every import should be watched.

        Raises:
            LadingError: The import was refused.
        """
        watching: AbstractContextManager[Any] = nullcontext()
        if watches:
            watching = rows_written_in_vain(self.live.engine, self.live.plans.catalog)
        try:
            with noted(f"an import into {self.live.name}"), watching as in_vain:
                report: ImportReport = self._load(expect=plan or None)
        except PlanChanged as error:
            raise RoundTripError(f"an import does otherwise than its plan: {error}") from error
        except LadingError:
            self.hold_cells("a refused import")
            raise
        if in_vain:
            raise RoundTripError(f"an import into {self.live.name} wrote rows that stay:", in_vain)
        self.live.read()
        self.exported = self.live.document()
        return report

    def failed(self, report: ImportReport | ImportPlan) -> set[Who]:
        """Return the records that a report's problems name."""
        # A bundle's file is named after its entity, as a document's list is.
        is_file = isinstance(self.content, Path)
        names = [
            p.file.partition("_")[2].removesuffix(".json") if is_file else p.file
            for p in report.problems
        ]
        return {(n, plain_text(p.key)) for n, p in zip(names, report.problems, strict=True)}

    def hold_failures(self, report: ImportReport, plan: ImportPlan, factory: EngineFactory) -> None:
        """Hold the records that have failed against those that may, and those of the plan."""

        def can_be(document: Document) -> bool:
            versions = {name: root.version for name, root in self.live.plans.entities.roots.items()}
            whole = json.loads(json.dumps({"schema_versions": versions, **document}))
            try:
                with database(factory, self.live.plans.catalog) as engine:
                    import_document(engine, whole, catalog=self.live.plans.catalog)
            except ImportFailed:
                return False
            return True

        self.outcome.check_failed(report, self.failed(report), can_be)
        self.outcome.check_foretold(plan, self.failed(plan), self.failed(report))

    def hold(self, report: ImportReport, plan: ImportPlan | None = None) -> None:
        """Hold what the database has now, and what the plan says of it, against the outcome."""
        outcome, failed = self.outcome, self.failed(report)
        problem = f"after an import, {self.live.name} holds other records than it should:"
        outcome.check(report, self.live.state, problem, failed)
        if plan is not None and self.failed(plan) == failed:
            outcome.check_counts(plan, failed)
            made = diff(self.document, self.exported, catalog=self.live.plans.catalog)
            is_sure = not (outcome.along or outcome.moved)
            if is_sure and (differences := first_differences(plan, made.log)):
                raise RoundTripError("\n".join(["a plan foretold other changes:", *differences]))
            if bool(plan.cascades) != bool(outcome.along):
                raise RoundTripError(
                    f"a plan foretold otherwise what goes along with others:\n{plan}"
                )


#: What an import does by default.
DEFAULTS: dict[str, Any] = {"on_conflict": "skip", "on_error": "rollback", "only": None}
