"""`lading verify`: every fault of a bundle, and whether it can be restored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from lading.catalog import Catalog
from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.failures import ExitCode
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.scaffolding.scratch_database import ScratchDatabase, has_foreign_types
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
@click.option("--evidence", metavar="FILE", help="Write what was found to a file, as JSON.")
def verify(
    output: Output,
    *,
    bundle: str,
    choice: CatalogChoice,
    restore: bool,
    evidence: str | None,
    **options: Any,
) -> None:
    """Look through a bundle, and report every fault."""
    chosen = choice.for_bundle if restore else choice.perhaps_for_bundle
    catalog = chosen(bundle, output)
    with _scratch(catalog, restore=restore) as scratch, progress_shown() as progress:
        verification = verify_bundle(
            bundle, catalog=catalog, restore=scratch, progress=progress, **options
        )
    if evidence is not None:
        verification.write(evidence)
    output.result(verification, msgspec.json.decode(verification.to_bytes()))
    raise click.exceptions.Exit(ExitCode.DONE if verification else ExitCode.DIFFERENCES)


@contextmanager
def _scratch(catalog: Catalog | None, *, restore: bool) -> Iterator[Any]:
    """Yield what ``verify`` restores into, if it does; one that takes types of any engine."""
    if not restore or catalog is None or not has_foreign_types(catalog):
        yield restore
        return
    with tempfile.TemporaryDirectory(prefix="lading-verify-") as folder:
        yield ScratchDatabase(Path(folder, "scratch.db"), is_foreign=True)
