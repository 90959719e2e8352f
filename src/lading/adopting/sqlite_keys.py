"""Reads SQLite's tables with such foreign keys as SQLAlchemy can't read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

#: What stands for the columns of a table that is missing, or that has no primary key.
NO_COLUMN = "primary key"


def reflect_sqlite(
    connection: sa.Connection, metadata: sa.MetaData, left_out: dict[str, str]
) -> None:
    """Reflect the tables of a SQLite database; note columns without a name as left out.

    SQLite finds what a foreign key names in any letter case, and lets it name what isn't there.
    It need not name columns at all, and means the primary key then.
    """
    inspector: Any = sa.inspect(connection)
    read = inspector.get_multi_foreign_keys

    def complete(**options: Any) -> Any:
        keys_by_table = read(**options)
        for keys in keys_by_table.values():
            for key in keys:
                _complete(inspector, key)
        return keys_by_table

    inspector.get_multi_foreign_keys = complete
    for name in inspector.get_table_names():
        if name in left_out:
            continue  # such as a virtual table, which can't be read without its module
        table = sa.Table(name, metadata)
        inspector.reflect_table(table, None, exclude_columns=("",), resolve_fks=False)
        if any(column["name"] == "" for column in inspector.get_columns(name)):
            left_out[f'{name}.""'] = "it has no name, and SQLAlchemy's columns must have one"


def _complete(inspector: sa.Inspector, key: Any) -> None:
    """Spell a foreign key's names as their tables do, and name the columns that it leaves out."""
    target = _spelled(key["referred_table"], inspector.get_table_names())
    is_there = target in inspector.get_table_names()
    key["referred_table"] = target
    columns = key["referred_columns"]
    if is_there and not columns:
        columns = inspector.get_pk_constraint(target)["constrained_columns"]
    if is_there:
        names = [column["name"] for column in inspector.get_columns(target)]
        columns = [_spelled(name, names) for name in columns]
    if len(columns) != len(key["constrained_columns"]):
        columns = [NO_COLUMN] * len(key["constrained_columns"])
    key["referred_columns"] = columns


def _spelled(name: str, names: Iterable[str]) -> str:
    """Return a name as it is spelled among others, which differ in more than letter case."""
    return next((other for other in names if other.lower() == name.lower()), name)
