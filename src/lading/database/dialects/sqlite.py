"""SQLite through the standard driver."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes

from lading.database.dialects.base import Dialect, Row, choice_rank
from lading.database.dialects.sqlite_columns import Columns
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.database.live.same_rows import Relation, sqlite_rows
from lading.database.live.sqlite_text import REFUSAL, not_utf8
from lading.model.rowsets import Column, RowSet
from lading.values.base import Kind
from lading.values.datetimes import DateTime, Interval, Time
from lading.values.scalars import Bytes, Choice, Text, Uuid

#: What makes SQLite store a default where a NULL is written to a column that is NOT NULL.
REPLACES = re.compile(r"ON\s+CONFLICT\s+REPLACE", re.IGNORECASE)
#: The version that has tables whose columns hold one type alone.
STRICT_SINCE = (3, 37)


class SQLite(Dialect):
    """SQLite: values of any type in any column, text by code point, one writer."""

    codecs_class = SQLiteCodecs
    url = "sqlite:///file.db"
    columns: Columns
    utf8 = True

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        #: Whether a schema has tables with AUTOINCREMENT.
        self.counting: dict[str | None, bool] = {}

    def real_columns(self) -> Columns:
        version = self.dialect.server_version_info or ()
        return Columns(self.fetch, self.translate, has_strict=version >= STRICT_SINCE)

    def facts(self) -> None:
        """Files in UTF-16 don't sort by code point."""
        self.utf8 = self.fetch("PRAGMA encoding")[0][0] == "UTF-8"

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(column, self.codecs.stored(column, kind))
        if isinstance(kind, Text | Uuid):
            padded = isinstance(kind, Text) and self.codecs.is_padded(column, kind)
            return _by_code_point(column) if self.utf8 and not padded else None
        return column

    # Reading

    @contextmanager
    def texts_of(self, rows: RowSet) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            found = not_utf8(self.connection, rows) if REFUSAL in str(error.orig) else None
            if found is None:
                raise
            raise found from error

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        if len(names) == 1:
            marks = ",".join("?" * len(rows))
            return f"WHERE {names[0]} IN ({marks})", [row[0] for row in rows]
        group = f"({','.join('?' * len(names))})"
        marks = ",".join([group] * len(rows))
        values = [item for row in rows for item in row]
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

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return sqlite_rows(self, tables)

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        names = ", ".join(self.name(column) for column in columns)
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks})", list(rows))

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
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
        for part in self.portions(rows, width):
            values = ",".join([group] * len(part))
            self.run(
                f"UPDATE {target} SET {sets} FROM (VALUES {values}) AS given WHERE {where}",
                tuple(item for row in part for item in row),
            )

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """The write lock is ours, so nobody else takes the ids behind the highest."""
        expression = self.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name = self.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.table(table)}")[0][0] or 0
        first = max(highest, self._used(table)) + 1
        return list(range(first, first + count))

    def _used(self, table: sa.Table) -> int:
        """Return the highest id that a table with AUTOINCREMENT ever had, whatever its model says.

        SQLite has no table of these before it has a table with AUTOINCREMENT.
        """
        if table.schema not in self.counting:
            master = self._quoted(table.schema, "sqlite_master")
            found = self.fetch(f"SELECT 1 FROM {master} WHERE name = 'sqlite_sequence'")
            self.counting[table.schema] = bool(found)
        if not self.counting[table.schema]:
            return 0
        counters = self._quoted(table.schema, "sqlite_sequence")
        sql = f"SELECT max(seq) FROM {counters} WHERE lower(name) = ?"
        return self.fetch(sql, (table.name.lower(),))[0][0] or 0

    def numbers(self, count: int) -> sa.FromClause:
        counted = sa.select(sa.literal(1).label("n")).cte("_lading_numbers", recursive=True)
        return counted.union_all(sa.select(counted.c.n + 1).where(counted.c.n < count))

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        by_schema: dict[str | None, set[str]] = {}
        for table in tables:
            by_schema.setdefault(self.schema(table.schema), set())
        for schema, names in by_schema.items():
            master = f"{self.prepare.quote_schema(schema or 'main')}.sqlite_master"
            found = self.fetch(f"SELECT lower(name) FROM {master} WHERE type = 'view'")
            names.update(name for (name,) in found)
        return {
            table: "a view"
            for table in tables
            if table.name.lower() in by_schema[self.schema(table.schema)]
        }

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        names: dict[str | None, list[str]] = {}
        for table in tables:
            schema, name = self.columns.place(table)
            names.setdefault(schema, []).append(name.lower())
        names["temp"] = [name for listed in names.values() for name in listed]
        for schema, listed in names.items():
            source = f"{self.prepare.quote_schema(schema)}." if schema else ""
            marks = ",".join("?" * len(listed))
            sql = f"SELECT type, sql FROM {source}sqlite_master WHERE type IN ('trigger', 'table')"
            found = self.fetch(f"{sql} AND lower(tbl_name) IN ({marks})", listed)
            if any(type_ == "trigger" or REPLACES.search(text or "") for type_, text in found):
                return True
        return False

    # Transactions

    def begin_reading(self) -> None:
        self._begin("BEGIN")
        self.facts()

    def begin_writing(self) -> None:
        self._begin("BEGIN IMMEDIATE")

    def ensure_begun(self, *, writing: bool) -> None:
        """The driver begins no transaction for reads, and a savepoint alone would commit."""
        self._begin("BEGIN IMMEDIATE" if writing else "BEGIN")
        self.facts()

    def _begin(self, sql: str) -> None:
        if not self.connection.in_transaction():
            self.connection.begin()  # applications may have SQLAlchemy begin by an event
        driver = self.connection.connection.driver_connection
        if not getattr(driver, "in_transaction", False):
            self.run(sql)

    def autocommits(self) -> bool:
        """Applications that begin by themselves set the driver so, and are in a transaction."""
        driver: Any = self.connection.connection.driver_connection
        return driver.isolation_level is None and not driver.in_transaction

    def snapshot(self) -> str:
        return "serializable, in the caller's transaction"


def _by_code_point(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a text as SQLite compares it byte by byte, whatever its column says."""
    return sa.collate(sa.type_coerce(text, sa.String()), "BINARY")
