"""One import of a bundle's or document's records, or the plan of one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from lading.catalog import Catalog
from lading.database.live.base import Database
from lading.database.revisions import compared
from lading.database.session import reading, writing
from lading.database.tables import require_tables
from lading.driver_errors.refusals import veiled
from lading.errors import AlteredWarning, ArgumentError, ImportFailed
from lading.importing.entity_reader import Watch
from lading.importing.import_options import UPDATING, ImportOptions
from lading.importing.outcomes import Outcomes
from lading.importing.payload import Payload
from lading.importing.updates.entity_updates import referred_fields
from lading.importing.updates.replaced_rows import RowsReplaced
from lading.loading.loader import Loader, names_loaded
from lading.loading.planner import Planner
from lading.loading.unchecked import fingerprint_of, unchecked_by_plans
from lading.messages import Message, listed
from lading.options import check_path
from lading.planning.differences import require_expected
from lading.planning.file_format import PlanHeader
from lading.planning.plan import Diff, ImportPlan
from lading.report import Alteration, ImportReport
from lading.scratch.spool import Spool


def prepared_import(
    session: Any,
    catalog: Catalog,
    on_conflict: str | Mapping[str, str],
    on_error: str,
    only: Iterable[str] | None,
    *,
    dry_run: bool,
    expect: Any,
    cascade: bool,
    progress: Watch | None,
) -> Callable[[Payload], ImportReport | ImportPlan]:
    """Check an import's options, and return what loads a payload by them, or plans to.

    Args:
        session: what to write to, as :func:`lading.import_all` takes it.
        catalog: the catalog of the payload.
        on_conflict: what happens to records that are there.
        on_error: what happens to records with problems.
        only: the entities loaded; by default all.
        dry_run: whether to plan the import.
        expect: a plan or diff, or the file of one, that the import is held to.
        cascade: whether rows outside of the entities may be deleted or altered.
        progress: is called with a ``Progress`` after each chunk.
    """
    plan = _expected(expect, dry_run=dry_run)
    records = dry_run or plan is not None
    options = ImportOptions(
        catalog.use(), on_conflict, on_error, only, cascade=cascade, records=records
    )
    run = ImportRun(session, catalog, options, progress, plan)
    return run.plan if dry_run else run.load


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import, wherever its records come from; ``expected`` is the plan that it is held to."""

    session: Any
    catalog: Catalog
    options: ImportOptions
    progress: Watch | None
    expected: ImportPlan | Diff | None

    def load(self, payload: Payload) -> ImportReport:
        """Load a payload in one transaction, and report."""
        catalog, options = self.catalog, self.options
        with veiled(catalog.use()), closing(payload):
            payload.check(catalog)
            names = names_loaded(catalog, payload, options)
            updated = [name for name in names if options.mode(name) in UPDATING]
            with writing(self.session, catalog, names, updated=updated) as opened:
                database = opened.database
                foreseen = self._foreseen(database, payload)
                revisions = compared(payload.revisions, database, catalog.use())
                outcomes = self._outcomes(database, payload)
                if foreseen is not None and _failed_counts(foreseen) == _failed_counts(outcomes):
                    outcomes = replace(outcomes, counts=foreseen.counts, changes=foreseen.changes)
                report = _report(payload, outcomes, callers=opened.callers)
                report.revisions = revisions
                if report.problems and not options.keeps_good:
                    raise _failed(report)
                if self.expected is not None:
                    require_expected(
                        self.expected,
                        catalog.name,
                        payload.digest,
                        outcomes.changes,
                        outcomes.cascades,
                    )
                _warn_of(report.altered)
            report.committed = not report.callers
            return report

    def _outcomes(self, database: Database, payload: Payload) -> Outcomes:
        """Load; where new records need the keys of rows that go, as a plan of all says."""
        arguments = (database, self.catalog, payload, self.options, self.progress)
        with suppress(RowsReplaced):
            return Loader(*arguments).run()
        with ExitStack() as stack:
            planner, loader = Planner(*arguments), Loader(*arguments)
            renames = {name: stack.enter_context(closing(Spool())) for name in planner.roots}
            planner.noted_renames = renames
            planned = planner.run()
            if planned.problems:
                return planned
            loader.renames = renames
            loaded = loader.run()
        # Records that refer to such rows say so already when they are compared.
        counts = loaded.counts if loaded.problems else planned.counts
        return replace(loaded, counts=counts, changes=planned.changes)

    def _foreseen(self, database: Database, payload: Payload) -> Outcomes | None:
        """Return what a plan of now tells, where a load would tell it otherwise.

        If the import changes what references find rows by, a load compares records that refer to
        these with rows that say so already.
        """
        if self.expected is None or not referred_fields(self.catalog.use()):
            return None
        return Planner(database, self.catalog, payload, self.options, None).run()

    def plan(self, payload: Payload) -> ImportPlan:
        """Plan to load a payload; this only reads."""
        catalog, options = self.catalog, self.options
        with veiled(catalog.use()), closing(payload):
            payload.check(catalog)
            with reading(self.session, catalog) as opened:
                database = opened.database
                require_tables(database, catalog.use())
                revisions = compared(payload.revisions, database, catalog.use())
                planner = Planner(database, catalog, payload, options, self.progress)
                outcomes = planner.run()
                roots = planner.roots.values()
                updated = [root for root in roots if options.mode(root.name) in UPDATING]
                assert outcomes.changes is not None, "plans record changes"
                return ImportPlan(
                    outcomes.counts,
                    outcomes.changes,
                    problems=payload.located(outcomes.problems),
                    more_problems=outcomes.problems.more,
                    cascades=outcomes.cascades,
                    unchecked=[
                        *unchecked_by_plans(database, planner.unique, roots, updated),
                        *([] if revisions is None else [str(revisions)]),
                    ],
                    differences=payload.located(outcomes.differences),
                    more_differences=outcomes.differences.more,
                    header=PlanHeader(
                        catalog=catalog.name,
                        bundle=payload.digest,
                        database=fingerprint_of(database),
                    ),
                )


