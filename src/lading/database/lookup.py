"""Rows looked up by the chunk: those whose columns hold one of some keys."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.model.rowsets import Column


def keys_at(rows: Sequence[Row], places: Sequence[int]) -> list[Row]:
    """Return the tuple of the values at some places, for each row."""
    if len(places) == 1:
        place = places[0]
        return [(row[place],) for row in rows]
    return list(map(itemgetter(*places), rows))


def rows_among(
    database: Database,
    sql: str,
    columns: Sequence[Column],
    names: Sequence[str],
    keys: Sequence[Row],
    *,
    tail: str = "",
    mark: str | None = None,
) -> list[Row]:
    """Run a SELECT for the rows whose columns hold one of the keys, in as few statements as fit.

    ``tail`` is further condition, beginning with ``AND``.  The condition stands at the end, or
    where the SELECT says ``mark``.
    """
    wanted = list(dict.fromkeys(key for key in keys if None not in key))
    rows: list[Row] = []
    for part in database.portions(wanted, len(columns)):
        clause, values = database.dialect.among(columns, names, part)
        whole = f"{clause}{tail}"
        text = f"{sql} {whole}" if mark is None else sql.replace(f"WHERE {mark}", whole)
        rows += database.fetch(text, values)
    return rows
