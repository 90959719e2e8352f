"""`lading verify`: every fault of a bundle, and whether it can be restored."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.exit_codes import ExitCode
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.cli.scratch import scratch_databases, scratch_option
from lading.verifier import verify as verify_bundle


@command(
    "verify",
    examples=(
        "lading verify backup/",
        "lading verify backup.zip --restore --database sqlite:///app.db",
    ),
)
@click.argument("bundle")
@bundle_catalog_options
@library_options(verify_bundle)
@scratch_option
@click.option("--evidence", metavar="FILE", help="Write what was found to a file, as JSON.")
def verify(
    output: Output,
    *,
    bundle: str,
    choice: CatalogChoice,
    restore: bool,
    scratch: str | None,
    evidence: str | None,
    **options: Any,
) -> None:
    """Look through a bundle, and report every fault."""
    if scratch is not None and not restore:
        raise click.UsageError("--scratch is for --restore; add it, or leave --scratch out.")
    chosen = choice.for_bundle if restore else choice.perhaps_for_bundle
    catalog = chosen(bundle, output)
    with scratch_databases(scratch) as factory, progress_shown() as progress:
        verification = verify_bundle(
            bundle, catalog=catalog, restore=factory or restore, progress=progress, **options
        )
    if evidence is not None:
        verification.write(evidence)
    output.result(verification, msgspec.json.decode(verification.to_bytes()))
    raise click.exceptions.Exit(ExitCode.DONE if verification else ExitCode.DIFFERENCES)
