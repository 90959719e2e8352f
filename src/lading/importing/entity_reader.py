"""Reads the records of one entity as batches, without those that are bad or left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lading.database.dialects.base import Dialect
from lading.importing.batch import Batch
from lading.importing.context import Exclusions
from lading.importing.decode import RecordDecoder
from lading.importing.duplicates import KeyOrder, find_duplicates
from lading.importing.outcomes import EntityOutcome, SourceProblems
from lading.importing.payload import Payload
from lading.records.describe import masked_key
from lading.report import Problem, Progress
from lading.scratch.sort import CHUNK

Watch = Callable[[Progress], None]


class EntityReader:
    """Reads an entity's records from a payload."""

    def __init__(
        self,
        dialect: Dialect,
        payload: Payload,
        outcome: EntityOutcome,
        exclusions: Exclusions,
        source_problems: SourceProblems,
    ) -> None:
        self.payload = payload
        self.outcome = outcome
        self.exclusions = exclusions
        self.source_problems = source_problems
        self.name = outcome.root.name
        self.decoder = RecordDecoder(
            dialect, outcome.root, outcome.file, ids=payload.has_ids(self.name)
        )

    def batches(self, progress: Watch | None) -> Iterator[Batch]:
        """Yield the good records, chunk by chunk; ``progress`` is called after each.

        A file out of key order is searched for duplicates first, once: the import must then
        begin again without them.
        """
        self._report_duplicates()
        is_searched = self.name in self.exclusions.duplicates
        excluded = self.exclusions.of(self.name)
        order = KeyOrder(self.decoder)
        for block in self.payload.blocks(self.name, CHUNK, self._fail):
            batch, problems = self.decoder.decode(block.records, block.first)
            for problem in problems:
                self.outcome.fail(problem.record or 0, problem.key, problem.field, problem.message)
            if not is_searched and not order.holds(batch):
                blocks = self.payload.blocks(self.name, CHUNK)
                self.exclusions.add_duplicates(self.name, find_duplicates(self.decoder, blocks))
                return
            self.outcome.count_links(batch)
            yield batch.without(excluded)
            if progress is not None:
                records_read = block.first - 1 + len(block.records)
                progress(Progress("import", self.name, records_read, self.payload.total(self.name)))

    def _fail(self, problem: Problem) -> None:
        """Report a problem of a record that can't be upgraded, or of one of its sources."""
        if problem.file == self.outcome.file:
            self.outcome.report(problem)
        elif not self.source_problems.add(problem):
            self.outcome.outcomes.problems.more += 1

    def _report_duplicates(self) -> None:
        for number, duplicate in self.exclusions.duplicates.get(self.name, {}).items():
            other = self.payload.record_at(self.name, duplicate.other)
            message = f"has the natural key of {other}; it must be unique. Remove or rename one"
            key = masked_key(self.outcome.root.key, duplicate.key)
            self.outcome.fail(number, key, None, message)
