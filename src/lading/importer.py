"""The story of an import: a bundle's or a document's records, into a database."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from lading.bundle import with_bundle
from lading.catalog import Catalog, catalog_of
from lading.database.refusals import veiled
from lading.database.session import writing
from lading.errors import AlteredWarning, ImportFailed
from lading.importing.bundle_payload import BundlePayload
from lading.importing.document_payload import DocumentPayload
from lading.importing.entity_reader import Watch
from lading.importing.options import ImportOptions
from lading.importing.outcomes import Outcomes
from lading.importing.payload import Payload
from lading.loading.loader import Loader, names_loaded
from lading.messages import listed
from lading.options import (
    DOCUMENT,
    check_mapping,
    check_number,
    check_path,
    check_progress,
    refuse_plans,
    session_of,
)
from lading.report import Alteration, ImportReport


def import_all(
    session: Any,
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Any = None,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> ImportReport:
    """Load a bundle into a database, empty or not, and report what became of its records.

    A bundle that is replaced while it is read is read once more, from the beginning.

    Args:
        session: what :func:`export_all` takes; a caller's session is not committed, and is
            expired afterwards.
        path: the bundle's folder, or its ZIP file, whose members may stand in one folder.
        catalog: the catalog that the bundle was exported from; by default the default one.
        on_conflict: what happens to a record whose natural key the database has already:
            ``"skip"``, ``"update"`` (write what differs), ``"error"``, or ``"mirror"`` (update, and
            delete what the bundle lacks); for all entities, or as a mapping by entity, with
            ``"*"`` for the rest.
        on_error: with ``"rollback"`` every problem is found, nothing is written and
            ``ImportFailed`` is raised, whose ``report`` lists them; with ``"continue"`` good
            records are kept, and bad ones are reported and counted as failed.
        only: the entities loaded; by default all.
        dry_run: refused unless false; import plans don't exist yet.
        expect: refused unless ``None``; import plans don't exist yet.
        progress: a function that is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes the entity files may hold in all.  By default a folder may
            hold any number, and an archive 256 MiB or 200 times its own size, whichever is more.

    Returns:
        The counts by entity, the problems of records, and whether the import was committed;
        ``str`` of the report says so in a few lines.

    Raises:
        ArgumentError: an option isn't one of those above.
        BundleError: the bundle is damaged, isn't one, or holds more than ``max_bytes``.
        VersionError: this catalog doesn't read its versions, or that of its format.
        TargetError: the database refuses.
        ImportFailed: a record has a problem, with ``on_error="rollback"``.  In each of these
            cases nothing is written, or all of it is rolled back.
        OutcomeUnknown: the connection was lost during the commit.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_path("path", path)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    refuse_plans(dry_run=dry_run, expect=expect)
    options = ImportOptions(catalog.use(), on_conflict, on_error, only)
    return with_bundle(
        path,
        lambda reader: _import(session, BundlePayload(reader), catalog, options, progress),
        max_bytes=max_bytes,
    )


def import_document(
    session: Any,
    document: Mapping[str, Any],
    *,
    catalog: Catalog | None = None,
    on_conflict: str | Mapping[str, str] = "skip",
    on_error: str = "rollback",
    only: Iterable[str] | None = None,
    dry_run: bool = False,
    expect: Any = None,
    progress: Watch | None = None,
) -> ImportReport:
    """Load a document into a database, as :func:`import_all` loads a bundle.

    Args:
        session: as in :func:`import_all`.
        document: lists of records by entity, as ``export_document`` returns them; it is not
            changed.
        catalog: the catalog that the document is of; by default the default one.
        on_conflict: as in :func:`import_all`.
        on_error: as in :func:`import_all`.
        only: the entities loaded; by default all.
        dry_run: refused unless false; import plans don't exist yet.
        expect: refused unless ``None``; import plans don't exist yet.
        progress: a function that is called with a ``Progress`` after each chunk.

    Returns:
        The report, as :func:`import_all` returns it.

    Raises:
        ArgumentError: an option isn't one of those above.
        BundleError: the document holds what isn't a list of records of this catalog.
        VersionError: this catalog doesn't read its versions.
        TargetError: the database refuses.
        ImportFailed: a record has a problem, with ``on_error="rollback"``.  In each of these
            cases nothing is written, or all of it is rolled back.
        OutcomeUnknown: the connection was lost during the commit.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_mapping("document", document, DOCUMENT)
    check_progress(progress)
    refuse_plans(dry_run=dry_run, expect=expect)
    options = ImportOptions(catalog.use(), on_conflict, on_error, only)
    return _import(session, DocumentPayload(document), catalog, options, progress)


def _import(
    session: Any, payload: Payload, catalog: Catalog, options: ImportOptions, progress: Watch | None
) -> ImportReport:
    """Load a payload in one transaction, and report."""
    with veiled(catalog.use()), closing(payload):
        payload.check(catalog)
        with writing(session, catalog, names_loaded(catalog, payload, options)) as opened:
            outcomes = Loader(opened.database, catalog, payload, options, progress).run()
            report = _report(payload, outcomes, callers=opened.callers)
            if report.problems and not options.keeps_good:
                raise _failed(report)
            _warn_of(report.altered)
        report.committed = not report.callers
        return report


def _report(payload: Payload, outcomes: Outcomes, *, callers: bool) -> ImportReport:
    return ImportReport(
        entities=outcomes.counts,
        problems=payload.located(outcomes.problems),
        more_problems=outcomes.problems.more,
        altered=outcomes.alterations,
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
