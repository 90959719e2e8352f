"""How imports wait for each other on PostgreSQL.

Two transactions in REPEATABLE READ don't see each other's rows, so both would insert the same
key, where no constraint keeps it unique.  Of two in READ COMMITTED that update the same records,
the later one would write only what differed before the earlier one committed.  A lock that only
imports (and maintenance of the table) take makes the second wait for the first; other writers
aren't held up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.live.base import Database, TableKeys
from lading.errors import TargetError
from lading.messages import Message

#: Tables that exist, each with the columns of one unique index (or null) that has no gaps: a
#: whole table's, over columns and not expressions, in which no nulls may recur.
UNIQUE = """SELECT given.name, (
  SELECT array_agg(a.attname::text) FROM pg_attribute a
  WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])
) FROM unnest({mark}::text[]) AS given(name)
LEFT JOIN pg_index i ON i.indrelid = to_regclass(given.name)
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND (coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'true' OR NOT EXISTS (
    SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
    AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])))
WHERE to_regclass(given.name) IS NOT NULL
"""
#: Whether somebody committed what this transaction's snapshot doesn't see.  Transactions have
#: numbers of the whole cluster, and nothing tells afterwards which tables one wrote to (statistics
#: come late), so this is true as well where another database was written to, or where autovacuum
#: has analysed a table.  A snapshot is refused in vain then, but never taken in vain.
OTHERS = """SELECT EXISTS (
  SELECT 1 FROM (
    SELECT pg_current_snapshot() AS seen, pg_current_xact_id() AS id
  ) AS ours, LATERAL (
    SELECT pg_snapshot_xip(seen) UNION ALL
    SELECT number::text::xid8 FROM generate_series(
      pg_snapshot_xmax(seen)::text::bigint, id::text::bigint - 1) AS number
  ) AS other(id) WHERE pg_xact_status(other.id) = 'committed')
"""
DENIED = "42501"


def is_idle(database: Database) -> bool:
    """Tell whether the server has begun no transaction yet, so that there is no snapshot."""
    driver: Any = database.connection.connection.driver_connection
    status = getattr(getattr(driver, "info", None), "transaction_status", None)
    return status is not None and int(status) == 0


def unguarded(database: Database, keys: TableKeys) -> list[sa.Table]:
    """Return the tables whose key no unique index guards; leave no snapshot behind."""
    was_idle = is_idle(database)
    by_name = {database.dialect.table_name(table): table for table in keys}
    indexes: dict[sa.Table, list[set[str]]] = defaultdict(list)
    for name, columns in database.fetch(
        UNIQUE.format(mark=database.dialect.mark), (list(by_name),)
    ):
        indexes[by_name[name]].append(set(columns or ()))
    if was_idle:
        driver: Any = database.connection.connection.dbapi_connection
        with database.driver_errors():
            driver.rollback()  # of this query alone: a lock must be older than the snapshot
    return [
        table
        for table, column_sets in indexes.items()
        if not any(columns and columns <= keys[table] for columns in column_sets)
    ]


def hold(database: Database, tables: Sequence[sa.Table], compared: Sequence[sa.Table] = ()) -> None:
    """Wait for other imports into these tables, in one order, to prevent deadlocks.

    Args:
        database: where they are.
        tables: those that no index guards.
        compared: those whose rows are compared and then written, if this user may.
    """
    if not tables and not compared:
        return
    error = _lock(database, [*tables, *compared])
    if error is not None and compared:
        error = _lock(database, tables) if tables else None
    if error is not None:
        names = ", ".join(sorted(map(database.dialect.table, tables)))
        raise TargetError(
            Message(
                "key-unguarded",
                f"no unique index over NOT NULL columns guards the natural key of {names}, and "
                f"this user may not lock it against other imports ({error.orig})",
            ),
            "Add such an index, or GRANT UPDATE on it to this user.",
        ) from error


def _lock(database: Database, tables: Sequence[sa.Table]) -> sa.exc.DBAPIError | None:
    """Lock tables against other imports; return the error if this user may not."""
    names = ", ".join(sorted(set(map(database.dialect.table, tables))))
    try:
        with database.connection.begin_nested():  # a caller's transaction survives a refusal
            database.run(f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE")
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != DENIED:
            raise
        return error
    return None


def refuse_stale(database: Database, tables: Sequence[sa.Table]) -> None:
    """Refuse a snapshot that is older than the lock, if anybody committed in between."""
    if database.fetch(OTHERS)[0][0]:
        names = ", ".join(sorted(database.dialect.table_name(table) for table in tables))
        raise TargetError(
            Message(
                "snapshot-unsure",
                "others committed after your transaction took its snapshot, which can't show "
                f"whether they wrote to {names}, and no unique index over NOT NULL columns guards "
                "its natural key",
            ),
            "Import in a new transaction, in one in READ COMMITTED, or give an engine.",
        )
