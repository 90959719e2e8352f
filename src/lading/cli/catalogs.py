"""Which catalog a command works with: the declared one, else that of a database as it is."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import sqlalchemy as sa

from lading.bundle import with_bundle
from lading.bundle.manifest import Manifest
from lading.bundle.shape_format import is_shape
from lading.catalog import Catalog
from lading.cli.databases import VARIABLE, connected
from lading.cli.declared import PROJECT, declared_catalog
from lading.cli.declared import VARIABLE as CATALOG_VARIABLE
from lading.cli.output import Output
from lading.cli.secrets import masked
from lading.cli.shapes import owned_lists
from lading.database.tables import adopted_entities
from lading.messages import counted, listed


@dataclass(frozen=True, slots=True)
class CatalogChoice:
    """What a command line says about the catalog.

    ``option`` is what ``--catalog`` says, ``owned`` whether a reflected catalog nests owned rows,
    and ``database`` the URL of the database that a bundle's catalog is taken from.
    """

    option: str | None
    owned: bool
    database: str | None

    def declared(self) -> Catalog | None:
        """Return the catalog that an application declares, if one is named."""
        catalog = declared_catalog(self.option)
        if catalog is not None and self.owned:
            raise click.UsageError("--owned is for databases without a catalog; leave it out.")
        return catalog

    def for_database(
        self, engine: sa.Engine, output: Output, *, bundle: str | None = None
    ) -> Catalog:
        """Return the catalog to read or write a database by; a reflected one is told.

        Args:
            engine: The database.
            output: Where it is told.
            bundle: The bundle that goes into it, whose catalog's name and natural keys a reflected
                one has; it nests owned rows if the bundle does.
        """
        catalog = self.declared()
        if catalog is not None:
            return catalog
        if bundle is None:
            catalog = Catalog.from_metadata(engine, owned=self.owned)
        else:
            catalog = _reflected_for(manifest_of(bundle), engine, owned=self.owned)
        shown_url = masked(engine.url.render_as_string(hide_password=True))
        output.note(f"No catalog is named: {shown_url} is taken as it is, {_extent(catalog)}.")
        return catalog

    def for_bundle(self, bundle: str | None, output: Output) -> Catalog:
        """Return the catalog to read a bundle by; without one, that of ``DATABASE_URL``."""
        url = self.database or os.environ.get(VARIABLE)
        catalog = self._beside(bundle, output, url)
        if catalog is None and bundle is not None:
            manifest_of(bundle)  # a path without a bundle is the first thing to say
        return catalog or _refuse_none()

    def perhaps_for_bundle(self, bundle: str, output: Output) -> Catalog | None:
        """Return the catalog to read a bundle by, where one is named."""
        return self._beside(bundle, output, self.database)

    def _beside(self, bundle: str | None, output: Output, url: str | None) -> Catalog | None:
        catalog = self.declared()
        if catalog is not None or url is None:
            return catalog
        with connected(url) as engine:
            return self.for_database(engine, output, bundle=bundle)


def manifest_of(bundle: str) -> Manifest:
    """Return a bundle's manifest; ``BundleError`` if it has none."""
    return with_bundle(bundle, lambda reader: reader.manifest)


def _reflected_for(manifest: Manifest, engine: sa.Engine, *, owned: bool) -> Catalog:
    """Return the catalog of a database as a bundle's has it: with its name, lists and keys."""
    is_nested = any(True for entry in manifest.files for _ in owned_lists("", entry.shape))
    if owned and not is_nested:
        raise click.UsageError(
            "--owned, but the bundle's records hold no rows: a bundle is read as it was exported. "
            "Leave --owned out."
        )
    catalog = Catalog.from_metadata(engine, name=manifest.catalog, owned=is_nested)
    catalog.prefer(
        {entry.entity_type: entry.natural_key for entry in manifest.files},
        {entry.entity_type: entry.shape for entry in manifest.files if is_shape(entry.shape)},
    )
    return catalog


def _refuse_none() -> Catalog:
    raise click.UsageError(
        f"No catalog is named: expected --catalog, {CATALOG_VARIABLE} or [tool.lading] in "
        f"{PROJECT}, or --database (or {VARIABLE}) with a database that has its tables."
    )


def _extent(catalog: Catalog) -> str:
    """Say how many entities a reflected catalog has; ``TargetError`` if it has none."""
    entities = adopted_entities(catalog)
    names = listed(sorted(entities.left_out), separator=", ")
    without = f", {len(entities.left_out)} left out: {names}" if names else ""
    return f"{counted(len(entities.roots), 'entity', 'entities')}{without}"


def catalog_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that knows its database the options of a ``CatalogChoice``, its ``choice``."""
    return _catalog_options(function, with_database=False)


def bundle_catalog_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command on bundles the options of a ``CatalogChoice``, with ``--database``."""
    return _catalog_options(function, with_database=True)


def _catalog_options(function: Callable[..., Any], *, with_database: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(
        output: Output,
        *,
        catalog: str | None,
        owned: bool,
        database: str | None = None,
        **options: Any,
    ) -> Any:
        return function(output, choice=CatalogChoice(catalog, owned, database), **options)

    if with_database:
        run = click.option(
            "--database",
            metavar="URL",
            help="Take the catalog of this database as it is, where none is declared.",
        )(run)
    run = click.option(
        "--owned",
        is_flag=True,
        help="Without a catalog: let records hold the rows that are deleted along with them.",
    )(run)
    return click.option(
        "--catalog",
        metavar="MODULE:ATTRIBUTE",
        help="The catalog of declared entities; by default LADING_CATALOG, then [tool.lading] in "
        "pyproject.toml; without one a database is taken as it is.",
    )(run)
