"""The SELECTs of an export: plain columns, references by outer joins, no ORM objects.

A set foreign key without a target must be seen, so wherever the key's own columns
can't show it, the foreign key and the column that it refers to come along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import keys_at, rows_among
from lading.exporting.joins import Joins
from lading.model.recursive_keys import recurring, recurs
from lading.model.rowsets import Column, Reference, RowSet, Value
from lading.values.base import Kind


@dataclass(slots=True)
class ValueSlot:
    """Where a plain value stands in a row, and which column it comes from."""

    value: Value
    place: int


@dataclass(slots=True)
class ReferenceSlot:
    """Where a reference's parts stand.

    ``foreign`` are the places of the foreign key's columns (for a reference that
    may be null, or whose ids are wanted), ``present`` the place of a column that
    is null only where the target is missing.  A key that recurs has no parts here: it is
    the ``number``-th of its selection's, and found by the target's primary key, at
    ``identity`` (see ``ancestors``).
    """

    reference: Reference
    foreign: tuple[int, ...]
    present: int
    parts: list[ValueSlot | ReferenceSlot]
    identity: tuple[int, ...] = ()
    number: int = 0

    def key_text(self) -> str:
        """Return source for the key that recurs, given that its target is there."""
        places = "".join(f"c{place}, " for place in self.identity)
        return f"keys[{self.number}][({places})]"

    def is_null(self) -> str:
        """Return source that tells whether the reference is null: what it alone carries is.

        Where it carries nothing alone, it is null if any of its columns is.
        """
        if not self.foreign:
            return "False"
        pairs = list(zip(self.foreign, self.reference.columns, strict=True))
        own = [place for place, column in pairs if column in self.reference.carried_columns]
        joint = " and " if own else " or "
        return joint.join(f"c{place} is None" for place in own or self.foreign)


class Selection:
    """The columns, joins and order by which a row set's rows are read.

    ``anchor`` are the columns of the table by whose values further statements find what
    belongs to a row; by default its primary key.
    """

    def __init__(
        self, dialect: Dialect, table: sa.Table, anchor: Sequence[Column] | None = None
    ) -> None:
        self.dialect = dialect
        self.table: Any = table
        self.columns: list[sa.ColumnElement[Any]] = []
        self.joins = Joins(table, dialect.same)
        self.anchor = tuple(table.primary_key) if anchor is None else tuple(anchor)
        self._places: dict[Any, int] = {}
        #: For each part of the joins, the places of the columns that are read there.
        self._parts: list[list[int]] = [[]]
        self._further: list[FurtherColumns] | None = None
        #: The references whose keys recur, and are read beside the rows.
        self.recurring: list[ReferenceSlot] = []

    @property
    def joined(self) -> sa.FromClause:
        """The tables of the statement that reads the rows."""
        return self.joins.parts[0]

    @joined.setter
    def joined(self, joined: sa.FromClause) -> None:
        self.joins.parts[0] = joined

    def extend(self, rows: RowSet) -> None:
        """Join the tables that the row set's subclasses add, each under its own name."""
        self.joins.extend(rows)

    def add(self, column: sa.ColumnElement[Any], kind: Kind) -> int:
        """Select a column to be read as a kind, once, and return its place."""
        return self._place(column, self.dialect.selected(column, kind))

    def raw(self, column: sa.ColumnElement[Any]) -> int:
        """Select a column as the driver gives it, to be a parameter of other statements."""
        return self._place(column, column)

    def _place(self, column: Any, selected: sa.ColumnElement[Any]) -> int:
        key = (column, selected is column)
        if key not in self._places:
            part = self.joins.homes.get(column.table, 0)
            if part and len(self._parts) == 1:
                for anchor_column in self.anchor:
                    self.raw(self.table.c[anchor_column.key])
            while len(self._parts) <= part:
                self._parts.append([])
            place = self._places[key] = len(self.columns)
            self.columns.append(selected.label(f"c{place}"))
            self._parts[part].append(place)
        return self._places[key]

    def value(self, value: Value, source: Any) -> ValueSlot:
        """Select a plain value from the table or alias ``source``."""
        selected = self.dialect.selected(value.carrier_in(source), value.kind)
        return ValueSlot(value, self._place(source.c[value.column.key], selected))

    def reference(
        self, reference: Reference, source: Any, *, foreign: bool = False
    ) -> ReferenceSlot:
        """Join a reference's target and select the parts of its key."""
        target = self.join(reference, source)
        places: tuple[int, ...] = ()
        if reference.nullable or foreign:
            places = tuple(self.raw(source.c[column.key]) for column in reference.columns)
        if recurs(reference):
            identity = tuple(self.raw(target.c[c.key]) for c in reference.target.identity)
            number = len(self.recurring)
            slot = ReferenceSlot(reference, places, identity[0], [], identity, number)
            self.recurring.append(slot)
            return slot
        parts = [self.part(part, target) for part in reference.parts]
        return ReferenceSlot(reference, places, self._present(reference, target, parts), parts)

    def part(self, part: Value | Reference, source: Any) -> ValueSlot | ReferenceSlot:
        """Select one part of a key."""
        if isinstance(part, Value):
            return self.value(part, source)
        return self.reference(part, source)

    def join(self, reference: Reference, source: Any) -> Any:
        """Join a reference's target once, under a name of its own."""
        return self.joins.target(reference, source)

    def _present(
        self, reference: Reference, target: Any, parts: list[ValueSlot | ReferenceSlot]
    ) -> int:
        for slot in parts:
            if isinstance(slot, ValueSlot) and not slot.value.nullable:
                return slot.place
        return self.raw(target.c[reference.target.in_base(reference.remote[0]).key])

    def order(self, parts: tuple[Value | Reference, ...], source: Any) -> list[Any] | None:
        """Return the ORDER BY of a key, or ``None`` where the database can't sort so."""
        if recurring(parts) is not None:
            return None
        clauses: list[Any] = []
        for part in parts:
            if isinstance(part, Reference):
                if part.nullable:
                    clauses.append(is_set(part, source))
                target = self.join(part, source)
                inner = None if self.joins.homes[target] else self.order(part.parts, target)
                if inner is None:
                    return None
                clauses += inner
                continue
            column = source.c[part.column.key]
            ordered = self.dialect.ordered(part.carrier_in(source), part.kind)
            if ordered is None:
                return None
            if part.nullable:
                clauses.append(column.is_not(None))
            clauses.append(ordered)
        return clauses

    def statement(self, joined: sa.FromClause | None = None) -> sa.Select[Any]:
        """Return the SELECT so far, which reads the rows; ``joined`` may join more."""
        columns = [self.columns[place] for place in self._parts[0]]
        return sa.select(*columns).select_from(self.joined if joined is None else joined)

    def completed(self, database: Database, rows: list[Row]) -> list[Row]:
        """Return rows of that SELECT with the columns of all further ones, each in its place."""
        if len(self._parts) == 1:
            return rows
        if self._further is None:
            self._further = [
                FurtherColumns(self, part, places)
                for part, places in enumerate(self._parts)
                if part and places
            ]
        anchors = [self._places[self.table.c[column.key], True] for column in self.anchor]
        keys = keys_at(rows, [self._parts[0].index(place) for place in anchors])
        whole: list[Row] = list(map(tuple, rows))
        for further in self._further:
            rows_by_key = further.fetch(database, keys)
            whole = [row + rows_by_key[key] for row, key in zip(whole, keys, strict=True)]
        places = [place for part in self._parts for place in part]
        return keys_at(whole, [places.index(place) for place in range(len(places))])


