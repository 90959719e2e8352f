"""`lading init`: a package that declares a database, or what is new in one that is there."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import click
import sqlalchemy as sa

from lading.adopting.sources import name_of
from lading.cli.command import command
from lading.cli.databases import VARIABLE, connected, is_url
from lading.cli.declared import named_models
from lading.cli.exit_codes import ExitCode
from lading.cli.output import Output
from lading.cli.results import InitResult
from lading.cli.scratch import scratch_databases, scratch_option
from lading.scaffolding.result import Scaffolding
from lading.scaffolding.scaffold import scaffold


@command(
    "init",
    examples=(
        "lading init sqlite:///app.db shop/",
        "lading init postgresql+psycopg://me@localhost/shop backups/ --models shop.models:Base",
    ),
)
@click.argument("places", nargs=-1, metavar="[URL] [PACKAGE]")
@click.option(
    "--models",
    metavar="MODULE:ATTRIBUTE",
    help="A declarative base or registry that is there: only schemas are written for its models.",
)
@click.option(
    "--owned", is_flag=True, help="Let records hold the rows that are deleted along with them."
)
@scratch_option
@click.option("--name", help="The catalog's name; by default the database's.")
def init(
    output: Output,
    *,
    places: tuple[str, ...],
    models: str | None,
    owned: bool,
    scratch: str | None,
    name: str | None,
) -> None:
    """Write a package that declares a database: models and schemas.

    URL is the database (by default DATABASE_URL), PACKAGE the package's folder (by default named
    after the database). At the end the database is exported, imported into a scratch database
    and compared. Another run adds what is new in the database, and only lists what it would change.
    """
    url, folder = _places(places)
    base = named_models(models, "--models") if models is not None else None
    if url is None and base is None:
        raise click.UsageError(f"Missing argument: expected URL (or set {VARIABLE}), or --models.")
    with (
        connected(url) if url is not None else nullcontext() as engine,
        scratch_databases(scratch) as factory,
    ):
        target = folder or _named_after(engine)
        result = scaffold(engine, target, name=name, models=base, owned=owned, scratch=factory)
    output.result(result, _document(result))
    if result.problems:
        raise click.exceptions.Exit(ExitCode.DATABASE)


def _places(places: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the URL and the folder, each of which may be left out."""
    urls = [place for place in places if is_url(place)]
    folders = [place for place in places if not is_url(place)]
    if len(urls) > 1 or len(folders) > 1:
        raise click.UsageError("Too many arguments: expected [URL] [PACKAGE].")
    return (*urls, os.environ.get(VARIABLE))[0], (*folders, None)[0]


def _named_after(engine: sa.Engine | None) -> str:
    if engine is None:
        raise click.UsageError("Missing argument: expected PACKAGE, the folder to write.")
    name = "".join(letter if letter.isalnum() else "_" for letter in name_of(engine))
    return name if name.isidentifier() else f"_{name}"


def _document(result: Scaffolding) -> InitResult:
    return InitResult(
        path=str(Path(result.folder)),
        written=tuple(path.name for path in result.written),
        added=tuple(result.added),
        changes=tuple(result.changes),
        remarks=tuple(result.remarks),
        entities=result.entities,
        records=result.records,
        problems=tuple(result.problems),
        unproved=tuple(result.unproved),
    )
