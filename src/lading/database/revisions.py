"""The alembic revisions that a database is at, read by SQL from its version tables."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.database.tables import tables_of
from lading.model.entities import Entities
from lading.report import RevisionsDiffer

#: What alembic calls its table and column, unless an application's env.py says otherwise.
TABLE, COLUMN = "alembic_version", "version_num"


def revisions_of(database: Database, entities: Entities) -> tuple[str, ...]:
    """Return the revisions of each version table beside a catalog's tables, sorted.

    There are several where a database has several heads.  Without alembic there are none, nor
    where this user may not read its table.
    """
    schemas = dict.fromkeys([None, *(table.schema for table in tables_of(entities))])
    tables = [
        sa.Table(TABLE, sa.MetaData(), sa.Column(COLUMN, sa.String(32)), schema=schema)
        for schema in schemas
    ]
    columns = database.real_columns(tables)
    revisions: set[str] = set()
    for table in tables:
        if COLUMN in columns.get(database.dialect.place(table), ()):
            revisions.update(_read(database, table))
    return tuple(sorted(revisions))


def _read(database: Database, table: sa.Table) -> Sequence[str]:
    """Return a version table's revisions; none if this user may not read it."""
    try:
        # A savepoint: PostgreSQL gives up the whole transaction otherwise.
        with database.connection.begin_nested():
            return [str(name) for name in database.connection.scalars(sa.select(table.c[COLUMN]))]
    except sa.exc.DBAPIError:
        return []


def compared(
    revisions: Sequence[str], database: Database, entities: Entities
) -> RevisionsDiffer | None:
    """Return how a database's revisions differ from a bundle's, where both are known."""
    if not revisions:
        return None
    here = revisions_of(database, entities)
    return RevisionsDiffer(tuple(revisions), here) if here and set(here) != set(revisions) else None
