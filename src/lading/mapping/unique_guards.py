"""Which keys the database itself keeps unique, told from the declarations alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lading.mapping.columns import unique_columns
from lading.model.recursive_keys import Parts
from lading.model.rowsets import Column, RowSet, Value

#: Tells whether two stored values of a column are always written differently.
Exact = Callable[[Value], bool]


def is_guarded(rows: RowSet, parts: Parts | None = None, *, exact: Exact | None = None) -> bool:
    """Tell whether no two rows of the whole table can have the same key.

    So it is where the primary key, a unique constraint or a plain unique index has
    only NOT NULL columns, and the key holds all of them.  A reference holds its foreign
    key if the key that it is written by is itself guarded.

    Args:
        rows: The row set whose key it is.
        parts: The key's members; by default the whole natural key, and what ``by`` names for
            a reference by it.  Without any, nothing is guarded.
        exact: Says whether a value's written form tells all of its stored values apart; what
            it refuses guards nothing.  By default every value's does.
    """
    if parts is None:
        parts = rows.whole_key or rows.key
    return _is_guarded(rows, parts, exact or (lambda _: True), [])


def _is_guarded(rows: RowSet, parts: Parts, exact: Exact, climbed: list[Parts]) -> bool:
    if parts in climbed:
        return True  # a key that recurs tells its rows apart if each of its levels does
    held: set[Column] = set()
    for part in parts:
        if isinstance(part, Value):
            held |= {part.column} if exact(part) else set()
        elif _is_guarded(part.target, part.parts, exact, [*climbed, parts]):
            held.update(part.columns)
    return any(
        held.issuperset(columns) and not any(column.nullable for column in columns)
        for columns in _unique(rows.table)
    )


def leads_to_one(remote: Sequence[Column]) -> bool:
    """Tell whether no two rows can have the same values, none null, in these columns."""
    return any(set(remote).issuperset(columns) for columns in _unique(remote[0].table))


def _unique(table: Any) -> list[tuple[Column, ...]]:
    """List the columns of the primary key and of each unique set of a whole table."""
    sets = (tuple(table.primary_key.columns), *unique_columns(table))
    return [columns for columns in sets if columns]
