"""Which unique columns that may be null never are, in the rows that a database has."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lading.model.uniqueness import FILLED, unique_columns


def note_filled_keys(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Note in ``info`` of a table's only unique columns that no row has a null there.

    One statement asks that, and only of a table with rows whose rows nothing but a number tells
    apart otherwise.

    Args:
        connection: A connection of the database.
        tables: The tables.
    """
    for table in tables:
        columns = _in_question(table)
        if columns and _are_filled(connection, table, columns):
            for column in columns:
                column.info[FILLED] = True


def _in_question(table: sa.Table) -> tuple[sa.Column[object], ...]:
    """Return a table's only unique columns, if they may be null and its key is a number."""
    identity = list(table.primary_key.columns)
    if len(identity) != 1 or not isinstance(identity[0].type, sa.Integer):
        return ()
    groups = [group for group in unique_columns(table) if identity[0] not in group]
    if len(groups) != 1 or identity[0].foreign_keys:
        return ()
    return groups[0] if any(column.nullable for column in groups[0]) else ()


def _are_filled(
    connection: sa.Connection, table: sa.Table, columns: Iterable[sa.Column[object]]
) -> bool:
    """Tell whether a table has rows, none of them with a null; not so if it can't be read."""
    row = sa.select(sa.literal(1)).select_from(table)
    has_null = sa.or_(*(column.is_(None) for column in columns if column.nullable))
    query = sa.select(row.exists(), row.where(has_null).exists())
    try:
        # A savepoint: PostgreSQL gives up the whole transaction otherwise.
        with connection.begin_nested():
            has_rows, has_nulls = connection.execute(query).one()
    except sa.exc.DBAPIError:
        return False
    return bool(has_rows) and not has_nulls
