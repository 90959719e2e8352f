"""The story of an export: everything that a catalog declares, into a bundle or a document.

Applications import this module where they start, so what an export needs is imported when there is
one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lading.catalog import Catalog, catalog_of
from lading.options import (
    CHANGED,
    check_flags,
    check_overwrite,
    check_path,
    check_progress,
    check_text,
    session_of,
)
from lading.report import Progress

if TYPE_CHECKING:
    from lading.bundle.manifest import Manifest

Watch = Callable[[Progress], None]


def export_all(
    session: Any,
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    only: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    closure: bool = False,
    include_ids: bool = False,
    overwrite: bool | str = False,
    source: str | None = None,
    progress: Watch | None = None,
) -> Manifest:
    """Write every record of a catalog to a bundle, and return its manifest.

    Equal data gives equal entity files.  If the export fails, the path is as it was.

    Args:
        session: a ``Session``, ``Connection``, ``Engine`` or ``sessionmaker``; ``None`` for the
            catalog's ``bind``.  A session or connection that is open stays open.
        path: where the bundle is written: a ZIP file if it ends in ``.zip``, else a folder.
        catalog: the catalog to export; by default the default one.
        only: the entities to export; by default all.
        where: maps entities to SQLAlchemy conditions on their models; an entity without one is
            exported whole.
        closure: whether to add the records that exported records refer to.
        include_ids: whether records also carry surrogate ids, which an import ignores.
        overwrite: whether to replace an existing bundle; otherwise it is an error.  With
            ``"changed"`` a whole bundle of the same records is left as it is, file by file, and
            the manifest returned is its own, with ``unchanged``.
        source: the application and version that the manifest names; by default the catalog's.
        progress: a function that is called with a ``Progress`` after each chunk.

    Returns:
        The manifest of the bundle that was written.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: the catalog has mistakes.
        BundleError: the path can't be written, or exists.
        TargetError: the database refuses, or its data fits no bundle: two rows share a natural
            key, a reference has no target, or a value has no written form.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_path("path", path)
    check_flags(include_ids=include_ids)
    check_overwrite(overwrite)
    check_text("source", source)
    check_progress(progress)
    from lading.bundle import BundleWriter
    from lading.exporting.export_run import exporting_from, prepared_export

    order, scope = prepared_export(catalog, only, where, closure=closure)
    with BundleWriter(path, overwrite=bool(overwrite)) as writer:
        with exporting_from(
            session, catalog, order, scope, include_ids=include_ids, progress=progress
        ) as export:
            files = [export.write_file(writer, name) for name in export.names]
            manifest = export.manifest(files, source)
        finish = writer.finish_if_changed if overwrite == CHANGED else writer.finish
        return finish(manifest)


def export_document(
    session: Any = None,
    *,
    catalog: Catalog | None = None,
    only: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    closure: bool = False,
    include_ids: bool = False,
) -> dict[str, Any]:
    """Return the records of a catalog as one dictionary of plain JSON values.

    Args:
        session: as in :func:`export_all`.
        catalog: the catalog to export; by default the default one.
        only: the entities to export; by default all.
        where: as in :func:`export_all`.
        closure: whether to add the records that exported records refer to.
        include_ids: whether records also carry surrogate ids, which an import ignores.

    Returns:
        ``version`` (the label of the release with these versions, or ``None``),
        ``schema_versions``, ``exported_at``, ``source``, and a list of records for each entity.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: the catalog has mistakes.
        TargetError: the database refuses, or its data fits no document, as in
            :func:`export_all`.
    """
    catalog = catalog_of(catalog)
    session = session_of(session, catalog)
    check_flags(include_ids=include_ids)
    from lading.exporting.export_run import exporting_from, prepared_export

    order, scope = prepared_export(catalog, only, where, closure=closure)
    with exporting_from(
        session, catalog, order, scope, include_ids=include_ids, progress=None
    ) as export:
        return export.document()
