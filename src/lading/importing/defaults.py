"""Evaluates a model's defaults, for columns that no record carries and for generated ids.

A Python default is called once a row; the database evaluates an SQL expression, by one SELECT
for a chunk of rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.errors import TargetError
from lading.messages import Message
from lading.model.rowsets import Column, RowSet

CARRY = "Carry the column, or give it another default."


class _AsksForContextError(Exception):
    """A default asks for the other values of its row."""


class _NoContext:
    """Stands in for SQLAlchemy's context, which only SQLAlchemy's own inserts have."""

    def __getattr__(self, name: str) -> Any:
        raise _AsksForContextError(name)


class Defaults:
    """Fills the columns of a row set that no record carries.

    ``makers`` pairs each column that Python fills with a function that returns one value;
    ``evaluated`` are the columns that the database fills.
    """

    def __init__(self, dialect: Dialect, rows: RowSet, written: Iterable[Column]) -> None:
        self.rows = rows
        carried = set(written)
        columns = [
            column
            for table in rows.tables
            for column in table.columns
            if column not in carried and column.default is not None
        ]
        self.makers = [
            (column, _maker(dialect, rows, column)) for column in columns if _is_python(column)
        ]
        self.evaluated = [column for column in columns if dialect.expression_of(column) is not None]
        for column in self.evaluated:
            if _reads(dialect, column, rows.tables):
                raise TargetError(
                    Message(
                        "default-failed",
                        f"the model's default of {column}, which records don't carry, is computed "
                        "from other rows of its table, which a bulk load inserts at once",
                    ),
                    CARRY,
                    entity=rows.name,
                    field=column.name,
                )

    @property
    def columns(self) -> list[Column]:
        """The columns that are filled, those that Python fills first."""
        return [*(column for column, _ in self.makers), *self.evaluated]

    def rows_of(self, database: Database, count: int) -> list[Row]:
        """Return the values that the database gives to the columns of that many rows."""
        return _evaluated(database, self.rows, self.evaluated, count)


def fresh_ids(database: Database, rows: RowSet, column: Column, count: int) -> list[Any]:
    """Return generated primary keys for new rows, from the model's default or the database.

    Args:
        database: the database that the rows are inserted into.
        rows: the row set of the new rows.
        column: its surrogate key.
        count: how many keys to return.

    Returns:
        Driver values, one for each row.

    Raises:
        TargetError: the model's default fails, or gives what its type can't store.
    """
    if _is_python(column):
        make = _maker(database.dialect, rows, column)
        return [make() for _ in range(count)]
    if database.dialect.expression_of(column) is None:
        return database.allocate(rows.table, column, count)
    if not _reads(database.dialect, column, rows.tables):
        return [value for (value,) in _evaluated(database, rows, [column], count)]
    # It counts up from the stored rows, and several are inserted at once.
    ((first,),) = _evaluated(database, rows, [column], 1)
    return list(range(first, first + count))


def _is_python(column: Column) -> bool:
    default = column.default
    return default is not None and (default.is_scalar or default.is_callable)


def _maker(dialect: Dialect, rows: RowSet, column: Column) -> Callable[[], Any]:
    """Return a function that calls a Python default and binds its value."""
    default: Any = column.default
    bind = dialect.codecs.bind_process(column.type)

    def make() -> Any:
        try:
            value = default.arg(_NoContext()) if default.is_callable else default.arg
            return bind(value) if value is not None else value
        except _AsksForContextError as error:
            raise TargetError(
                Message(
                    "default-failed",
                    f"the model's default of {column}, which records don't carry, asks "
                    f"SQLAlchemy's context for {error}, and a bulk load has none",
                ),
                "Carry the column, or give it a default that needs no context.",
                entity=rows.name,
                field=column.name,
            ) from error
        except Exception as error:  # the application's own code
            raise TargetError(
                Message(
                    "default-failed",
                    f"the model's default of {column}, which records don't carry, fails: {error!r}",
                ),
                "Correct the default, or carry the column.",
                entity=rows.name,
                field=column.name,
            ) from error

    return make


def _reads(dialect: Dialect, column: Column, tables: Iterable[sa.Table]) -> bool:
    """Tell whether an SQL default reads rows of some tables."""
    sql = dialect.subquery_of(dialect.expression_of(column))
    return any(
        re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", sql, re.IGNORECASE) for table in tables
    )


def _evaluated(
    database: Database, rows: RowSet, columns: Sequence[Column], count: int
) -> list[Row]:
    """Evaluate the SQL defaults of some columns for that many rows."""
    if not columns or not count:
        return [()] * count
    try:
        return database.evaluate([(c, database.dialect.expression_of(c)) for c in columns], count)
    except (sa.exc.SQLAlchemyError, NotImplementedError) as error:
        names = ", ".join(map(str, columns))
        raise TargetError(
            Message(
                "default-failed",
                f"the model's default of {names}, an SQL expression, fails: "
                f"{getattr(error, 'orig', None) or error}",
            ),
            "Correct the default, or carry the column.",
            entity=rows.name,
            field=columns[0].name,
        ) from error
