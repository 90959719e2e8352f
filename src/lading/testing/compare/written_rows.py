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
    with engine.begin() as connection:
        statements = {table: _statements(connection, table, n) for n, table in enumerate(tables)}
        for begin, _, _ in statements.values():
            _run(connection, *begin)
    try:
        yield differing
    finally:
        with engine.begin() as connection:
            for table, (_, query, end) in statements.items():
                for key in connection.exec_driver_sql(query).fetchall():
                    row = ", ".join(map(repr, key))
                    text = "was written for nothing"
                    differing.append(DataDifference(table.fullname, row, None, "", text))
                _run(connection, *end)


def _statements(
    connection: sa.Connection, table: sa.Table, number: int
) -> tuple[list[str], str, list[str]]:
    """Return SQL that logs a table's rows before their updates, asks which stayed, and ends it.

    Of each row the first update counts; what stayed is named by its primary key.
    """
    dialect = database_for(connection).dialect
    log, names = f"{LOG}_{number}", [dialect.name(column) for column in table.columns]
    columns = ", ".join(names)
    key = ", ".join(dialect.name(column) for column in table.primary_key.columns) or columns
    insert = f"INSERT OR IGNORE INTO {log} VALUES ({', '.join(f'old.{name}' for name in names)})"
    trigger = f"TRIGGER {log} AFTER UPDATE ON {dialect.table(table)} BEGIN {insert}; END"
    stayed = f"SELECT {columns} FROM {log} INTERSECT SELECT {columns} FROM {dialect.table(table)}"
    return (
        [f"CREATE TEMP TABLE {log} ({columns}, UNIQUE ({key}))", f"CREATE TEMP {trigger}"],
        f"SELECT {key} FROM ({stayed})",
        [f"DROP TRIGGER {log}", f"DROP TABLE {log}"],
    )


def _run(connection: sa.Connection, *statements: str) -> None:
    for sql in statements:
        connection.exec_driver_sql(sql)
