"""What the columns of a database really are, by its own account; what all engines share.

Models and migrations drift, so the catalog tables decide what a column keeps.  They are
asked once per export or import, in one statement for all tables (see ``database.live``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from lading.errors import TargetError
from lading.messages import Message, shown

#: A table's schema and name in the database.
Place = tuple[str | None, str]
Translation = Mapping[str | None, str | None]
#: How one engine describes a column.
Stored_co = TypeVar("Stored_co", covariant=True)
Stored = TypeVar("Stored")
#: The columns of tables, by the names that tell them from others.
Tables = Mapping[Place, Mapping[str, Any]]


class UnfitValue(ValueError):
    """A column of the database can't hold what its model says."""


def refusing_misfit(problem: str) -> Callable[[Any], Any]:
    """Return a function that refuses any value of a column that isn't what its model says."""

    def fail(value: Any) -> Any:
        raise UnfitValue(f"{shown(value)} isn't a value of its model: {problem}")

    return fail


class Describes(Protocol[Stored_co]):
    """Describes columns as they are, or will be."""

    def __call__(self, column: sa.ColumnElement[Any]) -> Stored_co:
        """Return a column's description."""
        ...


class RealColumns(Generic[Stored]):
    """What the columns of a database's tables are, as they were when they were looked up.

    Args:
        tables: the columns of each table that was looked up, by schema and name; the names of
            columns are those that ``known_as`` gives.  A table that isn't there has none.
        translate: the connection's ``schema_translate_map``.
        folds_case: whether names of columns that differ in case alone are one name.
    """

    def __init__(
        self,
        tables: Mapping[Place, Mapping[str, Stored]],
        translate: Translation,
        *,
        folds_case: bool = False,
    ) -> None:
        self.tables = tables
        self.translate = translate
        self.folds_case = folds_case

    def of(self, table: sa.Table) -> Mapping[str, Stored]:
        """Return a table's columns by name."""
        return self.tables[place_in(self.translate, table)]

    def known_as(self, name: str) -> str:
        """Return the form of a column's name that tells it from others."""
        return name.lower() if self.folds_case else name

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
                Message(
                    "column-missing",
                    f"the database has no column {base.table.fullname}.{base.name}",
                ),
                "Migrate the database to what your models say.",
            )
        return stored


def place_in(translate: Translation, table: sa.Table) -> Place:
    """Return a table's schema, ``None`` for the session's own, and name."""
    return translate.get(table.schema, table.schema), table.name
