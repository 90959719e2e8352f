"""`lading export`: a database, as a bundle or a document."""

from __future__ import annotations

from typing import Any

import click

from lading.cli.catalogs import chosen_catalog
from lading.cli.command import catalog_option, command
from lading.cli.databases import connected, places_of
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.cli.results import bundle_result
from lading.exporter import export_all


@command(
    "export",
    examples=(
        "lading export sqlite:///app.db backup/",
        "lading export postgresql+psycopg://me@localhost/shop shop.zip --catalog shop.schemas",
    ),
)
@click.argument("places", nargs=-1, metavar="[SOURCE] DESTINATION")
@catalog_option
@library_options(export_all)
def export(output: Output, places: tuple[str, ...], catalog: str | None, **options: Any) -> None:
    """Write a database to a bundle.

    SOURCE is a database URL (by default DATABASE_URL).  DESTINATION is a folder, or a ZIP file if
    it ends in .zip.
    """
    source, destination = places_of(places, "SOURCE", "DESTINATION")
    with connected(source) as engine, progress_shown() as progress:
        chosen = chosen_catalog(catalog, output, engine=engine)
        manifest = export_all(engine, destination, catalog=chosen, progress=progress, **options)
    output.result(manifest, bundle_result(manifest))
