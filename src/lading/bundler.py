"""The story of a bundle that is made of a document, without a database."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from lading.bundle import BundleWriter
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.validation import INSTANT
from lading.catalog import Catalog, catalog_of
from lading.errors import BundleError
from lading.importing.document_payload import DocumentPayload
from lading.mapping.coverage import uncarried
from lading.messages import Message
from lading.options import (
    CHANGED,
    DOCUMENT,
    check_mapping,
    check_overwrite,
    check_path,
    check_progress,
)
from lading.report import Progress
from lading.verifying.canonical_bundle import CanonicalBundle

Watch = Callable[[Progress], None]


def write_bundle(
    document: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    overwrite: bool | str = False,
    progress: Watch | None = None,
) -> Manifest:
    """Make a bundle of a document, as :func:`export_all` would write the same records.

    Records of older versions are upgraded.  Every record is loaded by its schema, natural keys
    are unique, and every reference must lead to a record of the document.  A document that lacks
    some of the catalog's entities makes a partial bundle, whose references to these may lead out
    of it.  If it fails, nothing is left behind.

    Args:
        document: lists of records by entity, as ``export_document`` returns them; it is not
            changed.
        path: where the bundle is written: a ZIP file if it ends in ``.zip``, else a folder.
        catalog: the catalog that the document is of; by default the default one.
        overwrite: as in :func:`export_all`.
        progress: is called with a ``Progress`` after each chunk.

    Returns:
        The manifest of the bundle, with its ``path``.

    Raises:
        ArgumentError: an argument isn't of these forms.
        BundleError: the path can't be written, or the document holds what isn't a list of
            records of this catalog.
        VersionError: no changes lead from its versions.
        ImportFailed: ``report`` lists every problem of a record.
    """
    catalog = catalog_of(catalog)
    check_mapping("document", document, DOCUMENT)
    check_path("path", path)
    check_overwrite(overwrite)
    check_progress(progress)
    catalog.use()
    with closing(DocumentPayload(document)) as payload:
        payload.check(catalog)
        is_partial = _is_partial(catalog, payload)
        story = CanonicalBundle(
            catalog, payload, partial=is_partial, follows=True, step="write", watch=progress
        )
        with BundleWriter(path, overwrite=bool(overwrite)) as writer, closing(story):
            files = story.write(writer)
            story.note_dangling()
            story.refuse_problems()
            manifest = _manifest(story, files, catalog, document)
            finish = writer.finish_if_changed if overwrite == CHANGED else writer.finish
            return finish(manifest)


def _is_partial(catalog: Catalog, payload: DocumentPayload) -> bool:
    """Tell whether a document lacks entities that there were when it was written."""
    if not payload.names:
        raise BundleError(
            Message("document-malformed", "the document holds no entity"),
            "Give it a list of records for each.",
        )
    expected = set(catalog.use().roots) - payload.upgrade.plan.begun
    return not expected <= set(payload.names)


def _manifest(
    story: CanonicalBundle, files: list[FileEntry], catalog: Catalog, document: Mapping[str, Any]
) -> Manifest:
    source, exported_at = document.get("source"), document.get("exported_at")
    manifest = story.contents.manifest(
        files,
        source=source if isinstance(source, str) else catalog.source,
        partial=story.is_partial,
        left_out=uncarried(story.entities),
        external=story.external({}) if story.is_partial else (),
        snapshot="a document",
        brought_back={},
        rounded={},
        revisions=(),
    )
    if not isinstance(exported_at, str) or not INSTANT.fullmatch(exported_at):
        return manifest
    try:
        return replace(manifest, export_date=datetime.fromisoformat(exported_at).astimezone(UTC))
    except ValueError:
        return manifest
