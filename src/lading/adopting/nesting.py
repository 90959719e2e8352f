"""Which adopted tables are owned: a parent takes their rows along, and nothing else needs them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa


def owners_of(tables: Iterable[sa.Table]) -> dict[sa.Table, sa.Table]:
    """Map the tables whose rows a parent's records can hold to the parent's table.

    Such a table has one foreign key to the parent, never null, which deletes its rows with the
    parent's.  Only what it owns itself refers to it, so that ownership has no circles.

    Args:
        tables: The adopted tables; both are among them.
    """
    adopted = list(tables)
    referring = _referring(adopted)
    owners: dict[sa.Table, sa.Table] = {}
    while True:
        for table in adopted:
            parent = _parent_of(table, adopted)
            others = {other for other in referring[table] if owners.get(other) is not table}
            if table not in owners and parent is not None and not others:
                owners[table] = parent
                break
        else:
            return owners


def _referring(tables: list[sa.Table]) -> dict[sa.Table, set[sa.Table]]:
    """Map each table to those that refer to it, of all tables of its metadata."""
    referring: dict[sa.Table, set[sa.Table]] = {table: set() for table in tables}
    for metadata in {table.metadata for table in tables}:
        for other in metadata.tables.values():
            for key in other.foreign_key_constraints:
                target = _target_of(key)
                if target in referring:
                    referring[target].add(other)
    return referring


def _parent_of(table: sa.Table, tables: list[sa.Table]) -> sa.Table | None:
    """Return the one table whose rows take those of a table with them, if there is one."""
    targets = [_target_of(key) for key in table.foreign_key_constraints]
    parents = [
        _target_of(key)
        for key in table.foreign_key_constraints
        if str(key.ondelete).upper() == "CASCADE"
        and not any(column.nullable for column in key.columns)
    ]
    parent = parents[0] if len(parents) == 1 else None
    is_clear = parent in tables and parent is not table and targets.count(parent) == 1
    return parent if is_clear else None


def _target_of(key: sa.ForeignKeyConstraint) -> sa.Table | None:
    try:
        return key.referred_table
    except sa.exc.SQLAlchemyError:
        return None  # a table that isn't there
