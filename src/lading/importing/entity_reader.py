"""Reads the records of one entity as batches, without those that are bad or left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lading.database.dialects.base import Dialect
from lading.importing.batch import Batch
from lading.importing.context import Exclusions
from lading.importing.decode import RecordDecoder
from lading.importing.duplicates import KeyOrder, find_duplicates, key_repeated
from lading.importing.outcomes import EntityOutcome, SourceProblems
from lading.importing.payload import Payload
from lading.records.describe import masked_key
from lading.records.layout import Key
from lading.report import Problem, Progress
from lading.scratch.sort import CHUNK

Watch = Callable[[Progress], None]
#: Takes the number and the key of a record that is left out; ``None`` where it can't be read.
LeftOut = Callable[[int, Key | None], object]
#: Decides on lines that the database has; false where they must be decoded.
PassEqual = Callable[[list[bytes], EntityOutcome], bool]


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
        self.left_out: LeftOut | None = None
        self.name = outcome.root.name
        self.decoder = RecordDecoder(
            dialect, outcome.root, outcome.file, ids=payload.has_ids(self.name)
        )

    def batches(
        self,
        progress: Watch | None,
        pass_equal: PassEqual = lambda *_: False,
        left_out: LeftOut | None = None,
    ) -> Iterator[Batch]:
        """Yield the good records, chunk by chunk.

        A file out of key order is searched for duplicates first, once: the import must then
        begin again without them.

        Args:
            progress: is called after each chunk.
            pass_equal: decides on a chunk that the database has as it is, which isn't decoded.
            left_out: takes the key of each record that isn't yielded.
        """
        self.left_out = left_out
        self._report_duplicates()
        is_searched = self.name in self.exclusions.duplicates
        excluded = self.exclusions.of(self.name)
        decodes_all = is_searched or excluded or self.decoder.custom
        order = KeyOrder(self.decoder)
        for block in self.payload.blocks(self.name, CHUNK, self._fail):
            if not decodes_all and pass_equal(block.records, self.outcome):
                # What is stored comes in order, so that only the last key is of interest.
                last = block.first + len(block.records) - 1
                order.holds(self.decoder.decode(block.records[-1:], last)[0])
            else:
                batch = self._decoded(block)
                if not is_searched and not order.holds(batch):
                    blocks = self.payload.blocks(self.name, CHUNK)
                    self.exclusions.add_duplicates(self.name, find_duplicates(self.decoder, blocks))
                    return
                self.outcome.count_links(batch)
                self._leave_out(batch, excluded)
                yield batch.without(excluded)
            if progress is not None:
                records_read = block.first - 1 + len(block.records)
                progress(Progress("import", self.name, records_read, self.payload.total(self.name)))

    def _decoded(self, block: Any) -> Batch:
        """Return the good records of a block, and report the others."""
        batch, problems = self.decoder.decode(block.records, block.first)
        for problem in problems:
            self.outcome.fail(problem.record or 0, problem.key, problem.field, problem.text)
        if self.left_out is not None:
            for number in {problem.record or 0: None for problem in problems}:
                self.left_out(number, self.decoder.key(block.records[number - block.first]))
        return batch

    def _leave_out(self, batch: Batch, excluded: set[int]) -> None:
        if self.left_out is not None:
            for number, key in zip(batch.numbers, batch.keys, strict=True):
                if number in excluded:
                    self.left_out(number, key)

    def _fail(self, problem: Problem) -> None:
        """Report a problem of a record that can't be upgraded, or of one of its sources."""
        if self.left_out is not None:
            self.left_out((problem.record or 0) if problem.file == self.outcome.file else 0, None)
        if problem.file == self.outcome.file:
            self.outcome.report(problem)
        elif not self.source_problems.add(problem):
            self.outcome.outcomes.problems.more += 1

    def _report_duplicates(self) -> None:
        for number, duplicate in self.exclusions.duplicates.get(self.name, {}).items():
            other = self.payload.record_at(self.name, duplicate.other)
            key = masked_key(self.outcome.root.key, duplicate.key)
            self.outcome.fail(number, key, None, key_repeated(other))
