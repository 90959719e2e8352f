"""The unique indexes that a database really has, of columns or of anything else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.database.live.live_indexes import UniqueIndex
from lading.database.live.mariadb_catalog import PLACES, CatalogTables

POSTGRESQL = """SELECT given.place - 1, c.relname, pg_get_expr(i.indpred, i.indrelid),
  coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'true',
  EXISTS (SELECT 1 FROM pg_collation l WHERE l.oid = ANY(i.indcollation)
    AND NOT l.collisdeterministic),
  CASE WHEN i.indexprs IS NULL AND NOT i.indisexclusion THEN (
    SELECT array_agg(a.attname::text) FROM pg_attribute a
    WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])) END
FROM unnest({mark}::text[]) WITH ORDINALITY AS given(name, place)
JOIN pg_index i ON i.indrelid = to_regclass(given.name) AND (i.indisunique OR i.indisexclusion)
JOIN pg_class c ON c.oid = i.indexrelid ORDER BY 1, 2
"""
#: CROSS JOIN keeps SQLite from another order of its tables, which finds nothing.
SQLITE = """SELECT given.column1, listed.name, listed.partial, part.name, part.coll
FROM (VALUES {places}) AS given
CROSS JOIN pragma_index_list(given.column2, given.column3) AS listed
CROSS JOIN pragma_index_xinfo(listed.name, given.column3) AS part
WHERE listed."unique" AND part.key ORDER BY 1, 2, part.seqno
"""
MARIADB = f"""SELECT table_schema, table_name, index_name, column_name, sub_part
FROM information_schema.statistics WHERE non_unique = 0 AND {PLACES} ORDER BY 1, 2, 3, seq_in_index
"""
#: What may hold a keyword or a parenthesis without being one, in SQLite; and these.
TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*]|--[^\n]*|/\*.*?\*/|[()]|\w+""",
    re.DOTALL,
)


#: The unique indexes of tables, sorted by name.
UniqueIndexes = dict[sa.Table, list[UniqueIndex]]


def postgresql_indexes(database: Database, tables: Sequence[sa.Table]) -> UniqueIndexes:
    """Ask ``pg_index``, where constraints are as well."""
    names = list(map(database.dialect.table_name, tables))
    indexes: UniqueIndexes = {table: [] for table in tables}
    for place, name, condition, nulls_equal, folds, columns in database.fetch(
        POSTGRESQL.format(mark=database.dialect.mark), (names,)
    ):
        index = UniqueIndex(name, frozenset(columns or ()), condition or "", nulls_equal, folds)
        indexes[tables[place]].append(index)
    return indexes


def mariadb_indexes(catalog_tables: CatalogTables, tables: Sequence[sa.Table]) -> UniqueIndexes:
    """Ask ``information_schema.statistics``; an index of the beginnings of texts has no columns."""
    indexes: UniqueIndexes = {table: [] for table in tables}
    columns: dict[tuple[sa.Table, str], list[str | None]] = defaultdict(list)
    for table, (name, column, length) in catalog_tables.ask(MARIADB, tables):
        columns[table, name].append(column if length is None else None)
    for (table, name), listed in columns.items():
        indexes[table].append(UniqueIndex(name, _all(listed)))
    return indexes


def sqlite_indexes(database: Database, tables: Sequence[sa.Table]) -> UniqueIndexes:
    """Ask ``PRAGMA index_list``, and read conditions from the statements that made the indexes."""
    indexes: UniqueIndexes = {table: [] for table in tables}
    columns: dict[tuple[int, str, bool], list[str | None]] = defaultdict(list)
    folding: set[tuple[int, str]] = set()
    places = [database.dialect.place(table) for table in tables]
    marks = ",".join(["(?,?,?)"] * len(places))
    values = [value for n, (schema, name) in enumerate(places) for value in (n, name, schema)]
    sql = SQLITE.format(places=marks)
    for place, name, is_partial, column, collation in database.fetch(sql, values):
        columns[place, name, bool(is_partial)].append(column)
        folding |= {(place, name)} if collation != "BINARY" else set()
    for (place, name, is_partial), listed in columns.items():
        condition = _condition(database, places[place][0], name) if is_partial else ""
        folds = (place, name) in folding
        names = _all(listed)
        if folds and not any(_folds(database, tables[place], column) for column in names):
            names = frozenset()  # nothing is found by a collation of the index alone
        index = UniqueIndex(name, names, condition, folds=folds)
        indexes[tables[place]].append(index)
    return indexes


def _all(columns: Sequence[str | None]) -> frozenset[str]:
    names = frozenset(column for column in columns if column is not None)
    return frozenset() if None in columns else names


def _folds(database: Database, table: sa.Table, name: str) -> bool:
    """Tell whether a column's own collation takes different texts for equal."""
    column = database.connection.dialect.identifier_preparer.quote(name)
    typed = f"SELECT {column} AS text FROM {database.dialect.table(table)} WHERE 0"
    source = f"(SELECT * FROM ({typed} UNION ALL SELECT 'a') LIMIT 1)"
    return bool(database.fetch(f"SELECT 1 FROM {source} WHERE text = 'A' OR text = 'a '"))


def _condition(database: Database, schema: str | None, name: str) -> str:
    master = database.dialect.quoted(schema, "sqlite_master")
    ((sql,),) = database.fetch(f"SELECT sql FROM {master} WHERE name = ?", (name,))
    return condition_of(sql)


def condition_of(sql: str) -> str:
    """Return what follows WHERE in a CREATE INDEX of SQLite; empty if nothing does."""
    depth = 0
    for token in TOKEN.finditer(sql):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and token[0].upper() == "WHERE":
            return sql[token.end() :].strip()
    return ""
