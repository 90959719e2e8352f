"""How PostgreSQL writes names, values, order and statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect
from sqlalchemy.sql import sqltypes

from lading.codegen import Expression
from lading.database.dialects.base import Dialect, Row, ServerFacts, choice_rank
from lading.database.dialects.postgresql_encodings import within
from lading.database.dialects.postgresql_parents import reading_own_rows
from lading.database.dialects.postgresql_values import PostgreSQLCodecs
from lading.mapping.columns import underlying
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.scalars import Bytes, Choice, Text

#: RAISE in a trigger; a value too long for an index.
OBJECTIONS = {"P0001", "54000"}


class PostgreSQL(Dialect):
    """PostgreSQL: typed columns, schemas, arrays as parameters."""

    codecs_class = PostgreSQLCodecs
    url = "postgresql+psycopg://..."

    def __init__(
        self, sqlalchemy: SQLAlchemyDialect, *arguments: Any, facts: ServerFacts, **options: Any
    ) -> None:
        if facts.parents:
            sqlalchemy = reading_own_rows(sqlalchemy, facts.parents)
        super().__init__(sqlalchemy, *arguments, facts=facts, **options)

    def binder(self, column: Column, kind: Kind) -> Expression:
        return within(sorted(self.facts.encodings), super().binder(column, kind))

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(sa.cast(column, sa.Text()), self.codecs.stored(column, kind))  # type: ignore[arg-type]
        if isinstance(kind, Text):
            return self._by_code_point(column, kind)
        return column

    def _by_code_point(self, column: Column, kind: Text) -> sa.ColumnElement[Any] | None:
        """CITEXT and enumerations don't sort like their written texts."""
        stored = self.columns(column)
        if not self.facts.is_utf8 or stored.is_padded or self.codecs.is_padded(column, kind):
            return None
        if stored.type not in ("text", "character varying"):
            return sa.collate(sa.cast(column, sa.Text()), "C")
        is_in_order = self.facts.sorts_by_code_point and stored.collation is None
        return column if is_in_order else sa.collate(column, "C")

    # Statements

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        arrays = [f"{self.mark}::{self._array_type(column)}[]" for column in columns]
        values = [list(part) for part in zip(*rows, strict=True)]
        if len(names) == 1:
            return f"WHERE {names[0]} = ANY({arrays[0]})", values
        parameters = f"unnest({', '.join(arrays)})"
        return f"WHERE ({', '.join(names)}) IN (SELECT * FROM {parameters})", values

    def _array_type(self, column: Column) -> str:
        """Text stays text: a cast to a shorter VARCHAR would cut it.

        A CHAR stays one: as text it would lose the blanks that pad it, and match nothing.
        """
        return self.escaped(self.columns(column).parameter)

    def overriding(self, columns: Sequence[Column]) -> str:
        always = any(column.identity is not None and column.identity.always for column in columns)
        return "OVERRIDING SYSTEM VALUE " if always else ""

    def copying(self, table: sa.Table, columns: Sequence[Column]) -> str:
        """Return the COPY of rows, which writes what is given into identity columns as well."""
        names = ", ".join(map(self.name, columns))
        return f"COPY {self.table(table)} ({names}) FROM STDIN".replace("%%", "%")

    def update_of(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], count: int
    ) -> str:
        """Return the UPDATE of any number of rows, whose parameters are arrays.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            count: how many rows there are; the arrays have as many items.

        Returns:
            SQL with one array parameter for each column of the key, and then of ``columns``.
        """
        target = self.table(table)
        names = [f"c{place}" for place in range(len(key) + len(columns))]
        arrays = ", ".join(
            f"{self.mark}::{self._array_type(column)}[]" for column in (*key, *columns)
        )
        sets = ", ".join(
            f"{self.name(column)} = lading_given.{names[len(key) + place]}"
            for place, column in enumerate(columns)
        )
        where = " AND ".join(
            f"{target}.{self.name(column)} = lading_given.{names[place]}"
            for place, column in enumerate(key)
        )
        return (
            f"UPDATE {self.own_rows(table)} SET {sets} "
            f"FROM unnest({arrays}) AS lading_given({', '.join(names)}) WHERE {where}"
        )

    def updating(self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column]) -> str:
        """Return the UPDATE of one row, whose parameters are the new values and then the key's."""
        sets = ", ".join(f"{self.name(column)} = {self.mark}" for column in columns)
        where = " AND ".join(f"{self.name(column)} = {self.mark}" for column in key)
        return f"UPDATE {self.own_rows(table)} SET {sets} WHERE {where}"

    def numbers(self, count: int) -> sa.FromClause:
        return sa.func.generate_series(1, count).table_valued("n")

    def filling(self, column: Column, expression: Any) -> Any:
        """As text of the column's type, which COPY takes of any; a cast to VARCHAR would cut it."""
        impl = underlying(self.codecs.implementation(column.type))
        if isinstance(impl, sqltypes.Integer):
            return sa.cast(expression, column.type)
        if not isinstance(impl, sqltypes.String):
            expression = sa.cast(expression, column.type)
        return sa.cast(expression, sa.Text())

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """Errors of triggers are objections as well, and values beyond a limit of the server."""
        return super().is_objection(error) or getattr(error.orig, "sqlstate", None) in OBJECTIONS
