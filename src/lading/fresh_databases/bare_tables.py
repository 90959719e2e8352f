"""Copies of tables without what may need more of a database than the tables themselves."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from lading.model.entities import Entities
from lading.model.uniqueness import is_plain_unique


def bare_copies(tables: Iterable[sa.Table], entities: Entities) -> list[sa.MetaData]:
    """Return copies of the metadata of some tables.

    A default, a CHECK or an index may call a function of the application's, or one of an
    extension.  Records bring each value that they carry, so none of the three is needed for them;
    unique indexes of plain columns stay, for foreign keys may lead there.

    Args:
        tables: The tables.
        entities: What records carry.
    """
    carried = {column for rows in entities.all_rows() for column in rows.carried()}
    # A generated id that records don't carry needs its default.
    numbered = {rows.surrogate for rows in entities.all_rows()}
    carried -= numbered - {value.column for rows in entities.all_rows() for value in rows.values}
    copies: dict[sa.MetaData, sa.MetaData] = {}
    for table in tables:
        copy = table.to_metadata(copies.setdefault(table.metadata, sa.MetaData()))
        for column in table.columns:
            if column in carried and isinstance(column.server_default, sa.DefaultClause):
                copy.columns[column.key].server_default = None
        for constraint in list(copy.constraints):
            if isinstance(constraint, sa.CheckConstraint | ExcludeConstraint):
                copy.constraints.discard(constraint)
        copy.indexes = {index for index in copy.indexes if is_plain_unique(index)}
    return list(copies.values())
