"""PostgreSQL, by psycopg (COPY where the driver has it)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes

from lading.codegen import Expression
from lading.database.dialects.base import Dialect, Row, TableKeys, choice_rank
from lading.database.dialects.postgresql_columns import Columns
from lading.database.dialects.postgresql_encodings import within
from lading.database.dialects.postgresql_values import PostgreSQLCodecs
from lading.database.live.postgresql_locks import hold, is_idle, refuse_stale, unguarded
from lading.database.live.postgresql_sequences import feeding, moved, sequence_named
from lading.database.live.postgresql_views import refuse_policies, stand_ins
from lading.database.live.same_rows import Relation, postgresql_rows
from lading.errors import TargetError
from lading.mapping.columns import underlying
from lading.model.rowsets import Column
from lading.values.base import Kind
from lading.values.scalars import Bytes, Choice, Text

#: RAISE in a trigger; a value too long for an index.
OBJECTIONS = {"P0001", "54000"}
#: The driver's number of it.
REPEATABLE_READ = 3
BY_CODE_POINT = {"C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"}


class PostgreSQL(Dialect):
    """PostgreSQL: typed columns, schemas, sequences, COPY."""

    codecs_class = PostgreSQLCodecs
    url = "postgresql+psycopg://..."
    columns: Columns

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.utf8 = True
        #: The encodings of the database and the connection, but UTF-8.
        self.encodings: set[str] = set()
        self.sorts_by_code_point = False
        #: What the driver had been told of isolation and autocommit before we did.
        self.before: tuple[Any, bool] | None = None
        self.sequences: dict[sa.Table, dict[str, list[str]]] = {}

    def real_columns(self) -> Columns:
        return Columns(self.fetch, self.mark, self.regclass, self.translate)

    def facts(self) -> None:
        """Whether text sorts by code point without being asked to."""
        row = self.fetch(
            "SELECT to_jsonb(d)::text, pg_encoding_to_char(d.encoding), "
            "current_setting('client_encoding') FROM pg_database d "
            "WHERE d.datname = current_database()"
        )[0]
        database = json.loads(row[0])
        locale = database.get("datlocale") or database.get("daticulocale")
        self.utf8 = row[1] == "UTF8"
        self.encodings = {*row[1:]} - {"UTF8"}
        self._refuse_settings()
        self.sorts_by_code_point = (locale or database["datcollate"]) in BY_CODE_POINT

    def _refuse_settings(self) -> None:
        """Settings under which the server or the driver would change values."""
        names = ("extra_float_digits", "DateStyle", "standard_conforming_strings")
        asked = ", ".join(f"current_setting('{name}')" for name in names)
        digits, style, strings = self.fetch(f"SELECT {asked}")[0]
        fine = (int(digits) >= 1, style.startswith("ISO"), strings == "on")
        for name, value, is_fine in zip(names, (digits, style, strings), fine, strict=True):
            if not is_fine:
                raise TargetError(
                    f"PostgreSQL's {name} is {value!r}, under which values change",
                    f"RESET {name}, or set it to the server's usual value.",
                )

    def binder(self, column: Column, kind: Kind) -> Expression:
        return within(sorted(self.encodings), super().binder(column, kind))

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(sa.cast(column, sa.Text()), self.codecs.stored(column, kind))  # type: ignore[arg-type]
        if isinstance(kind, Text):
            return self._by_code_point(column, kind)
        return column

    def regclass(self, table: sa.Table) -> str:
        """Return a table's quoted name as a parameter, to be cast to regclass."""
        return self.table(table).replace("%%", "%")

    def _by_code_point(self, column: Column, kind: Text) -> sa.ColumnElement[Any] | None:
        """CITEXT and enumerations compare otherwise than the texts that they are written as."""
        stored = self.columns(column)
        if not self.utf8 or stored.is_padded or self.codecs.is_padded(column, kind):
            return None
        if stored.type not in ("text", "character varying"):
            return sa.collate(sa.cast(column, sa.Text()), "C")
        is_in_order = self.sorts_by_code_point and stored.collation is None
        return column if is_in_order else sa.collate(column, "C")

    # Reading

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        arrays = [f"{self.mark}::{self._array_type(column)}[]" for column in columns]
        values = [list(part) for part in zip(*rows, strict=True)]
        if len(names) == 1:
            return f"WHERE {names[0]} = ANY({arrays[0]})", values
        given = f"unnest({', '.join(arrays)})"
        return f"WHERE ({', '.join(names)}) IN (SELECT * FROM {given})", values

    def _array_type(self, column: Column) -> str:
        """Text stays text: a cast to a shorter VARCHAR would cut it.

        A CHAR stays one: as text it would lose the blanks that pad it, and match nothing.
        """
        return self.escaped(self.columns(column).parameter)

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        names = ", ".join(self.name(column) for column in columns)
        if self.dialect.driver == "psycopg" and not self.dialect.is_async:
            self._copy(f"COPY {self.table(table)} ({names}) FROM STDIN".replace("%%", "%"), rows)
            return
        marks = ", ".join([self.mark] * len(columns))
        always = any(column.identity is not None and column.identity.always for column in columns)
        over = "OVERRIDING SYSTEM VALUE " if always else ""
        self.run(f"INSERT INTO {self.table(table)} ({names}) {over}VALUES ({marks})", list(rows))

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
        target = self.table(table)
        names = [f"c{place}" for place in range(len(key) + len(columns))]
        arrays = ", ".join(
            f"{self.mark}::{self._array_type(column)}[]" for column in (*key, *columns)
        )
        sets = ", ".join(
            f"{self.name(column)} = given.{names[len(key) + place]}"
            for place, column in enumerate(columns)
        )
        where = " AND ".join(
            f"{target}.{self.name(column)} = given.{names[place]}"
            for place, column in enumerate(key)
        )
        self.run(
            f"UPDATE {target} SET {sets} FROM unnest({arrays}) AS given({', '.join(names)}) "
            f"WHERE {where}",
            tuple(list(part) for part in zip(*rows, strict=True)),
        )

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        sequences = self._sequences([table])[table].get(column.name)
        if sequences:
            sql = f"SELECT nextval({self.mark}::regclass) FROM generate_series(1, {self.mark})"
            return [row[0] for row in self.fetch(sql, (sequences[0], count))]
        expression = self.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name = self.name(column)
        highest = self.fetch(f"SELECT max({name}) FROM {self.table(table)}")[0][0] or 0
        return list(range(highest + 1, highest + 1 + count))

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

    def _sequences(self, tables: Sequence[sa.Table]) -> dict[sa.Table, dict[str, list[str]]]:
        """Name the sequences that feed the columns of tables, looked up once for each.

        Those of defaults come first.
        """
        unknown = {self.regclass(t): t for t in tables if t not in self.sequences}
        if unknown:
            self.sequences |= {table: {} for table in unknown.values()}
            for name, column, known, default in self.fetch(feeding(self.mark), (list(unknown),)):
                sequences = self.sequences[unknown[name]].setdefault(column, [])
                sequence = known or sequence_named(default)
                if sequence is not None and sequence not in sequences:
                    sequences.append(sequence)
        return self.sequences

    def synchronise(self, columns: Sequence[Column]) -> None:
        known = self._sequences([column.table for column in columns])
        for column in columns:
            number = self._number(column)
            if number is None:
                continue
            sequences = list(known[column.table].get(column.name, ()))
            if isinstance(column.default, sa.Sequence):
                sequences.append(self.sequence(column.default).replace("%%", "%"))
            for sequence in dict.fromkeys(sequences):
                self.fetch(moved(self.escaped(sequence), self.table(column.table), number))

    def _number(self, column: Column) -> str | None:
        """Return what of a column came from its sequence: of a text, the digits at its end."""
        impl = underlying(self.codecs.implementation(column.type))
        if isinstance(impl, sqltypes.String):
            return f"substring({self.name(column)}::text from '[0-9]+$')::numeric"
        is_exact = isinstance(impl, sqltypes.Integer | sqltypes.Numeric)
        return self.name(column) if is_exact and not isinstance(impl, sqltypes.Float) else None

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """What triggers raise is one as well, and a value beyond a limit of the server's."""
        return super().is_objection(error) or getattr(error.orig, "sqlstate", None) in OBJECTIONS

    # Transactions

    def begin_reading(self) -> None:
        self._isolate()
        self.run("SET TRANSACTION READ ONLY")
        self.facts()

    def begin_writing(self) -> None:
        """In one snapshot, so that other writers don't disturb the count of what was gained."""
        if not self.autocommits():
            self._isolate()

    def _isolate(self) -> None:
        """Set on the driver itself, SQLAlchemy gives back what the first connection had."""
        driver: Any = self.connection.connection.driver_connection
        if self.dialect.driver != "psycopg" or self.dialect.is_async:
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
        self.facts()

    def snapshot(self) -> str:
        level = self.fetch("SHOW transaction_isolation")[0][0]
        one = " (nobody else wrote meanwhile)" if self.sees_others() else ""
        return f"{level}, in the caller's transaction{one}"

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return postgresql_rows(self, tables)

    def refuse_hidden(self, tables: Sequence[sa.Table]) -> None:
        refuse_policies(self, tables)

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        return stand_ins(self, tables)

    def is_fresh(self) -> bool:
        return is_idle(self)

    def unguarded(self, keys: TableKeys) -> list[sa.Table]:
        return unguarded(self, keys)

    def hold(self, tables: Sequence[sa.Table]) -> None:
        hold(self, tables)

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        refuse_stale(self, tables)

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        """Partitions have triggers of their own."""
        found = self.fetch(
            "WITH RECURSIVE given(id) AS ("
            f"SELECT to_regclass(name)::oid FROM unnest({self.mark}::text[]) AS names(name) "
            "UNION SELECT i.inhrelid FROM pg_inherits i JOIN given ON i.inhparent = given.id) "
            "SELECT EXISTS (SELECT 1 FROM pg_trigger t JOIN given ON t.tgrelid = given.id "
            "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D') "
            "OR EXISTS (SELECT 1 FROM pg_rewrite r JOIN given ON r.ev_class = given.id "
            "WHERE r.rulename <> '_RETURN')",
            ([self.regclass(table) for table in tables],),
        )
        return bool(found[0][0])

    def sees_others(self) -> bool:
        level = self.fetch("SHOW transaction_isolation")[0][0]
        return level in ("read committed", "read uncommitted")

    def moment(self) -> str:
        return str(self.fetch("SELECT pg_current_snapshot()::text")[0][0])

    def check_at_once(self, tables: Sequence[sa.Table]) -> list[str]:
        names = list(map(self.regclass, tables))
        found = self.fetch(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.conname) FROM pg_constraint c "
            "JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.condeferred "
            f"AND c.conrelid = ANY({self.mark}::regclass[])",
            (names,),
        )
        constraints = sorted({row[0] for row in found})
        self._set_constraints(constraints, "IMMEDIATE")
        return constraints

    def check_at_commit(self, names: Sequence[str]) -> None:
        self._set_constraints(names, "DEFERRED")

    def _set_constraints(self, names: Sequence[str], when: str) -> None:
        if names:
            self.run(self.escaped(f"SET CONSTRAINTS {', '.join(names)} {when}"))
