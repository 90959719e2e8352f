"""Compares the values that two databases store, table by table, past every type processor.

Where rows lead is compared by the rows as SQLAlchemy reads them.
"""

from __future__ import annotations

from lading.catalog import Catalog
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import DataDifference, varied
from lading.testing.compare.records import list_differences
from lading.testing.compare.stored import Stored


def differences(catalog: Catalog, before: Stored, after: Stored) -> list[DataDifference]:
    """Compare the values that records carry of two databases; one of each field comes first.

    What no import sets (made up, left out, or computed) isn't compared.  Rows are matched by the
    values of their natural key, and by how much of them is alike; two databases that hold the
    same give an empty list.
    """
    differing: list[DataDifference] = []
    for rows in catalog.use().plain.values():
        place = ", ".join(rows.name.split(".")[1:])
        for table in rows.tables:
            names = {c.name: name for c, name in restored(rows).items() if c.table is table}
            sides = [
                [{name: cells[column] for column, name in names.items()} for cells in rows]
                for rows in (stored.get(table.fullname, ()) for stored in (before, after))
            ]
            differing += list_differences(rows, place, *sides)
    return varied(differing)


def restored(rows: RowSet) -> dict[Column, str]:
    """Return the columns of values that an import gives back, with their names in records."""
    return {value.column: value.written for value in rows.values if value.writable}
