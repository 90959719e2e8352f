"""Whether triggers of MariaDB may change what is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from lading.database.live.base import Database

#: A grant that shows the triggers of all schemas (``*``), or of one.
GRANTED = re.compile(
    r"GRANT (?:.*, )?(?:ALL PRIVILEGES|TRIGGER)(?:, .*)? ON `?(\*|(?:[^`]|``)+)`?\.\* TO "
)


def has_triggers(database: Database, tables: Sequence[sa.Table]) -> bool:
    """Tell whether tables have triggers; true as well if this user may not see them.

    Older servers show triggers only to users with a grant for them.
    """
    if not tables:
        return False
    places = list(map(database.dialect.place, tables))
    marks = ",".join(
        [f"(coalesce({database.dialect.mark}, database()), {database.dialect.mark})"] * len(places)
    )
    triggers = database.fetch(
        "SELECT 1 FROM information_schema.triggers "
        f"WHERE (event_object_schema, event_object_table) IN ({marks}) LIMIT 1",
        tuple(name for place in places for name in place),
    )
    return bool(triggers) or not _may_see_triggers(database, {schema for schema, _ in places})


def _may_see_triggers(database: Database, schemas: set[str | None]) -> bool:
    """Tell whether this user may see the triggers of all these schemas."""
    current = database.fetch("SELECT database()")[0][0]
    grants = [GRANTED.match(row[0]) for row in database.fetch("SHOW GRANTS")]
    schemas_with_grant = {
        grant[1].replace("``", "`").replace("\\", "") for grant in grants if grant
    }
    return (
        "*" in schemas_with_grant or {schema or current for schema in schemas} <= schemas_with_grant
    )
