"""The story of an import: a bundle's or a document's records, into a database."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack, overload

from lading.bundle import with_bundle
from lading.catalog import Catalog, catalog_of
from lading.database.live.base import Database
from lading.database.refusals import veiled
from lading.database.revisions import compared
from lading.database.session import reading, writing
from lading.database.tables import require_tables
from lading.errors import AlteredWarning, ArgumentError, ImportFailed
from lading.importing.bundle_payload import BundlePayload
from lading.importing.document_payload import DocumentPayload
from lading.importing.entity_reader import Watch
from lading.importing.import_options import ImportOptions
from lading.importing.outcomes import Outcomes
from lading.importing.payload import Payload
from lading.importing.updates.entity_updates import referred_fields
from lading.loading.loader import Loader, names_loaded
from lading.loading.planner import Planner
from lading.loading.unchecked import fingerprint_of, unchecked_by_plans
from lading.messages import listed
from lading.options import (
    DOCUMENT,
    check_flags,
    check_mapping,
    check_number,
    check_path,
    check_progress,
    session_of,
)
from lading.planning.change_log import ChangeLog
from lading.planning.differences import require_expected
from lading.planning.file_format import PlanHeader
from lading.planning.plan import Diff, ImportPlan
from lading.report import Alteration, ImportReport

Path = str | os.PathLike[str]
#: The plan that an import is held to, or its file.
Expected = ImportPlan | Diff | Path | None


class _Options(TypedDict, total=False):
    """The arguments that both functions take, for the types of what they return."""

    catalog: Catalog | None
    on_conflict: str | Mapping[str, str]
    on_error: str
    only: Iterable[str] | None
    expect: Expected
    cascade: bool
    progress: Watch | None


class _BundleOptions(_Options, total=False):
    max_bytes: int | None


@overload
def import_all(
    session: Any, path: Path, *, dry_run: Literal[False] = ..., **options: Unpack[_BundleOptions]
) -> ImportReport: ...


@overload
def import_all(
    session: Any, path: Path, *, dry_run: Literal[True], **options: Unpack[_BundleOptions]
) -> ImportPlan: ...


def import_all(
    session: Any,
    path: Path,
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Expected = None,
    cascade: bool = False,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> ImportReport | ImportPlan:
    """Load a bundle into a database, empty or not, and report what became of its records.

    A bundle that is replaced while it is read is read once more, from the beginning.  If the import
    fails, nothing is written, or all of it is rolled back.

    Args:
        session: what :func:`export_all` takes; a caller's session is not committed, and is
            expired afterwards.
        path: the bundle's folder, or its ZIP file, whose members may stand in one folder.
        catalog: the catalog that the bundle was exported from; by default the default one.
        on_conflict: what happens to a record whose natural key the database has already:
            ``"skip"``, ``"update"`` (write what differs), ``"error"``, or ``"mirror"`` (update, and
            delete what the bundle lacks); for all entities, or for each in a mapping, with ``"*"``
            for the rest.
        on_error: with ``"rollback"`` every problem is found and nothing is written (the ``report``
            of ``ImportFailed`` lists them); with ``"continue"`` good records are kept, and bad ones
            are reported and counted as failed.
        only: the entities loaded; by default all.
        dry_run: whether to plan what the import would do, which only reads.
        expect: a plan, a diff of this database and the bundle, or the file of either: the import
            does exactly this, or nothing.
        cascade: whether a mirror, or an update that drops owned rows, may delete or alter rows
            outside of its entities, as the database does by ON DELETE CASCADE and SET NULL.
        progress: a function that is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes the entity files may hold in all.  By default a folder may
            hold any number, and an archive 256 MiB or 200 times its own size, whichever is more.

    Returns:
        The counts by entity, the problems of records, and whether the import was committed;
        ``str`` of the report says so in a few lines.  With ``dry_run`` an ``ImportPlan``.

    Raises:
        ArgumentError: an option isn't one of those above.
        BundleError: the bundle is damaged, isn't one, or holds more than ``max_bytes``.
        VersionError: this catalog doesn't read its versions, or that of its format.
        TargetError: the database refuses.
        ImportFailed: a record has a problem, with ``on_error="rollback"``.
        PlanChanged: the import would do something else than ``expect`` says.
        OutcomeUnknown: the connection was lost during the commit.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_path("path", path)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    check_flags(dry_run=dry_run, cascade=cascade)
    plan = _expected(expect, dry_run=dry_run)
    records = dry_run or plan is not None
    options = ImportOptions(
        catalog.use(), on_conflict, on_error, only, cascade=cascade, records=records
    )
    an_import = _Import(session, catalog, options, progress, plan)
    run = an_import.plan if dry_run else an_import.load
    return with_bundle(path, lambda reader: run(BundlePayload(reader)), max_bytes=max_bytes)


