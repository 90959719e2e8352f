"""Which rows of a SQLite database are updated, by what its triggers log."""

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
    if engine_name(engine) != "sqlite":
        yield differing
        return
    tables = tables_of_models(catalog)
    before = _rows(engine, tables)
    with engine.begin() as connection:
        dialect = database_for(connection).dialect
        connection.exec_driver_sql(f"CREATE TEMP TABLE {LOG} (name, row)")
        for number, table in enumerate(tables):
            connection.exec_driver_sql(
                f"CREATE TEMP TRIGGER {LOG}_{number} AFTER UPDATE ON {dialect.table(table)} BEGIN "
                f"INSERT INTO {LOG} VALUES ({number}, {_text(table, 'new.')}); END"
            )
    try:
        yield differing
        after = _rows(engine, tables)
    finally:
        with engine.begin() as connection:
            log = connection.exec_driver_sql(f"SELECT DISTINCT name, row FROM {LOG}").fetchall()
            for number in range(len(tables)):
                connection.exec_driver_sql(f"DROP TRIGGER {LOG}_{number}")
            connection.exec_driver_sql(f"DROP TABLE {LOG}")
    for number, key in log:
        rows = before[number].get(key), after[number].get(key)
        if rows[0] is not None and rows[0] == rows[1]:
            name = tables[number].fullname
            differing.append(DataDifference(name, key, None, "", "was written for nothing"))


def _rows(engine: sa.Engine, tables: list[sa.Table]) -> list[dict[str, tuple[object, ...]]]:
    """Return the rows of each table by the texts of their primary keys."""
    with engine.connect() as connection:
        dialect = database_for(connection).dialect
        return [
            {
                row[0]: tuple(row[1:])
                for row in connection.exec_driver_sql(
                    f"SELECT {_text(table)}, * FROM {dialect.table(table)}"
                )
            }
            for table in tables
        ]


def _text(table: sa.Table, prefix: str = "") -> str:
    """Return SQL for a text of a row's primary key."""
    names = [
        column.name.replace('"', '""') for column in table.primary_key.columns or table.columns
    ]
    return " || ',' || ".join(f'quote({prefix}"{name}")' for name in names)