def _expected(expect: Any, *, dry_run: bool) -> ImportPlan | Diff | None:
    """Return the plan that an import is held to, from its file where it is one."""
    if expect is None or isinstance(expect, ImportPlan | Diff):
        plan: ImportPlan | Diff | None = expect
    else:
        check_path("expect", expect, "an ImportPlan, a Diff, or the path of the file of one")
        plan = ImportPlan.read(expect)
    if plan is not None and dry_run:
        raise ArgumentError(
            "dry_run",
            dry_run,
            Message("arguments-disagree", "False, for expect holds a real import to a plan"),
        )
    return plan


def _failed_counts(outcomes: Outcomes) -> dict[str, int]:
    return {name: counts.failed for name, counts in outcomes.counts.items()}


def _report(payload: Payload, outcomes: Outcomes, *, callers: bool) -> ImportReport:
    return ImportReport(
        entities=outcomes.counts,
        problems=payload.located(outcomes.problems),
        more_problems=outcomes.problems.more,
        altered=outcomes.alterations,
        differences=payload.located(outcomes.differences),
        more_differences=outcomes.differences.more,
        callers=callers,
    )


def _failed(report: ImportReport) -> ImportFailed:
    """Return the error of an import whose problems roll it back."""
    report.rolled_back = True
    for counts in report.entities.values():
        counts.inserted = counts.updated = counts.deleted = 0
    return ImportFailed(report)


def _warn_of(altered: list[Alteration]) -> None:
    """Warn of what triggers changed; a warning that is made an error rolls the import back."""
    if altered:
        warnings.warn(
            f"the database changed what was imported: {listed(map(str, altered), separator='; ')}. "
            "Where its triggers should not, disable them for the import; where they should, name "
            "these fields in Meta.volatile",
            AlteredWarning,
            stacklevel=4,
        )
