"""Which rows of a SQLite database are updated in vain, by what its triggers log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.database.live import database_for
from lading.fresh_databases.factories import engine_name, tables_of_models
from lading.testing.compare.difference import DataDifference

LOG = "lading_written_rows"


@contextmanager
def rows_written_in_vain(engine: sa.Engine, catalog: Catalog) -> Iterator[list[DataDifference]]:
    """Yield a list that gets, in the end, the rows that were updated and say the same as before.

    Args:
        engine: An engine whose connections are one; of another database than SQLite nothing is
            known.
        catalog: The catalog, of whose models' tables the rows are.
    """
    differing: list[DataDifference] = []
    tables = tables_of_models(catalog) if engine_name(engine) == "sqlite" else []
    logs = {f"{LOG}_{number}": table for number, table in enumerate(tables)}
    with engine.begin() as connection:
        for log, table in logs.items():
            _begin(connection, log, table)
    try:
        yield differing
    finally:
        with engine.begin() as connection:
            for log, table in logs.items():
                differing += _end(connection, log, table)


def _begin(connection: sa.Connection, log: str, table: sa.Table) -> None:
    """Log each row of a table as it is before its first update."""
    name, columns, key = _names(connection, table)
    old = ", ".join(f"old.{column}" for column in columns)
    insert = f"INSERT OR IGNORE INTO {log} VALUES ({old})"
    for sql in (
        f"CREATE TEMP TABLE {log} AS SELECT {', '.join(columns)} FROM {name} WHERE 0",
        f"CREATE UNIQUE INDEX temp.{log}_key ON {log} ({', '.join(key)})",
        f"CREATE TEMP TRIGGER {log} AFTER UPDATE ON {name} BEGIN {insert}; END",
    ):
        connection.exec_driver_sql(sql)


def _end(connection: sa.Connection, log: str, table: sa.Table) -> Iterator[DataDifference]:
    """Yield the logged rows of a table that are in it again, and forget all."""
    name, columns, key = _names(connection, table)
    listed = ", ".join(columns)
    sql = f"SELECT {listed} FROM {log} INTERSECT SELECT {listed} FROM {name}"
    for row in connection.exec_driver_sql(f"SELECT {', '.join(key)} FROM ({sql})").fetchall():
        text = ", ".join(map(repr, row))
        yield DataDifference(table.fullname, text, None, "", "was written for nothing")
    connection.exec_driver_sql(f"DROP TRIGGER {log}")
    connection.exec_driver_sql(f"DROP TABLE {log}")


def _names(connection: sa.Connection, table: sa.Table) -> tuple[str, list[str], list[str]]:
    """Return a table's name in SQL, and those of its columns and of its primary key's."""
    dialect = database_for(connection).dialect
    columns = [dialect.name(column) for column in table.columns]
    key = [dialect.name(column) for column in table.primary_key.columns]
    return dialect.table(table), columns, key or columns
