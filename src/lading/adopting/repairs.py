"""Corrects what SQLAlchemy misreads of a table: keys, references, names of indexes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, groupby

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

#: Where a column remembers what its foreign key led to.
LOST = "lading: lost reference"
#: Where a table remembers which tables its rows need, though no foreign key tells.
LOADED_AFTER = "lading: loaded after"
#: The foreign keys that PostgreSQL makes beside one to a partitioned table, to each partition.
_COPIES = """
SELECT n.nspname, r.relname, c.conname
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conparentid <> 0
"""
#: Partitions, each with the table that holds its rows at last.
_WHOLE_TABLES = """
SELECT n.nspname, c.relname, w.nspname, r.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = pg_partition_root(c.oid)
JOIN pg_namespace w ON w.oid = r.relnamespace
WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
"""


def complete_foreign_keys(connection: sa.Connection, table: sa.Table) -> None:
    """Note what a target's changes do to rows, which SQLAlchemy doesn't read beside columns.

    Only SQLite has foreign keys there.
    """
    if connection.dialect.name != "sqlite":
        return
    quoted = connection.dialect.identifier_preparer.quote(table.name)
    rows = connection.exec_driver_sql(f"PRAGMA main.foreign_key_list({quoted})").all()
    actions = {}
    for _, group in groupby(rows, lambda row: row[0]):
        parts = list(group)
        actions[frozenset(row[3] for row in parts)] = parts[0][5:7]
    for key in table.foreign_key_constraints:
        columns = frozenset(str(element.parent.name) for element in key.elements)
        for option, action in zip(("onupdate", "ondelete"), actions.get(columns, ()), strict=False):
            for part in (key, *key.elements) if action != "NO ACTION" else ():
                setattr(part, option, action)


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


def drop_twin_references(table: sa.Table) -> None:
    """Drop foreign keys that say what another one of the table says, but for their names.

    Their order isn't always the same, and each would be a reference of its own.
    """
    seen = set()
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
        ends = frozenset((e.parent.name, e.target_fullname) for e in key.elements)
        says = (ends, key.onupdate, key.ondelete)
        if says in seen:
            _drop(table, key)
        seen.add(says)


def lead_to_whole_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Lead foreign keys to partitions to the partitioned table, whose record holds the row.

    One to columns that are unique in the partition alone is lost: its columns remember what it led
    to, and its table which table is to be loaded first.
    """
    if connection.dialect.name != "postgresql":
        return
    default = sa.inspect(connection).default_schema_name
    whole = {tuple(row[:2]): tuple(row[2:]) for row in connection.exec_driver_sql(_WHOLE_TABLES)}
    tables = {(table.schema or default, table.name): table for table in metadata.tables.values()}
    for table in metadata.tables.values():
        for key in list(table.foreign_key_constraints):
            referred = key.referred_table
            target = tables.get(whole.get((referred.schema or default, referred.name), ()))
            names = [element.column.name for element in key.elements]
            if target is not None and _is_unique(target, names):
                _lead(table, key, [target.columns[name] for name in names])
            elif target is not None:
                _lose(table, key)
                table.info.setdefault(LOADED_AFTER, set()).add(target)


def _is_unique(table: sa.Table, names: list[str]) -> bool:
    """Tell whether some columns are the primary key, or have a unique constraint of their own."""
    unique = (sa.PrimaryKeyConstraint, sa.UniqueConstraint)
    keys = [key.columns.keys() for key in table.constraints if isinstance(key, unique)]
    return sorted(names) in map(sorted, keys)


def _lead(table: sa.Table, key: sa.ForeignKeyConstraint, columns: list[sa.Column[object]]) -> None:
    """Let a foreign key of a table lead to other columns."""
    _drop(table, key)
    table.append_constraint(
        sa.ForeignKeyConstraint(
            key.column_keys,
            columns,
            name=key.name,
            onupdate=key.onupdate,
            ondelete=key.ondelete,
            deferrable=key.deferrable,
            initially=key.initially,
            match=key.match,
        )
    )


def drop_options(table: sa.Table, *, portable: bool) -> None:
    """Drop what a table says of its partitions and parents: a copy of it alone has neither.

    If columns are portable, and so without collations, the table's own goes with them: the database
    of a copy has one that tells all texts apart.
    """
    dropped = ["partition", "inherits", *(["charset", "collate"] if portable else [])]
    for option in list(table.dialect_kwargs):
        if any(word in option for word in dropped):
            del table.dialect_kwargs[option]


def drop_lost_references(table: sa.Table) -> None:
    """Drop foreign keys to tables or columns that aren't there, as SQLite allows them.

    Nothing could create the table with them.  Their columns remember in ``info`` what was lost.
    """
    for key in list(table.foreign_key_constraints):
        try:
            is_lost = any(element.column is None for element in key.elements)
        except sa.exc.SQLAlchemyError:
            is_lost = True
        if is_lost:
            _lose(table, key)


def _lose(table: sa.Table, key: sa.ForeignKeyConstraint) -> None:
    """Drop a foreign key, and let its columns remember it."""
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
