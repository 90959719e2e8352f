"""`lading lock`: a catalog's shapes, sealed."""

from __future__ import annotations

import click

from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.documents import is_document, read_document
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.results import LockResult
from lading.locker import PATH
from lading.locker import lock as lock_catalog


@command(
    "lock",
    examples=(
        "lading lock --catalog shop.schemas:catalog",
        "lading lock shop.lock.json --goldens backup/",
    ),
)
@click.argument("path", metavar="[FILE]", default=PATH)
@bundle_catalog_options
@library_options(lock_catalog)
def lock(output: Output, *, path: str, choice: CatalogChoice, goldens: str | None) -> None:
    """Seal a catalog's shapes in a lock file, with golden records beside it.

    FILE is lading.lock.json by default.
    """
    catalog = choice.for_bundle(None, output)
    is_bundle = goldens is None or not is_document(goldens)
    locked = lock_catalog(
        catalog, path, goldens=goldens if is_bundle else read_document(str(goldens))
    )
    result = LockResult(
        str(locked.path), locked.number, locked.sealed, locked.changed, locked.unread
    )
    output.result(locked, result)
