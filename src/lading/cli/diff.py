"""`lading diff`: what would have to happen to one side to make it the other."""

from __future__ import annotations

from typing import Any

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.plans import page_option, report_changes
from lading.cli.secrets import masked
from lading.cli.sides import opened_sides
from lading.cli.text_files import readable
from lading.differ import diff as diff_sides


@command(
    "diff",
    examples=(
        "lading diff sqlite:///app.db backup/",
        "lading diff sqlite:///app.db backup/ --html diff.html",
        "lading diff monday.zip tuesday.zip --catalog shop.schemas:catalog --only recipes",
    ),
)
@click.argument("a")
@click.argument("b")
@bundle_catalog_options
@library_options(diff_sides)
@click.option(
    "--plan", "plan_file", metavar="FILE", help="Write the difference to a file; - prints it."
)
@page_option
def diff(
    output: Output,
    *,
    a: str,
    b: str,
    choice: CatalogChoice,
    plan_file: str | None,
    page: str | None,
    **options: Any,
) -> None:
    """Say what would have to happen to A to make it B; nothing is written.

    Each side is a database URL, a bundle, or a document (a .json file, or - for standard input).
    The exit code is 1 where the sides differ.
    """
    with opened_sides(a, b, choice, output) as (left, right, catalog):
        changes = diff_sides(left, right, catalog=catalog, **options)
    label = readable(f"{masked(a)} and {masked(b)}")
    report_changes(changes, output, plan_file, page=page, label=label)
