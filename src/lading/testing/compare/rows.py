"""One database's rows as records hold them: which row each is, what it leads to, what it owns.

Two sides share one :class:`Names`, so that equal things have equal numbers in both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from lading.model.rowsets import Column, Links, Reference, RowSet, Value
from lading.testing.compare.scope import Linked, Pointer, Scope, Shape, Way
from lading.testing.compare.stored import NULL_TEXT, Cell, Stored, is_null

NULL: Cell = ("null", NULL_TEXT)
NOWHERE = "leads nowhere"
CIRCLE = "a circle"


class Names:
    """Numbers for things that can be told apart: equal ones have the same."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def of(self, *thing: Hashable) -> int:
        """Return a thing's number."""
        return self.numbers.setdefault(thing, len(self.numbers) + 1)


@dataclass(eq=False, slots=True)
class Row:
    """One row, with those of its subclass's tables.

    ``identity`` is the number of its natural key, 0 without one; ``whole`` that of all that
    its record holds.  ``owned`` are the rows in its record by the way that they live there,
    ``links`` each list's link rows.
    """

    shape: Shape
    cells: dict[Column, Cell]
    tables: set[str]
    identity: int = 0
    whole: int = 0
    owner: Row | None = None
    way: Way | None = None
    owned: dict[Way, list[Row]] = field(default_factory=dict)
    links: dict[Links, list[Row]] = field(default_factory=dict)
    contents: dict[str, Hashable] = field(default_factory=dict)


class Nowhere:
    """What a foreign key without a target leads to; ``text`` is what it holds."""

    def __init__(self, text: str) -> None:
        self.text = text


Target = Row | Nowhere | None


