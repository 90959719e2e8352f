"""What the rows that a database has say of keys whose columns may be null."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from lading.mapping.foreign_keys import PARTLY_NULL
from lading.model.uniqueness import FILLED, unique_columns


def note_nulls(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Note in ``info`` of columns whether keys that may be null are so, in any row.

    Of a table's only unique columns it is noted that no row has a null there, and of a composite
    foreign key that some rows have only a part of it.  One statement each asks that, the first
    only of a table whose rows nothing but a number tells apart otherwise.

    Args:
        connection: A connection of the database.
        tables: The tables.
    """
    for table in tables:
        for names in _partly_null(connection, table):
            table.columns[names[0]].info.setdefault(PARTLY_NULL, set()).add(names)
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
    has_rows, has_nulls = _answers(connection, [row.exists(), row.where(has_null).exists()])
    return has_rows and not has_nulls


def _partly_null(connection: sa.Connection, table: sa.Table) -> list[tuple[str, ...]]:
    """Return the columns of each composite foreign key of which some rows have only a part.

    A column that other foreign keys have too may be set without this one.
    """
    keys = sorted(table.foreign_key_constraints, key=lambda key: tuple(key.column_keys))
    uses = Counter(name for key in keys for name in key.column_keys)
    row = sa.select(sa.literal(1)).select_from(table)
    questions = {}
    for key in keys:
        nullable = [column for column in key.columns if column.nullable]
        own = [column.is_not(None) for column in nullable if uses[column.key] == 1]
        if own and len(nullable) > 1:
            some = sa.or_(*(column.is_(None) for column in nullable))
            names = tuple(column.name for column in key.columns)
            questions[names] = row.where(some, sa.or_(*own)).exists()
    answers = _answers(connection, list(questions.values())) if questions else []
    return [names for names, answer in zip(questions, answers, strict=True) if answer]


def _answers(connection: sa.Connection, questions: Sequence[sa.ColumnElement[Any]]) -> list[bool]:
    """Ask a table's rows; no to all where it can't be read."""
    try:
        # A savepoint: PostgreSQL gives up the whole transaction otherwise.
        with connection.begin_nested():
            return list(map(bool, connection.execute(sa.select(*questions)).one()))
    except sa.exc.DBAPIError:
        return [False] * len(questions)
