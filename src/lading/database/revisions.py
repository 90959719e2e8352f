"""The alembic revisions that a database is at, read by SQL from its version tables."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lading.adopting.left_out import VERSION_COLUMN, VERSION_TABLE
from lading.database.live.base import Database
from lading.database.tables import tables_of
from lading.model.entities import Entities
from lading.report import RevisionsDiffer

#: Finds the tables of a database that have alembic's column alone, by engine.  Virtual ones of
#: SQLite, which have no page, can't be asked without their module.
ALIKE = {
    "sqlite": "SELECT 'main', m.name FROM main.sqlite_master AS m, pragma_table_info(m.name) AS c "
    "WHERE m.type = 'table' AND m.rootpage > 0 GROUP BY m.name HAVING count(*) = 1 "
    f"AND max(c.name) = '{VERSION_COLUMN}'",
    "postgresql": "SELECT n.nspname, c.relname FROM pg_attribute a JOIN pg_class c "
    "ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnatts = 1 "
    f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attname = '{VERSION_COLUMN}'",
    "mariadb": "SELECT table_schema, table_name FROM information_schema.columns "
    "WHERE table_schema = database() GROUP BY 1, 2 HAVING count(*) = 1 "
    f"AND max(column_name) = '{VERSION_COLUMN}'",
}


def revisions_of(database: Database, entities: Entities) -> tuple[str, ...]:
    """Return the revisions of each version table beside a catalog's tables, sorted.

    There are several where a database has several heads.  If no table there has alembic's usual
    name, the only table of the database in alembic's form is read, whatever an application calls
    it.  Without alembic there are none, nor where this user may not read its table.
    """
    schemas = dict.fromkeys([None, *(table.schema for table in tables_of(entities))])
    tables = [
        sa.Table(
            VERSION_TABLE, sa.MetaData(), sa.Column(VERSION_COLUMN, sa.String(32)), schema=schema
        )
        for schema in schemas
    ]
    columns = database.real_columns(tables)
    revisions: set[str] = set()
    for table in tables:
        if VERSION_COLUMN in columns.get(database.dialect.place(table), ()):
            name = database.dialect.table(table)
            revisions.update(_fetched(database, f"SELECT {VERSION_COLUMN} FROM {name}"))
    if not revisions:
        revisions.update(_of_another_name(database))
    return tuple(sorted(revisions))


def _of_another_name(database: Database) -> Sequence[str]:
    """Return the revisions of the only table in alembic's form; none if there are several."""
    dialect = database.connection.dialect
    name = "mariadb" if dialect.name == "mysql" else dialect.name
    tables = database.fetch(ALIKE[name])
    if len(tables) != 1:
        return []
    schema, table = map(dialect.identifier_preparer.quote, tables[0])
    return _fetched(database, f"SELECT {VERSION_COLUMN} FROM {schema}.{table}")


def _fetched(database: Database, sql: str) -> Sequence[str]:
    """Return a version table's revisions; none if this user may not read it."""
    try:
        # A savepoint: PostgreSQL gives up the whole transaction otherwise.
        with database.connection.begin_nested():
            return [str(name) for (name,) in database.fetch(sql)]
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