class FurtherColumns:
    """Reads the columns of one more part of a selection, for the rows at hand."""

    def __init__(self, selection: Selection, part: int, places: Sequence[int]) -> None:
        dialect = selection.dialect
        self.anchor = selection.anchor
        self.width = len(places)
        keys = [selection.table.c[column.key] for column in self.anchor]
        columns = [*keys, *(selection.columns[place] for place in places)]
        self.sql = dialect.text_of(sa.select(*columns).select_from(selection.joins.parts[part]))
        table = dialect.table(selection.table)
        self.names = [f"{table}.{dialect.name(column)}" for column in self.anchor]

    def fetch(self, database: Database, keys: Sequence[Row]) -> dict[Row, Row]:
        """Return the columns by the values of the anchor; nulls where there is no such row."""
        rows = map(tuple, rows_among(database, self.sql, self.anchor, self.names, keys))
        nothing = (None,) * self.width
        return dict.fromkeys(keys, nothing) | {
            row[: -self.width]: row[-self.width :] for row in rows
        }


def is_set(reference: Reference, source: Any) -> Any:
    """Return the condition that a reference isn't null, over a table or alias."""
    carried = reference.carried_columns[:1] or reference.columns
    return sa.and_(*(source.c[column.key].is_not(None) for column in carried))


def with_extensions(rows: RowSet, source: Any = None, same: Callable[..., Any] = eq) -> Any:
    """Join the tables that a row set's subclasses add to its own table, or to ``source``.

    ``same`` returns the condition that a foreign key's column holds the value that it refers to.
    """
    joined: Any = rows.table if source is None else source
    for extension in rows.extensions:
        match = sa.and_(*(same(own, base) for own, base in extension.pairs))
        joined = joined.outerjoin(extension.table, match)
    return joined


def joined_to_owner(
    joined: Any, owner: RowSet, pairs: Sequence[tuple[Column, Column]]
) -> sa.FromClause:
    """Join a row set's own table to what holds its columns, maybe those of a subclass's table."""
    match = sa.and_(*(near == up for near, up in pairs))
    extension = owner.extension_of(pairs[0][1].table)
    if extension is None:
        return joined.join(owner.table, match)  # type: ignore[no-any-return]
    base = sa.and_(*(own == up for own, up in extension.pairs))
    return joined.join(extension.table, match).join(owner.table, base)  # type: ignore[no-any-return]


def having_row_in(rows: RowSet, columns: Iterable[Column]) -> Any:
    """Join a row set's own table to those of some of its columns, for rows that have them."""
    joined: Any = rows.table
    tables = {column.table for column in columns}
    for extension in rows.extensions:
        if extension.table in tables:
            match = sa.and_(*(own == base for own, base in extension.pairs))
            joined = joined.join(extension.table, match)
    return joined


def identity_of(selection: Selection, rows: RowSet) -> tuple[int, ...]:
    """Select a row's primary key, as the driver gives it."""
    return tuple(selection.raw(rows.table.c[column.key]) for column in rows.identity)
