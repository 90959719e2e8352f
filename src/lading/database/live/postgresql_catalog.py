"""What PostgreSQL's columns really are, by its catalog tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.postgresql_columns import PostgreSQLColumn, parsed
from lading.database.dialects.real_columns import Tables
from lading.database.live.base import Database

#: A domain's own limit is that of the last domain below it.
ASKED = """SELECT given.number, a.attname,
       format_type(base.type, base.typmod), format_type(base.type, NULL),
       (SELECT c.collname FROM pg_catalog.pg_collation c
        WHERE c.oid = a.attcollation AND c.collname <> 'default'),
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e
        WHERE e.enumtypid IN (base.type, nullif(base.item, 0))),
       a.attgenerated::text
FROM unnest(?::text[]) WITH ORDINALITY AS given(name, number)
JOIN pg_catalog.pg_attribute a ON a.attrelid = to_regclass(given.name)
  AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (
  WITH RECURSIVE below(type, typmod, depth) AS (
    SELECT a.atttypid, a.atttypmod, 0
    UNION ALL
    SELECT t.typbasetype, t.typtypmod, below.depth + 1
    FROM below JOIN pg_catalog.pg_type t ON t.oid = below.type WHERE t.typtype = 'd'
  )
  SELECT type, typmod, (SELECT typelem FROM pg_catalog.pg_type WHERE oid = type) AS item
  FROM below ORDER BY depth DESC LIMIT 1
) AS base
"""


def real_columns(database: Database, tables: Sequence[sa.Table]) -> Tables:
    """Ask ``pg_attribute`` and ``pg_type``, below domains."""
    dialect = database.dialect
    columns: dict[Any, dict[str, PostgreSQLColumn]] = {dialect.place(t): {} for t in tables}
    names = list(map(dialect.table_name, tables))
    rows = database.fetch(ASKED.replace("?", dialect.mark), (names,))
    for number, name, text, bare, collation, labels, generated in rows:
        column = parsed(text)
        if labels is not None:
            column = _labelled(column, bare, tuple(labels))
        elif column.family is None:
            column = replace(column, type=bare)
        column = replace(column, collation=collation, is_generated=generated != "")
        columns[dialect.place(tables[number - 1])][name] = column
    return columns


def _labelled(column: PostgreSQLColumn, name: str, labels: tuple[str, ...]) -> PostgreSQLColumn:
    """Return an enumeration's column, or that of an array of them, under the type's own name."""
    if column.item is None:
        return replace(column, type=name, labels=labels)
    item_column = replace(column.item, type=name.removesuffix("[]"), labels=labels)
    return replace(column, type=name, item=item_column)
