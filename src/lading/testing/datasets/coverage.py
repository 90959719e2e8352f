"""Finds what would be forgotten: columns that no record carries, and no list names."""

from __future__ import annotations

from collections.abc import Iterator

from lading.catalog import Catalog
from lading.database.tables import tables_of
from lading.fresh_databases.factories import tables_of_models
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import NOTHING, DataDifference


def forgotten(catalog: Catalog) -> list[DataDifference]:
    """List the columns that are in no member of any record and not in ``catalog.coverage()``.

    Tables without any schema count as a whole.
    """
    entities = catalog.use()
    names = {table: table.fullname for table in tables_of(entities)}
    named, carried = set(catalog.coverage()), set()
    for rows in entities.plain.values():
        names |= dict.fromkeys(rows.tables, rows.name)
        carried |= {rows.surrogate, *(value.column for value in rows.values)}
        carried |= {*_holding(rows)}
    differences = []
    for table in tables_of_models(catalog):
        if table not in names and table.fullname not in named:
            differences.append(DataDifference(table.fullname, None, None, "a table", NOTHING))
        differences += [
            DataDifference(names[table], None, column.name, "a column", NOTHING)
            for column in (table.columns if table in names else ())
            if column not in carried and f"{table.fullname}.{column.name}" not in named
        ]
    return differences


def _holding(rows: RowSet) -> Iterator[Column]:
    """Yield the columns that hold what others do: where rows lead."""
    for extension in rows.extensions:
        yield from (own for own, _ in extension.pairs)
    for links in rows.links:
        yield from (own for own, _ in links.local)
    for reference in [*rows.references, *(links.reference for links in rows.links)]:
        yield from reference.columns
