"""Compares all that a catalog carries of two databases, cell by cell as it is stored.

The rows of each database become records whose values are stored cells, and those are compared.
Ids that a database makes up mean nothing in another, so references are written as the natural
keys that they lead to, and owned rows and link rows within the record that they belong to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from lading.catalog import Catalog
from lading.model.entities import Entities
from lading.model.recursive_keys import level_parts, recurring
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value
from lading.testing.compare.difference import NEW, NOTHING, DataDifference, ranked
from lading.testing.compare.records import AS, Comparison, plain_text
from lading.testing.compare.stored import NULL_TEXT, Cell, Stored, is_null

NULL: Cell = ("null", NULL_TEXT)
#: The levels of a key that recurs which are compared; a circle of rows has no end.
LEVELS = 20


class CellText(str):
    """A stored value with its type, shown as it stands: its text is quoted already."""

    __slots__ = ("bare",)
    __repr__ = str.__str__
    bare: CellText


def cell_text(cell: Cell) -> CellText | None:
    """Return a cell as a record holds it: ``'12.50' (text)``; ``bare`` is without its type."""
    if is_null(cell):
        return None
    text = CellText(f"{cell[1]} ({cell[0]})")
    text.bare = CellText(cell[1])
    return text


def differences(catalog: Catalog, before: Stored, after: Stored) -> list[DataDifference]:
    """Compare all that a catalog carries of two databases; the most telling differences first.

    What no import restores (left out, only written, or computed from that) isn't compared.
    Rows are matched by natural key, the others by how much of them is alike; two databases
    that hold the same give an empty list.  Nothing is raised for rows whose keys are there
    twice, that lead nowhere, or that refer to each other in circles.
    """
    entities = catalog.use()
    earlier, later = (CellRecords(entities, stored) for stored in (before, after))
    comparison = Comparison()
    for name, root in entities.roots.items():
        comparison.compare_lists(root, name, "", earlier.records(root), later.records(root))
    was, now = Counter(earlier.strays()), Counter(later.strays())
    for rows, is_new in ((was - now, False), (now - was, True)):
        for entity, name, text in rows.elements():
            row = f"a row that belongs to no record ({text})"
            texts = (NOTHING, row) if is_new else (row, NOTHING)
            comparison.differences.append((NEW, DataDifference(entity, None, name, *texts)))
    return ranked(comparison.differences)


class CellRow:
    """One row, with the cells of its rows in subclasses' tables."""

    def __init__(self, cells: dict[Column, Cell]) -> None:
        self.cells = cells
        self.tables = {column.table for column in cells}
        self.is_placed = False

    def texts(self, columns: Iterable[Column]) -> tuple[str, ...] | None:
        """Return what some columns hold; ``None`` if one of them is null.

        Texts alone: one engine may give an id and what refers to it different types.
        """
        cells = [self.cells.get(column, NULL) for column in columns]
        return None if any(map(is_null, cells)) else tuple(text for _, text in cells)


