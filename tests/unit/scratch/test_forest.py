"""Items on disk that hang below each other, and the order in which they come back."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from lading.scratch.forest import Forest
from support.growth import is_linear

Above = dict[int, int | None]


def turns(above: Above, names: dict[int, int] | None = None) -> dict[int, int]:
    """Return the turn of each number, of items that are named by their numbers or otherwise."""
    forest = Forest()
    forest.add(
        (number, (names or {}).get(number, number), upper, b"%d" % number)
        for number, upper in above.items()
    )
    parts = list(forest.parents_first(7))
    assert all(len(part) == 7 for part in parts[:-1])
    items = [item for part in parts for item in part]
    assert [content for _, content in items] == [b"%d" % number for number, _ in items]
    forest.close()
    return {number: turn for turn, (number, _) in enumerate(items)}


def before(above: Above, turn: dict[int, int]) -> int:
    """Count the items that come before the one above them."""
    return sum(upper in turn and turn[upper] > turn[n] for n, upper in above.items() if upper)


def shuffled(count: int, upper: Callable[[int], int | None]) -> Above:
    """Return items whose numbers say nothing of where they hang."""
    numbers = random.Random(count).sample(range(1, count + 1), count)
    places = {n: upper(n) for n in range(count)}
    return {numbers[n]: None if at is None else numbers[at] for n, at in sorted(places.items())}


SHAPES: dict[str, Callable[[int], int | None]] = {
    "roots": lambda n: None,
    "a chain": lambda n: n - 1 if n else None,
    "a tree": lambda n: (n - 1) // 2 if n else None,
    "stars": lambda n: n % 3 if n > 2 else None,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_items_follow_what_they_hang_below(shape: str) -> None:
    """Whatever the order of their numbers."""
    above = shuffled(100, SHAPES[shape])
    turn = turns(above)
    assert turn.keys() == above.keys()
    assert before(above, turn) == 0


def test_items_below_nothing_that_is_there_are_roots() -> None:
    """They have no turn to wait for, and what hangs below them follows."""
    above: Above = {1: 2, 2: 99, 3: 3, 4: 3}
    assert before(above, turns(above)) == 0


def test_each_circle_is_opened_once() -> None:
    """What hangs below a circle follows, and so do the circle's other items."""
    above: Above = {1: 9, 2: 3, 3: 4, 4: 2, 5: 4, 6: 5, 7: 8, 8: 7, 9: 2, 10: None}
    turn = turns(above)
    assert turn.keys() == above.keys()
    assert before(above, turn) == 2


def test_names_that_recur_return_each_item_once() -> None:
    """The first item of a name has what hangs below."""
    above: Above = {1: 5, 2: 5, 3: None, 4: None, 6: 7}
    turn = turns(above, {3: 5, 4: 5})
    assert turn.keys() == above.keys()
    assert turn[3] < min(turn[1], turn[2])


def test_nothing_comes_of_nothing() -> None:
    """Not even an empty part."""
    assert turns({}) == {}


@pytest.mark.parametrize("shape", ["a chain", "pairs"])
def test_time_grows_with_the_items(shape: str) -> None:
    """A long chain costs no more than as many pairs that refer to each other."""

    def prepare(count: int) -> Callable[[], Any]:
        upper = SHAPES.get(shape, lambda n: n ^ 1)
        above = shuffled(count, upper)
        return lambda: turns(above)

    assert is_linear(prepare, 500)
