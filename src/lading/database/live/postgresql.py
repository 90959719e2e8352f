"""PostgreSQL, by psycopg (COPY where the driver has it)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes

from lading.database.dialects.base import Row, ServerFacts
from lading.database.dialects.postgresql import PostgreSQL
from lading.database.dialects.real_columns import Tables
from lading.database.live.base import Database, Relation, TableKeys
from lading.database.live.foreign_keys import postgresql_keys
from lading.database.live.live_keys import LiveKeys, RealPlace
from lading.database.live.postgresql_catalog import real_columns
from lading.database.live.postgresql_locks import hold, is_idle, refuse_stale, unguarded
from lading.database.live.postgresql_sequences import feeding, moved, sequence_named
from lading.database.live.postgresql_views import (
    PARENTS,
    refuse_inherited_rows,
    refuse_policies,
    stand_ins,
)
from lading.database.live.same_rows import postgresql_rows
from lading.database.live.unique_indexes import UniqueIndexes, postgresql_indexes
from lading.errors import TargetError
from lading.mapping.columns import underlying
from lading.messages import Message
from lading.model.rowsets import Column

#: The driver's number of that isolation level.
REPEATABLE_READ = 3
BY_CODE_POINT = {"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"}
#: Settings, and whether the server and the driver give and take values as they are under one.
IS_SAFE: dict[str, Callable[[str], bool]] = {
    "extra_float_digits": lambda digits: int(digits) >= 1,
    "DateStyle": lambda style: style.startswith("ISO"),
    "standard_conforming_strings": "on".__eq__,
    "array_nulls": "on".__eq__,
    "quote_all_identifiers": "off".__eq__,
}


class PostgreSQLDatabase(Database):
    """PostgreSQL: sequences, COPY, constraints that wait for the commit."""

    dialect_class = PostgreSQL
    dialect: PostgreSQL

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: The driver's isolation level and autocommit before we changed them.
        self.before: tuple[Any, bool] | None = None
        self.sequences: dict[sa.Table, dict[str, list[str]]] = {}
        #: The tables whose sequences are known not to lag behind.
        self.followed: set[sa.Table] = set()

    @property
    def copies(self) -> bool:
        """Whether the driver has COPY."""
        return self.connection.dialect.driver == "psycopg" and not self.connection.dialect.is_async

    def server_facts(self) -> ServerFacts:
        """Whether text sorts by code point without being asked to, and its encodings."""
        row = self.fetch(
            "SELECT to_jsonb(d)::text, pg_encoding_to_char(d.encoding), "
            f"current_setting('client_encoding'), {PARENTS} FROM pg_database d "
            "WHERE d.datname = current_database()"
        )[0]
        database = json.loads(row[0])
        locale = database.get("datlocale") or database.get("daticulocale")
        self._refuse_settings()
        return ServerFacts(
            is_utf8=row[1] == "UTF8",
            encodings=frozenset(row[1:3]) - {"UTF8"},
            sorts_by_code_point=(locale or database["datcollate"]) in BY_CODE_POINT,
            parents=frozenset(map(tuple, json.loads(row[3] or "[]"))),
        )

    def execute(self, statement: sa.Executable, **options: Any) -> sa.CursorResult[Any]:
        """As the dialect compiles it, which reads a parent's own rows alone."""
        connection, own = self.connection, self.connection.dialect
        connection.dialect = self.dialect.sqlalchemy
        try:
            return super().execute(statement, **options)
        finally:
            connection.dialect = own

    def _refuse_settings(self) -> None:
        """Refuse settings under which the server or the driver would misread values or types."""
        settings = ", ".join(f"current_setting('{name}')" for name in IS_SAFE)
        values = self.fetch(f"SELECT {settings}")[0]
        for (name, is_safe), value in zip(IS_SAFE.items(), values, strict=True):
            if not is_safe(value):
                raise TargetError(
                    Message(
                        "setting-unsafe",
                        f"PostgreSQL's {name} is {value!r}, under which values or types are "
                        "misread",
                    ),
                    f"RESET {name}, or set it to the server's usual value.",
                )

    def real_columns(self, tables: Sequence[sa.Table]) -> Tables:
        return real_columns(self, tables)

    def live_keys(self) -> LiveKeys:
        return postgresql_keys(self)

    def unique_indexes(self, tables: Sequence[sa.Table]) -> UniqueIndexes:
        return postgresql_indexes(self, tables)

    def real_places(self, tables: Sequence[sa.Table]) -> dict[sa.Table, RealPlace]:
        rows = self.fetch(
            "SELECT g.place, n.nspname, c.relname "
            f"FROM unnest({self.dialect.mark}::text[]) WITH ORDINALITY AS g(name, place) "
            "JOIN pg_class c ON c.oid = to_regclass(g.name) "
            "JOIN pg_namespace n ON n.oid = c.relnamespace",
            (list(map(self.dialect.table_name, tables)),),
        )
        return {tables[place - 1]: (schema, name) for place, schema, name in rows}

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        if self.copies:
            self._copy(self.dialect.copying(table, columns), rows)
        else:
            self.run(self.dialect.insertion(table, columns), list(rows))

    def _copy(self, sql: str, rows: Sequence[Row]) -> None:
        """COPY writes what is given, into identity columns as well."""
        driver: Any = self.connection.connection.dbapi_connection
        try:
            with self.driver_errors(sql), driver.cursor() as cursor, cursor.copy(sql) as copy:
                write = copy.write_row
                for row in rows:
                    write(row)
        except BaseException as error:
            if not isinstance(error, Exception):
                self.connection.invalidate()  # it may be in the middle of the COPY
            raise

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        """Set columns of several rows in one statement, with an array for each column.

        Arrays of arrays would come apart, so columns that hold arrays are set row by row.

        Args:
            table: the table to update.
            key: the columns that identify a row.
            columns: the columns to set.
            rows: driver values, of the key's columns first and then of ``columns``.
        """
        if any(self.dialect.columns(column).item is not None for column in columns):
            statement, width = self.dialect.updating(table, key, columns), len(key)
            self.run(statement, [(*row[width:], *row[:width]) for row in rows])
            return
        arrays = tuple(list(part) for part in zip(*rows, strict=True))
        self.run(self.dialect.update_of(table, key, columns, len(rows)), arrays)

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        sequences = self._sequences([table])[table].get(column.name)
        if sequences:
            return self._next(table, column, sequences[0], count)
        expression = self.dialect.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name = self.dialect.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.dialect.table(table)}")[0][0] or 0
        return list(range(highest + 1, highest + 1 + count))

    def _next(self, table: sa.Table, column: Column, sequence: str, count: int) -> list[Any]:
        """Return the next values of a sequence, which is moved first if the table is ahead of it.

        Whether it is costs no statement of its own: the first values come with the table's bounds.
        """
        number = self._number(column) if table not in self.followed else None
        self.followed.add(table)
        bounds = ""
        if number is not None:
            source = f"FROM {self.dialect.table(table)})"
            bounds = f", (SELECT min({number}) {source}, (SELECT max({number}) {source}"
        mark = self.dialect.mark
        sql = f"SELECT nextval({mark}::regclass){bounds} FROM generate_series(1, {mark})"
        rows = self.fetch(sql, (sequence, count))
        if number is not None and rows and rows[0][1] is not None:
            _, low, high = rows[0]
            if any(low <= value <= high for value, *_ in rows):
                self.synchronise([column])
                return self._next(table, column, sequence, count)
        return [value for value, *_ in rows]

    def _sequences(self, tables: Sequence[sa.Table]) -> dict[sa.Table, dict[str, list[str]]]:
        """Name the sequences that feed the columns of tables, looked up once for each.

        Those of defaults come first.
        """
        unknown = {self.dialect.table_name(t): t for t in tables if t not in self.sequences}
        if unknown:
            self.sequences |= {table: {} for table in unknown.values()}
            for name, column, known, default in self.fetch(
                feeding(self.dialect.mark), (list(unknown),)
            ):
                sequences = self.sequences[unknown[name]].setdefault(column, [])
                sequence = known or sequence_named(default)
                if sequence is not None and sequence not in sequences:
                    sequences.append(sequence)
        return self.sequences

    def synchronise(self, columns: Sequence[Column]) -> None:
        dialect = self.dialect
        known = self._sequences([column.table for column in columns])
        for column in columns:
            number = self._number(column)
            if number is None:
                continue
            sequences = list(known[column.table].get(column.name, ()))
            if isinstance(column.default, sa.Sequence):
                sequences.append(dialect.sequence(column.default).replace("%%", "%"))
            for sequence in dict.fromkeys(sequences):
                self.fetch(
                    moved(self.dialect.escaped(sequence), self.dialect.table(column.table), number)
                )

    def _number(self, column: Column) -> str | None:
        """Return the SQL of a column's sequence number: of a text, the digits at its end."""
        impl = underlying(self.dialect.codecs.implementation(column.type))
        name = self.dialect.name(column)
        if isinstance(impl, sqltypes.String):
            return f"substring({name}::text from '[0-9]+$')::numeric"
        is_exact = isinstance(impl, sqltypes.Integer | sqltypes.Numeric)
        return (
            self.dialect.name(column) if is_exact and not isinstance(impl, sqltypes.Float) else None
        )

    # Transactions

    def begin_reading(self) -> None:
        self._isolate()
        self.run("SET TRANSACTION READ ONLY")
        self.look_up_server()

    def begin_writing(self) -> None:
        """In one snapshot, so that other writers don't disturb the count of what was gained."""
        if not self.autocommits():
            self._isolate()

    def _isolate(self) -> None:
        """Set it on the driver itself: SQLAlchemy restores the settings of its first connection."""
        driver: Any = self.connection.connection.driver_connection
        if not self.copies:
            self.connection.execution_options(isolation_level="REPEATABLE READ")
            return
        self.before = driver.isolation_level, driver.autocommit
        with self.driver_errors():
            driver.isolation_level, driver.autocommit = REPEATABLE_READ, False

    def give_back(self) -> None:
        if self.before is None or self.connection.closed or self.connection.invalidated:
            return
        driver: Any = self.connection.connection.driver_connection
        with self.driver_errors():
            driver.isolation_level, driver.autocommit = self.before

    def ensure_begun(self, *, writing: bool) -> None:
        """A reader's transaction that has read nothing yet gets one snapshot."""
        if not writing and self.is_fresh() and self.sees_others():
            self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.look_up_server()

    def snapshot(self) -> str:
        level = self.fetch("SHOW transaction_isolation")[0][0]
        note = " (nobody else wrote meanwhile)" if self.sees_others() else ""
        return f"{level}, in the caller's transaction{note}"

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return postgresql_rows(self, tables)

    def refuse_hidden(self, tables: Sequence[sa.Table], named: Collection[str]) -> None:
        refuse_policies(self, tables)
        refuse_inherited_rows(self, tables, named)

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        return stand_ins(self, tables)

    def is_fresh(self) -> bool:
        return is_idle(self)

    def unguarded(self, keys: TableKeys) -> list[sa.Table]:
        return unguarded(self, keys)

    def hold(self, tables: Sequence[sa.Table], compared: Sequence[sa.Table] = ()) -> None:
        hold(self, tables, compared)

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        refuse_stale(self, tables)

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        """Partitions have triggers of their own."""
        rows = self.fetch(
            "WITH RECURSIVE given(id) AS ("
            f"SELECT to_regclass(n)::oid FROM unnest({self.dialect.mark}::text[]) AS names(n) "
            "UNION SELECT i.inhrelid FROM pg_inherits i JOIN given ON i.inhparent = given.id) "
            "SELECT EXISTS (SELECT 1 FROM pg_trigger t JOIN given ON t.tgrelid = given.id "
            "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D') "
            "OR EXISTS (SELECT 1 FROM pg_rewrite r JOIN given ON r.ev_class = given.id "
            "WHERE r.rulename <> '_RETURN')",
            ([self.dialect.table_name(table) for table in tables],),
        )
        return bool(rows[0][0])

    def sees_others(self) -> bool:
        level = self.fetch("SHOW transaction_isolation")[0][0]
        return level in ("read committed", "read uncommitted")

    def moment(self) -> str:
        """The snapshot is the whole server's: other databases and autovacuum move it too."""
        return str(self.fetch("SELECT pg_current_snapshot()::text")[0][0])

    def check_at_once(self, tables: Sequence[sa.Table]) -> list[str]:
        names = list(map(self.dialect.table_name, tables))
        rows = self.fetch(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.conname) FROM pg_constraint c "
            "JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.condeferred "
            f"AND c.conrelid = ANY({self.dialect.mark}::regclass[])",
            (names,),
        )
        constraints = sorted({row[0] for row in rows})
        self._set_constraints(constraints, "IMMEDIATE")
        return constraints

    def check_at_commit(self, names: Sequence[str]) -> None:
        self._set_constraints(names, "DEFERRED")

    def _set_constraints(self, names: Sequence[str], when: str) -> None:
        if names:
            self.run(self.dialect.escaped(f"SET CONSTRAINTS {', '.join(names)} {when}"))
