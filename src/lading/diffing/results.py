"""What comes of comparing one entity's records."""

from __future__ import annotations

from lading.diffing.sides import Side
from lading.model.rowsets import RowSet
from lading.planning.change_log import ChangeLog
from lading.planning.record_change import ChangeBuilder
from lading.records.canonical import Canonicaliser
from lading.report import Counts, Problem, Problems


class EntityResult:
    """The changes that would make one side's records the other's, and problems of records."""

    def __init__(self, rows: RowSet) -> None:
        self.rows = rows
        self.builder = ChangeBuilder(rows)
        self.counts = Counts()
        self.log = ChangeLog()
        self.problems = Problems()
        self._canonicaliser: Canonicaliser | None = None

    def fail(self, side: Side, number: int, line: bytes) -> bool:
        """Report what is wrong with a record, and tell whether anything is."""
        if self._canonicaliser is None:
            self._canonicaliser = Canonicaliser(self.rows)
        problems = self._canonicaliser.make(line, side.file(self.rows.name), number)
        if not isinstance(problems, list):
            return False
        self.problems.extend(problems)
        self.counts.failed += 1
        return True

    def report(self, problem: Problem) -> None:
        """Note a problem of a record, which is left out."""
        self.problems.append(problem)
        self.counts.failed += 1
