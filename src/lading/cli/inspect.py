"""`lading inspect`: what a database or a bundle holds."""

from __future__ import annotations

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.contents import bundle_contents, database_contents, text_of
from lading.cli.databases import place_or_variable
from lading.cli.output import Output
from lading.cli.sources import opened_source


@command(
    "inspect",
    examples=("lading inspect sqlite:///app.db", "lading inspect backup.zip --json"),
)
@click.argument("source", required=False)
@bundle_catalog_options
def inspect(output: Output, *, source: str | None, choice: CatalogChoice) -> None:
    """Say what a database or a bundle holds.

    Entities in import order, their counts, natural keys and references, what was chosen and why,
    and what is left out.  SOURCE is a database URL (by default DATABASE_URL) or a bundle.
    """
    with opened_source(place_or_variable(source, "SOURCE"), choice, output) as opened:
        if opened.is_bundle:
            contents = bundle_contents(str(opened.place), opened.catalog)
        else:
            contents = database_contents(opened)
    output.result(text_of(contents), contents)
