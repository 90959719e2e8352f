"""What commands do with bundles beyond the public functions: copies and documents of them."""

from __future__ import annotations

from typing import Any

from lading.bundle import BundleReader, with_bundle
from lading.bundle.manifest import Manifest
from lading.cli.catalogs import CatalogChoice
from lading.cli.documents import document_of_bundle
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.upgrader import upgrade


def converted(
    output: Output, source: str, destination: str, choice: CatalogChoice, options: dict[str, Any]
) -> Manifest:
    """Write a bundle again at its catalog's versions, as a folder or a ZIP file.

    Args:
        output: takes what people are told.
        source: the bundle.
        destination: where the new one is written; the same path replaces the old one.
        choice: which catalog was asked for.
        options: what :func:`lading.upgrade` takes besides.
    """
    catalog = choice.for_bundle(source, output)
    with progress_shown() as progress:
        return upgrade(source, destination, catalog=catalog, progress=progress, **options)


def document_from(source: str) -> dict[str, Any]:
    """Return a bundle as a document, once its checksums are verified."""

    def read(reader: BundleReader) -> dict[str, Any]:
        reader.verify()
        return document_of_bundle(reader)

    return with_bundle(source, read)
