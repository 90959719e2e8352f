"""The two sides of `lading diff`, with the one catalog that both are read by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.cli.catalogs import CatalogChoice
from lading.cli.databases import connected, is_url
from lading.cli.documents import is_document, read_document
from lading.cli.output import Output


@contextmanager
def opened_sides(
    a: str, b: str, choice: CatalogChoice, output: Output
) -> Iterator[tuple[Any, Any, Catalog]]:
    """Yield what ``diff`` takes for each side, and the catalog.

    Without a declared catalog it is that of the first side that is a database, else that of
    ``--database`` or ``DATABASE_URL``; it has the name that a bundle among the sides calls it.

    Args:
        a: the first side, as it was written: a URL or a path.
        b: the second side.
        choice: which catalog was asked for.
        output: takes what people are told.
    """
    with ExitStack() as stack:
        sides: list[Any] = []
        for text in (a, b):
            if is_url(text):
                sides.append(stack.enter_context(connected(text)))
            else:
                sides.append(read_document(text) if is_document(text) else text)
        bundle = next((side for side in sides if isinstance(side, str)), None)
        engine = next((side for side in sides if isinstance(side, sa.Engine)), None)
        if engine is None:
            catalog = choice.for_bundle(bundle, output)
        else:
            catalog = choice.for_database(engine, output, bundle=bundle)
        yield sides[0], sides[1], catalog
