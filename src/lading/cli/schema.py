"""`lading schema`: JSON Schemas of records, of files, and of what commands print."""

from __future__ import annotations

import json
from typing import Any

import click

from lading import formats
from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.options import library_options
from lading.cli.output import Output
from lading.cli.schemas import OUTPUTS, output_schema
from lading.record_schemas import json_schema

FILES = {
    "manifest": formats.manifest_schema,
    "entity-file": formats.entity_file_schema,
    "plan": formats.plan_schema,
    "lock": formats.lock_schema,
    "verification": formats.verification_schema,
}


@command(
    "schema",
    examples=(
        "lading schema recipes --catalog shop.schemas:catalog",
        "lading schema --file plan",
        "lading schema --output-of import",
    ),
)
@click.argument("entity", required=False)
@bundle_catalog_options
@library_options(json_schema, leave_out=["entity"])
@click.option("--file", "file", type=click.Choice(list(FILES)), help="The schema of a file.")
@click.option(
    "--output-of",
    type=click.Choice(list(OUTPUTS)),
    help="The schema of what a command prints with --json.",
)
def schema(
    output: Output,
    *,
    entity: str | None,
    choice: CatalogChoice,
    file: str | None,
    output_of: str | None,
    **options: Any,
) -> None:
    """Print the JSON Schema of an entity's records, or of a catalog's documents.

    Without ENTITY, of documents with all entities.
    """
    if file is not None and output_of is not None:
        raise click.UsageError("--file and --output-of are two schemas; expected one of them.")
    if file is not None or output_of is not None:
        if entity is not None or any(options.values()):
            raise click.UsageError("ENTITY, --version and --lock are for records; leave them out.")
        body = FILES[file]() if file is not None else output_schema(str(output_of))
    else:
        body = json_schema(choice.for_bundle(None, output), entity, **options)
    output.result(json.dumps(body, indent=2, ensure_ascii=False), body)
