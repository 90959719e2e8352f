"""Which columns have values that the database or the model generates."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import sqltypes
from sqlalchemy.types import TypeDecorator

#: An SQL literal, maybe cast as PostgreSQL reflects defaults.
LITERAL = re.compile(
    r"\(*\s*('(?:[^']|'')*'|[-+]?\d+(\.\d+)?|true|false|null)(::[\w\s\"]+(\(\d+\))?)?\s*\)*",
    re.IGNORECASE,
)


def is_numbered(column: sa.Column[Any]) -> bool:
    """Tell whether the database itself numbers an integer column.

    A Python-side default doesn't count: the application may use its numbers elsewhere.
    """
    return is_integer(column) and (
        column is getattr(column.table, "autoincrement_column", None)
        or column.identity is not None
        or _is_served(column)
    )


def is_integer(column: sa.Column[Any]) -> bool:
    """Tell whether a column stores integers."""
    type_ = column.type
    stored = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    return isinstance(stored, sqltypes.Integer)


def _is_served(column: sa.Column[Any]) -> bool:
    """Tell whether a default that the database evaluates generates the values."""
    if isinstance(column.default, sa.Sequence):
        return True
    default = column.server_default
    return default is not None and column.computed is None and not _is_constant(default)


def _is_constant(default: Any) -> bool:
    """Tell whether a server default is the same for every row."""
    value = getattr(default, "arg", None)
    if isinstance(value, sa.TextClause):
        return LITERAL.fullmatch(value.text.strip()) is not None
    fixed = (str, sa.BindParameter, type(sa.true()), type(sa.false()), type(sa.null()))
    return isinstance(value, fixed)


def generates(column: sa.Column[Any]) -> bool:
    """Tell whether the model or the database generates a value for each row.

    A default that is the same for every row generates nothing.
    """
    default = column.default
    return (
        is_numbered(column) or (default is not None and not default.is_scalar) or _is_served(column)
    )
