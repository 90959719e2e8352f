"""Tables without a primary key: unique columns that serve as one, and tables of links alone."""

from __future__ import annotations

import sqlalchemy as sa

from lading.model.uniqueness import unique_columns


def linking_keys(table: sa.Table) -> list[sa.ForeignKeyConstraint]:
    """Return the two foreign keys that a table consists of, in its columns' order, or none."""
    keys = sorted(
        table.foreign_key_constraints, key=lambda key: list(table.c).index(key.elements[0].parent)
    )
    linking = {column for key in keys for column in key.columns}
    return keys if len(keys) == 2 and linking == set(table.columns) else []


def complete_primary_key(table: sa.Table) -> None:
    """Let unique columns that are never null be the primary key of a table without one.

    They identify its rows as well.  Rails, for example, gives its tables of links no other.  A
    table of links alone stays as it is, for a record of one of the two tables holds its rows.
    """
    if table.primary_key.columns or linking_keys(table):
        return
    for columns in unique_columns(table):
        if not any(column.nullable for column in columns):
            table.append_constraint(sa.PrimaryKeyConstraint(*columns))
            return