class CellRecords:
    """A database's records, of stored cells."""

    def __init__(self, entities: Entities, stored: Stored) -> None:
        self.entities = entities
        self.stored = stored
        plain = list(entities.plain.values())
        self.made_up = made_up_columns(plain)
        self.lost = {column for rows in plain for column in unrestored(rows, self.made_up)}
        self.indexes: dict[tuple[Column, ...], dict[tuple[str, ...], list[CellRow]]] = {}
        self.stray: list[tuple[str, str, CellRow]] = []
        self.rows: dict[Any, list[CellRow]] = {}
        for rows in plain:
            self.rows[rows.table] = self._joined(rows)
        for table in {links.table: None for rows in plain for links in rows.links}:
            self.rows.setdefault(table, self._rows_of(table))

    def records(self, root: RowSet) -> list[dict[str, Any]]:
        """Return the records of an entity."""
        return [self._record(root, row) for row in self.rows[root.table]]

    def strays(self) -> Iterator[tuple[str, str, str]]:
        """Yield each row that no record has taken in: entity, table or field, and its cells."""
        for entity, name, row in self.stray:
            yield entity, name, self._meaning(row)
        roots = {root.table for root in self.entities.roots.values()}
        for rows in self.entities.plain.values():
            for member in rows.links:
                for row in self.rows[member.table]:
                    if not row.is_placed:
                        yield rows.entity, member.written, self._meaning(row)
            for row in self.rows[rows.table] if rows.table not in roots else ():
                if not row.is_placed:
                    yield rows.entity, rows.name, self._meaning(row)

    def _meaning(self, row: CellRow) -> str:
        cells = {column: cell for column, cell in row.cells.items() if column not in self.made_up}
        texts = (f"{column.name} {cell[1]}" for column, cell in cells.items())
        return ", ".join(texts) or "made-up ids alone"

    # Rows

    def _rows_of(self, table: Any) -> list[CellRow]:
        columns = list(table.columns)
        return [
            CellRow({column: cells.get(column.name, NULL) for column in columns})
            for cells in self.stored.get(table.fullname, ())
        ]

    def _joined(self, rows: RowSet) -> list[CellRow]:
        """Return a table's rows, each joined with those of subclasses' tables."""
        joined_rows = self._rows_of(rows.table)
        for extension in rows.extensions:
            by_base = _by(joined_rows, [base for _, base in extension.pairs])
            for more in self._rows_of(extension.table):
                base_rows = by_base.get(more.texts(own for own, _ in extension.pairs) or (), [])
                base = next((row for row in base_rows if extension.table not in row.tables), None)
                if base is None:
                    self.stray.append((rows.entity, f"its row in {extension.table.fullname}", more))
                else:
                    base.cells.update(more.cells)
                    base.tables.add(extension.table)
        return joined_rows

    def _leading(self, table: Any, columns: tuple[Column, ...], key: Any) -> list[CellRow]:
        """Return the rows of a table that hold a key in some columns."""
        if columns not in self.indexes:
            self.indexes[columns] = _by(self.rows[table], columns)
        return self.indexes[columns].get(key, [])

    # Records

    def _record(self, rows: RowSet, row: CellRow) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for member in rows.members:
            if isinstance(member, Value):
                if member.column not in self.lost:
                    record[member.written] = cell_text(row.cells.get(member.column, NULL))
            elif isinstance(member, Reference):
                record |= self._reference(member, row)
            elif isinstance(member, Links):
                record[member.written] = self._links(member, row)
            elif isinstance(member, Children):
                record[member.written] = self._children(member, row)
        for extension in rows.extensions:
            is_there = extension.table in row.tables
            record[f"its row in {extension.table.fullname}"] = "a row" if is_there else "no row"
        return record

    def _reference(self, reference: Reference, row: CellRow) -> dict[str, Any]:
        """Return the key that a reference leads to, and its cells that aren't made-up ids."""
        own = {
            f"{reference.written}{AS}{column.name}": cell_text(row.cells.get(column, NULL))
            for column in reference.columns
            if column not in self.made_up
        }
        return {reference.written: self._key(reference, row), **own}

    def _key(self, reference: Reference, row: CellRow, levels: int = LEVELS) -> Any:
        texts = row.texts(reference.columns)
        if texts is None:
            return None
        targets = self._leading(reference.target.table, reference.remote, texts)
        if not targets:
            return CellText(f"{' and '.join(texts)} (which leads nowhere)")
        parts = reference.parts
        own = recurring(parts)
        key = {part.written: self._part(part, targets[0]) for part in level_parts(parts)}
        if own is not None:
            key[own.written] = self._key(own, targets[0], levels - 1) if levels else "..."
        return key

    def _part(self, part: Value | Reference, row: CellRow) -> Any:
        if isinstance(part, Reference):
            return self._key(part, row)
        return cell_text(row.cells.get(part.column, NULL))

    def _links(self, member: Links, row: CellRow) -> list[Any]:
        near = tuple(column for column, _ in member.local)
        key = row.texts(column for _, column in member.local)
        links = self._leading(member.table, near, key)
        solid = [c for c in member.table.columns if c not in self.made_up]
        keys = []
        for link in links:
            link.is_placed = True
            key_texts = self._key(member.reference, link)
            cells = {c.name: cell_text(link.cells[c]) for c in solid if not c.foreign_keys}
            keys.append({**key_texts, **cells} if isinstance(key_texts, dict) else key_texts)
        return sorted(keys, key=plain_text)

    def _children(self, member: Children, row: CellRow) -> list[dict[str, Any]]:
        near = tuple(column for column, _ in member.pairs)
        key = row.texts(column for _, column in member.pairs)
        owned = [
            child
            for child in self._leading(member.rows.table, near, key)
            if not any(child.texts(group) is not None for group in member.others)
        ]
        for child in owned:
            child.is_placed = True
        pairs = [(child, self._record(member.rows, child)) for child in owned]
        pairs.sort(key=lambda pair: self._place(member, *pair))
        return [record for _, record in pairs]

    def _place(self, member: Children, child: CellRow, record: dict[str, Any]) -> tuple[Any, ...]:
        """Return what a list is sorted by here: what it is ordered by, and its content.

        Where made-up ids decide in the end, their order means something.
        """
        ties = [
            _ordinal(child.cells.get(column, NULL))
            if column in self.made_up
            else (False, 0, str(child.cells.get(column, NULL)))
            for column, _ in member.sequence
        ]
        return (*ties, plain_text(record))


def _by(rows: Iterable[CellRow], columns: Iterable[Column]) -> dict[tuple[str, ...], list[CellRow]]:
    """Return rows by the texts of some columns, but for those where one is null."""
    known = list(columns)
    rows_by_key: dict[tuple[str, ...], list[CellRow]] = {}
    for row in rows:
        texts = row.texts(known)
        if texts is not None:
            rows_by_key.setdefault(texts, []).append(row)
    return rows_by_key


def _ordinal(cell: Cell) -> tuple[bool, int, str]:
    """Return what an id sorts by: servers give numbers as texts, in quotes."""
    text = cell[1].strip("'")
    is_number = text.removeprefix("-").isdecimal()
    return is_number, int(text) if is_number else 0, text


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
    """Return the columns of values that no import gives back as they were.

    Those are written only, or computed from a column that comes back otherwise or not at all.
    """
    stored = {value.column for value in rows.values if value.writable}
    for reference in rows.references:
        stored.update(column for column in reference.columns if column not in made_up)
    for extension in rows.extensions:
        stored.update(own for own, base in extension.pairs if base in stored)
    columns = [column for table in rows.tables for column in table.columns]
    computed = [column for column in columns if column.computed is not None]
    lost = {column for column in columns if column not in stored and column not in computed}
    while new := {column for column in computed if _mentions(column, lost)} - lost:
        lost |= new
    return lost


def _mentions(computed: Column, columns: set[Column]) -> bool:
    """Tell whether a computed column's SQL names one of these columns of its table."""
    assert computed.computed is not None
    text = str(computed.computed.sqltext)
    return any(
        column.table is computed.table
        and re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", text, re.IGNORECASE)
        for column in columns
    )
