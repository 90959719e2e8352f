"""MariaDB, by PyMySQL."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row, TableKeys, choice_rank
from lading.database.dialects.mariadb_columns import PLACES, Columns
from lading.database.dialects.mariadb_limits import room_of
from lading.database.dialects.mariadb_values import MariaDBCodecs
from lading.database.live.mariadb_locks import hold, is_idle, refuse_stale, unguarded
from lading.database.live.mariadb_packets import LARGE, refuse_large
from lading.database.live.mariadb_sequences import move_sequences
from lading.database.live.mariadb_triggers import has_triggers
from lading.database.live.same_rows import Relation, mariadb_rows
from lading.errors import TargetError
from lading.model.rowsets import Column
from lading.scratch.spool import Spool
from lading.values.arrays import LabelSet
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Time
from lading.values.scalars import Bytes, Choice, Number, Text, Uuid

#: Bytes of a sort key that the server compares, in a session of ours: it can't go far beyond
#: with its usual memory for sorts.  A character takes three of them.
LONGEST_KEY = 65_535
KEY_BYTES = 3
NOPAD = "utf8mb4_nopad_bin"
#: What a session's mode must have, or must not have, for values to stay as they are.
STRICT = {"STRICT_ALL_TABLES", "STRICT_TRANS_TABLES", "NO_AUTO_VALUE_ON_ZERO"}
LAX = {"EMPTY_STRING_IS_NULL", "PAD_CHAR_TO_FULL_LENGTH", "ALLOW_INVALID_DATES"}
#: Settings under which rows or values would be lost, and what they must be.
NEEDED = {
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_results": "utf8mb4",
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "check_constraint_checks": "1",
    "sql_auto_is_null": "0",
    "sql_select_limit": str(2**64 - 1),
}
#: Above how many items an IN becomes a join, whose order the server guesses wrong where no
#: index covers them all: never.
NO_CONVERSION = 0
#: Bytes of a statement's text that every server takes.
SMALLEST_PACKET = 2**20
#: Settings that are changed for as long as the work takes.
CHANGED = ("sql_mode", "time_zone", "max_sort_length", "in_predicate_conversion_threshold")
REPEATABLE = "REPEATABLE READ"
IN_UTC = {"+00:00", "UTC"}
#: What the server says of a record, beyond what the driver takes for its data or integrity:
#: a CHECK fails, a trigger signals, a value is missing or no value of its column.
OBJECTIONS = {4025, 1364, 1644, 1292, 1366, 1264, 1265, 1406}


class MariaDB(Dialect):
    """MariaDB: padding collations, TIMESTAMPs, AUTO_INCREMENT, one statement at a time."""

    codecs_class = MariaDBCodecs
    url = "mariadb+pymysql://..."
    codecs: MariaDBCodecs
    columns: Columns

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self.before: Row = ()
        #: The isolation that the session had before we changed it.
        self.level = ""
        self.packet = SMALLEST_PACKET
        if not getattr(self.dialect, "is_mariadb", False):
            raise TargetError(
                "the server is MySQL, which isn't supported yet", "Use MariaDB, 10.6 or newer."
            )
        if self.dialect.driver != "pymysql":
            raise TargetError(
                f"the driver {self.dialect.driver!r} isn't supported on MariaDB yet",
                "Use PyMySQL: mariadb+pymysql://.",
            )

    def real_columns(self) -> Columns:
        return Columns(self.fetch, self.mark, self.translate)

    def facts(self) -> None:
        """Whether the session is one that changes and hides nothing, and its time zone."""
        names = [*NEEDED, "system_time_zone", "max_allowed_packet", *CHANGED]
        values = self.fetch(f"SELECT {', '.join(f'@@{name}' for name in names)}")[0]
        found = dict(zip(names, map(str, values), strict=True))
        for name, needed in NEEDED.items():
            if found[name] != needed:
                raise TargetError(
                    f"MariaDB's {name} is {found[name]!r}, under which rows or values would change",
                    f"Set it to {needed!r} (a connection's charset is part of its URL: "
                    "?charset=utf8mb4).",
                )
        self.before = values[-len(CHANGED) :]
        self.packet = int(found["max_allowed_packet"])
        zone = found["system_time_zone" if found["time_zone"] == "SYSTEM" else "time_zone"]
        self.codecs.utc = zone in IN_UTC

    # Values and order

    def selected(self, column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
        """Decimals, dates and UUIDs come as text; a FLOAT's own text has six digits only."""
        if self.columns(column).type == "float":
            return sa.type_coerce(column, sa.Double()) + sa.literal_column("0e0", sa.Double())
        if isinstance(kind, LabelSet):
            return sa.type_coerce(column, sa.String())  # which SQLAlchemy may ask as a number
        is_text = isinstance(kind, Number | Date | Time | DateTime | Uuid)
        if is_text and self.codecs.is_usual(column, kind):
            return sa.cast(column, sa.CHAR())
        return column

    def ordered(self, column: Column, kind: Kind) -> sa.ColumnElement[Any] | None:
        is_usual = self.codecs.is_usual(column, kind) and self.codecs.misfit(column) is None
        if not is_usual or isinstance(kind, Bytes):
            return None
        if isinstance(kind, Choice):
            return choice_rank(_by_code_point(column), self.codecs.stored(column, kind))  # type: ignore[arg-type]
        if isinstance(kind, Uuid):
            return _by_code_point(sa.cast(column, sa.CHAR(36)))
        if not isinstance(kind, Text):
            return column
        stored = self.columns(column)
        too_long = KEY_BYTES * (stored.characters or LONGEST_KEY) > LONGEST_KEY
        if too_long or stored.type == "char" or self.codecs.is_padded(column, kind):
            return None
        return column if stored.by_code_point else _by_code_point(column)

    # Reading

    def stream(self, statement: sa.Select[Any], size: int) -> Generator[list[Row], None, None]:
        """Rows wait in a file: a statement beside an open result would lose the rest of it."""
        spool = Spool()
        try:
            for rows in super().stream(statement, size):
                spool.append(rows)
            yield from spool
        finally:
            spool.close()

    def among(
        self, columns: Sequence[Column], names: Sequence[str], rows: Sequence[Row]
    ) -> tuple[str, list[Any]]:
        """An IN of rows as of single values, which the settings keep from becoming a join.

        What comes may be equal by a column's collation alone: callers to whom that matters match
        it exactly.
        """
        marks = [self.columns(column).parameter(self.mark) for column in columns]
        group, held = ",".join(marks), ",".join(names)
        if len(names) > 1:
            group, held = f"({group})", f"({held})"
        values = [item for row in rows for item in row]
        return f"WHERE {held} IN ({','.join([group] * len(rows))})", values

    def portions(self, rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
        """The server takes a statement's whole text, values and all, up to a size."""
        for part in super().portions(rows, width):
            start, size = 0, 0
            for place, row in enumerate(part):
                needed = sum(map(room_of, row))
                if place > start and size + needed > self.packet // 2:
                    yield part[start:place]
                    start, size = place, 0
                size += needed
            yield part[start:]

    def _given(self, width: int, count: int) -> str:
        """Return rows of parameters as a table of its own, named ``given``."""
        names = ", ".join(f"c{place}" for place in range(width))
        group = f"({','.join([self.mark] * width)})"
        values = ",".join([group] * count)
        return f"(WITH given({names}) AS (VALUES {values}) SELECT * FROM given) AS given"

    def _match(self, columns: Sequence[Column], names: Sequence[str]) -> str:
        """Return the condition that columns hold what is given, exactly."""
        tests = []
        for place, (column, name) in enumerate(zip(columns, names, strict=True)):
            stored, given = self.columns(column), f"given.c{place}"
            tests.append(f"{name} = {stored.cast(given)}")
            if stored.charset is not None and not stored.by_code_point:
                exact = f"CONVERT({{}} USING utf8mb4) COLLATE {NOPAD}"
                tests.append(f"{exact.format(name)} = {exact.format(given)}")
        return " AND ".join(tests)

    def same(self, near: Column, far: Column) -> sa.ColumnElement[bool]:
        """A foreign key may differ from its target in case, accents and trailing blanks."""
        stored = self.columns(near)
        if stored.charset is None or stored.by_code_point:
            return near == far
        return sa.and_(near == far, _by_code_point(near) == _by_code_point(far))

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        names = ", ".join(map(self.name, columns))
        marks = ", ".join([self.mark] * len(columns))
        sql = f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks})"
        refuse_large(self, sql, columns, rows)
        for part in [rows] if self.packet > LARGE else self.portions(rows, len(columns)):
            self.run(sql, list(part))

    def update(
        self, table: sa.Table, key: Sequence[Column], columns: Sequence[Column], rows: Sequence[Row]
    ) -> None:
        target = self.table(table)
        own = {column.name.lower() for column in columns}
        sets = [
            f"{target}.{self.name(column)} = given.c{place}"
            for place, column in enumerate(columns, len(key))
        ]
        for name, stored in self.columns.of(table).items():
            if stored.updates_itself and name not in own:
                quoted = self.escaped(self.prepare.quote(stored.name))
                sets.append(f"{target}.{quoted} = {target}.{quoted}")
        match = self._match(key, [f"{target}.{self.name(column)}" for column in key])
        width = len(key) + len(columns)
        for part in self.portions(rows, width):
            self.run(
                f"UPDATE {self._given(width, len(part))} STRAIGHT_JOIN {target} ON {match} "
                f"SET {', '.join(sets)}",
                tuple(item for row in part for item in row),
            )

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Ids behind the highest, locked so that nobody else inserts there until we commit."""
        expression = self.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name, source = self.name(column), self.table(table)
        held = self.fetch(f"SELECT {name} FROM {source} ORDER BY {name} DESC LIMIT 1 FOR UPDATE")
        first = max(held[0][0] if held else 0, 0) + 1
        if self.columns(column).counts_up:
            first = max(first, self._counter(table))
        return list(range(first, first + count))

    def numbers(self, count: int) -> sa.FromClause:
        return sa.table(f"seq_1_to_{count}")

    def _counter(self, table: sa.Table) -> int:
        """Return the next AUTO_INCREMENT, which is past what others took and haven't committed."""
        ((_, (counter,)),) = self.columns.ask(
            "SELECT table_schema, table_name, auto_increment "
            f"FROM information_schema.tables WHERE {PLACES}",
            [table],
        )
        return int(counter or 1)

    def synchronise(self, columns: Sequence[Column]) -> None:
        """AUTO_INCREMENT follows by itself."""
        move_sequences(self, columns)

    def is_objection(self, error: sa.exc.DBAPIError) -> bool:
        """The driver takes some of what the server says of a record for a fault of its own."""
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        return super().is_objection(error) or code in OBJECTIONS

    # Transactions

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Strict, in UTC, an id of 0 kept, long keys sorted to their ends, a long IN as it is."""
        before = self.before
        mode = ",".join(sorted((set(before[0].split(",")) - {""}) - LAX | STRICT))
        sql = f"SET SESSION {', '.join(f'{name} = {self.mark}' for name in CHANGED)}"
        try:
            self.run(sql, (mode, "+00:00", LONGEST_KEY, NO_CONVERSION))
            yield
        finally:
            self._restore(sql, before)

    def _restore(self, sql: str, before: Row) -> None:
        """Past SQLAlchemy, which refuses statements in a transaction that has failed."""
        try:
            driver: Any = self.connection.connection.driver_connection
            with driver.cursor() as cursor:
                cursor.execute(sql, before)
        except Exception:  # the connection is gone, or can't be relied on
            if not self.connection.invalidated and not self.connection.closed:
                self.connection.invalidate()

    def begin_reading(self) -> None:
        self._isolate(REPEATABLE)
        self.run("START TRANSACTION READ ONLY")
        self.facts()

    def begin_writing(self) -> None:
        """In one snapshot, so that other writers don't disturb the count of what was gained."""
        if not self.autocommits():
            self._isolate(REPEATABLE)

    def _isolate(self, level: str) -> None:
        """Past SQLAlchemy, which gives back what its first connection had."""
        driver: Any = self.connection.connection.dbapi_connection
        with self.driver_errors(), closing(driver.cursor()) as cursor:
            cursor.execute("SELECT @@tx_isolation")
            self.level = cursor.fetchone()[0].replace("-", " ")
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")

    def give_back(self) -> None:
        if self.level and not self.connection.closed and not self.connection.invalidated:
            self._isolate(self.level)

    def ensure_begun(self, *, writing: bool) -> None:
        self.facts()
        if not writing and self.sees_others():
            raise TargetError(
                f"your transaction is in {self._level()}, where an export could see half of what "
                "others write meanwhile, and MariaDB doesn't tell",
                "Give an engine, or a session in REPEATABLE READ.",
            )

    def autocommits(self) -> bool:
        driver: Any = self.connection.connection.driver_connection
        return bool(driver.get_autocommit())

    def _level(self) -> str:
        return str(self.fetch("SELECT @@tx_isolation")[0][0]).replace("-", " ")

    def snapshot(self) -> str:
        return f"{self._level().lower()}, in the caller's transaction"

    def is_fresh(self) -> bool:
        return is_idle(self)

    def unguarded(self, keys: TableKeys) -> list[sa.Table]:
        return unguarded(self, keys)

    def hold(self, tables: Sequence[sa.Table]) -> None:
        hold(self, tables)

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        refuse_stale(self, tables)

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        return has_triggers(self, tables)

    def sees_others(self) -> bool:
        return self._level() in ("READ COMMITTED", "READ UNCOMMITTED")

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return mariadb_rows(self, tables)

    def refuse_hidden(self, tables: Sequence[sa.Table]) -> None:
        """Tables of an engine without transactions can be neither read nor written as a whole."""
        found = [
            row
            for _, row in self.columns.ask(
                "SELECT table_schema, table_name, table_name, t.engine "
                "FROM information_schema.tables t "
                "JOIN information_schema.engines e ON e.engine = t.engine "
                f"WHERE e.transactions <> 'YES' AND {PLACES}",
                tables,
            )
        ]
        if found:
            listed = ", ".join(f"{name} ({engine})" for name, engine in sorted(found))
            raise TargetError(
                f"these tables' engines have no transactions: {listed}",
                "Nothing could be all or nothing there: ALTER TABLE ... ENGINE = InnoDB.",
            )

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        views = "FROM information_schema.tables WHERE table_type LIKE '%%VIEW' AND"
        asked = self.columns.ask(f"SELECT table_schema, table_name {views} {PLACES}", tables)
        return {table: "a view" for table, _ in asked}


def _by_code_point(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a text as MariaDB compares it by code point, without padding."""
    using = sa.type_coerce(text, sa.String()).op("USING")(sa.literal_column("utf8mb4"))
    return sa.collate(sa.func.convert(using, type_=sa.String()), NOPAD)
