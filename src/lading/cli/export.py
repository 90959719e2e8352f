"""`lading export`: a database, a bundle or a document, as a bundle or a document."""

from __future__ import annotations

from typing import Any

import click

from lading.bundle.manifest import Manifest
from lading.bundler import write_bundle
from lading.catalog import Catalog
from lading.cli.bundles import converted, document_from
from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.databases import connected, is_url, places_of
from lading.cli.documents import STANDARD, is_document, read_document, write_document
from lading.cli.exit_codes import ExitCode, json_line
from lading.cli.options import entities_named, library_options, taken_by
from lading.cli.output import Output
from lading.cli.progress import progress_shown
from lading.cli.results import DocumentResult, ExportResult, bundle_result
from lading.cli.secrets import masked
from lading.exporter import export_all, export_document
from lading.messages import counted
from lading.options import entity_names
from lading.upgrader import upgrade
from lading.verifier import verify


@command(
    "export",
    examples=(
        "lading export sqlite:///app.db backup/",
        "lading export --catalog shop.schemas:catalog shop.zip --overwrite",
        "lading export sqlite:///app.db - --only recipes | jq .recipes",
    ),
)
@click.argument("places", nargs=-1, metavar="[SOURCE] DESTINATION")
@bundle_catalog_options
@library_options(export_all)
@click.option(
    "--exclude",
    multiple=True,
    metavar="ENTITY",
    callback=entities_named,
    help="Leave entities out, as if --only named all the others.",
)
@click.option(
    "--verify/--no-verify",
    "verified",
    default=True,
    show_default=True,
    help="Read the bundle that was written once more, and look for faults.",
)
def export(
    output: Output,
    *,
    places: tuple[str, ...],
    choice: CatalogChoice,
    verified: bool,
    **options: Any,
) -> None:
    """Write a database to a bundle.

    SOURCE is a database URL (by default DATABASE_URL), a bundle or a document.  DESTINATION is
    a folder, a ZIP file if it ends in .zip, a document if it ends in .json, or - for a document
    on standard output.
    """
    source, destination = places_of(places, "SOURCE", "DESTINATION")
    if is_url(destination):
        raise click.UsageError(
            f"{masked(destination)!r} is a database, and export writes bundles; expected a path. "
            "To load a bundle into a database: lading import."
        )
    if is_document(destination):
        _export_document(output, source, destination, choice, options)
        return
    manifest = _export_bundle(output, source, destination, choice, options)
    checks: tuple[str, ...] = ()
    if verified:
        with progress_shown() as progress:
            verification = verify(destination, progress=progress)
        checks = verification.checks
        if not verification:
            output.result(verification, bundle_result(manifest, ExportResult, checks=()))
            raise click.exceptions.Exit(ExitCode.BUNDLE)
    text = f"{manifest}\nverified: whole ({', '.join(checks)})" if verified else str(manifest)
    output.result(text, bundle_result(manifest, ExportResult, checks=checks))


def _export_bundle(
    output: Output, source: str, destination: str, choice: CatalogChoice, options: dict[str, Any]
) -> Manifest:
    """Write a bundle from any source."""
    if is_url(source):
        with connected(source) as engine:
            catalog = choice.for_database(engine, output)
            options = _without_excluded(catalog, options)
            with progress_shown() as progress:
                return export_all(
                    engine, destination, catalog=catalog, progress=progress, **options
                )
    if is_document(source):
        options = taken_by(write_bundle, options, "a document")
        document = read_document(source)
        catalog = choice.for_bundle(None, output)
        with progress_shown() as progress:
            return write_bundle(
                document, destination, catalog=catalog, progress=progress, **options
            )
    options = taken_by(upgrade, options, "a bundle")
    return converted(output, source, destination, choice, options)


def _without_excluded(catalog: Catalog, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of an export, with the entities to leave out taken from ``only``."""
    others = {name: value for name, value in options.items() if name != "exclude"}
    if options["exclude"] is None:
        return others
    known = catalog.use().roots
    excluded = entity_names("exclude", options["exclude"], known)
    others["only"] = sorted(entity_names("only", options["only"], known) - excluded)
    if not others["only"]:
        raise click.UsageError("--exclude leaves no entity to export; expected at least one.")
    return others


def _export_document(
    output: Output, source: str, destination: str, choice: CatalogChoice, options: dict[str, Any]
) -> None:
    """Write a document from any source."""
    overwrite = bool(options.pop("overwrite"))
    if is_document(source):
        raise click.UsageError("The source is a document already; expected a database or a bundle.")
    if is_url(source):
        with connected(source) as engine:
            catalog = choice.for_database(engine, output)
            options = _without_excluded(catalog, options)
            options = taken_by(export_document, options, "a document")
            document = export_document(engine, catalog=catalog, **options)
    else:
        taken_by(document_from, options, "a bundle")
        document = document_from(source)
    write_document(document, destination, overwrite=overwrite)
    entities = {name: len(rows) for name, rows in document.items() if isinstance(rows, list)}
    result = DocumentResult(path=destination, records=sum(entities.values()), entities=entities)
    text = (
        f"{destination}: {counted(len(entities), 'entity', 'entities')}, "
        f"{counted(result.records, 'record')}"
    )
    if destination == STANDARD:  # where the document stands alone
        click.echo(json_line(result) if output.as_json else text, err=True)
    else:
        output.result(text, result)
