"""How imports wait for each other on MariaDB.

A transaction's snapshot doesn't show what others commit, so two would insert the same key, where
no constraint keeps it unique, and the later one of two that update the same records would write
only what differed before.  The server has no lock that ends with a transaction and stops imports
alone: named locks are of a connection, so they are given back when it returns to its pool or
begins anew.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.live.base import Database, TableKeys
from lading.database.live.mariadb_catalog import PLACES, CatalogTables
from lading.errors import TargetError
from lading.messages import Message

#: Where a connection's record keeps the names of the locks that it holds for us.
HELD = "lading_locks"


def is_idle(database: Database) -> bool:
    """Tell whether no transaction has begun, so that there is no snapshot."""
    return not database.fetch("SELECT @@in_transaction")[0][0]


def unguarded(catalog_tables: CatalogTables, keys: TableKeys) -> list[sa.Table]:
    """Return the tables whose key no unique index over NOT NULL columns guards."""
    if not keys:
        return []
    indexes: dict[sa.Table, dict[str, dict[str, bool]]] = defaultdict(lambda: defaultdict(dict))
    for table, (index, column, nullable) in catalog_tables.ask(
        "SELECT table_schema, table_name, index_name, column_name, nullable "
        f"FROM information_schema.statistics WHERE non_unique = 0 AND {PLACES}",
        list(keys),
    ):
        indexes[table][index][column.lower()] = nullable == "YES"
    return [
        table
        for table, names in keys.items()
        if not any(
            not any(index.values()) and index.keys() <= set(map(str.lower, names))
            for index in indexes[table].values()
        )
    ]


def hold(database: Database, catalog_tables: CatalogTables, tables: Sequence[sa.Table]) -> None:
    """Wait for other imports into these tables, in one order, to prevent deadlocks."""
    if not tables:
        return
    _release_later(database.connection)
    held_names = database.connection.info.setdefault(HELD, [])
    patience = int(database.fetch("SELECT @@lock_wait_timeout")[0][0])
    for name in sorted(
        {_name(*catalog_tables.real(*database.dialect.place(table))) for table in tables}
    ):
        if name in held_names:
            continue
        sql = f"SELECT GET_LOCK({database.dialect.mark}, {database.dialect.mark})"
        if database.fetch(sql, (name, patience))[0][0] != 1:
            raise TargetError(
                Message(
                    "import-running",
                    "another import holds the tables for longer than this session waits "
                    f"({patience} seconds)",
                ),
                "Try again when it has ended, or raise lock_wait_timeout.",
            )
        held_names.append(name)


def _name(schema: str, table: str) -> str:
    """Return a lock's name, which holds for the whole server and may have 64 characters.

    Locks' names fold case, so a digest stands for it.
    """
    return f"lading:{hashlib.sha256(f'{schema}.{table}'.encode()).hexdigest()[:48]}"


def _release_later(connection: sa.Connection) -> None:
    """Release the locks once the transaction has ended.

    SQLAlchemy ignores a second listener like the first.  To ask it whether there is one is no use:
    ``event.contains`` knows a pool by its address, and takes a new one for one that is gone.
    """
    sa.event.listen(connection.engine.pool, "checkin", _checked_in)
    sa.event.listen(connection, "begin", _begun)


def _begun(connection: sa.Connection) -> None:
    _release(connection.connection.driver_connection, connection.info)


def _checked_in(driver: Any, record: Any) -> None:
    if driver is not None:
        _release(driver, record.info)


def _release(driver: Any, info: dict[Any, Any]) -> None:
    names = info.pop(HELD, ())
    if names:
        with driver.cursor() as cursor:
            for name in names:
                cursor.execute("SELECT RELEASE_LOCK(%s)", (name,))
                cursor.fetchall()


def refuse_stale(database: Database, tables: Sequence[sa.Table]) -> None:
    """Refuse a snapshot that is older than the lock, if others wrote rows in between."""
    for table in tables:
        count = f"SELECT count(*) FROM {database.dialect.table(table)}"
        if database.fetch(count) != database.fetch(f"{count} LOCK IN SHARE MODE"):
            raise TargetError(
                Message(
                    "snapshot-unsure",
                    f"others wrote to {table.fullname} after your transaction took its snapshot, "
                    "and no unique index over NOT NULL columns guards its natural key",
                ),
                "Import in a new transaction, or give an engine.",
                entity=table.fullname,
            )
