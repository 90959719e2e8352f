"""One import into a database, and what must hold of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple
from pathlib import Path
from typing import Any

from lading.differ import diff
from lading.errors import ImportFailed, LadingError, PlanChanged
from lading.fresh_databases.factories import EngineFactory, database
from lading.importer import import_all, import_document
from lading.importing.import_options import ImportOptions
from lading.messages import listed
from lading.planning.change_set import ChangeSet
from lading.planning.differences import first_differences
from lading.planning.plan import ImportPlan
from lading.report import ImportReport
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import Who, plain_text
from lading.testing.compare.written_rows import rows_written_in_vain
from lading.testing.trips.bundles import as_loaded
from lading.testing.trips.failures import RoundTripError, hold_none, noted
from lading.testing.trips.outcome import Outcome
from lading.testing.trips.state import State

#: The name of an entity's file in a bundle.
ENTITY_FILE = re.compile(r"^\d+_(.+)\.json$")
#: What an import does by default.
DEFAULTS: dict[str, Any] = {"on_conflict": "skip", "on_error": "rollback", "only": None}


class ImportCheck:
    """One import into a database, and what must hold of it.

    Args:
        before: What the database holds.
        content: A bundle's path, or a document.
        options: What ``import_all`` takes beside, as keyword arguments.
        is_canonical: Whether records without hooks are as an export writes them.
    """

    #: What the database holds after the import, and what that says of itself.
    after: State
    report: ImportReport

    def __init__(
        self,
        before: State,
        content: Path | dict[str, Any],
        options: Mapping[str, Any] = DEFAULTS,
        *,
        is_canonical: bool = True,
    ) -> None:
        self.before = before
        self.content = content
        self.options = {**DEFAULTS, **options}
        entities = before.plans.entities
        bundle = as_loaded(entities, content, every=not is_canonical)
        self.outcome = Outcome(before, bundle, ImportOptions(entities, **self.options))

    def planned(self) -> ImportPlan:
        """Plan the import, which only reads."""
        with noted(f"a dry run of an import into {self.before.name}"):
            plan: ImportPlan = self._load(dry_run=True)
        self.before.hold_cells("a dry run")
        return plan

    def _load(self, **options: Any) -> Any:
        options |= {**self.options, "catalog": self.before.plans.catalog}
        if isinstance(self.content, Path):
            return import_all(self.before.engine, self.content, **options)
        return import_document(self.before.engine, self.content, **options)

    def imported(self, plan: ImportPlan | None = None, *, watches: bool = False) -> None:
        """Import; what is refused must leave the database as it was.

        Args:
            plan: The plan that the import is held to.
            watches: Whether it may write no row that says the same afterwards.  Triggers tell,
                which are read back, so not every import should be watched.

        Raises:
            LadingError: The import was refused.
        """
        before = self.before
        watching: AbstractContextManager[Any] = nullcontext(())
        if watches:
            watching = rows_written_in_vain(before.engine, before.plans.catalog)
        try:
            with noted(f"an import into {before.name}"), watching as in_vain:
                self.report = self._load(expect=plan or None)
        except PlanChanged as error:
            raise RoundTripError(f"an import does otherwise than its plan: {error}") from error
        except LadingError as error:
            before.hold_cells("a refused import")
            if isinstance(error, ImportFailed):
                self.report = error.report
            raise
        hold_none(in_vain, f"an import into {before.name} wrote rows that stay:")
        self.after = before.read()

    def repeat(self) -> None:
        """Import again, which must find everything there and write nothing."""
        with noted("the second import"):
            report = self._load()
        differing = [
            DataDifference(name, None, None, "every record there", f"a second import: {counts}")
            for name, counts in report.entities.items()
            if counts.imported or counts.deleted or counts.differing > self.report[name].differing
        ]
        hold_none(differing, "a second import didn't find everything there:")
        self.after.hold_cells("a second import")

    def hold_failures(self, plan: ImportPlan, factory: EngineFactory) -> None:
        """Hold the records that have failed against those that may, and those of the plan.

        New and changed records that no mode refuses may fail where the outcome can't be.
        """
        outcome, failed, foretold = self.outcome, _failed(self.report), _failed(plan)
        if missing := outcome.refused - failed:
            raise RoundTripError(
                f"these records should fail: {_listed(missing)} (is there already); "
                f"but the report says:\n{self.report}"
            )
        extra = failed - outcome.refused
        may_fail = extra <= outcome.new | outcome.replaced | outcome.doomed
        if extra and not (may_fail and (outcome.is_unsure() or not self._can_be(factory))):
            raise RoundTripError(f"these records should not fail: {_listed(extra)}:\n{self.report}")
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
        catalog, document = self.before.plans.catalog, self.outcome.document()
        versions = {name: root.version for name, root in self.before.plans.entities.roots.items()}
        whole = json.loads(json.dumps({"schema_versions": versions, **document}))
        try:
            with database(factory, catalog) as engine:
                import_document(engine, whole, catalog=catalog)
        except ImportFailed:
            return False
        return True

    def hold(self, plan: ImportPlan | None = None) -> None:
        """Hold what the database has now, and what the plan says of it, against the outcome."""
        outcome, failed = self.outcome, _failed(self.report)
        problem = f"after an import, {self.before.name} holds other records than it should:"
        outcome.hold(self.after, problem, failed)
        self._hold_counts("report", self.report, failed)
        if plan is None or _failed(plan) != failed:
            return
        self._hold_counts("plan", plan, failed)
        catalog = self.before.plans.catalog
        difference = diff(self.before.export, self.after.export, catalog=catalog)
        if self._changes(plan) != self._changes(difference):
            differences = first_differences(plan, difference.log)
            raise RoundTripError("\n".join(["a plan foretold other changes:", *differences]))
        foretold = Counter[str]()
        for cascade in plan.cascades:
            foretold[cascade.effect] += cascade.count
        if foretold != Counter(outcome.along.values()):
            raise RoundTripError(f"a plan foretold otherwise what goes along with others:\n{plan}")

    def _hold_counts(self, source: str, counts: Any, failed: set[Who]) -> None:
        """Hold the counts of a report or a plan against those of the outcome."""
        text = "{} records should be {}; the {} says: {}"
        differing = [
            DataDifference(name, None, None, "", text.format(number, word, source, counts[name]))
            for name in self.outcome.names
            for word, number in self.outcome.counts(name, failed).items()
            if getattr(counts[name], word) != number
        ]
        hold_none(differing, f"a {source} counts otherwise what an import does:")

    def _changes(self, changes: ChangeSet) -> set[str]:
        """Return changes as texts, but those that follow from what happens to other records."""
        along = {self.outcome.before.records.get(row) for row in self.outcome.along}
        return {
            plain_text(astuple(change))
            for change in changes.changes()
            if change.entity not in self.outcome.moved
            and (change.entity, plain_text(change.key)) not in along
        }


def _failed(report: ImportReport | ImportPlan) -> set[Who]:
    """Return the records that a report's problems name."""
    # A bundle's file is named after its entity, as a document's list is.
    return {(ENTITY_FILE.sub(r"\1", p.file), plain_text(p.key)) for p in report.problems}


def _listed(records: Iterable[Who]) -> str:
    return listed(f"{name} {key}" for name, key in sorted(records))
