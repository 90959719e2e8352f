"""MariaDB, by PyMySQL."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row, ServerFacts
from lading.database.dialects.mariadb import LONGEST_KEY, MariaDB
from lading.database.dialects.mariadb_limits import room_of
from lading.database.dialects.real_columns import Tables
from lading.database.live.base import Database, Relation, TableKeys
from lading.database.live.foreign_keys import mariadb_keys
from lading.database.live.live_keys import LiveKeys, RealPlace
from lading.database.live.mariadb_catalog import PLACES, CatalogTables
from lading.database.live.mariadb_locks import hold, is_idle, refuse_stale, unguarded
from lading.database.live.mariadb_packets import LARGE, refuse_large
from lading.database.live.mariadb_sequences import move_sequences
from lading.database.live.mariadb_triggers import has_triggers
from lading.database.live.same_rows import mariadb_rows
from lading.database.live.unique_indexes import UniqueIndexes, mariadb_indexes
from lading.errors import TargetError
from lading.messages import Message
from lading.model.rowsets import Column
from lading.scratch.spool import Spool

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
#: 0 disables the IN-to-join rewrite; without a covering index its plan is slow.
NO_CONVERSION = 0
#: Bytes of a statement's text that every server takes.
SMALLEST_PACKET = 2**20
#: Settings that are changed until the work is done.
CHANGED = ("sql_mode", "time_zone", "max_sort_length", "in_predicate_conversion_threshold")
REPEATABLE = "REPEATABLE READ"
IN_UTC = {"+00:00", "UTC"}


class MariaDBDatabase(Database):
    """MariaDB: AUTO_INCREMENT, settings of the session, one statement at a time."""

    dialect_class = MariaDB
    dialect: MariaDB

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before: Row = ()
        #: The isolation that the session had before we changed it.
        self.level = ""
        #: Whether it let an UPDATE see rows newer than its snapshot, as ``OFF`` or ``ON``.
        self.guarded = ""
        self.packet = SMALLEST_PACKET
        self.catalog_tables = CatalogTables(self)

    def server_facts(self) -> ServerFacts:
        """Whether the session is one that changes and hides nothing, and its time zone."""
        names = [*NEEDED, "system_time_zone", "max_allowed_packet", *CHANGED]
        values = self.fetch(f"SELECT {', '.join(f'@@{name}' for name in names)}")[0]
        settings = dict(zip(names, map(str, values), strict=True))
        for name, needed in NEEDED.items():
            if settings[name] != needed:
                raise TargetError(
                    Message(
                        "setting-unsafe",
                        f"MariaDB's {name} is {settings[name]!r}, under which rows or values would "
                        "change",
                    ),
                    f"Set it to {needed!r} (a connection's charset is part of its URL: "
                    "?charset=utf8mb4).",
                )
        self.before = values[-len(CHANGED) :]
        self.packet = int(settings["max_allowed_packet"])
        zone = settings["system_time_zone" if settings["time_zone"] == "SYSTEM" else "time_zone"]
        return ServerFacts(is_in_utc=zone in IN_UTC)

    def real_columns(self, tables: Sequence[sa.Table]) -> Tables:
        return self.catalog_tables.columns(tables)

    def live_keys(self) -> LiveKeys:
        return mariadb_keys(self, self.catalog_tables.real)

    def unique_indexes(self, tables: Sequence[sa.Table]) -> UniqueIndexes:
        return mariadb_indexes(self.catalog_tables, tables)

    def real_places(self, tables: Sequence[sa.Table]) -> dict[sa.Table, RealPlace]:
        return {table: self.catalog_tables.real(*self.dialect.place(table)) for table in tables}

    # Reading

    def _chunks(self, result: Any, size: int) -> Generator[list[Row], None, None]:
        """Rows wait in a file: a statement beside an open result would lose the rest of it."""
        spool = Spool()
        try:
            for rows in super()._chunks(result, size):
                spool.append(rows)
            yield from spool
        finally:
            spool.close()

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

    # Writing

    def insert(self, table: sa.Table, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        sql = self.dialect.insertion(table, columns)
        refuse_large(self, self.packet, sql, columns, rows)
        for part in [rows] if self.packet > LARGE else self.portions(rows, len(columns)):
            self.run(sql, list(part))

    def allocate(self, table: sa.Table, column: Column, count: int) -> list[Any]:
        """Return the ids after the highest, where nobody else can insert until we commit."""
        expression = self.dialect.server_expression_of(column)
        if expression is not None:
            return [value for (value,) in self.evaluate([(column, expression)], count)]
        name, source = self.dialect.name(column), self.dialect.table(table)
        highest = self.fetch(f"SELECT {name} FROM {source} ORDER BY {name} DESC LIMIT 1 FOR UPDATE")
        first = max(highest[0][0] if highest else 0, 0) + 1
        if self.dialect.columns(column).counts_up:
            first = max(first, self._counter(table))
        return list(range(first, first + count))

    def _counter(self, table: sa.Table) -> int:
        """Return the next AUTO_INCREMENT, which is past what others took and haven't committed."""
        ((_, (counter,)),) = self.catalog_tables.ask(
            "SELECT table_schema, table_name, auto_increment "
            f"FROM information_schema.tables WHERE {PLACES}",
            [table],
        )
        return int(counter or 1)

    def synchronise(self, columns: Sequence[Column]) -> None:
        """AUTO_INCREMENT follows by itself."""
        move_sequences(self, self.catalog_tables, columns)

    # Transactions

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Strict, in UTC, an id of 0 kept, long keys sorted to their ends, a long IN as it is."""
        before = self.before
        mode = ",".join(sorted((set(before[0].split(",")) - {""}) - LAX | STRICT))
        sql = f"SET SESSION {', '.join(f'{name} = {self.dialect.mark}' for name in CHANGED)}"
        try:
            self.run(sql, (mode, "+00:00", LONGEST_KEY, NO_CONVERSION))
            yield
        finally:
            self._restore(sql, before)

    def _restore(self, sql: str, before: Row) -> None:
        """Bypass SQLAlchemy, which refuses statements in a transaction that has failed."""
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
        self.look_up_server()

    def begin_writing(self) -> None:
        """In one snapshot, so that other writers don't disturb the count of what was gained.

        An UPDATE must not see rows that others wrote since: what was compared is what it changes.
        """
        if not self.autocommits():
            self._isolate(REPEATABLE)
            self._guard("ON")

    def _isolate(self, level: str) -> None:
        """Bypass SQLAlchemy, which restores the settings of its first connection."""
        driver: Any = self.connection.connection.dbapi_connection
        with self.driver_errors(), closing(driver.cursor()) as cursor:
            cursor.execute("SELECT @@tx_isolation")
            self.level = cursor.fetchone()[0].replace("-", " ")
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")

    def _guard(self, value: str) -> None:
        """Have writes to rows that changed since the snapshot refused, where the server can."""
        driver: Any = self.connection.connection.dbapi_connection
        with self.driver_errors(), closing(driver.cursor()) as cursor:
            cursor.execute("SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'")
            setting = cursor.fetchone()
            if setting is not None:
                self.guarded = self.guarded or setting[1]
                cursor.execute(f"SET SESSION innodb_snapshot_isolation = {value}")

    def give_back(self) -> None:
        if self.guarded and not self.connection.closed and not self.connection.invalidated:
            self._guard(self.guarded)
        if self.level and not self.connection.closed and not self.connection.invalidated:
            self._isolate(self.level)

    def ensure_begun(self, *, writing: bool) -> None:
        self.look_up_server()
        if writing:
            self._refuse_dirty_reads()
            self._guard("ON")
        elif self.sees_others():
            raise TargetError(
                Message(
                    "snapshot-unsure",
                    f"your transaction is in {self._level()}, where an export could see half of "
                    "what others write meanwhile, and MariaDB doesn't tell",
                ),
                "Give an engine, or a session in REPEATABLE READ.",
            )

    def _refuse_dirty_reads(self) -> None:
        if self._level() == "READ UNCOMMITTED":
            raise TargetError(
                Message(
                    "snapshot-unsure",
                    "your transaction is in READ UNCOMMITTED, where an import would compare "
                    "records with what others may roll back",
                ),
                "Give an engine, or a session in another isolation level.",
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
        return unguarded(self.catalog_tables, keys)

    def hold(self, tables: Sequence[sa.Table], compared: Sequence[sa.Table] = ()) -> None:
        hold(self, self.catalog_tables, [*tables, *compared])

    def refuse_stale(self, tables: Sequence[sa.Table]) -> None:
        refuse_stale(self, tables)

    def may_alter(self, tables: Sequence[sa.Table]) -> bool:
        return has_triggers(self, tables)

    def sees_others(self) -> bool:
        return self._level() in ("READ COMMITTED", "READ UNCOMMITTED")

    def same_rows(self, tables: Sequence[sa.Table]) -> Iterator[Relation]:
        return mariadb_rows(self, self.catalog_tables, tables)

    def refuse_hidden(self, tables: Sequence[sa.Table], named: Collection[str]) -> None:
        """Tables of an engine without transactions can be neither read nor written as a whole."""
        without_transactions = [
            row
            for _, row in self.catalog_tables.ask(
                "SELECT table_schema, table_name, table_name, t.engine "
                "FROM information_schema.tables t "
                "JOIN information_schema.engines e ON e.engine = t.engine "
                f"WHERE e.transactions <> 'YES' AND {PLACES}",
                tables,
            )
        ]
        if without_transactions:
            listed = ", ".join(
                f"{name} ({engine})" for name, engine in sorted(without_transactions)
            )
            raise TargetError(
                Message(
                    "engine-unsupported", f"these tables' engines have no transactions: {listed}"
                ),
                "Nothing could be rolled back there: ALTER TABLE ... ENGINE = InnoDB.",
            )

    def stand_ins(self, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
        return dict.fromkeys(self.catalog_tables.views(tables), "a view")
