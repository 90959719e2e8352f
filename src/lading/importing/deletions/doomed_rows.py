"""Which rows of an entity a bundle lacks: their primary keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.importing.row_marks import RowMarks
from lading.model.rowsets import RowSet
from lading.scratch.sort import CHUNK, chunked
from lading.scratch.spool import Spool


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
        Primary keys as the driver reads them, in the database's order.
    """
    with closing(RowMarks()) as marks, closing(Spool()) as doomed:
        select = sa.select(*root.identity)
        sql = database.dialect.text_of(select)
        names = database.dialect.qualified(root.identity)
        for keys in kept:
            # A driver may read a key in another form than it takes it: padded, or of another type.
            rows = rows_among(database, sql, root.identity, names, list(keys))
            marks.add(map(tuple, rows))
        with closing(database.stream(select.order_by(*root.identity), CHUNK)) as stream:
            for part in stream:
                identities = list(map(tuple, part))
                lacking = [identities[place] for place in marks.without(identities)]
                if lacking:
                    doomed.append(lacking)
        yield from chunked(chain.from_iterable(doomed), size)
