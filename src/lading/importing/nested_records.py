"""The rows that records nest, beside what they say and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lading.importing.batch import Batch
from lading.importing.references import RowPlaces
from lading.model.rowsets import RowSet
from lading.records.comparison import Content


@dataclass(slots=True)
class NestedRecords:
    """Rows of one row set in a batch, and what they say, in the same order.

    ``owners`` hold each one's place among those that nest it.
    """

    rows: RowSet
    batch: Batch
    records: Sequence[Content]
    places: RowPlaces
    owners: Sequence[int] = field(default=())

    def walk(self) -> Iterator[NestedRecords]:
        """Yield these, and all that they nest at any depth."""
        yield self
        for children in self.rows.children:
            nested = self.batch.children[children.name]
            inner = NestedRecords(
                children.rows,
                nested.batch,
                [row for record in self.records for row in record.get(children.written) or ()],
                self.places.nested(children.written, nested.owners),
                nested.owners,
            )
            yield from inner.walk()
