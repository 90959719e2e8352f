"""What a command reads: a database or a bundle, told apart by how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.cli.catalogs import CatalogChoice
from lading.cli.databases import connected, is_url
from lading.cli.output import Output
from lading.cli.secrets import masked


@dataclass(frozen=True, slots=True)
class Source:
    """A database or a bundle.

    ``place`` is what the library's functions take, an engine or a path, and ``label`` what
    messages call it.  ``catalog`` is ``None`` for a bundle where no catalog is named.
    """

    place: sa.Engine | str
    label: str
    catalog: Catalog | None

    @property
    def is_bundle(self) -> bool:
        """Whether it is a bundle."""
        return isinstance(self.place, str)


@contextmanager
def opened_source(text: str, choice: CatalogChoice, output: Output) -> Iterator[Source]:
    """Open what a command reads, while it does.

    Args:
        text: A database's URL, or a bundle's path.
        choice: What the command line says about the catalog.
        output: Where it is said that a database is reflected.
    """
    if not is_url(text):
        yield Source(text, text, choice.perhaps_for_bundle(text, output))
        return
    with connected(text) as engine:
        yield Source(engine, masked(text), choice.for_database(engine, output))
