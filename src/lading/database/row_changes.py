"""Deletes rows that hold one of some keys, or sets their columns, in as few statements as fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.model.rowsets import Column


def delete_among(
    database: Database, table: sa.Table, columns: Sequence[Column], keys: Sequence[Row]
) -> int:
    """Delete the rows of a table whose columns hold one of the keys.

    Args:
        database: where the rows are.
        table: the table that they are deleted from.
        columns: the columns of the table that are compared.
        keys: values of these columns as the driver takes them; a key with a null finds nothing.

    Returns:
        How many rows there were.
    """
    return _run_among(database, f"DELETE FROM {database.dialect.own_rows(table)}", columns, keys)


def set_among(
    database: Database,
    table: sa.Table,
    columns: Sequence[Column],
    keys: Sequence[Row],
    values: Mapping[Column, Any],
) -> int:
    """Set columns to the same values in the rows of a table whose columns hold one of the keys.

    Args:
        database: where the rows are.
        table: the table that has them.
        columns: the columns of the table that are compared.
        keys: values of these columns as the driver takes them; a key with a null finds nothing.
        values: what is set, as the driver takes it, by column.

    Returns:
        How many rows there were.
    """
    dialect = database.dialect
    sets = ", ".join(f"{dialect.name(column)} = {dialect.mark}" for column in values)
    sql = f"UPDATE {dialect.own_rows(table)} SET {sets}"
    return _run_among(database, sql, columns, keys, tuple(values.values()))


def _run_among(
    database: Database,
    sql: str,
    columns: Sequence[Column],
    keys: Sequence[Row],
    parameters: Row = (),
) -> int:
    wanted = list(dict.fromkeys(key for key in keys if None not in key))
    names = list(map(database.dialect.name, columns))
    count = 0
    for part in database.portions(wanted, len(columns)):
        clause, values = database.dialect.among(columns, names, part)
        result = database.connection.exec_driver_sql(f"{sql} {clause}", (*parameters, *values))
        count += result.rowcount
    return count
