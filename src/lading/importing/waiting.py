"""Records that wait for others of their entity: on disk, and given back parents first."""

from __future__ import annotations

from collections.abc import Iterator

from lading.importing.batch import Batch
from lading.importing.decode import RecordDecoder
from lading.importing.journal import Journal
from lading.importing.self_references import SelfReferences
from lading.scratch.sort import CHUNK


class WaitingRecords:
    """The records of one entity that wait until those that they refer to are inserted.

    They wait as text, which costs less to write and to decode again than what it means.
    """

    def __init__(
        self, journal: Journal, self_references: SelfReferences, decoder: RecordDecoder
    ) -> None:
        self.forest = journal.forest()
        self.self_references = self_references
        self.decoder = decoder

    def add(self, batch: Batch) -> None:
        """Let the records of a batch wait."""
        names, above = self.self_references.hashes(batch)
        self.forest.add(zip(batch.numbers, names, above, batch.lines, strict=True))

    def batches(self) -> Iterator[Batch]:
        """Yield the records, parents first: by the first of several self references."""
        for records in self.forest.parents_first(CHUNK):
            numbers, lines = map(list, zip(*records, strict=True))
            batch, _ = self.decoder.decode_numbered(lines, numbers)
            yield batch
