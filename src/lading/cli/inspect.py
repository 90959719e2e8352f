"""`lading inspect`: what a database or a bundle holds."""

from __future__ import annotations

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.contents import bundle_contents, database_contents, text_of
from lading.cli.databases import place_or_variable
from lading.cli.documents import STANDARD
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.cli.sources import Source, opened_source
from lading.cli.text_files import write_text


@command(
    "inspect",
    examples=(
        "lading inspect sqlite:///app.db",
        "lading inspect sqlite:///app.db --html report.html",
        "lading inspect backup.zip --json",
    ),
)
@click.argument("source", required=False)
@bundle_catalog_options
@click.option(
    "--html",
    "page",
    metavar="FILE",
    help="Write a page to look at in a browser: the graph, the entities, and a bounded look at "
    "the records.",
)
def inspect(output: Output, *, source: str | None, choice: CatalogChoice, page: str | None) -> None:
    """Say what a database or a bundle holds.

    Entities in import order, their counts, natural keys and references, what was chosen and why,
    and what is left out.  SOURCE is a database URL (by default DATABASE_URL) or a bundle.
    """
    with opened_source(place_or_variable(source, "SOURCE"), choice, output) as opened:
        if opened.is_bundle:
            contents = bundle_contents(str(opened.place), opened.catalog)
        else:
            contents = database_contents(opened)
        if page is not None:
            write_text(page, _page_of(opened))
    if page != STANDARD:
        output.result(text_of(contents), contents)


def _page_of(source: Source) -> str:
    from lading.html import bundle_page, database_page  # and with it all that reads records

    if source.is_bundle:
        return bundle_page(str(source.place), catalog=source.catalog)
    with progress_shown() as progress:
        return database_page(
            source.place, catalog=source.catalog, label=source.label, progress=progress
        )
