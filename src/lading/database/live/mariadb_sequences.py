"""Moves the sequences that feed MariaDB's columns forwards."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.database.live.mariadb_catalog import PLACES, CatalogTables
from lading.model.rowsets import Column

#: Sequences that a default draws from, as the server writes it.
DRAWS = re.compile(r"nextval\((`(?:[^`]|``)+`(?:\.`(?:[^`]|``)+`)?)\)")


def move_sequences(
    database: Database, catalog_tables: CatalogTables, columns: Sequence[Column]
) -> None:
    """Move every sequence that feeds one of these columns past its values; SETVAL never goes back.

    Which ones do is what the tables' own defaults and the models say.
    """
    tables = list(dict.fromkeys(column.table for column in columns))
    by_name = {
        (table, name.lower()): default
        for table, (name, default) in catalog_tables.ask(
            "SELECT table_schema, table_name, column_name, column_default "
            "FROM information_schema.columns "
            f"WHERE column_default LIKE '%%nextval(%%' AND {PLACES}",
            tables,
        )
    }
    for column in columns:
        place = column.table, column.name.lower()
        sequences = DRAWS.findall(by_name.get(place, ""))
        if isinstance(column.default, sa.Sequence):
            sequences.append(database.dialect.sequence(column.default))
        for sequence in dict.fromkeys(sequences):
            _move(database, database.dialect.escaped(sequence), column)


def _move(database: Database, sequence: str, column: Column) -> None:
    """Move a sequence past what a column holds of it: of a text, the digits at its end."""
    number = database.dialect.name(column)
    if database.dialect.columns(column).charset is not None:
        number = f"CAST(nullif(REGEXP_SUBSTR({number}, '[0-9]+$'), '') AS DECIMAL(30, 0))"
    bounds = database.fetch(f"SELECT minimum_value, maximum_value, increment FROM {sequence}")
    low, high, step = bounds[0]
    table = database.dialect.table(column.table)
    last = database.fetch(
        f"SELECT {'min' if step < 0 else 'max'}({number}) FROM {table} "
        f"WHERE {number} BETWEEN {low} AND {high}"
    )[0][0]
    if last is not None:
        database.fetch(f"SELECT SETVAL({sequence}, {int(last)})")
