"""What two databases must agree on to hold the same: the columns that an import restores.

Ids that a database makes up mean nothing in another, so they and the columns that hold
them are compared by the rows that they lead to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lading.catalog import Catalog
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value


@dataclass(frozen=True, eq=False, slots=True)
class Pointer:
    """A reference, with those of its columns that mean something by themselves."""

    reference: Reference
    solid: tuple[Column, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Linked:
    """A many-to-many list, with the link table's columns that mean something by themselves."""

    links: Links
    solid: tuple[Column, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Way:
    """One way in which a schema's rows live in records of another.

    ``written`` is the list's name in the record, ``via`` the child's reference to its parent.
    Rows in which all of one group of ``others`` are set are another parent's.  ``key`` is
    what identifies a row within its list, and may be nothing.  ``by_id`` is the made-up id
    by which a list is ordered in the end, after ``ties``: where those are equal, the order of
    ids means something.
    """

    written: str
    child: RowSet
    via: Reference
    others: tuple[tuple[Column, ...], ...]
    key: tuple[Value | Reference, ...]
    by_id: Column | None
    ties: tuple[Column, ...]


@dataclass(eq=False, slots=True)
class Shape:
    """What is compared of one schema's rows; ``ways`` are the lists that its records own."""

    rows: RowSet
    values: tuple[Value, ...]
    pointers: tuple[Pointer, ...]
    linked: tuple[Linked, ...]
    ways: list[Way] = field(default_factory=list)


class Scope:
    """What is compared of a catalog: a shape for every schema's row set, owned ones too."""

    def __init__(self, catalog: Catalog) -> None:
        self.entities = catalog.use()
        plain = list(self.entities.plain.values())
        self.made_up = made_up_columns(plain)
        self.shapes = {rows: self._shape(rows) for rows in plain}
        self.owners: dict[RowSet, list[tuple[RowSet, Way]]] = {}
        for parent in self.entities.all_rows():
            for children in parent.children:
                self._own(self.entities.plain[parent.schema], children)

    def _shape(self, rows: RowSet) -> Shape:
        lost = unrestored(rows, self.made_up)
        return Shape(
            rows,
            tuple(value for value in rows.values if value.column not in lost),
            tuple(Pointer(item, self._solid(item.columns)) for item in rows.references),
            tuple(Linked(item, self._solid(item.table.columns)) for item in rows.links),
        )

    def _solid(self, columns: Iterable[Column]) -> tuple[Column, ...]:
        return tuple(column for column in columns if column not in self.made_up)

    def _own(self, parent: RowSet, children: Children) -> None:
        """Note a list once, however many records its parent is nested in."""
        ways = self.shapes[parent].ways
        if any(way.written == children.written for way in ways):
            return
        nested = children.rows
        child = self.entities.plain[nested.schema]
        sequence = [column for column, _ in children.sequence]
        by_id = next((column for column in sequence if column in self.made_up), None)
        ties = tuple(sequence[: sequence.index(by_id)]) if by_id is not None else ()
        way = Way(children.written, child, children.via, children.others, nested.key, by_id, ties)
        ways.append(way)
        self.owners.setdefault(child, []).append((parent, way))


def made_up_columns(plain: Iterable[RowSet]) -> set[Column]:
    """Return the columns that hold ids which their database made up: its own and others'."""
    known = list(plain)
    found = {rows.surrogate for rows in known if rows.surrogate is not None}
    pairs = [pair for rows in known for pair in holding(rows)]
    while new := {near for near, far in pairs if far in found} - found:
        found |= new
    return found


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
    lost: set[Column] = set()
    columns = [column for table in rows.tables for column in table.columns]
    computed = [column for column in columns if column.computed is not None]
    lost.update(column for column in columns if column not in stored and column not in computed)
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
