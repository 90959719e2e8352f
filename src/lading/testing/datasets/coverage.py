"""Finds what would be forgotten: columns that no record carries, and no list names."""

from __future__ import annotations

from itertools import chain

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.database.tables import tables_of
from lading.fresh_databases.factories import tables_of_models
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value
from lading.testing.compare.difference import NOTHING, DataDifference


def forgotten(catalog: Catalog) -> list[DataDifference]:
    """List the columns that are in no member of any record and not in ``catalog.coverage()``.

    Tables without any schema count as a whole.
    """
    entities = catalog.use()
    carried = {column for rows in entities.all_rows() for column in _carried(rows)}
    named = catalog.coverage()
    names: dict[sa.Table, str] = {table: table.fullname for table in tables_of(entities)}
    names |= {table: rows.name for rows in entities.all_rows() for table in rows.tables}
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


def _carried(rows: RowSet) -> set[Column]:
    """Return the columns whose values an import can restore, ids that are made up included."""
    columns = {own for extension in rows.extensions for own, _ in extension.pairs}
    columns |= {rows.surrogate} if rows.surrogate is not None else set()
    for member in rows.members:
        match member:
            case Value():
                columns.add(member.column)
            case Reference():
                columns.update(member.columns)
            case Links():
                columns.update((*(near for near, _ in member.local), *member.reference.columns))
            case Children():
                columns.update(chain((near for near, _ in member.pairs), *member.others))
    return columns
