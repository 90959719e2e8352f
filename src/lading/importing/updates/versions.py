"""The next versions of rows that SQLAlchemy's version counter guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.model.rowsets import Column, RowSet


@dataclass(frozen=True, slots=True)
class Versions:
    """A version column, and the driver values that rows get in it."""

    column: Column
    values: list[Any]


def next_versions(database: Database, rows: RowSet, identities: Sequence[Row]) -> Versions | None:
    """Return the next version of some rows, as the ORM's generator counts.

    Args:
        database: where the rows are.
        rows: their row set.
        identities: their primary keys.

    Returns:
        The versions in the same order; ``None`` where a model has no version column, or where
        the database itself counts.
    """
    generate = rows.mapper.version_id_generator
    column: Any = rows.mapper.version_id_col
    if column is None or not callable(generate):
        return None
    table = column.table
    keyed = rows.identity_in(table)
    selected = sa.select(*keyed, column).select_from(table)
    stored = {
        tuple(row[:-1]): row[-1]
        for row in rows_among(
            database,
            database.dialect.text_of(selected),
            keyed,
            database.dialect.qualified(keyed),
            identities,
        )
    }
    codecs = database.dialect.codecs
    read, bind = codecs.result_process(column.type), codecs.bind_process(column.type)
    current = (stored.get(identity) for identity in identities)
    return Versions(column, [bind(generate(None if v is None else read(v))) for v in current])
