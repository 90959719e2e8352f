"""The story of an import: a bundle's or a document's records, into a database.

Applications import this module where they start, so what an import needs is imported when there is
one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from lading.catalog import Catalog, catalog_of
from lading.options import (
    DOCUMENT,
    check_flags,
    check_mapping,
    check_number,
    check_path,
    check_progress,
    session_of,
)
from lading.report import ImportReport, Progress

if TYPE_CHECKING:
    from lading.planning.plan import Diff, ImportPlan

Path = str | os.PathLike[str]
Watch = Callable[[Progress], None]


class _Options(TypedDict, total=False):
    """The arguments that both functions take, for the types of what they return."""

    catalog: Catalog | None
    on_conflict: str | Mapping[str, str]
    on_error: str
    only: Iterable[str] | None
    expect: ImportPlan | Diff | Path | None
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
    expect: ImportPlan | Diff | Path | None = None,
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
    from lading.bundle import with_bundle
    from lading.importing.bundle_payload import BundlePayload
    from lading.loading.import_run import prepared_import

    run = prepared_import(
        session,
        catalog,
        on_conflict,
        on_error,
        only,
        dry_run=dry_run,
        expect=expect,
        cascade=cascade,
        progress=progress,
    )
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
    expect: ImportPlan | Diff | Path | None = None,
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
    from lading.importing.document_payload import DocumentPayload
    from lading.loading.import_run import prepared_import

    run = prepared_import(
        session,
        catalog,
        on_conflict,
        on_error,
        only,
        dry_run=dry_run,
        expect=expect,
        cascade=cascade,
        progress=progress,
    )
    return run(DocumentPayload(document))
