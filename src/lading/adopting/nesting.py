"""Which adopted tables are owned: a parent takes their rows along, and nothing else needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, RelationshipDirection, RelationshipProperty

from lading.mapping.columns import kind_of
from lading.model.uniqueness import unique_columns

#: Why a table's rows are held by others where nobody asked for it.
KEYLESS = "holds the rows of {table}, whose only key has a value that can't be one, such as a float"


def owners_of(
    mappers: Mapping[sa.Table, Mapper[Any]], *, is_asked: bool
) -> dict[sa.Table, sa.Table]:
    """Map the tables whose rows a parent's records can hold to the parent's table.

    Such a table has one foreign key to the parent, never null, which deletes its rows with the
    parent's, or a relationship of the parent that does.  Only what it owns itself refers to it, so
    that ownership has no circles.  Without being asked, only tables are owned that could be no
    entity, since no natural key tells their rows apart; theirs needn't delete anything.

    Args:
        mappers: The mappers of the adopted tables; both are among them.
        is_asked: Whether a person wants owned rows in their parents' records.
    """
    adopted = list(mappers)
    referring = _referring(adopted)
    owners: dict[sa.Table, sa.Table] = {}
    while True:
        for table in adopted:
            parent = None
            if is_keyless(table):
                parent = _parent_of(table, adopted, _required_by(table))
            elif is_asked:
                parent = _parent_of(table, adopted, _deleting(table, mappers))
            others = {other for other in referring[table] if owners.get(other) is not table}
            if table not in owners and parent is not None and not others:
                owners[table] = parent
                break
        else:
            return owners


def is_keyless(table: sa.Table) -> bool:
    """Tell whether no unique columns of a table can be a natural key."""
    groups = [tuple(table.primary_key.columns), *unique_columns(table)]
    return not any(group and all(map(_tells_apart, group)) for group in groups)


def _tells_apart(column: sa.Column[Any]) -> bool:
    kind = kind_of(column.type)
    return bool(column.foreign_keys) or kind is None or kind.is_key


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


def _parent_of(
    table: sa.Table, tables: list[sa.Table], keys: list[sa.ForeignKeyConstraint]
) -> sa.Table | None:
    """Return the one table that foreign keys of a table lead to, if there is one.

    Args:
        table: The table.
        tables: The adopted tables.
        keys: The foreign keys that may say who owns its rows.
    """
    targets = [_target_of(key) for key in table.foreign_key_constraints]
    parent = _target_of(keys[0]) if len(keys) == 1 else None
    is_clear = parent in tables and parent is not table and targets.count(parent) == 1
    return parent if is_clear else None


def _required_by(table: sa.Table) -> list[sa.ForeignKeyConstraint]:
    """Return the foreign keys of a table that are never null."""
    return [
        key
        for key in table.foreign_key_constraints
        if not any(column.nullable for column in key.columns)
    ]


def _deleting(
    table: sa.Table, mappers: Mapping[sa.Table, Mapper[Any]]
) -> list[sa.ForeignKeyConstraint]:
    """Return the foreign keys by which a table's rows are deleted along with others."""
    return [
        key
        for key in _required_by(table)
        if str(key.ondelete).upper() == "CASCADE"
        or any(
            relationship.direction is RelationshipDirection.ONETOMANY
            and relationship.mapper.local_table is table
            and relationship.cascade.delete
            for relationship in _relationships(_target_of(key), mappers)
        )
    ]


def _relationships(
    table: sa.Table | None, mappers: Mapping[sa.Table, Mapper[Any]]
) -> Iterable[RelationshipProperty[Any]]:
    return mappers[table].relationships if table is not None and table in mappers else ()


def _target_of(key: sa.ForeignKeyConstraint) -> sa.Table | None:
    try:
        return key.referred_table
    except sa.exc.SQLAlchemyError:
        return None  # a table that isn't there
