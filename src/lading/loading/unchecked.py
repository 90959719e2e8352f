"""What only a database decides about the rows of an import, for plans to name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from lading.database.live.base import Database
from lading.messages import counted
from lading.model.rowsets import RowSet
from lading.values.json_text import json_text


def unchecked_by_plans(database: Database, roots: Iterable[RowSet]) -> Iterator[str]:
    """Yield what a plan of an import into some entities can't foretell, in words."""
    tables = dict.fromkeys(table for root in roots for rows in root.tree() for table in rows.tables)
    for table in tables:
        checks = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        names = sorted(str(check.name) for check in checks if check.name is not None)
        if checks:
            named = f" ({', '.join(names)})" if names else ""
            count = counted(len(checks), "CHECK constraint")
            yield f"{table.fullname}: {count}{named}"
    if tables and database.may_alter(list(tables)):
        yield "triggers and rules of these tables"


def fingerprint_of(database: Database) -> str:
    """Return what tells a database from others: a digest of its engine, host and name."""
    url = database.connection.engine.url
    place = [url.get_backend_name(), url.host, url.port, url.database, dict(url.query)]
    return hashlib.sha256(json_text(place)).hexdigest()[:16]
