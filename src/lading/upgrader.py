"""The story of an upgrade: an old bundle, written again as today's application would."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing

from lading.bundle import BundleWriter, with_bundle
from lading.bundle.manifest import Manifest
from lading.catalog import Catalog, catalog_of
from lading.importing.bundle_payload import BundlePayload
from lading.mapping.coverage import uncarried
from lading.options import check_flags, check_number, check_path, check_progress
from lading.report import Progress
from lading.verifying.canonical_bundle import CanonicalBundle

Watch = Callable[[Progress], None]


def upgrade(
    path: str | os.PathLike[str],
    to_path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    overwrite: bool = False,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> Manifest:
    """Write an old bundle again at the catalog's versions, without a database.

    The entity files are those of an export after an import of the old bundle; what the
    database computes is as the old bundle says.  Every record is loaded by its schema, and natural
    keys are unique; whether references lead anywhere is for an import to say.  A partial
    bundle stays one.  If it fails, nothing is left behind.

    Args:
        path: the old bundle.
        to_path: where the new one is written, as in :func:`export_all`; it may be ``path``.
        catalog: the catalog that both are of; by default the default one.
        overwrite: whether a bundle that is there is replaced.
        progress: is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes the old bundle may hold, as in :func:`import_all`.

    Returns:
        The manifest of the new bundle, with its ``path``.

    Raises:
        ImportFailed: ``report`` lists every problem of a record.
        BundleError: either path is wrong, or the old bundle is.
        VersionError: no changes lead from its versions.
    """
    catalog = catalog_of(catalog)
    check_path("path", path)
    check_path("to_path", to_path)
    check_flags(overwrite=overwrite)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    catalog.use()
    return with_bundle(
        path,
        lambda reader: _upgraded(
            BundlePayload(reader), to_path, catalog, overwrite=overwrite, progress=progress
        ),
        max_bytes=max_bytes,
    )


def _upgraded(
    payload: BundlePayload,
    to_path: str | os.PathLike[str],
    catalog: Catalog,
    *,
    overwrite: bool,
    progress: Watch | None,
) -> Manifest:
    with closing(payload):
        payload.check(catalog)
        old = payload.manifest
        story = CanonicalBundle(
            catalog,
            payload,
            partial=old.partial,
            follows=old.partial,
            step="upgrade",
            watch=progress,
        )
        with BundleWriter(to_path, overwrite=overwrite) as writer, closing(story):
            files = story.write(writer)
            story.refuse_problems()
            # What the old one left out isn't in this one either.
            manifest = story.contents.manifest(
                files,
                source=catalog.source or old.source,
                partial=old.partial,
                left_out={**old.left_out, **uncarried(story.entities)},
                external=story.external(story.leaving()) if old.partial else (),
                snapshot=old.snapshot,
                brought_back=old.brought_back,
                rounded=old.rounded,
                revisions=old.revisions,
            )
            return writer.finish(manifest)
