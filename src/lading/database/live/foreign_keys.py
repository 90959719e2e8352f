"""The foreign keys that a database really has, of tables that no model knows as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import (
    CASCADE,
    NO_ACTION,
    SET_DEFAULT,
    SET_NULL,
    LiveForeignKey,
    LiveKeys,
    RealPlace,
)

POSTGRESQL_ACTIONS = {"c": CASCADE, "n": SET_NULL, "d": SET_DEFAULT}
#: MariaDB's own databases, which refer to no table of an application.
OWN_SCHEMAS = "('information_schema', 'mysql', 'performance_schema', 'sys')"

POSTGRESQL_KEYS = """
SELECT c.contype::text, near.nspname, own.relname,
  ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place),
  far.nspname, other.relname,
  ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.place),
  c.confdeltype::text
FROM pg_constraint c
JOIN pg_class own ON own.oid = c.conrelid JOIN pg_namespace near ON near.oid = own.relnamespace
LEFT JOIN pg_class other ON other.oid = c.confrelid
LEFT JOIN pg_namespace far ON far.oid = other.relnamespace
WHERE c.contype IN ('f', 'p') AND c.conparentid = 0
ORDER BY near.nspname, own.relname, c.conname
"""
MARIADB_COLUMNS = f"""
SELECT table_schema, table_name, constraint_name, column_name,
  referenced_table_schema, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema NOT IN {OWN_SCHEMAS}
  AND (constraint_name = 'PRIMARY' OR referenced_table_name IS NOT NULL)
ORDER BY table_schema, table_name, constraint_name, ordinal_position
"""
MARIADB_ACTIONS = f"""
SELECT constraint_schema, table_name, constraint_name, delete_rule
FROM information_schema.referential_constraints
WHERE constraint_schema NOT IN {OWN_SCHEMAS}
"""
#: Virtual tables have no page of their own, and can't be asked without their module.
SQLITE_KEYS = """
SELECT m.name, f.id, f."from", f."table", f."to", f.on_delete
FROM {schema}.sqlite_master AS m, pragma_foreign_key_list(m.name, ?) AS f
WHERE m.type = 'table' AND m.rootpage > 0 ORDER BY m.name, f.id, f.seq
"""
SQLITE_PRIMARY_KEYS = """
SELECT m.name, t.name FROM {schema}.sqlite_master AS m, pragma_table_info(m.name, ?) AS t
WHERE m.type = 'table' AND m.rootpage > 0 AND t.pk > 0 ORDER BY m.name, t.pk
"""


@dataclass(slots=True)
class _Parts:
    """A foreign key whose columns come one by one."""

    target: RealPlace
    action: str
    columns: list[str] = field(default_factory=list)
    target_columns: list[str] = field(default_factory=list)


def postgresql_keys(database: Database) -> LiveKeys:
    """Ask ``pg_constraint``; the keys of partitions are those of their whole table."""
    keys = LiveKeys(database.fetch("SELECT current_schema()")[0][0] or "")
    for type_, schema, table, columns, *target, targeted, action in database.fetch(
        database.dialect.escaped(POSTGRESQL_KEYS)
    ):
        if type_ == "p":
            keys.primary[schema, table] = tuple(columns)
        else:
            keys.foreign.append(
                LiveForeignKey(
                    (schema, table),
                    tuple(columns),
                    (target[0], target[1]),
                    tuple(targeted),
                    POSTGRESQL_ACTIONS.get(action, NO_ACTION),
                )
            )
    return keys


def mariadb_keys(database: Database, real: Callable[[str, str], RealPlace]) -> LiveKeys:
    """Ask ``information_schema``, of all databases that this user may see.

    Args:
        database: the database that is asked.
        real: returns the schema and name that tell a table from all others.
    """
    keys = LiveKeys(database.fetch("SELECT database()")[0][0] or "")
    actions = {tuple(row[:3]): row[3] for row in database.fetch(MARIADB_ACTIONS)}
    parts: dict[Row, _Parts] = {}
    for schema, table, name, column, *target in database.fetch(MARIADB_COLUMNS):
        if target[1] is None:
            place = real(schema, table)
            keys.primary[place] = (*keys.primary.get(place, ()), column)
            continue
        key = (schema, table, name)
        action = actions.get(key, NO_ACTION).replace("RESTRICT", NO_ACTION)
        part = parts.setdefault(key, _Parts(real(target[0], target[1]), action))
        part.columns.append(column)
        part.target_columns.append(target[2])
    keys.foreign = [_joined(real(s, table), part) for (s, table, _), part in parts.items()]
    return keys


def sqlite_keys(database: Database) -> LiveKeys:
    """Ask SQLite's pragmas.

    Without ``PRAGMA foreign_keys`` nothing goes along with a deleted row, and what refers to it
    would lead nowhere: then every foreign key holds its target, whatever it says.
    """
    keys = LiveKeys("main")
    is_enforced = bool(database.fetch("PRAGMA foreign_keys")[0][0])
    for _, schema, *_ in database.fetch("PRAGMA database_list"):
        quoted = database.dialect.prepare.quote_schema(schema)
        for table, column in database.fetch(SQLITE_PRIMARY_KEYS.format(schema=quoted), (schema,)):
            place = (schema.lower(), table.lower())
            keys.primary[place] = (*keys.primary.get(place, ()), column)
        parts: dict[Row, _Parts] = {}
        for table, number, column, target, targeted, says in database.fetch(
            SQLITE_KEYS.format(schema=quoted), (schema,)
        ):
            far = (schema.lower(), target.lower())
            action = says.upper().replace("RESTRICT", NO_ACTION) if is_enforced else NO_ACTION
            part = parts.setdefault((table, number), _Parts(far, action))
            part.columns.append(column)
            if targeted is not None:
                part.target_columns.append(targeted)
        for (table, _), part in parts.items():
            part.target_columns = part.target_columns or list(keys.primary.get(part.target, ()))
            keys.foreign.append(_joined((schema.lower(), table.lower()), part))
    return keys


def _joined(table: RealPlace, part: _Parts) -> LiveForeignKey:
    columns, targeted = tuple(part.columns), tuple(part.target_columns)
    return LiveForeignKey(table, columns, part.target, targeted, part.action)
