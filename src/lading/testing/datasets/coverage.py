"""Finds what would be forgotten: columns that no record carries, and no list names."""

from __future__ import annotations

from collections.abc import Iterator

from lading.catalog import Catalog
from lading.database.tables import tables_of
from lading.fresh_databases.factories import tables_of_models
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import NOTHING, DataDifference


def forgotten(catalog: Catalog) -> Iterator[DataDifference]:
    """Yield the columns that are in no member of any record and not in ``catalog.coverage()``.

    They are named by their tables; tables without any schema count as a whole.
    """
    entities, named = catalog.use(), catalog.coverage()
    known = set(tables_of(entities))
    carried = {column for rows in entities.plain.values() for column in _carried(rows)}
    for table in tables_of_models(catalog):
        if table not in known and table.fullname not in named:
            yield DataDifference(table.fullname, None, None, "a table", NOTHING)
        for column in table.columns if table in known else ():
            if column not in carried and f"{table.fullname}.{column.name}" not in named:
                yield DataDifference(table.fullname, None, column.name, "a column", NOTHING)


def _carried(rows: RowSet) -> Iterator[Column | None]:
    """Yield the columns that records carry, by themselves or by what they lead to."""
    yield rows.surrogate
    yield from (value.column for value in rows.values)
    yield from (own for extension in rows.extensions for own, _ in extension.pairs)
    yield from (own for links in rows.links for own, _ in links.local)
    for reference in [*rows.references, *(links.reference for links in rows.links)]:
        yield from reference.columns
