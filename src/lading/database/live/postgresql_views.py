"""What stands in a table's place on PostgreSQL, and whose rows it may hide or show beside its own.

COUNT sees no more rows than SELECT does, so what a policy or a view hides can't be counted: the
catalog tables have to tell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NoReturn

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.errors import TargetError
from lading.messages import Message, listed

#: Relations below some tables' names whose policies apply to this user. A view reads as its owner,
#: or as its user if it is a security invoker.
HIDDEN = """WITH RECURSIVE below(name, id, role) AS (
  SELECT given.name, to_regclass(given.name)::oid,
    (SELECT oid FROM pg_roles WHERE rolname = current_user)
  FROM unnest({mark}::text[]) AS given(name)
  UNION
  SELECT b.name, d.refobjid, CASE WHEN EXISTS (
    SELECT 1 FROM pg_options_to_table(v.reloptions)
    WHERE option_name = 'security_invoker' AND option_value::boolean
  ) THEN b.role ELSE v.relowner END
  FROM below b JOIN pg_class v ON v.oid = b.id AND v.relkind IN ('v', 'm')
  JOIN pg_rewrite r ON r.ev_class = v.oid
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
)
SELECT DISTINCT b.name, c.oid::regclass::text FROM below b JOIN pg_class c ON c.oid = b.id
JOIN pg_roles u ON u.oid = b.role
WHERE c.relrowsecurity AND NOT u.rolsuper AND NOT u.rolbypassrls
AND (c.relforcerowsecurity OR NOT pg_has_role(u.oid, c.relowner, 'USAGE'))
ORDER BY 1, 2
"""
#: The tables that others inherit from, by schema and name; those in the search path also by name
#: alone.  Partitions hold the rows of their table itself.
PARENTS = """(
  SELECT jsonb_agg(DISTINCT jsonb_build_array(place.schema, p.relname))::text
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition
  JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
  CROSS JOIN LATERAL (VALUES
    (n.nspname::text), (CASE WHEN NOT pg_table_is_visible(p.oid) THEN n.nspname::text END)
  ) AS place(schema)
)"""
#: What inherits from some tables, at any depth.
CHILDREN = """WITH RECURSIVE below(name, id) AS (
  SELECT given.name, to_regclass(given.name)::oid FROM unnest({mark}::text[]) AS given(name)
  UNION SELECT b.name, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.id
)
SELECT b.name, c.oid, n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)
FROM below b JOIN pg_class c ON c.oid = b.id JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid <> to_regclass(b.name) AND NOT c.relispartition ORDER BY 1, 3, 4
"""
STAND_INS = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}


def refuse_policies(database: Database, tables: Sequence[sa.Table]) -> None:
    """Raise ``TargetError`` if a policy may hide rows from this user, below a view as well."""
    names = list(map(database.dialect.table_name, tables))
    hidden = database.fetch(HIDDEN.format(mark=database.dialect.mark), (names,))
    if hidden:
        places = [name if name == below else f"{below} (below {name})" for name, below in hidden]
        raise TargetError(
            Message(
                "row-security",
                f"row-level security is active on {listed(places, separator=', ')}, and may hide "
                "rows",
            ),
            "Use a role that bypasses it (of a view that doesn't say security_invoker: its owner).",
        )


def refuse_inherited_rows(
    database: Database, tables: Sequence[sa.Table], named: Collection[str]
) -> None:
    """Raise ``TargetError`` if a table shows rows that no record carries, and nobody names.

    They are those of tables that inherit from it.

    Args:
        database: The database.
        tables: The tables that records fill; of each only its own rows are read.
        named: The full names of those that are left out by name.
    """
    dialect = database.dialect
    parents = {
        dialect.table_name(t): t for t in tables if dialect.place(t) in dialect.facts.parents
    }
    known = {".".join(filter(None, dialect.place(table))) for table in tables}.union(named)
    unknown: dict[sa.Table, list[int]] = {}
    for name, child, *place, is_visible in (
        database.fetch(CHILDREN.format(mark=dialect.mark), (list(parents),)) if parents else ()
    ):
        if not known & {".".join(place), *(place[1:] if is_visible else ())}:
            unknown.setdefault(parents[name], []).append(child)
    for table, children in unknown.items():
        rows = database.fetch(
            f"SELECT tableoid::regclass::text FROM {dialect.table(table)} "
            f"WHERE tableoid = ANY({dialect.mark}::oid[]) LIMIT 1",
            (children,),
        )
        if rows:
            _refuse_children_of(table, rows[0][0])


def _refuse_children_of(table: sa.Table, child: str) -> NoReturn:
    raise TargetError(
        Message(
            "rows-inherited",
            f"{table.fullname} shows the rows of {child}, which inherits from it, and no record "
            "carries them",
        ),
        f"Declare a schema for {child} as well; or take {table.fullname} out of the catalog, and "
        f"excuse it by name (leaves_out={{{table.fullname!r}: 'it has child tables'}}).",
        entity=table.fullname,
    )


def stand_ins(database: Database, tables: Sequence[sa.Table]) -> dict[sa.Table, str]:
    """Map those of these tables that aren't tables to what they are."""
    by_name = {database.dialect.table_name(table): table for table in tables}
    mark = database.dialect.mark
    rows = database.fetch(
        f"SELECT given.name, c.relkind::text FROM unnest({mark}::text[]) AS given(name) "
        "JOIN pg_class c ON c.oid = to_regclass(given.name) WHERE c.relkind IN ('v', 'm', 'f')",
        (list(by_name),),
    )
    return {by_name[name]: STAND_INS[relkind] for name, relkind in rows}
