"""`lading seal`: a bundle that was edited by hand, whole again."""

from __future__ import annotations

from typing import Any

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.cli.results import SealResult
from lading.sealer import seal as seal_bundle


@command(
    "seal",
    examples=("lading seal backup/", "lading seal backup/ --catalog shop.schemas:catalog --json"),
)
@click.argument("bundle")
@bundle_catalog_options
@library_options(seal_bundle)
def seal(output: Output, *, bundle: str, choice: CatalogChoice, **options: Any) -> None:
    """Make a bundle whole again after an edit that was meant."""
    catalog = choice.perhaps_for_bundle(bundle, output)
    with progress_shown() as progress:
        sealed = seal_bundle(bundle, catalog=catalog, progress=progress, **options)
    result = SealResult(
        path=str(sealed.path),
        written=sealed.written,
        content_sha256=sealed.manifest.content_sha256,
        files=sealed.files,
    )
    output.result(sealed, result)
