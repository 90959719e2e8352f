"""Which schemas, tables and views of a database are left out, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa

#: Names with their reasons.
Reasons = Iterator[tuple[str, str]]

#: Why a table of MariaDB is left out, in which nothing could be rolled back.
WITHOUT_TRANSACTIONS = (
    "its engine ({engine}) has no transactions; ALTER TABLE ... ENGINE = InnoDB lets it travel"
)
#: What alembic calls its table and column; an application may call the table otherwise.
VERSION_TABLE, VERSION_COLUMN = "alembic_version", "version_num"

_PARTITIONS = """
SELECT n.nspname, c.relname, p.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_inherits i ON i.inhrelid = c.oid
JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
"""
_FOREIGN_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'f' AND NOT c.relispartition
"""
_LOOSE_TABLES = """
SELECT t.table_name, t.engine
FROM information_schema.tables t
JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = database() AND e.transactions <> 'YES'
"""


def schemas_of(connection: sa.Connection) -> list[str | None]:
    """List the schemas of a database: on PostgreSQL all but its own, elsewhere the default one."""
    if connection.dialect.name != "postgresql":
        return [None]
    inspector = sa.inspect(connection)
    system = ("information_schema", inspector.default_schema_name)
    names = [name for name in inspector.get_schema_names() if name not in system]
    return [None, *(name for name in names if not name.startswith("pg_"))]


def left_out_of(connection: sa.Connection) -> dict[str, str]:
    """Map the full names of what can't be adopted to the reason for each."""
    inspector = sa.inspect(connection)
    reasons = {}
    for schema in schemas_of(connection):
        names = inspector.get_view_names(schema)
        if connection.dialect.name == "postgresql":
            names += inspector.get_materialized_view_names(schema)
        for name in names:
            reasons[f"{schema}.{name}" if schema else name] = "it is a view"
    internal = _INTERNAL.get(connection.dialect.name)
    return reasons | (dict(internal(connection)) if internal is not None else {})


def is_version_table(table: sa.Table) -> bool:
    """Tell whether a table is alembic's record of revisions, by its name or by its form."""
    if table.name == VERSION_TABLE:
        return True
    is_alike = table.columns.keys() == [VERSION_COLUMN]
    return is_alike and isinstance(table.columns[VERSION_COLUMN].type, sa.String)


def _of_sqlite(connection: sa.Connection) -> Reasons:
    for _, name, type_, *_ in connection.exec_driver_sql("PRAGMA main.table_list"):
        if name in ("sqlite_schema", "sqlite_temp_schema"):
            continue  # the list of tables itself
        if name.startswith("sqlite_"):
            yield name, "it is SQLite's own"
        elif type_ == "virtual":
            yield name, "it is a virtual table, whose module alone knows its rows"
        elif type_ == "shadow":
            yield name, "it belongs to a virtual table"


def _of_postgresql(connection: sa.Connection) -> Reasons:
    default = sa.inspect(connection).default_schema_name

    def full_name(schema: str, name: str) -> str:
        return name if schema == default else f"{schema}.{name}"

    for schema, name, parent in connection.exec_driver_sql(_PARTITIONS):
        yield full_name(schema, name), f"its rows are those of {parent}, whose partition it is"
    for schema, name in connection.exec_driver_sql(_FOREIGN_TABLES):
        yield full_name(schema, name), "it is a foreign table, whose rows another server has"


def _of_mariadb(connection: sa.Connection) -> Reasons:
    for name, engine in connection.exec_driver_sql(_LOOSE_TABLES):
        yield name, WITHOUT_TRANSACTIONS.format(engine=engine)


_INTERNAL: dict[str, Callable[[sa.Connection], Reasons]] = {
    "sqlite": _of_sqlite,
    "postgresql": _of_postgresql,
    "mariadb": _of_mariadb,
    "mysql": _of_mariadb,
}
