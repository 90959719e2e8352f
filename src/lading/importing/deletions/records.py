"""What doomed records say: their natural keys, and their records as an export writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.exporting.reader import RecordReader
from lading.model.rowsets import RowSet
from lading.records.describe import masked_key
from lading.records.layout import Key


def doomed_records(
    database: Database, root: RowSet, chunks: Iterable[Sequence[Row]]
) -> Iterator[tuple[Key, bytes]]:
    """Yield the natural key of each doomed record, and the record as a line of canonical JSON.

    Args:
        database: where the records are.
        root: their entity.
        chunks: their primary keys, as ``doomed_rows`` yields them.

    Yields:
        Keys and lines, those of a chunk in key order.
    """
    reader = RecordReader(database, root)
    for identities in chunks:
        yield from reader.keyed_lines(identities)


def keys_of_records(database: Database, root: RowSet, identities: Sequence[Row]) -> dict[Row, Any]:
    """Return the natural keys of records in portable form, by primary key; none of owned rows."""
    if root.parent is not None:
        return {}
    reader = RecordReader(database, root)
    keys = reader.keys_of(identities)
    return {identity: masked_key(root.key, key) for identity, key in keys.items()}
