"""Moves the sequences that feed MariaDB's columns forwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lading.database.dialects.mariadb_columns import PLACES
from lading.model.rowsets import Column

if TYPE_CHECKING:
    from lading.database.dialects.mariadb import MariaDB

#: Sequences that a default draws from, as the server writes it.
DRAWS = re.compile(r"nextval\((`(?:[^`]|``)+`(?:\.`(?:[^`]|``)+`)?)\)")


def move_sequences(dialect: MariaDB, columns: Sequence[Column]) -> None:
    """Move every sequence that feeds one of these columns past its values; SETVAL never goes back.

    Which ones do is what the tables' own defaults and the models say.
    """
    tables = list(dict.fromkeys(column.table for column in columns))
    by_name = {
        (table, dialect.columns.known_as(name)): default
        for table, (name, default) in dialect.columns.ask(
            "SELECT table_schema, table_name, column_name, column_default "
            "FROM information_schema.columns "
            f"WHERE column_default LIKE '%%nextval(%%' AND {PLACES}",
            tables,
        )
    }
    for column in columns:
        place = column.table, dialect.columns.known_as(column.name)
        sequences = DRAWS.findall(by_name.get(place, ""))
        if isinstance(column.default, sa.Sequence):
            sequences.append(dialect.sequence(column.default))
        for sequence in dict.fromkeys(sequences):
            _move(dialect, dialect.escaped(sequence), column)


def _move(dialect: MariaDB, sequence: str, column: Column) -> None:
    """Move a sequence past what a column holds of it: of a text, the digits at its end."""
    number = dialect.name(column)
    if dialect.columns(column).charset is not None:
        number = f"CAST(nullif(REGEXP_SUBSTR({number}, '[0-9]+$'), '') AS DECIMAL(30, 0))"
    bounds = dialect.fetch(f"SELECT minimum_value, maximum_value, increment FROM {sequence}")
    low, high, step = bounds[0]
    last = dialect.fetch(
        f"SELECT {'min' if step < 0 else 'max'}({number}) FROM {dialect.table(column.table)} "
        f"WHERE {number} BETWEEN {low} AND {high}"
    )[0][0]
    if last is not None:
        dialect.fetch(f"SELECT SETVAL({sequence}, {int(last)})")
