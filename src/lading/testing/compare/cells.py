"""Compares the values that two databases store, table by table, past every type processor.

Where rows lead is compared by the rows as SQLAlchemy reads them.
"""

from __future__ import annotations

from lading.catalog import Catalog
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import DataDifference, ranked
from lading.testing.compare.records import Comparison
from lading.testing.compare.stored import Cell, Stored, is_null


class CellText(str):
    """A stored value with its type, shown as it stands: its text is quoted already."""

    __slots__ = ("bare",)
    __repr__ = str.__str__
    bare: CellText


def cell_text(cell: Cell) -> CellText | None:
    """Return a cell as it is compared: ``'12.50' (text)``; ``bare`` is without its type."""
    if is_null(cell):
        return None
    text = CellText(f"{cell[1]} ({cell[0]})")
    text.bare = CellText(cell[1])
    return text


def differences(catalog: Catalog, before: Stored, after: Stored) -> list[DataDifference]:
    """Compare the values that records carry of two databases; the most telling first.

    What no import sets (made up, left out, or computed) isn't compared.  Rows are matched by the
    values of their natural key, and by how much of them is alike; two databases that hold the
    same give an empty list.
    """
    comparison = Comparison()
    for rows in catalog.use().plain.values():
        place = ", ".join(rows.name.split(".")[1:])
        for table in rows.tables:
            names = {c: name for c, name in restored(rows).items() if c.table is table}
            sides = [
                [
                    {name: cell_text(cells[column.name]) for column, name in names.items()}
                    for cells in stored.get(table.fullname, ())
                ]
                for stored in (before, after)
            ]
            comparison.compare_lists(rows, rows.entity, place, *sides)
    return ranked(comparison.differences)


def restored(rows: RowSet) -> dict[Column, str]:
    """Return the columns of values that an import gives back, with their names in records."""
    return {value.column: value.written for value in rows.values if value.writable}
