"""Compares the cells of two databases as they are stored, table by table.

Ids that a database makes up mean nothing in another, so of these only nulls are told apart;
where they lead is compared by the rows as SQLAlchemy reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import DataDifference, ranked
from lading.testing.compare.records import AS, Comparison
from lading.testing.compare.stored import Cell, Stored, is_null


class CellText(str):
    """A stored value with its type, shown as it stands: its text is quoted already."""

    __slots__ = ("bare",)
    __repr__ = str.__str__
    bare: CellText


#: Stands for each id that a database made up.
SOME_ID = CellText("an id")
SOME_ID.bare = SOME_ID


def cell_text(cell: Cell, *, is_made_up: bool = False) -> CellText | None:
    """Return a cell as it is compared: ``'12.50' (text)``; ``bare`` is without its type."""
    if is_null(cell):
        return None
    if is_made_up:
        return SOME_ID
    text = CellText(f"{cell[1]} ({cell[0]})")
    text.bare = CellText(cell[1])
    return text


def differences(catalog: Catalog, before: Stored, after: Stored) -> list[DataDifference]:
    """Compare the cells that a catalog carries of two databases; the most telling first.

    What no import sets (made up, left out, only written, or computed) isn't compared.  Rows are
    matched by the columns of their natural key, and by how much of them is alike; two databases
    that hold the same give an empty list.
    """
    plain = list(catalog.use().plain.values())
    made_up = made_up_columns(plain)
    comparison = Comparison()

    def compare(rows: RowSet, place: str, table: sa.Table, names: dict[Column, str]) -> None:
        columns = [column for column in table.columns if column in names]
        sides = [
            [
                {names[c]: cell_text(cells[c.name], is_made_up=c in made_up) for c in columns}
                for cells in stored.get(table.fullname, ())
            ]
            for stored in (before, after)
        ]
        comparison.compare_lists(rows, rows.entity, place, *sides)

    for rows in plain:
        names = _names(rows, unrestored(rows, made_up))
        for table in rows.tables:
            compare(rows, ", ".join(rows.name.split(".")[1:]), table, names)
    for table, (rows, written) in _link_tables(plain).items():
        names = {column: f"{written}{AS}{column.name}" for column in table.columns}
        compare(rows, written, table, names)
    return ranked(comparison.differences)


def _names(rows: RowSet, unrestored_columns: set[Column]) -> dict[Column, str]:
    """Return the columns of a row set that are compared, by the names that differences give."""
    names = {column: column.name for table in rows.tables for column in table.columns}
    names = {column: name for column, name in names.items() if column not in unrestored_columns}
    for reference in rows.references:
        names |= {column: f"{reference.written}{AS}{column.name}" for column in reference.columns}
    restored = (value for value in rows.values if value.column in names)
    return names | {value.column: value.written for value in restored}


def _link_tables(plain: Iterable[RowSet]) -> dict[sa.Table, tuple[RowSet, str]]:
    """Return each link table with the first row set that has a list of its links."""
    lists = [(links.table, rows, links.written) for rows in plain for links in rows.links]
    return {table: (rows, written) for table, rows, written in reversed(lists)}


# Which columns mean something


def made_up_columns(plain: Iterable[RowSet]) -> set[Column]:
    """Return the columns that hold ids which their database made up: its own and others'."""
    known = list(plain)
    columns = {rows.surrogate for rows in known if rows.surrogate is not None}
    pairs = [pair for rows in known for pair in holding(rows)]
    while new := {near for near, far in pairs if far in columns} - columns:
        columns |= new
    return columns


def holding(rows: RowSet) -> Iterator[tuple[Column, Column]]:
    """Yield each column that holds what another does, with that other."""
    for extension in rows.extensions:
        yield from extension.pairs
    for links in rows.links:
        yield from links.local
    for reference in [*rows.references, *(links.reference for links in rows.links)]:
        yield from zip(reference.columns, reference.remote, strict=True)


def unrestored(rows: RowSet, made_up: set[Column]) -> set[Column]:
    """Return the columns of values that no import gives back: written only, or computed."""
    stored = {value.column for value in rows.values if value.writable}
    for reference in rows.references:
        stored.update(column for column in reference.columns if column not in made_up)
    for extension in rows.extensions:
        stored.update(own for own, base in extension.pairs if base in stored)
    return {column for table in rows.tables for column in table.columns} - stored
