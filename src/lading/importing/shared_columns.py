"""Checks that references agree on the columns that they share, such as a tenant's id.

One member carries the column.  The values that the other references resolve to are compared
with it before anything is inserted, for the database would only see the carrier's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.mapping.load_order import LoadOrder
from lading.messages import Message
from lading.model.rowsets import Column, Reference, RowSet


class Disagreement(Exception):
    """Two fields of a row give different values to one column.

    ``field`` is one of the two, ``place`` the row's place among those compared.
    """

    def __init__(self, field: str, message: Message, place: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.place = place

    def within(self, written: str, owners: Sequence[int]) -> Disagreement:
        """Return the same error for the row's owner; rows are counted from 1 in each list."""
        owner = owners[self.place]
        position = owners[: self.place + 1].count(owner)
        return Disagreement(f"{written}.{position}.{self.field}", self.message, owner)


class Agreement:
    """Compares the references of one row set with the columns that others carry.

    ``place`` says where each column stands in a full row.
    """

    def __init__(self, rows: RowSet, place: Mapping[Column, int]) -> None:
        self.shared = {
            reference: [(n, place[c]) for n, c in shared_columns(reference)]
            for reference in rows.references
            if reference.shared
        }

    def check(self, foreign: Mapping[str, Sequence[Row | None]], rows: Sequence[Row]) -> None:
        """Raise ``Disagreement`` for the first row whose references don't agree."""
        for disagreement in self.disagreements(foreign, rows):
            raise disagreement

    def disagreements(
        self, foreign: Mapping[str, Sequence[Row | None]], rows: Sequence[Row]
    ) -> Iterator[Disagreement]:
        """Yield where the references of rows don't agree."""
        for reference, places in self.shared.items():
            targets = foreign.get(reference.name)
            for n, (target, row) in enumerate(zip(targets or (), rows, strict=targets is not None)):
                try:
                    compare(reference, target, [row[place] for _, place in places])
                except Disagreement as error:
                    yield Disagreement(error.field, error.message, n)

    def values(self, reference: Reference, row: Row) -> Row:
        """Return the values of a reference's columns by other members, to be compared later."""
        return tuple(row[place] for _, place in self.shared.get(reference, ()))


def deferred_carriers(
    rows: RowSet, order: LoadOrder, reference: Reference
) -> list[tuple[int, Reference, int]]:
    """Return the deferred references that carry columns of another reference.

    Each comes with the column's place among the shared columns, and among its own.
    """
    return [
        (place, other, other.columns.index(column))
        for place, (_, column) in enumerate(shared_columns(reference))
        for other in rows.references
        if column in other.carried_columns and (rows.name, other.name) in order.updated
    ]


def shared_columns(reference: Reference) -> list[tuple[int, Column]]:
    """Return a reference's columns that other members carry, with their places."""
    return [(n, c) for n, c in enumerate(reference.columns) if c in reference.shared]


def compare(reference: Reference, target: Row | None, values: Sequence[Any]) -> None:
    """Raise ``Disagreement`` unless a target has the values that other members give."""
    shared = shared_columns(reference)
    names = ", ".join(column.name for _, column in shared)
    if target is None:
        if not reference.carried_columns and None not in values:
            raise Disagreement(
                reference.written,
                Message(
                    "reference-null",
                    f"is null, though the record's other fields set {names}; name what they refer "
                    "to",
                ),
            )
        return
    for (n, column), value in zip(shared, values, strict=True):
        if not _is_same(target[n], value):
            raise Disagreement(
                reference.written,
                Message(
                    "reference-disagrees",
                    f"refers to a row of another {column.name} than the record's other fields "
                    "say; correct one of them",
                ),
            )


def _is_same(raw: Any, bound: Any) -> bool:
    """Compare a value that was read with one to be written, which is often its text."""
    return bool(raw == bound) or comparable(raw) == comparable(bound)


def comparable(value: Any) -> str:
    """Return a text that a value has whether it was read or is to be written."""
    return str(value).replace("T", " ").replace("+00:00", "Z")
