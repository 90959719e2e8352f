"""Records what an import does, or would do, as changes of records."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lading.importing.batch import Batch
from lading.model.rowsets import RowSet
from lading.planning.change_log import ChangeLog
from lading.planning.record_change import Alteration, ChangeBuilder
from lading.records.comparison import RecordComparison
from lading.records.raw_records import RawReader


class ChangeRecorder:
    """Adds the changes of one entity's records to a log, if there is one."""

    def __init__(self, log: ChangeLog | None, comparison: RecordComparison) -> None:
        self.log = log
        self.comparison = comparison
        self.raw = RawReader(comparison.rows, comparison)
        self.builder = ChangeBuilder(comparison.rows)

    @property
    def root(self) -> RowSet:
        """The entity's row set."""
        return self.comparison.rows

    def insert(self, batch: Batch) -> None:
        """Add records that are new."""
        if self.log is not None:
            for line in batch.lines:
                self.log.add(self.builder.insertion(self.raw.new_content(line)))

    def update(
        self,
        numbers: Iterable[int],
        alterations: Iterable[Alteration | None],
        bad: Collection[int],
    ) -> None:
        """Add records that differ from stored ones.

        Args:
            numbers: the number of each record in its file.
            alterations: what an update alters of each; ``None`` for nothing that counts.
            bad: the numbers of records that are left out.
        """
        if self.log is None:
            return
        for number, alteration in zip(numbers, alterations, strict=True):
            if alteration is not None and number not in bad:
                self.log.add(self.builder.update(*alteration))

    def delete(self, lines: Iterable[bytes]) -> None:
        """Add stored records that are deleted."""
        if self.log is not None:
            for line in lines:
                self.log.add(self.builder.deletion(self.raw.stored_content(line)))
