"""What lading asks of an open database, and what the engines share of it.

A live database fetches, inserts and updates rows, begins and guards transactions, and
asks the catalog tables.  How values and statements are written is its ``dialect``'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row, ServerFacts
from lading.database.dialects.real_columns import Tables
from lading.database.live.live_indexes import UniqueIndex
from lading.database.live.live_keys import LiveKeys, RealPlace
from lading.model.rowsets import Column, RowSet

#: The names of the columns of each table's key.
TableKeys = Mapping[sa.Table, frozenset[str]]
#: Has the driver fetch rows as they are asked for.
STREAMED = {"stream_results": True}
#: Subqueries in one statement, fewer than any engine's limit.
SUBQUERIES = 500
#: A table, its relation to another table, and that table.
Relation = tuple[sa.Table, str, sa.Table]
#: Makes a dialect of a class, or returns one that was made of the same arguments.
DialectMaker = Callable[..., Dialect]


class Database(ABC):
    """One database of an engine, over one connection."""

    dialect_class: ClassVar[type[Dialect]]
    dialect: Dialect

    def __init__(self, connection: sa.Connection, make_dialect: DialectMaker | None = None) -> None:
        self.connection = connection
        self.make_dialect = make_dialect
        self.facts = ServerFacts()
        self.dialect = self._dialect_over({})

    def _dialect_over(self, tables: Tables, make: DialectMaker | None = None) -> Any:
        translate = self.connection.get_execution_options().get("schema_translate_map") or {}
        options: Any = {"translate": translate, "facts": self.facts}
        if make is None:
            return self.dialect_class(self.connection.dialect, tables, **options)
        return make(self.dialect_class, self.connection.dialect, tables, **options)

    # What the database is like

    def look_up_server(self) -> None:
        """Ask for the facts of the server and session that the dialect needs."""
        self.facts = self.server_facts()
        self.dialect = self._dialect_over({})

    def look_up_columns(self, tables: Sequence[sa.Table]) -> None:
        """Ask for the real columns of some tables, which the dialect relies on."""
        self.dialect = self._dialect_over(self.real_columns(tables), self.make_dialect)

    @abstractmethod
    def server_facts(self) -> ServerFacts:
        """Return what the server and session are like; ``TargetError`` if they change values."""

    @abstractmethod
    def real_columns(self, tables: Sequence[sa.Table]) -> Tables:
        """Return what the columns of some tables really are; a table that isn't there has none."""

    @abstractmethod
    def live_keys(self) -> LiveKeys:
        """Return the foreign keys that the database minds, of tables that no model knows too."""

    @abstractmethod
    def real_places(self, tables: Sequence[sa.Table]) -> dict[sa.Table, RealPlace]:
        """Return what ``live_keys`` calls some tables, as far as they are there."""

    @abstractmethod
    def unique_indexes(self, tables: Sequence[sa.Table]) -> dict[sa.Table, list[UniqueIndex]]:
        """Return the unique indexes that some tables really have, sorted by name."""

    # Reading

    def execute(self, statement: sa.Executable, **options: Any) -> sa.CursorResult[Any]:
        """Run a statement of SQLAlchemy's."""
        return self.connection.execute(statement, **options)

    def stream(self, statement: sa.Select[Any], size: int) -> Generator[list[Row], None, None]:
        """Run a SELECT and yield its raw rows in chunks, without holding them all.

        Close the generator where it isn't read to its end, before the connection goes.
        """
        yield from self._chunks(self.execute(statement, execution_options=STREAMED), size)

    def stream_sql(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Generator[list[Row], None, None]:
        """Run a SELECT in the driver's SQL, and yield its raw rows as ``stream`` does."""
        values = tuple(parameters)
        result = self.connection.exec_driver_sql(sql, values, execution_options=STREAMED)
        yield from self._chunks(result, size)

    def _chunks(self, result: Any, size: int) -> Generator[list[Row], None, None]:
        """Yield the raw rows of a result that is streamed, and close it."""
        # SQLAlchemy's buffered strategies have fetched the first row already, so asking the
        # driver's cursor itself would lose it; an exhausted result swaps its strategy.
        try:
            while rows := result.cursor_strategy.fetchmany(result, result.cursor, size):
                yield rows if isinstance(rows, list) else list(rows)
        except sa.exc.DBAPIError as error:
            error.statement = error.statement or result.context.statement
            raise
        finally:
            result.close()

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a statement in the driver's SQL, and return all of its raw rows."""
        result = self.connection.exec_driver_sql(sql, tuple(parameters))
        cursor = result.cursor
        assert cursor is not None
        with self.driver_errors(sql):
            rows = cursor.fetchall()
        result.close()
        return list(rows)

    def run(self, sql: str, parameters: Any = ()) -> None:
        """Run a statement in the driver's SQL."""
        self.connection.exec_driver_sql(sql, parameters)

    @contextmanager
    def driver_errors(self, sql: str = "") -> Iterator[None]:
        """Raise the driver's own errors as SQLAlchemy's, that of a lost connection included."""
        dbapi = self.connection.dialect.loaded_dbapi
        try:
            yield
        except dbapi.Error as error:
            driver = self.connection.connection.dbapi_connection
            is_lost = self.connection.dialect.is_disconnect(error, driver, None)
            if is_lost:
                self.connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                sql,
                None,
                error,
                dbapi.Error,
                dialect=self.connection.dialect,
                connection_invalidated=is_lost,
            ) from error

    def portions(self, rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
        """Yield rows of parameters in portions that fit a statement."""
        most = max(1, self.dialect.parameters // max(1, width))
        for start in range(0, len(rows), most):
            yield rows[start : start + most]

    def satisfying(
        self,
        table: sa.Table,
        columns: Sequence[Column],
        by_null: Collection[Column],
        condition: str,
        rows: Sequence[Row],
        *,
        parameters: Sequence[Any] = (),
    ) -> set[Row]:
        """Return which rows of driver values satisfy a condition on a table's columns.

        Args:
            table: the table.
            columns: those of its columns that the condition reads; the rows hold their values.
            by_null: those of them that are only compared with null, and may hold any value.
            condition: SQL of this driver, in which the names of columns may be qualified.
            rows: the rows, which needn't be there.
            parameters: those of the condition.

        Returns:
            Those of the rows.
        """
        names = [
            f"0 AS {self.dialect.name(c)}" if c in by_null else self.dialect.name(c)
            for c in columns
        ]
        # The first SELECT gives the columns their types; SQLite forgets them but for a LIMIT.
        typed = (
            f"SELECT {', '.join(['0 AS lading_place', *names])} FROM {self.dialect.table(table)}"
        )
        one = f"SELECT {', '.join([self.dialect.mark] * (len(columns) + 1))}"
        wanted = list(dict.fromkeys(rows))
        satisfying: set[Row] = set()
        for start in range(0, len(wanted), SUBQUERIES - 1):
            part = wanted[start : start + SUBQUERIES - 1]
            union = " UNION ALL ".join([f"{typed} WHERE 1 = 0", *[one] * len(part)])
            values = [value for n, row in enumerate(part) for value in (n, *row)] + [*parameters]
            source = f"(SELECT * FROM ({union}) AS lading_rows LIMIT {len(part)})"
            alias = self.dialect.prepare.quote(table.name)
            sql = f"SELECT lading_place FROM {source} AS {alias} WHERE "
            rows_found = self.fetch(f"{sql}{condition}", values)
            satisfying |= {part[place] for (place,) in rows_found}
        return satisfying

    # Writing

    @abstractmethod
    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Insert rows of driver values in bulk."""

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        """Set columns of several rows, as many at once as a statement may hold.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            rows: driver values, of the key's columns first and then of ``columns``.
        """
        for part in self.portions(rows, len(key) + len(columns)):
            self.run(
                self.dialect.update_of(table, key, columns, len(part)),
                tuple(value for row in part for value in row),
            )

    @abstractmethod
    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Return that many fresh values for a generated primary key."""

    def synchronise(self, columns: Sequence[Column]) -> None:
        """Move every sequence that feeds one of these columns past its values, never back."""

    def evaluate(self, expressions: Sequence[tuple[Column, Any]], count: int) -> list[Row]:
        """Return the values of expressions that fill columns, for that many new rows.

        A database evaluates a subquery once in a statement, so each row gets a SELECT of its own.
        """
        statement = sa.select(
            *(self.dialect.filling(column, expression) for column, expression in expressions)
        )
        if not any(self.dialect.subquery_of(expression) for _, expression in expressions):
            return self._rows(statement.select_from(self.dialect.numbers(count)))
        rows: list[Row] = []
        while len(rows) < count:
            rows += self._rows(sa.union_all(*[statement] * min(SUBQUERIES, count - len(rows))))
        return rows

    def _rows(self, statement: sa.Executable) -> list[Row]:
        """Run a statement, and return all of its raw rows."""
        result: Any = self.execute(statement)
        rows = list(map(tuple, result.cursor.fetchall()))
        result.close()
        return rows

    # Transactions

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Give the session settings that change no value, and restore its own in the end."""
        yield

    @contextmanager
    def texts_of(self, rows: RowSet) -> Iterator[None]:
        """Raise an error that names the row and field of a text that the driver can't decode."""
        yield

    @abstractmethod
    def begin_reading(self) -> None:
        """Begin a transaction of ours that sees one snapshot throughout."""

    @abstractmethod
    def begin_writing(self) -> None:
        """Begin a transaction of ours that may write."""

    def give_back(self) -> None:
        """Restore a connection's own settings, once its transaction has ended."""

    @abstractmethod
    def ensure_begun(self, *, writing: bool) -> None:
        """Make sure that a caller's connection really is in a transaction."""

    def autocommits(self) -> bool:
        """Tell whether the driver commits each statement by itself."""
        return getattr(self.connection.connection.dbapi_connection, "autocommit", False) is True

    @abstractmethod
    def snapshot(self) -> str:
        """Say what snapshot a caller's transaction has."""

    def refuse_hidden(self, tables: Sequence[sa.Table], named: Collection[str]) -> None:
        """Raise ``TargetError`` if tables hide rows from this user, or show those of others.

        Args:
            tables: The tables that records fill.
            named: The full names of those tables that are left out by name.
        """

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        """Return what stands in a table's place and may show other rows: a view, by table."""
        return {}

    # Other writers

    def unguarded(self, keys: TableKeys) -> list[sa.Table]:
        """Return the tables whose key no unique index of the database guards.

        An engine that lets one transaction write at a time returns none.
        """
        return []

    def hold(self, tables: Sequence[sa.Table], compared: Sequence[sa.Table] = ()) -> None:
        """Wait until no other import writes to these tables; others then wait for us.

        Args:
            tables: those that no index guards.
            compared: those whose rows are compared and then written, if this user may.
        """

    def is_fresh(self) -> bool:
        """Tell whether the transaction has no snapshot yet that could be older than a lock."""
        return False

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        """Raise ``TargetError`` if others may have written these tables after our snapshot."""

    @abstractmethod
    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        """Tell whether triggers or rules of these tables may change what is written.

        It is true as well if this user may not see them.
        """

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        """Yield which of these tables hold the rows of others among them, and what they are."""
        return iter(())

    def sees_others(self) -> bool:
        """Tell whether statements of this transaction see what others commit meanwhile."""
        return False

    def moment(self) -> str:
        """Return a text that changes when others commit, if this transaction sees their work."""
        return ""

    def check_at_once(self, tables: Sequence[sa.Table]) -> list[str]:
        """Have the tables' constraints that wait for the commit checked at each statement.

        Returns their names, for ``check_at_commit``.
        """
        return []

    def check_at_commit(self, names: Sequence[str]) -> None:
        """Let constraints wait for the commit again."""
