"""The story of a verification: every fault of a bundle, found without a database.

Applications import this module where they start, so most of what a verification needs is imported
when there is one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from lading.bundle import BundleSurvey
from lading.bundle.manifest import Manifest, content_digest
from lading.bundle.stores.directory import Replaced
from lading.bundle.stores.zip_check import BrokenArchive
from lading.catalog import Catalog, catalog_of
from lading.errors import ArgumentError, BundleError
from lading.filenames import MANIFEST
from lading.fresh_databases.factories import EngineFactory, check_factory
from lading.messages import Message
from lading.options import check_number, check_path, check_progress
from lading.report import Problem, Problems, Progress
from lading.verifying.findings import problem_of
from lading.verifying.verification import Verification, VerifiedFile

if TYPE_CHECKING:
    from lading.verifying.bundle_check import BundleCheck

Watch = Callable[[Progress], None]


def verify(
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    restore: bool | EngineFactory = False,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> Verification:
    """Look through a bundle without a database, and report every fault.

    Checksums, names and counts of files, canonical form, key order, duplicates, links and
    references are looked at by the shapes that the manifest records; with a catalog also whether
    it is of the catalog, and whether its records (upgraded where they are older) are what the
    schemas take.  References of a bundle that isn't partial must all lead to records in it.

    Args:
        path: the bundle's folder, or its ZIP file.
        catalog: the catalog that the records are held against; without one, they are held
            against the bundle's own shapes alone.
        restore: whether a bundle without a fault is also loaded into a fresh database, exported
            again and compared byte by byte (an older one with what it is upgraded to): the only
            proof that it can be restored.  ``True`` takes SQLite, which keeps values of types that
            it lacks in their written form; a function that returns an engine over an empty
            database takes that one.
        progress: a function that is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes an archive's files may hold, as in :func:`import_all`.

    Returns:
        The outcome, which is true if the bundle is whole.  A damaged bundle is no error.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: the catalog has mistakes.
        BundleError: nothing is at the path, or temporary files can't be kept.
    """
    check_path("path", path)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    if catalog is not None:
        catalog_of(catalog).use()
    factory = _factory(restore, catalog)
    look = partial(_verified, path, catalog, factory, progress, max_bytes)
    try:
        return look()
    except Replaced:
        return look()


def _factory(restore: Any, catalog: Catalog | None) -> EngineFactory | bool:
    """Return what makes the database that a bundle is restored into, if it is to be."""
    if not isinstance(restore, bool):
        check_factory("restore", restore, "True, False or a function that returns a fresh engine")
    if restore is not False and catalog is None:
        raise ArgumentError(
            "restore",
            restore,
            Message("arguments-disagree", "False without a catalog"),
            "Pass catalog=.",
        )
    checked: EngineFactory | bool = restore
    return checked


def _verified(
    path: str | os.PathLike[str],
    catalog: Catalog | None,
    factory: EngineFactory | bool,
    watch: Watch | None,
    max_bytes: int | None,
) -> Verification:
    from lading.verifying.bundle_check import BundleCheck

    started, clock, place = datetime.now(UTC), time.perf_counter(), Path(os.fsdecode(path))
    manifest, files, checks = None, list[VerifiedFile](), ["files", "records", "references"]
    checks += ["catalog"] if catalog is not None else []
    try:
        with BundleSurvey(path, max_bytes=max_bytes) as survey:
            check = BundleCheck(survey, catalog, watch)
            check.run()
            manifest, problems = survey.manifest, check.findings.problems
            files = _files(manifest, survey.digests)
        if factory is not False and catalog is not None and not problems:
            checks.append("restore")
            _restore(check, catalog, factory, max_bytes)
    except Replaced:
        raise
    except BundleError as error:
        if not os.path.lexists(place):
            raise
        faults = error.faults if isinstance(error, BrokenArchive) else (error,)
        problems = Problems([problem_of(fault, str(place)) for fault in faults])
    return Verification(
        path=place,
        verified_at=started,
        seconds=time.perf_counter() - clock,
        catalog=None if catalog is None else catalog.name,
        exported_at=None if manifest is None else manifest.export_date,
        content_sha256=_content(manifest, files),
        checks=tuple(checks),
        files=tuple(files),
        problems=problems.kept,
        more_problems=problems.more,
    )


def _restore(
    check: BundleCheck, catalog: Catalog, factory: EngineFactory | bool, max_bytes: int | None
) -> None:
    """Restore a bundle that was found whole, and add what is wrong to what was found."""
    from lading.upgrader import upgrade
    from lading.verifying.restoring import restored

    manifest, path = check.survey.manifest, check.survey.path
    assert manifest is not None, "a bundle without one isn't whole"
    if manifest.external:
        text = "records lead out of this partial bundle, so it can't be restored by itself"
        message = Message("restore-partial", f"{text}. Export it with closure=True")
        check.findings.add(Problem.of(message, MANIFEST, field="external"))
        return
    with TemporaryDirectory(prefix="lading-verify-") as name:
        folder, expected = Path(name), path
        has_ids = any(entry.shape.get("ids") is True for entry in manifest.files)
        if has_ids or check.reading is None or check.reading.is_by_shape:
            expected = folder / "expected"
            upgrade(path, expected, catalog=catalog, max_bytes=max_bytes)
        restored(
            path,
            expected,
            catalog,
            None if isinstance(factory, bool) else factory,
            folder,
            max_bytes=max_bytes,
            findings=check.findings,
        )


def _files(manifest: Manifest | None, digests: dict[str, str]) -> list[VerifiedFile]:
    return [
        VerifiedFile(
            entry.entity_type, entry.filename, entry.record_count, digests.get(entry.filename)
        )
        for entry in (() if manifest is None else manifest.files)
    ]


def _content(manifest: Manifest | None, files: list[VerifiedFile]) -> str | None:
    """Return the digest of the contents as they were read."""
    if manifest is None or any(file.sha256 is None for file in files):
        return None
    pairs = zip(manifest.files, files, strict=True)
    return content_digest(replace(entry, sha256=file.sha256) for entry, file in pairs)
