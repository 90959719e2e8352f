"""SQLite through the standard driver."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row, ServerFacts
from lading.database.dialects.real_columns import Tables
from lading.database.dialects.sqlite import SQLite
from lading.database.dialects.sqlite_columns import GENERATED, declared_as
from lading.database.live.base import Database, Relation
from lading.database.live.foreign_keys import sqlite_keys
from lading.database.live.live_keys import LiveKeys, RealPlace
from lading.database.live.same_rows import sqlite_rows
from lading.database.live.sqlite_text import REFUSAL, not_utf8
from lading.database.live.unique_indexes import UniqueIndexes, sqlite_indexes
from lading.errors import TargetError
from lading.messages import Message, shown
from lading.model.rowsets import Column, RowSet

#: What makes SQLite store a default where a NULL is written to a column that is NOT NULL.
REPLACES = re.compile(r"ON\s+CONFLICT\s+REPLACE", re.IGNORECASE)
#: The first version with STRICT tables.
STRICT_SINCE = (3, 37)
IS_STRICT = (
    "(SELECT max(l.strict) FROM pragma_table_list(given.column2) AS l "
    "WHERE given.column3 IS NULL OR l.schema = given.column3)"
)


class SQLiteDatabase(Database):
    """SQLite: one writer, who holds the lock from the beginning."""

    dialect_class = SQLite
    dialect: SQLite

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: Whether a schema has tables with AUTOINCREMENT.
        self.counting: dict[str | None, bool] = {}

    def server_facts(self) -> ServerFacts:
        """Files in UTF-16 don't sort by code point; ``TargetError`` if texts aren't read as str."""
        self._refuse_text_factory()
        return ServerFacts(is_utf8=self.fetch("PRAGMA encoding")[0][0] == "UTF-8")

    def _refuse_text_factory(self) -> None:
        driver: Any = self.connection.connection.driver_connection
        factory = getattr(driver, "text_factory", str)
        if factory is not str:
            raise TargetError(
                Message(
                    "setting-unsafe",
                    f"the connection's text_factory is {shown(factory)}, under which values or "
                    "types are misread",
                ),
                "Set it to str; lading names the row whose text isn't UTF-8.",
            )

    def real_columns(self, tables: Sequence[sa.Table]) -> Tables:
        """Ask ``PRAGMA table_xinfo`` of all tables at once."""
        places = [self.dialect.place(table) for table in tables]
        columns: dict[Any, dict[str, Any]] = {place: {} for place in places}
        version = self.connection.dialect.server_version_info or ()
        strict = IS_STRICT if version >= STRICT_SINCE else "0"
        marks = ",".join(["(?,?,?)"] * len(places))
        values = [value for n, (schema, name) in enumerate(places) for value in (n, name, schema)]
        try:
            rows = self.fetch(
                f"SELECT given.column1, x.name, x.type, x.hidden, {strict} "
                f"FROM (VALUES {marks}) AS given, "
                "pragma_table_xinfo(given.column2, given.column3) AS x",
                values,
            )
        except sa.exc.OperationalError as error:
            error.statement = self._refused(tables, str(error.orig))
            raise
        for number, name, type_, hidden, is_strict in rows:
            columns[places[number]][name.lower()] = declared_as(
                type_, is_strict=bool(is_strict), is_generated=hidden in GENERATED
            )
        return columns

    def _refused(self, tables: Sequence[sa.Table], text: str) -> str | None:
        """Return the SELECT that is refused with a text, as of a view of what isn't there."""
        for table in tables:
            sql = f"SELECT 1 FROM {self.dialect.table(table)} LIMIT 0"
            try:
                self.fetch(sql)
            except sa.exc.OperationalError as error:
                if str(error.orig) == text:
                    return sql
        return None

    def live_keys(self) -> LiveKeys:
        return sqlite_keys(self)

    def unique_indexes(self, tables: Sequence[sa.Table]) -> UniqueIndexes:
        return sqlite_indexes(self, tables)

    def real_places(self, tables: Sequence[sa.Table]) -> dict[sa.Table, RealPlace]:
        places = {table: self.dialect.place(table) for table in tables}
        return {
            t: ((schema or "main").lower(), name.lower()) for t, (schema, name) in places.items()
        }

    # Reading

    @contextmanager
    def texts_of(self, rows: RowSet) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            undecodable = not_utf8(self.connection, rows) if REFUSAL in str(error.orig) else None
            if undecodable is None:
                raise
            raise undecodable from error

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return sqlite_rows(self, tables)

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        self.run(self.dialect.insertion(table, columns), list(rows))

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Return the ids after the highest, which nobody else takes: the write lock is ours."""
        expression = self.dialect.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name = self.dialect.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.dialect.table(table)}")[0][0] or 0
        first = max(highest, self._used(table)) + 1
        return list(range(first, first + count))

    def _used(self, table: sa.Table) -> int:
        """Return the highest id that a table with AUTOINCREMENT ever had, whatever its model says.

        SQLite has no table of these before it has a table with AUTOINCREMENT.
        """
        if table.schema not in self.counting:
            master = self.dialect.quoted(table.schema, "sqlite_master")
            rows = self.fetch(f"SELECT 1 FROM {master} WHERE name = 'sqlite_sequence'")
            self.counting[table.schema] = bool(rows)
        if not self.counting[table.schema]:
            return 0
        counters = self.dialect.quoted(table.schema, "sqlite_sequence")
        sql = f"SELECT max(seq) FROM {counters} WHERE lower(name) = ?"
        return self.fetch(sql, (table.name.lower(),))[0][0] or 0

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        by_schema: dict[str | None, set[str]] = {}
        for table in tables:
            by_schema.setdefault(self.dialect.schema(table.schema), set())
        for schema, names in by_schema.items():
            master = f"{self.dialect.prepare.quote_schema(schema or 'main')}.sqlite_master"
            views = self.fetch(f"SELECT lower(name) FROM {master} WHERE type = 'view'")
            names.update(name for (name,) in views)
        return {
            table: "a view"
            for table in tables
            if table.name.lower() in by_schema[self.dialect.schema(table.schema)]
        }

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        names: dict[str | None, list[str]] = {}
        for table in tables:
            schema, name = self.dialect.place(table)
            names.setdefault(schema, []).append(name.lower())
        names["temp"] = [name for listed in names.values() for name in listed]
        for schema, listed in names.items():
            source = f"{self.dialect.prepare.quote_schema(schema)}." if schema else ""
            marks = ",".join("?" * len(listed))
            sql = f"SELECT type, sql FROM {source}sqlite_master WHERE type IN ('trigger', 'table')"
            rows = self.fetch(f"{sql} AND lower(tbl_name) IN ({marks})", listed)
            if any(type_ == "trigger" or REPLACES.search(text or "") for type_, text in rows):
                return True
        return False

    # Transactions

    def begin_reading(self) -> None:
        self._begin("BEGIN")
        self.look_up_server()

    def begin_writing(self) -> None:
        self._begin("BEGIN IMMEDIATE")

    def ensure_begun(self, *, writing: bool) -> None:
        """Begin: the driver begins nothing for reads, and a savepoint alone would commit."""
        self._begin("BEGIN IMMEDIATE" if writing else "BEGIN")
        self.look_up_server()

    def _begin(self, sql: str) -> None:
        if not self.connection.in_transaction():
            self.connection.begin()  # applications may have SQLAlchemy begin by an event
        driver = self.connection.connection.driver_connection
        if not getattr(driver, "in_transaction", False):
            self.run(sql)

    def autocommits(self) -> bool:
        """Tell whether each statement commits: no application has begun a transaction itself."""
        driver: Any = self.connection.connection.driver_connection
        return driver.isolation_level is None and not driver.in_transaction

    def snapshot(self) -> str:
        return "serializable, in the caller's transaction"