class Side:
    """A database's rows by row set.

    ``stray`` are rows of subclasses' tables and link tables that belong to no row, each as
    (row set, field or table, what it holds).
    """

    def __init__(self, scope: Scope, stored: Stored, names: Names) -> None:
        self.scope = scope
        self.names = names
        self.stray: list[tuple[RowSet, str, str]] = []
        self.indexes: dict[tuple[RowSet, tuple[Column, ...]], dict[tuple[str, ...], list[Row]]] = {}
        self.rows = {rows: self._read(shape, stored) for rows, shape in scope.shapes.items()}
        for shape in scope.shapes.values():
            self._place(shape, stored)
        for row in self.all_rows():
            self._identify(row)
        for row in self.all_rows():
            self.whole(row)

    def all_rows(self) -> Iterator[Row]:
        """Yield every row."""
        for rows in self.rows.values():
            yield from rows

    def top(self, rows: RowSet) -> list[Row]:
        """Return the rows of a row set that live in no other's record."""
        return [row for row in self.rows[rows] if row.owner is None]

    # Reading

    def _read(self, shape: Shape, stored: Stored) -> list[Row]:
        """Return a row set's rows, each joined with those of subclasses' tables."""
        rows = shape.rows
        name = rows.table.fullname
        found = [Row(shape, cells, {name}) for cells in _cells(rows.table.columns, stored, name)]
        for extension in rows.extensions:
            by_base = _by(found, [base for _, base in extension.pairs])
            table = extension.table.fullname
            for cells in _cells(extension.table.columns, stored, table):
                held = tuple(cells[own][1] for own, _ in extension.pairs)
                without = [row for row in by_base.get(held, ()) if table not in row.tables]
                if without:
                    without[0].cells.update(cells)
                    without[0].tables.add(table)
                else:
                    self.stray.append((rows, f"its row in {table}", self._said(cells)))
        return found

    def _said(self, cells: dict[Column, Cell]) -> str:
        """Say what a row holds that means something."""
        texts = [
            f"{column.name} {cell[1]}"
            for column, cell in cells.items()
            if column not in self.scope.made_up
        ]
        return ", ".join(texts) or "made-up ids alone"

    def _place(self, shape: Shape, stored: Stored) -> None:
        """Give owned rows to their owners, and link rows to the rows that they belong to."""
        ways = self.scope.owners.get(shape.rows, ())
        for row in self.rows[shape.rows] if ways else ():
            for parent, way in ways:
                owner = self._first(parent, way.via.remote, row.cells, way.via.columns)
                elsewhere = any(_all_set(row.cells, group) for group in way.others)
                if isinstance(owner, Row) and not elsewhere:
                    row.owner, row.way = owner, way
                    owner.owned.setdefault(way, []).append(row)
                    break
        for linked in shape.linked:
            self._place_links(shape, linked, stored)

    def _place_links(self, shape: Shape, linked: Linked, stored: Stored) -> None:
        links = linked.links
        near = tuple(column for column, _ in links.local)
        far = tuple(column for _, column in links.local)
        for cells in _cells(links.table.columns, stored, links.table.fullname):
            owner = self._first(shape.rows, far, cells, near)
            if isinstance(owner, Row):
                link = Row(shape, cells, {links.table.fullname})
                owner.links.setdefault(links, []).append(link)
            else:
                self.stray.append((shape.rows, links.written, self._said(cells)))

    # References

    def target(self, reference: Reference, row: Row) -> Target:
        """Return the row that a reference leads to; ``None`` if it is null, in part or whole."""
        return self._first(reference.target, reference.remote, row.cells, reference.columns)

    def _first(
        self,
        rows: RowSet,
        remote: tuple[Column, ...],
        cells: dict[Column, Cell],
        columns: tuple[Column, ...],
    ) -> Target:
        held = [cells.get(column, NULL) for column in columns]
        if any(is_null(cell) for cell in held):
            return None
        if (rows, remote) not in self.indexes:
            self.indexes[rows, remote] = _by(self.rows[rows], remote)
        # Texts alone: one engine may give an id and what refers to it different types.
        found = self.indexes[rows, remote].get(tuple(text for _, text in held), ())
        return found[0] if found else Nowhere(" and ".join(text for _, text in held))

    def link(self, reference: Reference, row: Row) -> Hashable:
        """Return what a reference leads to, equal in both sides if it is the same row."""
        target = self.target(reference, row)
        if target is None:
            return None
        if isinstance(target, Nowhere):
            return NOWHERE  # what it holds is compared as cells, if it means anything
        if target.identity:
            return target.identity
        return tuple(
            target.cells.get(part.column, NULL)
            for part in reference.parts
            if isinstance(part, Value)
        )

    # Who is who

    def _identify(self, start: Row) -> None:
        """Number a row's natural key, after those that it nests; without recursion, for depth."""
        path = {start: None} if start.shape.rows.key and not start.identity else {}
        while path:
            row = next(reversed(path))
            waiting = next(self._unnumbered(row), None)
            if waiting is None:
                row.identity = self._key_number(row)
                del path[row]
            elif waiting in path:
                round_ = list(path)[list(path).index(waiting) :]
                for member in round_:  # all alike, wherever one comes in
                    member.identity = self._key_number(member, circle=True)
                    del path[member]
            else:
                path[waiting] = None

    def _unnumbered(self, row: Row) -> Iterator[Row]:
        for part in row.shape.rows.key:
            if isinstance(part, Reference):
                target = self.target(part, row)
                if isinstance(target, Row) and target.shape.rows.key and not target.identity:
                    yield target

    def _key_number(self, row: Row, *, circle: bool = False) -> int:
        key: list[Hashable] = [CIRCLE] if circle else []
        for part in row.shape.rows.key:
            if isinstance(part, Value):
                key.append(row.cells.get(part.column, NULL))
            elif not circle:
                key.append(self.link(part, row))
        return self.names.of(row.shape.rows.schema, *key)

    # What rows hold

    def whole(self, row: Row) -> int:
        """Return the number of all that a row's record holds."""
        if not row.whole:
            row.contents = dict(self._contents(row))
            owned = [self.listed(row, way) for way in row.shape.ways]
            row.whole = self.names.of(*row.contents.items(), *owned)
        return row.whole

    def listed(self, row: Row, way: Way) -> tuple[int, ...]:
        """Return the numbers of all that an owned list holds, with its order if that counts."""
        children = row.owned.get(way, [])
        if way.by_id is None:
            return tuple(sorted(self.whole(child) for child in children))
        groups: dict[tuple[Cell, ...], list[int]] = {}
        for child in sorted(children, key=lambda child: _ordinal(child.cells, way.by_id)):
            tied = tuple(child.cells.get(column, NULL) for column in way.ties)
            groups.setdefault(tied, []).append(self.whole(child))
        return tuple(sorted(self.names.of(tied, *group) for tied, group in groups.items()))

    def _contents(self, row: Row) -> Iterator[tuple[str, Hashable]]:
        """Yield each field's name with what is compared of it."""
        for value in row.shape.values:
            yield value.written, row.cells.get(value.column, NULL)
        for pointer in row.shape.pointers:
            if row.way is None or pointer.reference is not row.way.via:
                yield pointer.reference.written, self._pointed(pointer, row)
        for linked in row.shape.linked:
            links = row.links.get(linked.links, ())
            yield linked.links.written, tuple(sorted(self.linked(linked, link) for link in links))
        for extension in row.shape.rows.extensions:
            name = extension.table.fullname
            yield f"its row in {name}", name in row.tables

    def _pointed(self, pointer: Pointer, row: Row) -> Hashable:
        solid = tuple(row.cells.get(column, NULL) for column in pointer.solid)
        return self.link(pointer.reference, row), solid

    def linked(self, linked: Linked, link: Row) -> int:
        """Return the number of what one row of a link table leads to."""
        solid = tuple(link.cells.get(column, NULL) for column in linked.solid)
        return self.names.of(self.link(linked.links.reference, link), solid)


def _cells(columns: Iterable[Column], stored: Stored, table: str) -> Iterator[dict[Column, Cell]]:
    """Yield each row of a table by its columns."""
    known = list(columns)
    for row in stored.get(table, ()):
        yield {column: row.get(column.name, NULL) for column in known}


def _by(rows: Iterable[Row], columns: Iterable[Column]) -> dict[tuple[str, ...], list[Row]]:
    """Return rows by the texts of some columns, but for those where one is null."""
    known = list(columns)
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        held = [row.cells.get(column, NULL) for column in known]
        if not any(is_null(cell) for cell in held):
            found.setdefault(tuple(text for _, text in held), []).append(row)
    return found


def _ordinal(cells: dict[Column, Cell], column: Column | None) -> tuple[bool, int, str]:
    """Return what an id sorts by: servers give numbers as texts, in quotes."""
    text = NULL_TEXT if column is None else cells.get(column, NULL)[1].strip("'")
    is_number = text.removeprefix("-").isdecimal()
    return is_number, int(text) if is_number else 0, text


def _all_set(cells: dict[Column, Cell], columns: Iterable[Column]) -> bool:
    return all(not is_null(cells.get(column, NULL)) for column in columns)
