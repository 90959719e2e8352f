"""Which tables a statement names, and whose records they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from lading.model.entities import Entities

_NAME = r'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|[\w$]+)'
#: Texts and quoted names are passed over, for they may hold any word.
_TABLE = re.compile(
    rf"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`"""
    rf"|(?:\b(?:FROM|(?:STRAIGHT_)?JOIN|INTO|UPDATE|COPY|TABLES?|INDEX\s+{_NAME}\s+ON)\s+(?:ONLY\s+)?"
    rf"|\bPRAGMA\s+(?:{_NAME}\.)?\w+\()"
    rf"({_NAME}(?:\.{_NAME})*)",
    re.IGNORECASE,
)
#: The tables of a schema and name that are the engine's own.
_OWN = re.compile(
    r"(?:information_schema|pg_catalog|mysql)\.|\w*\.(?:pg|sqlite|pragma)_", re.IGNORECASE
)


def tables_named(sql: str, entities: Entities | None) -> dict[str, str]:
    """Map the tables that a statement reads or writes to their entities.

    Args:
        sql: a statement, in the SQL of any engine.
        entities: those of the catalog; without them, what stands where a table's name does is one,
            but for the engine's own.

    Returns:
        The entity of each table by the table's full name, in the statement's order; a table
        without an entity is mapped to itself.
    """
    if entities is None:
        return {
            name: name for schema, name in _names(sql) if not _OWN.match(f"{schema or ''}.{name}")
        }
    by_name: dict[str, dict[str | None, sa.Table]] = {}
    owners = _owners(entities)
    for table in owners:
        by_name.setdefault(table.name.lower(), {})[table.schema] = table
    tables = []
    for schema, name in _names(sql):
        by_schema = by_name.get(name.lower(), {})
        tables += [by_schema.get(schema, next(iter(by_schema.values())))] if by_schema else []
    return {table.fullname: owners[table] for table in tables}


def _names(sql: str) -> Iterator[tuple[str | None, str]]:
    """Yield the schema and name of each table of a statement, as far as they are written."""
    for match in _TABLE.finditer(sql):
        if match[1] is not None:
            *schemas, name = (part.strip('"`') for part in re.findall(_NAME, match[1]))
            yield (*schemas, None)[0], name


def _owners(entities: Entities) -> Mapping[sa.Table, str]:
    """Map tables to their entities, and all others of the same metadata to their own names."""
    owners: dict[sa.Table, str] = {}
    for rows in entities.all_rows():
        for table in (*rows.tables, *(links.table for links in rows.links)):
            owners.setdefault(table, rows.entity)
    for table in list(owners):
        for other in table.metadata.tables.values():
            owners.setdefault(other, other.fullname)
    return owners
