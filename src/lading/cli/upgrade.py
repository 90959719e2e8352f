"""`lading upgrade`: an old bundle, written again at the catalog's versions."""

from __future__ import annotations

from typing import Any

import click

from lading.cli.bundles import converted
from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.documents import is_document
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.results import BundleResult, bundle_result
from lading.upgrader import upgrade as upgrade_bundle


@command(
    "upgrade",
    examples=(
        "lading upgrade backup-2023/ backup/ --catalog shop.schemas:catalog",
        "lading upgrade backup.zip --overwrite --catalog shop.schemas:catalog",
    ),
)
@click.argument("bundle")
@click.argument("destination", required=False)
@bundle_catalog_options
@library_options(upgrade_bundle)
def upgrade(
    output: Output, *, bundle: str, destination: str | None, choice: CatalogChoice, **options: Any
) -> None:
    """Write an old bundle again at the catalog's versions.

    Without DESTINATION the bundle itself is replaced, with --overwrite.
    """
    if destination is not None and is_document(destination):
        raise click.UsageError(
            f"DESTINATION={destination!r} is a document's path; expected a folder or a .zip file."
        )
    manifest = converted(output, bundle, destination or bundle, choice, options)
    output.result(manifest, bundle_result(manifest, BundleResult))
