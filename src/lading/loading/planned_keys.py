"""The keys of records that an import would write, by which others may refer to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver
from lading.importing.resolvers import Resolvers
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet
from lading.records.comparison import Content
from lading.records.layout import Key
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text

#: What a planned record has for the columns that only a database fills.
PLANNED: Row = ("planned",)


class PlannedKeys:
    """The keys of planned rows, on disk: natural keys, and those that references go ``by``."""

    def __init__(self, entities: Entities) -> None:
        self.index = KeyIndex()
        #: The members that references find a table's rows by, beside natural keys.
        self.others: dict[Any, set[Any]] = {}
        for rows in entities.all_rows():
            for reference in (*rows.references, *(links.reference for links in rows.links)):
                if reference.by is not None:
                    self.others.setdefault(reference.target.table, set()).add(reference.parts)

    def add(
        self, rows: RowSet, batch: Batch, records: Callable[[], Iterable[Content]], *, are_new: bool
    ) -> None:
        """Add the keys of rows, and of all that they nest.

        Args:
            rows: the row set.
            batch: its rows.
            records: returns what these say.
            are_new: whether the database lacks their natural keys.
        """
        if are_new or rows.children or rows.table in self.others:
            self.index.fill(self._entries(rows, batch, records, are_new=are_new))

    def _entries(
        self, rows: RowSet, batch: Batch, records: Callable[[], Iterable[Content]], *, are_new: bool
    ) -> Iterator[tuple[bytes, bytes, int]]:
        for key, number in zip(batch.keys, batch.numbers, strict=True) if are_new else ():
            yield _text(rows.table, None, key), b"", number
        for parts in self.others.get(rows.table, ()):
            for record, number in zip(records(), batch.numbers, strict=True):
                key = tuple(record.get(part.written) for part in parts)
                yield _text(rows.table, parts, key), b"", number
        for children in rows.children:
            nested = batch.children[children.name].batch

            def owned(written: str = children.written) -> Iterator[Content]:
                return (inner for record in records() for inner in record.get(written) or ())

            yield from self._entries(children.rows, nested, owned, are_new=True)

    def holds(self, reference: Reference, key: Key) -> bool:
        """Tell whether a planned row has the key by which a reference finds its target."""
        parts = None if reference.by is None else reference.parts
        return self.index.get(_text(reference.target.table, parts, key)) is not None

    def close(self) -> None:
        """Give the file back."""
        self.index.close()


def _text(table: Any, parts: Any, key: Key) -> bytes:
    names = None if parts is None else [part.name for part in parts]
    return json_text([table.fullname, names, repr(key)])


class PlannedReferences(ReferenceResolver):
    """Resolves references to rows that are there, and to those that the import would write."""

    def __init__(
        self, resolvers: Resolvers, order: LoadOrder, outcome: EntityOutcome, keys: PlannedKeys
    ) -> None:
        super().__init__(resolvers, order.when_loaded(), outcome)
        self.keys = keys

    def find(self, reference: Reference, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys of a reference's targets that exist, or would, to rows."""
        wanted = {key for key in keys if key is not None}
        stored = super().find(reference, wanted)
        planned = {
            key: PLANNED
            for key in wanted
            if key not in stored
            and not self.has_failed(reference, key)
            and self.keys.holds(reference, key)
        }
        return stored | planned if planned else stored
