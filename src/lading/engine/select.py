"""The SELECTs of an export: plain columns, references by outer joins, no ORM objects.

A set foreign key without a target must be seen, so wherever the key's own columns
can't show it, the foreign key and the column that it refers to come along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.declare.rowsets import Reference, RowSet, Value
from lading.engine.dialects.base import Dialect
from lading.kind import Kind


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
    is null only where the target is missing.
    """

    reference: Reference
    foreign: tuple[int, ...]
    present: int
    parts: list[ValueSlot | ReferenceSlot]


class Selection:
    """The columns, joins and order by which a row set's rows are read."""

    def __init__(self, dialect: Dialect, table: sa.Table) -> None:
        self.dialect = dialect
        self.table: Any = table
        self.columns: list[sa.ColumnElement[Any]] = []
        self.joined: sa.FromClause = table
        self._places: dict[Any, int] = {}
        self._joins: dict[Any, sa.FromClause] = {}

    def add(self, column: sa.ColumnElement[Any], kind: Kind) -> int:
        """Select a column to be read as a kind, once, and return its place."""
        return self._place(column, self.dialect.selected(column, kind))

    def raw(self, column: sa.ColumnElement[Any]) -> int:
        """Select a column as the driver gives it, to be a parameter of other statements."""
        return self._place(column, column)

    def _place(self, column: Any, selected: sa.ColumnElement[Any]) -> int:
        key = (column, selected is column)
        if key not in self._places:
            self._places[key] = len(self.columns)
            self.columns.append(selected.label(f"c{len(self.columns)}"))
        return self._places[key]

    def value(self, value: Value, source: Any) -> ValueSlot:
        """Select a plain value from the table or alias ``source``."""
        return ValueSlot(value, self.add(source.c[value.column.key], value.kind))

    def reference(
        self, reference: Reference, source: Any, *, foreign: bool = False
    ) -> ReferenceSlot:
        """Join a reference's target and select the parts of its key."""
        target = self.join(reference, source)
        places: tuple[int, ...] = ()
        if reference.nullable or foreign:
            places = tuple(self.raw(source.c[column.key]) for column in reference.columns)
        parts = [self.part(part, target) for part in reference.parts]
        return ReferenceSlot(reference, places, self._present(reference, target, parts), parts)

    def part(self, part: Value | Reference, source: Any) -> ValueSlot | ReferenceSlot:
        """Select one part of a key."""
        if isinstance(part, Value):
            return self.value(part, source)
        return self.reference(part, source)

    def join(self, reference: Reference, source: Any) -> Any:
        """Join a reference's target once, under a name of its own."""
        key = (source, reference.columns)
        if key not in self._joins:
            # No application names a table so; SQLAlchemy's own anonymous names may be taken.
            target = reference.target.table.alias(f"_lading_{len(self._joins) + 1}")
            pairs = zip(reference.columns, reference.remote, strict=True)
            match = [
                self.dialect.same(source.c[local.key], target.c[remote.key])
                for local, remote in pairs
            ]
            self.joined = self.joined.outerjoin(target, sa.and_(*match))
            self._joins[key] = target
        return self._joins[key]

    def _present(
        self, reference: Reference, target: Any, parts: list[ValueSlot | ReferenceSlot]
    ) -> int:
        for slot in parts:
            if isinstance(slot, ValueSlot) and not slot.value.nullable:
                return slot.place
        return self.raw(target.c[reference.remote[0].key])

    def order(self, parts: tuple[Value | Reference, ...], source: Any) -> list[Any] | None:
        """Return the ORDER BY of a key, or ``None`` where the database can't sort so."""
        clauses: list[Any] = []
        for part in parts:
            if isinstance(part, Reference):
                if part.nullable:
                    clauses.append(source.c[part.columns[0].key].is_not(None))
                inner = self.order(part.parts, self.join(part, source))
                if inner is None:
                    return None
                clauses += inner
                continue
            column = source.c[part.column.key]
            ordered = self.dialect.ordered(column, part.kind)
            if ordered is None:
                return None
            if part.nullable:
                clauses.append(column.is_not(None))
            clauses.append(ordered)
        return clauses

    def statement(self) -> sa.Select[Any]:
        """Return the SELECT so far."""
        return sa.select(*self.columns).select_from(self.joined)


def identity_of(selection: Selection, rows: RowSet) -> tuple[int, ...]:
    """Select a row's primary key, as the driver gives it."""
    return tuple(selection.raw(rows.table.c[column.key]) for column in rows.identity)
