"""Corrects what SQLAlchemy misreads of a table: keys, references, names of indexes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

#: Where a column remembers what its foreign key led to.
LOST = "lading: lost reference"
#: The foreign keys that PostgreSQL makes beside one to a partitioned table, to each partition.
_COPIES = """
SELECT n.nspname, r.relname, c.conname
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conparentid <> 0
"""


def complete_foreign_keys(connection: sa.Connection, table: sa.Table) -> None:
    """Note what deletions do to rows, which SQLAlchemy doesn't read beside columns on SQLite."""
    if connection.dialect.name != "sqlite":
        return
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    actions = {
        column: action
        for _, _, _, column, _, _, action, _ in connection.exec_driver_sql(
            f"PRAGMA main.foreign_key_list({quoted})"
        )
    }
    for key in table.foreign_key_constraints:
        action = actions.get(str(key.elements[0].parent.name))
        if action is not None and action != "NO ACTION":
            key.ondelete = action
            for element in key.elements:
                element.ondelete = action


def complete_unique_keys(connection: sa.Connection, table: sa.Table) -> None:
    """Note unique columns, which SQLAlchemy doesn't read behind types like ``VARCHAR(40)``."""
    if connection.dialect.name != "sqlite":
        return
    known = {
        frozenset(constraint.columns.keys())
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
    }
    indexes = sa.inspect(connection).get_indexes(table.name, include_auto_indexes=True)
    for index in indexes:
        names = [name for name in index["column_names"] if name is not None]
        is_automatic = str(index["name"]).startswith("sqlite_autoindex_")
        if is_automatic and frozenset(names) not in known:
            table.append_constraint(sa.UniqueConstraint(*names))


def drop_copied_references(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Drop the foreign keys to partitions that PostgreSQL makes beside one to their table."""
    if connection.dialect.name != "postgresql":
        return
    default = sa.inspect(connection).default_schema_name
    copies = {tuple(row) for row in connection.exec_driver_sql(_COPIES)}
    for table in tables:
        for key in list(table.foreign_key_constraints):
            if (table.schema or default, table.name, key.name) in copies:
                _drop(table, key)


def drop_lost_references(table: sa.Table) -> None:
    """Drop foreign keys to tables or columns that aren't there, as SQLite allows them.

    Nothing could create the table with them.  Their columns remember in ``info`` what was lost.
    """
    for key in list(table.foreign_key_constraints):
        try:
            is_lost = any(element.column is None for element in key.elements)
        except sa.exc.SQLAlchemyError:
            is_lost = True
        if not is_lost:
            continue
        _drop(table, key)
        for element in key.elements:
            element.parent.info[LOST] = element.target_fullname


def _drop(table: sa.Table, key: sa.ForeignKeyConstraint) -> None:
    """Take a foreign key from its table and columns."""
    table.constraints.discard(key)
    for element in key.elements:
        element.parent.foreign_keys.discard(element)
        table.foreign_keys.discard(element)


def tell_indexes_apart(tables: Iterable[sa.Table]) -> None:
    """Give indexes of one name others, for only MariaDB has names of indexes by table.

    SQLite and PostgreSQL, where copies of the tables may be created, have them by schema.
    """
    names: set[str | None] = set()
    for table in tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name in names:
                number = next(n for n in count(2) if f"{index.name}_{n}" not in names)
                index.name = quoted_name(f"{index.name}_{number}", quote=None)
            names.add(index.name)


def complete_row_number(connection: sa.Connection, table: sa.Table) -> None:
    """Note that SQLite's lone integer key, which is the row's number, is never null."""
    columns = list(table.primary_key.columns)
    is_lone = len(columns) == 1 and isinstance(columns[0].type, sa.Integer)
    if connection.dialect.name == "sqlite" and is_lone:
        columns[0].nullable = False
