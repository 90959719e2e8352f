"""What the columns of a database really are, by its own account; what all engines share.

Models and migrations drift, so the catalog tables decide what a column keeps.  They are
asked once per export or import, in one statement for all tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from lading.errors import TargetError
from lading.messages import shown

#: How one engine describes a column.
Stored_co = TypeVar("Stored_co", covariant=True)
Stored = TypeVar("Stored")


class UnfitValue(ValueError):
    """A column of the database can't hold what its model says."""


def refusing_misfit(problem: str) -> Callable[[Any], Any]:
    """Return a function that refuses any value of a column that isn't what its model says."""

    def fail(value: Any) -> Any:
        raise UnfitValue(f"{shown(value)} is no value of its model: {problem}")

    return fail


class Describes(Protocol[Stored_co]):
    """Tells what a column is, or will be."""

    def __call__(self, column: sa.ColumnElement[Any]) -> Stored_co:
        """Return the column's description."""
        ...


class RealColumns(ABC, Generic[Stored]):
    """Looks columns up: those of many tables at once, or a table's when it is first asked for.

    ``translate`` is the connection's ``schema_translate_map``.
    """

    def __init__(self, translate: dict[str | None, str | None]) -> None:
        self.translate = translate
        self.tables: dict[tuple[str | None, str], dict[str, Stored]] = {}

    @abstractmethod
    def load(self, tables: Sequence[sa.Table]) -> None:
        """Look up the columns of some tables; one that isn't there has none."""

    def place(self, table: sa.Table) -> tuple[str | None, str]:
        """Return a table's schema, ``None`` for the session's own, and name."""
        return self.translate.get(table.schema, table.schema), table.name

    def of(self, table: sa.Table) -> dict[str, Stored]:
        """Return a table's columns, by the names that :meth:`known_as` gives."""
        if self.place(table) not in self.tables:
            self.load([table])
        return self.tables[self.place(table)]

    def known_as(self, name: str) -> str:
        """Return the form of a column's name that tells it from others."""
        return name

    def find(self, column: sa.ColumnElement[Any]) -> Stored | None:
        """Return what a column is; its table may stand under another name in a statement."""
        base: Any = next(iter(column.base_columns))
        return self.of(base.table).get(self.known_as(str(base.name)))

    def __call__(self, column: sa.ColumnElement[Any]) -> Stored:
        """Return what a column is; ``TargetError`` if it isn't there."""
        stored = self.find(column)
        if stored is None:
            base: Any = next(iter(column.base_columns))
            raise TargetError(
                f"the database has no column {base.table.fullname}.{base.name}",
                "Migrate the database to what your models say.",
            )
        return stored
