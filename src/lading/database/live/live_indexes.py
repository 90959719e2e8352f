"""A unique index of a database, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """A unique index of a table.

    ``columns`` are the names of its columns; there are none where it is over anything else, such
    as expressions.  ``condition`` is the SQL that says which rows it holds, if not all.
    ``nulls_equal`` says that two nulls collide, ``folds`` that different texts may.
    """

    name: str
    columns: frozenset[str]
    condition: str = ""
    nulls_equal: bool = False
    folds: bool = False
