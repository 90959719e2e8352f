"""One import into a database that holds records, and what must hold of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple
from pathlib import Path
from typing import Any

from lading.differ import diff
from lading.errors import ImportFailed, LadingError, PlanChanged
from lading.fresh_databases.factories import EngineFactory, database
from lading.importer import import_document
from lading.importing.import_options import ImportOptions
from lading.messages import listed
from lading.planning.change_set import ChangeSet
from lading.planning.differences import first_differences
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
from lading.testing.compare.records import Who, plain_text
from lading.testing.compare.written_rows import rows_written_in_vain
from lading.testing.stateful.database import Live
from lading.testing.trips.bundles import load, noted, records_of
from lading.testing.trips.outcome import Outcome
from lading.testing.trips.trip import RoundTripError, as_loaded


class ImportCheck:
    """One import into a database that holds records, and what must hold of it.

    Args:
        live: The database.
        content: A bundle's path, or a document.
        options: What ``import_all`` takes beside, as keyword arguments.
        is_canonical: Whether records without hooks are as an export writes them.
    """

    def __init__(
        self,
        live: Live,
        content: Path | dict[str, Any],
        options: dict[str, Any],
        *,
        is_canonical: bool = True,
    ) -> None:
        self.live = live
        self.content = content
        self.options = options
        self.cells = live.cells()
        self.exported = self.document = live.document()
        entities = live.plans.entities
        known = as_loaded(entities, self.document)
        bundle = records_of(content) if isinstance(content, Path) else content
        bundle = as_loaded(entities, bundle, every=not is_canonical)
        self.outcome = Outcome(
            live.state, known, bundle, ImportOptions(entities, **(DEFAULTS | options))
        )

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
        """Hold the records that have failed against those that may, and those of the plan.

        New and changed records that no mode refuses may fail where the outcome can't be.
        """
        outcome, failed, foretold = self.outcome, self.failed(report), self.failed(plan)
        if missing := outcome.refused - failed:
            raise RoundTripError(
                f"these records should fail: {_listed(missing)} (is there already); "
                f"but the report says:\n{report}"
            )
        extra = failed - outcome.refused
        may_fail = extra <= outcome.new | outcome.replaced | outcome.doomed
        if extra and not (may_fail and (outcome.is_unsure() or not self._can_be(factory))):
            raise RoundTripError(f"these records should not fail: {_listed(extra)}:\n{report}")
        keeps_good = outcome.options.keeps_good
        # An import that is rolled back doesn't look for everything that its problems lead to,
        # and only a database knows what foreign keys hold beside primary keys.
        if outcome.alters_held and plan.unchecked:
            is_foretold = foretold <= failed or not keeps_good
        elif keeps_good:
            is_foretold = failed == foretold
        else:
            is_foretold = failed <= foretold and bool(failed) == bool(foretold)
        if not is_foretold:
            raise RoundTripError(
                f"a plan foretold problems of {_listed(foretold) or 'no record'}, and the import "
                f"has some of {_listed(failed) or 'none'}"
            )

    def _can_be(self, factory: EngineFactory) -> bool:
        """Tell whether a database can hold what should be there if no record failed."""
        catalog, document = self.live.plans.catalog, self.outcome.document()
        versions = {name: root.version for name, root in self.live.plans.entities.roots.items()}
        whole = json.loads(json.dumps({"schema_versions": versions, **document}))
        try:
            with database(factory, catalog) as engine:
                import_document(engine, whole, catalog=catalog)
        except ImportFailed:
            return False
        return True

    def hold(self, report: ImportReport, plan: ImportPlan | None = None) -> None:
        """Hold what the database has now, and what the plan says of it, against the outcome."""
        outcome, failed = self.outcome, self.failed(report)
        self._hold_counts("report", report, failed)
        problem = f"after an import, {self.live.name} holds other records than it should:"
        outcome.hold(self.live.state, problem, failed)
        if plan is None or self.failed(plan) != failed:
            return
        self._hold_counts("plan", plan, failed)
        difference = diff(self.document, self.exported, catalog=self.live.plans.catalog)
        if self._changes(plan) != self._changes(difference):
            differences = first_differences(plan, difference.log)
            raise RoundTripError("\n".join(["a plan foretold other changes:", *differences]))
        foretold = Counter[str]()
        for cascade in plan.cascades:
            foretold[cascade.effect] += cascade.count
        if foretold != Counter(outcome.along.values()):
            raise RoundTripError(f"a plan foretold otherwise what goes along with others:\n{plan}")

    def _hold_counts(self, source: str, counts: Any, failed: set[Who]) -> None:
        for name in self.outcome.names:
            for word, number in self.outcome.counts(name, failed).items():
                if getattr(counts[name], word) != number:
                    raise RoundTripError(
                        f"{name}: {number} records should be {word}; the {source} says: "
                        f"{counts[name]}"
                    )

    def _changes(self, changes: ChangeSet) -> set[str]:
        """Return changes as texts, but those that follow from what happens to other records."""
        along = {self.outcome.before.records.get(row) for row in self.outcome.along}
        return {
            plain_text(astuple(change))
            for change in changes.changes()
            if change.entity not in self.outcome.moved
            and (change.entity, plain_text(change.key)) not in along
        }


#: What an import does by default.
DEFAULTS: dict[str, Any] = {"on_conflict": "skip", "on_error": "rollback", "only": None}


def _listed(records: Iterable[Who]) -> str:
    return listed(f"{name} {key}" for name, key in sorted(records))
