"""What only a database decides about the rows of an import, for plans to name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.importing.unique_sets import UniqueSets
from lading.importing.updates.held_values import held_columns
from lading.messages import counted
from lading.model.rowsets import RowSet, Value
from lading.values.json_text import json_text


def unchecked_by_plans(
    database: Database, unique: UniqueSets, roots: Collection[RowSet], updated: Collection[RowSet]
) -> Iterator[str]:
    """Yield what a plan of an import into some entities can't foretell, in words.

    Args:
        database: what the import would write to.
        unique: its unique indexes.
        roots: the entities.
        updated: those of them whose records may be updated.
    """
    row_sets = [rows for root in roots for rows in root.tree()]
    tables = dict.fromkeys(table for rows in row_sets for table in rows.tables)
    unknown = dict.fromkeys(each for rows in row_sets for each in unique.unknown(rows))
    for table in tables:
        checks = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        names = sorted(str(check.name) for check in checks if check.name is not None)
        if checks:
            named = f" ({', '.join(names)})" if names else ""
            count = counted(len(checks), "CHECK constraint")
            yield f"{table.fullname}: {count}{named}"
        for name in (name for indexed, name in unknown if indexed is table):
            yield f"{table.fullname}: unique index {name}"
    if updated:
        yield from _held_values(database, updated)
    if tables and database.may_alter(list(tables)):
        yield "triggers and rules of these tables"


def _held_values(database: Database, updated: Collection[RowSet]) -> Iterator[str]:
    """Yield the columns that an update may alter and that foreign keys hold, with these.

    No primary key is altered, and no column of a natural key.
    """
    columns: dict[sa.Table, set[str]] = {}
    for rows in (rows for root in updated for rows in root.tree()):
        fixed = {value for value in rows.key if isinstance(value, Value)}
        for value in rows.values:
            if value not in fixed and not value.column.primary_key:
                columns.setdefault(value.column.table, set()).add(value.column.name)
    for table, names, near in held_columns(database, columns):
        yield f"{table.fullname}: {names}, which {near} refers to"


def fingerprint_of(database: Database) -> str:
    """Return what tells a database from others: a digest of its engine, host and name."""
    url = database.connection.engine.url
    place = [url.get_backend_name(), url.host, url.port, url.database, dict(url.query)]
    return hashlib.sha256(json_text(place)).hexdigest()[:16]
