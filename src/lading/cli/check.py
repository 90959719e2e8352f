"""`lading check`: what differs from the lock."""

from __future__ import annotations

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.exit_codes import ExitCode
from lading.cli.output import Output
from lading.cli.results import CheckResult
from lading.locker import PATH
from lading.locker import check as check_catalog


@command(
    "check",
    examples=(
        "lading check --catalog shop.schemas:catalog",
        "lading check shop.lock.json --json",
    ),
)
@click.argument("path", metavar="[FILE]", default=PATH)
@bundle_catalog_options
def check(output: Output, *, path: str, choice: CatalogChoice) -> None:
    """Say what differs between a catalog and its lock.

    FILE is lading.lock.json by default.
    """
    findings = check_catalog(choice.for_bundle(None, output), path)
    text = "\n\n".join(map(str, findings)) or f"{path}: nothing differs"
    output.result(text, CheckResult(path, tuple(findings)))
    raise click.exceptions.Exit(ExitCode.DIFFERENCES if findings else ExitCode.DONE)
