"""What becomes of the records of an import: counts, problems, and keys that failed.

Problems are collected, not raised: a record with a problem is left out, and the import decides
at the end whether the others stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lading.importing.batch import Batch
from lading.importing.payload import Payload
from lading.messages import Message, noted, shown
from lading.model.hidden import HIDDEN, is_hidden
from lading.model.rowsets import RowSet
from lading.planning.change_log import ChangeLog
from lading.planning.record_change import Cascade
from lading.records.comparison import FieldDifference
from lading.records.describe import masked_key
from lading.report import MOST_PROBLEMS, Alteration, Counts, Problem, Problems
from lading.values.json_text import json_text


class KeyHashes:
    """A set of keys by entity that keeps only their hashes: enough to word a message."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def add(self, name: str, key: Any) -> None:
        """Remember the key of an entity's record, in portable form."""
        self._hashes.add(hash((name, json_text(key))))

    def holds(self, name: str, key: Any) -> bool:
        """Tell whether the key of an entity's record was added."""
        return hash((name, json_text(key))) in self._hashes


@dataclass(slots=True)
class Outcomes:
    """What became of the records of one load, by entity.

    ``links`` counts the links that were read, by dotted path.  ``changes`` takes what happens to
    each record, where that is asked for; ``cascades`` is what goes along with deleted ones, and
    ``differences`` are the fields in which skipped records differ.
    """

    counts: dict[str, Counts]
    problems: Problems
    failed_keys: KeyHashes
    links: dict[str, Counter[str]] = field(default_factory=dict)
    alterations: list[Alteration] = field(default_factory=list)
    changes: ChangeLog | None = None
    cascades: list[Cascade] = field(default_factory=list)
    differences: Problems = field(default_factory=Problems)


class EntityOutcome:
    """Notes what becomes of the records of one entity, as one of its loaders goes on."""

    def __init__(self, outcomes: Outcomes, root: RowSet, payload: Payload) -> None:
        self.outcomes = outcomes
        self.root = root
        self.payload = payload
        self.file = payload.file(root.name)
        self.note = payload.note(root.name, root.version)
        self.counts = outcomes.counts[root.name]
        #: The numbers of the records that have a problem.
        self.bad: set[int] = set()

    def fail(self, number: int, key: Any, field_: str | None, message: Message) -> None:
        """Report a problem of a record, which is then left out.

        Args:
            number: the record's place in its file, counted from 1.
            key: its natural key in portable form, if it is known.
            field_: the field that is wrong; ``None`` for the whole record.
            message: what is wrong, and what to do.
        """
        self.report(Problem.of(noted(message, self.note), self.file, number, key, field_))

    def report(self, problem: Problem) -> None:
        """Note a problem as it is; its record is then left out.

        One of the whole file may be known, from a load that began again.
        """
        if problem.record is None and problem in self.outcomes.problems:
            return
        number = problem.record or 0
        self.outcomes.problems.append(problem)
        if number not in self.bad:
            self.bad.add(number)
            self.counts.failed += 1
        if problem.key is not None:
            self.outcomes.failed_keys.add(self.root.name, problem.key)

    def differs(self, number: int, key: Any, difference: FieldDifference) -> None:
        """Note a field in which a skipped record differs from the one that the database has."""
        path, value, stored = difference
        here, there = (HIDDEN, HIDDEN) if is_hidden(self.root, path) else (value, stored)
        text = f"is {shown(here)} here and {shown(there)} in the database"
        message = Message("record-differs", text)
        self.outcomes.differences.append(Problem.of(message, self.file, number, key, path))

    def key_at(self, batch: Batch, place: int) -> Any:
        """Return the natural key of a batch's record, in portable form."""
        key = batch.keys[place]
        return masked_key(self.root.key, key) if key else None

    def count_links(self, batch: Batch) -> None:
        """Count the links of a batch that was read."""
        count_links(self.outcomes.links.setdefault(self.root.name, Counter()), self.root, batch)

    def add_links(self, counts: Mapping[str, int]) -> None:
        """Add the numbers of links that were read otherwise, by their paths."""
        self.outcomes.links.setdefault(self.root.name, Counter()).update(counts)


def count_links(counts: Counter[str], rows: RowSet, batch: Batch, path: str = "") -> None:
    """Add the links of a batch to counts by dotted path.

    Args:
        counts: what they are added to, by dotted path.
        rows: the row set of the batch.
        batch: the rows whose references and lists of links count.
        path: the path of the row set in a record, with a dot at its end.
    """
    for reference in rows.references:
        keys = batch.references[reference.name]
        counts[f"{path}{reference.written}"] += len(keys) - keys.count(None)
    for links in rows.links:
        counts[f"{path}{links.written}"] += sum(map(len, batch.links[links.name]))
    for children in rows.children:
        nested = batch.children[children.name].batch
        count_links(counts, children.rows, nested, f"{path}{children.written}.")


class SourceProblems:
    """Problems of the records that others are made of, which their own file may report as well."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, int | None], Problem] = {}

    def add(self, problem: Problem) -> bool:
        """Keep a problem unless its record has one; return false where there are too many."""
        place = (problem.file, problem.record)
        if place not in self._by_place and len(self._by_place) >= MOST_PROBLEMS:
            return False
        self._by_place.setdefault(place, problem)
        return True

    def beside(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return the problems of the records that these don't report."""
        known = {(problem.file, problem.record) for problem in problems}
        return [problem for place, problem in self._by_place.items() if place not in known]
