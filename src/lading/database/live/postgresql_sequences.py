"""Which sequences feed PostgreSQL's columns, by its own account, and moving them forwards."""

from __future__ import annotations

import re

#: A default that looks its sequence up by name whenever it runs, of which no dependency tells.
BY_NAME = re.compile(r"nextval\(\('((?:[^']|'')+)'::text\)")


def feeding(tables: str) -> str:
    """Return the SELECT of what feeds columns of tables, given as an array of their names.

    Rows are table, column, sequence (of a default, or owned as by SERIAL and identity) and
    default (where only its text names the sequence).
    """
    return f"""WITH given AS (SELECT name, to_regclass(name) AS id
  FROM unnest({tables}::text[]) AS t(name))
SELECT g.name, a.attname, d.refobjid::regclass::text, NULL
FROM given g
JOIN pg_attrdef f ON f.adrelid = g.id
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
  AND d.refclassid = 'pg_class'::regclass
JOIN pg_sequence s ON s.seqrelid = d.refobjid
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
UNION ALL
SELECT g.name, a.attname, d.objid::regclass::text, NULL
FROM given g
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.id
  AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_sequence s ON s.seqrelid = d.objid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT g.name, a.attname, NULL, pg_get_expr(f.adbin, f.adrelid)
FROM given g
JOIN pg_attrdef f ON f.adrelid = g.id
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
WHERE strpos(pg_get_expr(f.adbin, f.adrelid), 'nextval((') > 0"""


def sequence_named(default: str | None) -> str | None:
    """Return the sequence that a default looks up by name."""
    match = BY_NAME.search(default or "")
    return match[1].replace("''", "'") if match else None


def moved(sequence: str, table: str, number: str) -> str:
    """Return the statement that moves a sequence past the values of a table, never back.

    ``number`` is an expression over the rows.  Those that the sequence never gives don't count.
    """
    name = sequence.replace("'", "''")
    return f"""SELECT setval(q.seqrelid::regclass, t.last)
FROM pg_sequence q CROSS JOIN {sequence} s CROSS JOIN LATERAL (
  SELECT (CASE WHEN q.seqincrement > 0 THEN max(v.x) ELSE min(v.x) END)::bigint AS last
  FROM (SELECT {number} AS x FROM {table}) v WHERE v.x BETWEEN q.seqmin AND q.seqmax
) t
WHERE q.seqrelid = '{name}'::regclass AND (
  sign(t.last::numeric - s.last_value) = sign(q.seqincrement)
  OR (t.last = s.last_value AND NOT s.is_called)
)"""
