"""Statements that MariaDB takes: as long as max_allowed_packet, beyond which it hangs up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lading.model.rowsets import Column

if TYPE_CHECKING:
    from lading.database.dialects.base import Row
    from lading.database.dialects.mariadb import MariaDB

#: A packet that always takes what the driver joins to one statement, which is half of it.
LARGE = 2_048_000
#: Bytes of a value that isn't looked at, and of what goes around a statement.
OVERHEAD = 1024


def refuse_large(
    dialect: MariaDB, sql: str, columns: Sequence[Column], rows: Sequence[Row]
) -> None:
    """Refuse a row whose statement is longer than the server takes, as if the server did.

    Only columns that may hold so much are looked at, and only long values are measured.
    """
    limit = dialect.packet - OVERHEAD
    sizes = [dialect.columns(column).octets or OVERHEAD for column in columns]
    places = [place for place, size in enumerate(sizes) if size > OVERHEAD]
    if not places or 2 * sum(sizes) <= limit:
        return
    least = limit // (4 * len(places))
    driver: Any = dialect.connection.connection.driver_connection
    for row in rows:
        if not any(row[place] is not None and len(row[place]) > least for place in places):
            continue
        with closing(driver.cursor()) as cursor:
            size = len(cursor.mogrify(sql, row).encode(errors="surrogateescape"))
        if size > limit:
            error = dialect.dialect.loaded_dbapi.DataError(
                f"the row takes {size} bytes in a statement, and the server takes "
                f"{dialect.packet}: raise its max_allowed_packet"
            )
            raise sa.exc.DataError(None, None, error)