@overload
def import_document(
    session: Any,
    document: Mapping[str, Any],
    *,
    dry_run: Literal[False] = ...,
    **options: Unpack[_Options],
) -> ImportReport: ...


@overload
def import_document(
    session: Any,
    document: Mapping[str, Any],
    *,
    dry_run: Literal[True],
    **options: Unpack[_Options],
) -> ImportPlan: ...


def import_document(
    session: Any,
    document: Mapping[str, Any],
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Expected = None,
    cascade: bool = False,
    progress: Watch | None = None,
) -> ImportReport | ImportPlan:
    """Load a document into a database, as :func:`import_all` loads a bundle.

    Args:
        session: as in :func:`import_all`.
        document: lists of records by entity, as ``export_document`` returns them; it is not
            changed.
        catalog: the catalog that the document is of; by default the default one.
        on_conflict: as in :func:`import_all`.
        on_error: as in :func:`import_all`.
        only: the entities loaded; by default all.
        dry_run: as in :func:`import_all`.
        expect: as in :func:`import_all`.
        cascade: as in :func:`import_all`.
        progress: a function that is called with a ``Progress`` after each chunk.

    Returns:
        The report or the plan, as :func:`import_all` returns it.

    Raises:
        ArgumentError: an option isn't one of those above.
        BundleError: the document holds what isn't a list of records of this catalog.
        VersionError: this catalog doesn't read its versions.
        TargetError: the database refuses.
        ImportFailed: a record has a problem, with ``on_error="rollback"``.
        PlanChanged: the import would do something else than ``expect`` says.
        OutcomeUnknown: the connection was lost during the commit.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_mapping("document", document, DOCUMENT)
    check_progress(progress)
    check_flags(dry_run=dry_run, cascade=cascade)
    plan = _expected(expect, dry_run=dry_run)
    records = dry_run or plan is not None
    options = ImportOptions(
        catalog.use(), on_conflict, on_error, only, cascade=cascade, records=records
    )
    an_import = _Import(session, catalog, options, progress, plan)
    run = an_import.plan if dry_run else an_import.load
    return run(DocumentPayload(document))


@dataclass(frozen=True, slots=True)
class _Import:
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
            with writing(self.session, catalog, names_loaded(catalog, payload, options)) as opened:
                database = opened.database
                foreseen = self._foreseen(database, payload)
                revisions = compared(payload.revisions, database, catalog.use())
                outcomes = Loader(database, catalog, payload, options, self.progress).run()
                report = _report(payload, outcomes, callers=opened.callers)
                report.revisions = revisions
                if report.problems and not options.keeps_good:
                    raise _failed(report)
                if self.expected is not None:
                    changes = outcomes.changes if foreseen is None else foreseen
                    require_expected(self.expected, catalog.name, payload.digest, changes)
                _warn_of(report.altered)
            report.committed = not report.callers
            return report

    def _foreseen(self, database: Database, payload: Payload) -> ChangeLog | None:
        """Return the changes as a plan of now tells them, where a load would tell them otherwise.

        If the import renames what references go ``by``, a load compares records that refer to it
        with rows that say so already.
        """
        if self.expected is None or not referred_fields(self.catalog.use()):
            return None
        return Planner(database, self.catalog, payload, self.options, None).run().changes

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
                assert outcomes.changes is not None, "plans record changes"
                return ImportPlan(
                    outcomes.counts,
                    outcomes.changes,
                    problems=payload.located(outcomes.problems),
                    more_problems=outcomes.problems.more,
                    cascades=outcomes.cascades,
                    unchecked=[
                        *unchecked_by_plans(database, planner.roots.values()),
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
        raise ArgumentError("dry_run", dry_run, "False, for expect holds a real import to a plan")
    return plan


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
