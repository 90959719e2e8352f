"""Which rows of an entity a bundle lacks: their primary keys, found by an external sort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.model.rowsets import RowSet
from lading.scratch.sort import CHUNK, chunked, externally_sorted

#: What a primary key sorts by, and whether the bundle has it, as (text, (key, is kept)).
SortedKey = tuple[str, tuple[Row, bool]]


def doomed_rows(
    database: Database, root: RowSet, kept: Iterable[Sequence[Row]], size: int = CHUNK
) -> Iterator[list[Row]]:
    """Yield the primary keys of an entity's rows that a bundle lacks, in chunks.

    Memory doesn't grow with the rows.  Everything is read before the first chunk comes, so the
    caller may delete meanwhile.

    Args:
        database: where the rows are.
        root: the entity; all rows of its table are its own, those of subclasses included.
        kept: chunks of the primary keys of its rows that the bundle has, as the driver reads
            or takes them.
        size: how many keys a chunk has at most.

    Yields:
        Primary keys as the driver reads them, in an order that is the same at each call.
    """
    tagged = externally_sorted(_tagged(database, root, kept))
    yield from chunked(_untouched(tagged), size)


def _untouched(tagged: Iterator[SortedKey]) -> Iterator[Row]:
    """Yield the keys that come as no kept one."""
    for _, group in groupby(tagged, key=itemgetter(0)):
        states = [state for _, state in group]
        if not any(is_kept for _, is_kept in states):
            yield states[0][0]


def _tagged(database: Database, root: RowSet, kept: Iterable[Sequence[Row]]) -> Iterator[SortedKey]:
    """Yield each row's key, and then those of the rows that the bundle has."""
    select = sa.select(*root.identity)
    with closing(database.stream(select, CHUNK)) as stream:
        for part in stream:
            for key in map(tuple, part):
                yield repr(key), (key, False)
    sql = database.dialect.text_of(select)
    names = database.dialect.qualified(root.identity)
    for keys in kept:
        # A driver may read a key in another form than it takes it: padded, or of another type.
        for key in map(tuple, rows_among(database, sql, root.identity, names, list(keys))):
            yield repr(key), (key, True)
