"""An entity's records read in chunks: problems, duplicates, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lading.importing.context import Exclusions
from lading.importing.entity_reader import EntityReader
from lading.importing.outcomes import EntityOutcome, KeyHashes, Outcomes, SourceProblems
from lading.report import MOST_PROBLEMS, Counts, Problem, Problems, Progress
from support.cookbook import rows
from support.dialects import sqlite_dialect

AUTHORS = rows("authors")


class Payload:
    """Authors in blocks of a size, of which some can't be upgraded."""

    def __init__(self, keys: str, size: int = 2, failing: tuple[Problem, ...] = ()) -> None:
        self.keys = keys
        self.size = size
        self.failing = failing

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return f"{name}.json"

    def note(self, _name: str, _version: int) -> str:
        """Say nothing."""
        return ""

    def has_ids(self, _name: str) -> bool:
        """Return false."""
        return False

    def total(self, _name: str) -> int:
        """Return the number of records."""
        return len(self.keys)

    def record_at(self, name: str, number: int) -> str:
        """Name a record."""
        return f"{name} record {number}"

    def blocks(self, _name: str, _size: int, failed: Any = lambda _: None) -> Iterator[Any]:
        """Yield blocks; a key of ``!`` is no record."""
        for problem in self.failing:
            failed(problem)
        for start in range(0, len(self.keys), self.size):
            part = self.keys[start : start + self.size]
            lines = [json.dumps({"slug": 5 if key == "!" else key}).encode() for key in part]
            yield SimpleNamespace(first=start + 1, records=lines)


class Reading:
    """The reader of a payload, and what it notes."""

    def __init__(self, payload: Payload) -> None:
        self.outcomes = Outcomes({"authors": Counts()}, Problems(), KeyHashes())
        self.outcome = EntityOutcome(self.outcomes, AUTHORS, payload)  # type: ignore[arg-type]
        self.exclusions = Exclusions(keeps_good=True)
        self.sources = SourceProblems()
        dialect: Any = sqlite_dialect(AUTHORS.table.metadata)
        self.reader = EntityReader(
            dialect,
            payload,  # type: ignore[arg-type]
            self.outcome,
            self.exclusions,
            self.sources,
        )

    def keys(self, progress: Any = None) -> list[str]:
        """Return the keys of the records that are read."""
        return [key for batch in self.reader.batches(progress) for (key,) in batch.keys]

    @property
    def problems(self) -> list[str]:
        """What was reported."""
        return list(map(str, self.outcomes.problems))


def test_records_are_read_by_the_chunk() -> None:
    """And progress is told after each."""
    told: list[Progress] = []
    assert Reading(Payload("abcde")).keys(told.append) == list("abcde")
    assert [(step.done, step.total) for step in told] == [(2, 5), (4, 5), (5, 5)]
    assert {(step.step, step.entity) for step in told} == {("import", "authors")}


def test_bad_records_are_problems_and_the_others_are_read() -> None:
    """By their numbers in the file."""
    reading = Reading(Payload("ab!de"))
    assert reading.keys() == list("abde")
    (problem,) = reading.outcomes.problems
    assert (problem.record, problem.field) == (3, "slug")
    assert reading.outcome.bad == {3}


def test_records_that_are_left_out_are_not_given() -> None:
    """They were bad in an earlier load."""
    reading = Reading(Payload("abcde"))
    reading.exclusions.add_bad("authors", {2, 4})
    assert reading.keys() == list("ace")


@pytest.mark.parametrize("keys", ["abcb", "aabc", "abca"])
def test_a_file_out_of_order_is_searched_for_duplicates_once(keys: str) -> None:
    """The import must then begin again without them."""
    reading = Reading(Payload(keys))
    reading.keys()
    assert reading.exclusions.must_restart
    twice = [number for number, key in enumerate(keys, 1) if keys.count(key) > 1]
    assert reading.exclusions.of("authors") == set(twice)
    once = [key for key in keys if keys.count(key) == 1]
    assert reading.keys() == once
    first, second = twice
    other = "it must be unique. Remove or rename one."
    assert reading.problems == [
        f"authors.json record {first}: has the natural key of authors record {second}; {other}",
        f"authors.json record {second}: has the natural key of authors record {first}; {other}",
    ]


def test_a_file_out_of_order_without_duplicates_is_read_whole_the_second_time() -> None:
    """It isn't searched again."""
    reading = Reading(Payload("cbad"))
    reading.keys()
    assert reading.exclusions.of("authors") == set()
    assert reading.keys() == list("cbad")
    assert reading.problems == []


def test_problems_of_an_upgrade_are_of_the_record_or_of_those_that_it_is_made_of() -> None:
    """The latter may be reported by their own file as well."""
    own = Problem("authors.json", 2, None, None, "can't be upgraded", "odd")
    other = Problem("people.json", 7, None, None, "can't be upgraded", "odd")
    reading = Reading(Payload("ab", failing=(own, other)))
    reading.keys()
    assert list(reading.outcomes.problems) == [own]
    assert reading.outcome.bad == {2}
    assert reading.sources.beside([]) == [other]


def test_more_problems_of_sources_than_are_kept_are_counted() -> None:
    """So that the report says how many there were."""
    failing = tuple(
        Problem("people.json", number, None, None, "x", "odd")
        for number in range(MOST_PROBLEMS + 3)
    )
    reading = Reading(Payload("a", failing=failing))
    reading.keys()
    assert reading.outcomes.problems.more == 3
