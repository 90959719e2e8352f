"""How SQLite writes names, values, order and statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes

from lading.database.dialects.base import Dialect, Row, choice_rank
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.datetimes import DateTime, Interval, Time
from lading.values.scalars import Bytes, Choice, Text, Uuid


class SQLite(Dialect):
    """SQLite: values of any type in any column, text by code point."""

    codecs_class = SQLiteCodecs
    url = "sqlite:///file.db"
    folds_case = True
    keeps_any_type = True

    def refusal(self, column: Column) -> str | None:
        """A scratch database's columns hold what SQLite has no type for."""
        stored = self.columns.find(column)
        return None if stored is not None and stored.is_written else super().refusal(column)

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(column, self.codecs.stored(column, kind))
        if isinstance(kind, Text | Uuid):
            padded = isinstance(kind, Text) and self.codecs.is_padded(column, kind)
            return _by_code_point(column) if self.facts.is_utf8 and not padded else None
        return column

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        if len(names) == 1:
            marks = ",".join("?" * len(rows))
            return f"WHERE {names[0]} IN ({marks})", [row[0] for row in rows]
        group = f"({','.join('?' * len(names))})"
        marks = ",".join([group] * len(rows))
        values = [value for row in rows for value in row]
        return f"WHERE ({', '.join(names)}) IN (VALUES {marks})", values

    def same(self, near: Column, far: Column) -> sa.ColumnElement[bool]:
        """In NOCASE or RTRIM a foreign key may differ from its target in case or blanks."""
        if not isinstance(self.codecs.underlying(near.type), sqltypes.String):
            return near == far
        return sa.and_(near == far, _by_code_point(near) == _by_code_point(far))

    def forms(self, kind: Kind, bound: Any) -> Sequence[Any]:
        """SQLite's own ``CURRENT_TIMESTAMP`` has no fraction, SQLAlchemy's texts have one."""
        if isinstance(kind, DateTime | Time | Interval) and isinstance(bound, str):
            return (bound, bound.removesuffix(".000000")) if bound.endswith(".000000") else (bound,)
        return (bound,)

    def update_of(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], count: int
    ) -> str:
        """Return the UPDATE that sets columns of several rows.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            count: how many rows the statement updates.

        Returns:
            SQL whose parameters are, row by row, the key's values and then the new ones.
        """
        width = len(key) + len(columns)
        target = self.table(table)
        sets = ", ".join(
            f"{self.name(column)} = given.column{len(key) + place}"
            for place, column in enumerate(columns, 1)
        )
        where = " AND ".join(
            f"{target}.{self.name(column)} = given.column{place}"
            for place, column in enumerate(key, 1)
        )
        group = f"({','.join('?' * width)})"
        values = ",".join([group] * count)
        return f"UPDATE {target} SET {sets} FROM (VALUES {values}) AS given WHERE {where}"

    def numbers(self, count: int) -> sa.FromClause:
        counted = sa.select(sa.literal(1).label("n")).cte("_lading_numbers", recursive=True)
        return counted.union_all(sa.select(counted.c.n + 1).where(counted.c.n < count))


def _by_code_point(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a text as SQLite compares it byte by byte, whatever its column says."""
    return sa.collate(sa.type_coerce(text, sa.String()), "BINARY")
