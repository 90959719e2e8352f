"""Reads MariaDB's foreign keys by names with backticks, which SQLAlchemy passes over."""

from __future__ import annotations

from itertools import groupby

import sqlalchemy as sa

_KEYS = """
SELECT k.table_name, k.constraint_name, r.update_rule, r.delete_rule, k.referenced_table_name,
  k.column_name, k.referenced_column_name
FROM information_schema.key_column_usage k
JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name
  AND r.constraint_name = k.constraint_name
WHERE k.table_schema = database() AND k.referenced_table_schema = database()
ORDER BY k.table_name, k.constraint_name, k.ordinal_position
"""


def add_lost_keys(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Add the foreign keys that tables lack, if any name has a backtick."""
    names = {str(name) for t in metadata.tables.values() for name in (t.name, *t.columns.keys())}
    if not any("`" in name for name in names):
        return
    rows = connection.exec_driver_sql(_KEYS).all()
    for (name, key, onupdate, ondelete, target), group in groupby(rows, lambda row: row[:5]):
        near, far = zip(*(row[5:] for row in group), strict=True)
        table, other = (metadata.tables.get(each) for each in (name, target))
        if table is None or other is None:
            continue
        if list(near) in [constraint.column_keys for constraint in table.foreign_key_constraints]:
            continue
        columns = [other.columns[each] for each in far]
        table.append_constraint(
            sa.ForeignKeyConstraint(
                near, columns, name=key, onupdate=_action(onupdate), ondelete=_action(ondelete)
            )
        )


def _action(rule: str) -> str | None:
    """Return what a foreign key says of its target's changes, but for what all do by default."""
    return None if rule in ("RESTRICT", "NO ACTION") else rule
