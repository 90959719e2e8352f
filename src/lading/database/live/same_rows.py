"""Which of some tables hold the rows of others: views, partitions, and one table by two names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lading.database.live.base import Database, Relation
from lading.database.live.mariadb_catalog import CatalogTables

THE_SAME = "another name of"
VIEW = "a view of"

#: The relations above some others: tables that they are partitions of, and the tables and views
#: that views read.
ABOVE = """WITH RECURSIVE given(place, id) AS (
  SELECT place, to_regclass(name)::oid FROM unnest({mark}::text[]) WITH ORDINALITY AS g(name, place)
), above(place, id) AS (
  SELECT place, id FROM given
  UNION
  SELECT a.place, u.id FROM above a JOIN LATERAL (
    SELECT i.inhparent AS id FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition WHERE i.inhrelid = a.id
    UNION ALL
    SELECT d.refobjid FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
    WHERE v.oid = a.id AND v.relkind IN ('v', 'm')
  ) u ON true
)
SELECT own.place - 1, other.place - 1, CASE WHEN own.id = other.id THEN 'another name of'
  WHEN c.relkind = 'v' THEN 'a view of' WHEN c.relkind = 'm' THEN 'a materialized view of'
  ELSE 'a partition of' END
FROM above a JOIN given own ON own.place = a.place
JOIN given other ON other.id = a.id AND other.place <> own.place
JOIN pg_class c ON c.oid = own.id ORDER BY 1, 2
"""
#: A table with its schema, as MariaDB writes it in a view's definition.
QUALIFIED = re.compile(r"`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`")

Place = tuple[str, str]


def postgresql_rows(database: Database, tables: Sequence[sa.Table]) -> Iterator[Relation]:
    """Ask PostgreSQL's catalog tables, in one statement."""
    names = list(map(database.dialect.table_name, tables))
    for own, other, relation in database.fetch(ABOVE.format(mark=database.dialect.mark), (names,)):
        yield tables[own], relation, tables[other]


def mariadb_rows(
    database: Database, catalog_tables: CatalogTables, tables: Sequence[sa.Table]
) -> Iterator[Relation]:
    """Read the definitions of views, those of the same schemas that lie between included."""
    places = {table: catalog_tables.real(*database.dialect.place(table)) for table in tables}
    yield from _twice(places)
    sql = "SELECT table_schema, table_name, view_definition FROM information_schema.views"
    views = [
        table for table, _ in catalog_tables.ask(f"{sql} WHERE table_schema IS PLACES", tables)
    ]
    if not views:
        return
    schemas = sorted({schema for schema, _ in places.values()})
    marks = ", ".join([database.dialect.mark] * len(schemas))
    reads: dict[Place, set[Place]] = {}
    for schema, name, text in database.fetch(f"{sql} WHERE table_schema IN ({marks})", schemas):
        quoted_names = QUALIFIED.findall(text or "")
        reads[catalog_tables.real(schema, name)] = {
            catalog_tables.real(*(part.replace("``", "`") for part in place))
            for place in quoted_names
        }
    for view in views:
        below = _reached(reads, places[view])
        yield from ((view, VIEW, table) for table in tables if places[table] in below)


def sqlite_rows(database: Database, tables: Sequence[sa.Table]) -> Iterator[Relation]:
    """Ask SQLite which tables it would open to read a view."""
    places: dict[sa.Table, Place] = {}
    for table in tables:
        schema, name = database.dialect.place(table)
        places[table] = ((schema or "main").lower(), name.lower())
    yield from _twice(places)
    relations = database.fetch("SELECT type, tbl_name, rootpage FROM sqlite_master")
    views = {("main", name.lower()) for type_, name, _ in relations if type_ == "view"}
    owners = {root: ("main", table.lower()) for _, table, root in relations if root}
    for view in (table for table in tables if places[table] in views):
        plan = database.fetch(f"EXPLAIN SELECT * FROM {database.dialect.table(view)}")
        opened = {
            owners.get(root) for _, code, _, root, at, *_ in plan if code == "OpenRead" and at == 0
        }
        yield from ((view, VIEW, table) for table in tables if places[table] in opened)


def _twice(places: Mapping[sa.Table, Any]) -> Iterator[Relation]:
    """Yield the tables that several names in the models stand for."""
    firsts: dict[Any, sa.Table] = {}
    for table, place in places.items():
        first = firsts.setdefault(place, table)
        if first is not table:
            yield table, THE_SAME, first


def _reached(reads: Mapping[Place, set[Place]], start: Place) -> set[Place]:
    """Return all that a view reads, by way of other views as well."""
    reached: set[Place] = set()
    fresh = reads.get(start, set())
    while fresh:
        reached |= fresh
        fresh = {place for view in fresh for place in reads.get(view, ())} - reached
    return reached - {start}
