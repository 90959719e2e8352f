"""Batches of rows, cut and joined with everything that they nest."""

from __future__ import annotations

import pytest

from lading.importing.batch import Batch, Nested, ResolvedBatch, joined


def batch(*numbers: int, steps: dict[int, list[str]] | None = None) -> Batch:
    """Return records with these numbers, of which some own steps, by their numbers."""
    owned = steps or {}
    owners = [place for place, number in enumerate(numbers) for _ in owned.get(number, ())]
    words = [step for number in numbers for step in owned.get(number, ())]
    inner = Batch([numbers[owner] for owner in owners], [()] * len(words), [(w,) for w in words])
    return Batch(
        list(numbers),
        [(f"k{number}",) for number in numbers],
        [(number, "x") for number in numbers],
        {"author": [(f"a{number}",) if number % 2 else None for number in numbers]},
        {"tags": [[("t",)] * number for number in numbers]},
        {"steps": Nested(inner, owners)},
        [b"%d" % number for number in numbers],
        [f"class {number}" for number in numbers],
    )


STEPS = {1: ["a", "b"], 3: ["c"], 4: ["d"]}


@pytest.mark.parametrize(
    ("places", "numbers", "words"),
    [
        ([0], [1], ["a", "b"]),
        ([2, 3], [3, 4], ["c", "d"]),
        ([1], [2], []),
        ([], [], []),
        ([0, 3], [1, 4], ["a", "b", "d"]),
    ],
)
def test_rows_are_taken_with_what_they_nest(
    places: list[int], numbers: list[int], words: list[str]
) -> None:
    """Owners are counted anew."""
    assert batch(1, 2, 3, 4, steps=STEPS).take(places) == batch(*numbers, steps=STEPS)
    taken = batch(1, 2, 3, 4, steps=STEPS).take(places).children["steps"]
    assert [value for (value,) in taken.batch.values] == words


def test_all_rows_are_the_batch_itself() -> None:
    """Nothing is copied where nothing is left out."""
    whole = batch(1, 2, steps=STEPS)
    assert whole.take([0, 1]) is whole
    assert whole.without(set()) is whole
    assert whole.take(range(2)) is whole


def test_records_are_left_out_by_their_numbers() -> None:
    """With what they own."""
    assert batch(1, 2, 3, 4, steps=STEPS).without({1, 4, 9}) == batch(2, 3, steps=STEPS)


def test_batches_are_joined_as_one() -> None:
    """The owners of each follow those before, and the batches stay as they were."""
    first, second, third = batch(1, 2, steps=STEPS), batch(3, steps=STEPS), batch(4, steps=STEPS)
    assert joined([first, second, third]) == batch(1, 2, 3, 4, steps=STEPS)
    assert (first, second) == (batch(1, 2, steps=STEPS), batch(3, steps=STEPS))
    assert joined([first]) is first


def test_parts_without_lines_or_classes_have_none() -> None:
    """Owned rows have no lines, and only hierarchies have classes."""
    plain = Batch([1, 2], [(), ()], [(1,), (2,)])
    assert plain.take([1]) == Batch([2], [()], [(2,)])
    assert len(plain) == 2


def resolved(*numbers: int, ids: bool = True) -> ResolvedBatch:
    """Return a batch whose references are resolved, with its steps."""
    whole = batch(*numbers, steps=STEPS)
    inner = whole.children["steps"].batch
    return ResolvedBatch(
        whole,
        {"author": [(number,) for number in numbers]},
        {"tags": [[(number,)] for number in numbers]},
        {"steps": ResolvedBatch(inner, {"tag": [(words,) for (words,) in inner.values]})},
        [(number * 10,) for number in numbers],
        [number * 100 for number in numbers] if ids else None,
    )


def test_resolved_rows_are_taken_with_what_they_nest() -> None:
    """And with what was resolved for them."""
    assert resolved(1, 2, 3, 4).take([0, 2]) == resolved(1, 3)
    assert resolved(1, 2, 3, 4)[2:] == resolved(3, 4)
    assert resolved(1, 2, 3, 4).without({2, 3}) == resolved(1, 4)
    assert resolved(1, 2, ids=False).take([1]).ids is None
    whole = resolved(1, 2)
    assert whole.without(set()) is whole
    assert whole.take([0, 1]) is whole
    assert len(whole[:0]) == 0
