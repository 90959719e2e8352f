"""Rows looked up by the chunk: those whose columns hold one of some keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import itemgetter

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.model.rowsets import Column
from lading.scratch.sort import CHUNK


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

    Args:
        database: where the rows are.
        sql: the SELECT, without a condition.
        columns: the columns that are compared, as the models have them.
        names: their names in the SELECT.
        keys: values of these columns as the driver takes them; a key with a null finds nothing.
        tail: a further condition, beginning with ``AND``.
        mark: what the SELECT says where the condition belongs; by default that is its end.

    Returns:
        The rows, in no particular order; a collation may take other keys for equal.
    """
    wanted = list(dict.fromkeys(key for key in keys if None not in key))
    rows: list[Row] = []
    for part in database.portions(wanted, len(columns)):
        clause, values = database.dialect.among(columns, names, part)
        whole = f"{clause}{tail}"
        text = f"{sql} {whole}" if mark is None else sql.replace(f"WHERE {mark}", whole)
        rows += database.fetch(text, values)
    return rows


def streamed_among(
    database: Database,
    sql: str,
    columns: Sequence[Column],
    names: Sequence[str],
    keys: Sequence[Row],
) -> Iterator[list[Row]]:
    """Run a SELECT as ``rows_among`` does, and yield its rows in chunks, without holding them all.

    Args:
        database: where the rows are.
        sql: the SELECT, without a condition.
        columns: the columns that are compared, as the models have them.
        names: their names in the SELECT.
        keys: values of these columns as the driver takes them; a key with a null finds nothing.

    Yields:
        Rows, in no particular order; a collation may take other keys for equal.
    """
    wanted = list(dict.fromkeys(key for key in keys if None not in key))
    for part in database.portions(wanted, len(columns)):
        clause, values = database.dialect.among(columns, names, part)
        with closing(database.stream_sql(f"{sql} {clause}", values, CHUNK)) as stream:
            for rows in stream:
                yield list(map(tuple, rows))
