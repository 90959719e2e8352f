"""Refuses statements longer than max_allowed_packet, at which MariaDB closes the connection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.model.rowsets import Column

#: A packet that always takes what the driver joins to one statement, which is half of it.
LARGE = 2_048_000
#: The most bytes of a value that isn't measured, and of a statement's text around its values.
OVERHEAD = 1024


def refuse_large(
    database: Database, packet: int, sql: str, columns: Sequence[Column], rows: Sequence[Row]
) -> None:
    """Refuse a row whose statement is longer than the server takes, as if the server did.

    Only columns that may hold so much are looked at, and only long values are measured.

    Args:
        database: where the rows would be inserted.
        packet: the server's ``max_allowed_packet``, in bytes.
        sql: the INSERT of one row.
        columns: the columns that it fills.
        rows: driver values in the order of the columns.
    """
    limit = packet - OVERHEAD
    sizes = [database.dialect.columns(column).octets or OVERHEAD for column in columns]
    places = [place for place, size in enumerate(sizes) if size > OVERHEAD]
    if not places or 2 * sum(sizes) <= limit:
        return
    least = limit // (4 * len(places))
    driver: Any = database.connection.connection.driver_connection
    for row in rows:
        if not any(row[place] is not None and len(row[place]) > least for place in places):
            continue
        with closing(driver.cursor()) as cursor:
            size = len(cursor.mogrify(sql, row).encode(errors="surrogateescape"))
        if size > limit:
            error = database.connection.dialect.loaded_dbapi.DataError(
                f"the row takes {size} bytes in a statement, and the server takes "
                f"{packet}: raise its max_allowed_packet"
            )
            raise sa.exc.DataError(None, None, error)
