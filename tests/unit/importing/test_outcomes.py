"""What becomes of records: problems, counts, failed keys, and what is left out next time."""

from __future__ import annotations

from typing import Any

import pytest

from lading.importing.batch import Batch, Nested
from lading.importing.context import Exclusions
from lading.importing.duplicates import Duplicate
from lading.importing.outcomes import EntityOutcome, KeyHashes, Outcomes, SourceProblems
from lading.messages import Message
from lading.report import MOST_PROBLEMS, Counts, Problem, Problems
from support.cookbook import cookbook, rows


class Payload:
    """A payload of one file an entity; ``note`` is said beside every problem."""

    def __init__(self, note: str = "") -> None:
        self.text = note

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return f"{name}.json"

    def note(self, _name: str, _version: int) -> str:
        """Return what to say beside a problem."""
        return self.text


def outcome(note: str = "", **meta: Any) -> EntityOutcome:
    """Return the outcome of recipes, of which nothing is known yet."""
    outcomes = Outcomes({"recipes": Counts()}, Problems(), KeyHashes())
    return EntityOutcome(outcomes, rows("recipes", cookbook(**meta)), Payload(note))  # type: ignore[arg-type]


def problem(record: int | None, file: str = "a.json", key: Any = None) -> Problem:
    """Return a problem of a record."""
    return Problem(file, record, key, "slug", "wrong", "odd")


# Outcomes


def test_a_record_fails_once_however_many_problems_it_has() -> None:
    """All of them are reported, in the order in which they were found."""
    made = outcome()
    made.fail(3, {"slug": "rye"}, "minutes", Message("odd", "too long"))
    made.fail(3, {"slug": "rye"}, None, Message("odd", "also odd"))
    made.fail(5, None, None, Message("odd", "odd"))
    assert (made.counts.failed, made.bad) == (2, {3, 5})
    assert list(map(str, made.outcomes.problems)) == [
        "recipes.json record 3, minutes: too long.",
        "recipes.json record 3: also odd.",
        "recipes.json record 5: odd.",
    ]


def test_keys_of_failed_records_are_known() -> None:
    """So that whoever refers to one is told why it isn't there."""
    made = outcome()
    made.fail(3, {"slug": "rye"}, None, Message("odd", "odd"))
    failed = made.outcomes.failed_keys
    assert failed.holds("recipes", {"slug": "rye"})
    assert not failed.holds("recipes", {"slug": "oat"})
    assert not failed.holds("authors", {"slug": "rye"})


def test_what_the_payload_notes_is_said_beside_a_problem() -> None:
    """Of records that a change made, say."""
    made = outcome("It was upgraded from version 1")
    made.fail(1, None, None, Message("odd", "odd"))
    assert str(next(iter(made.outcomes.problems))) == (
        "recipes.json record 1: odd. It was upgraded from version 1."
    )


def test_a_record_s_key_is_told_in_portable_form() -> None:
    """Hidden ones as such; without a key there is none."""
    batch = Batch([1, 2], [("rye",), ()], [(), ()])
    assert [outcome().key_at(batch, place) for place in (0, 1)] == [{"slug": "rye"}, None]
    assert outcome(hidden=("slug",)).key_at(batch, 0) == {"slug": "<hidden>"}


def test_links_are_counted_by_path() -> None:
    """Set ones only, at any depth, over all batches."""
    made = outcome()
    step = Batch([1, 1], [(), ()], [(), ()], {"tag": [("hot",), None]})
    batch = Batch(
        [1, 2],
        [("a",), ("b",)],
        [(), ()],
        {"author": [("ann",), None], "category": [None, None]},
        {"tags": [[("x",), ("y",)], []]},
        {"steps": Nested(step, [0, 0])},
    )
    made.count_links(batch)
    made.count_links(batch)
    assert +made.outcomes.links["recipes"] == {"author_slug": 2, "tags": 4, "steps.tag": 2}


# Problems of the records that others are made of


def test_a_source_record_has_one_problem() -> None:
    """The first; what its own file reports isn't told again."""
    sources = SourceProblems()
    first, again, other = problem(1), problem(1), problem(2)
    assert [sources.add(item) for item in (first, again, other)] == [True, True, True]
    assert sources.beside([problem(2)]) == [first]
    assert sources.beside([]) == [first, other]


def test_source_problems_are_bounded() -> None:
    """Known records may go on failing."""
    sources = SourceProblems()
    assert all(sources.add(problem(number)) for number in range(MOST_PROBLEMS))
    assert not sources.add(problem(MOST_PROBLEMS))
    assert sources.add(problem(0))


# What is left out of the next load


@pytest.mark.parametrize("keeps_good", [True, False])
def test_bad_records_are_left_out_of_the_next_load(keeps_good: bool) -> None:
    """Where good ones are to be kept; else the import goes on, to find every problem."""
    left_out = Exclusions(keeps_good=keeps_good)
    left_out.add_bad("recipes", set())
    assert not left_out.must_restart
    left_out.add_bad("recipes", {1, 2})
    left_out.add_bad("recipes", {3})
    assert left_out.must_restart is keeps_good
    assert left_out.of("recipes") == ({1, 2, 3} if keeps_good else set())
    assert left_out.of("authors") == set()


def test_duplicates_are_left_out_whether_good_records_are_kept_or_not() -> None:
    """None of those that share a key is better."""
    left_out = Exclusions(keeps_good=False)
    left_out.add_duplicates("recipes", {4: Duplicate(("a",), 5), 5: Duplicate(("a",), 4)})
    assert left_out.must_restart
    assert left_out.of("recipes") == {4, 5}


def test_each_record_that_is_left_out_is_explained_by_the_load_that_left_it_out() -> None:
    """With all of its problems there; records without one are counted."""
    left_out = Exclusions(keeps_good=True)
    left_out.add_bad("recipes", {1, 2, 3})
    found = [
        problem(1, key={"slug": "a"}),
        problem(2),
        problem(1),
        problem(9),
        problem(3, file="other.json"),
    ]
    left_out.explain("recipes", "a.json", found)
    left_out.explain("recipes", "a.json", found)
    assert list(left_out.problems) == found[:3]
    assert left_out.problems.more == 1
    assert left_out.failed_keys.holds("recipes", {"slug": "a"})
