"""The order in which rows that refer to each other are inserted."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from lading.importing.parents_first import parents_first
from support.growth import is_linear


def test_parents_come_first() -> None:
    """Needs and wishes alike are followed where both can be."""
    rng = random.Random(1)
    places = list(range(300))
    rng.shuffle(places)
    above = {place: places[(n - 1) // 2] for n, place in enumerate(places) if n}
    for hard in (True, False):
        edges = [{above[place]} if place in above else set() for place in range(300)]
        none: list[set[int]] = [set() for _ in edges]
        ready = parents_first(edges if hard else none, none if hard else edges)
        turn = {place: n for n, place in enumerate(ready)}
        assert sorted(ready) == sorted(places)
        assert all(turn[parent] < turn[place] for place, parent in above.items())


def test_what_needs_the_impossible_is_left_out() -> None:
    """Rows that must wait are left out, and so is what needs them, or itself by a circle."""
    assert parents_first([set(), None, {1}, {4}, {3}, {0}], [set()] * 6) == [0, 5]


def test_a_circle_of_wishes_gives_up_one() -> None:
    """Only a row of the circle itself goes before what it wishes; what hangs from it follows."""
    none: list[set[int] | None] = [set() for _ in range(6)]
    ready = parents_first(none, [{1}, {2}, {3}, {1}, {0}, {4}])
    assert sorted(ready) == list(range(6))
    turn = {place: n for n, place in enumerate(ready)}
    wishes = {0: 1, 1: 2, 2: 3, 3: 1, 4: 0, 5: 4}
    assert sum(turn[wished] > turn[place] for place, wished in wishes.items()) == 1


def test_wishes_for_rows_that_must_wait_are_given_up() -> None:
    """A row doesn't wait for what may be set later."""
    assert sorted(parents_first([None, set(), {0}, set()], [set(), {0}, set(), {2}])) == [1, 3]


def test_long_chains_take_linear_time() -> None:
    """A chunk that is one chain is ordered at once."""

    def prepare(count: int) -> Callable[[], Any]:
        chain = [{place + 1} if place + 1 < count else set() for place in range(count)]

        def work() -> None:
            assert parents_first([set()] * count, chain) == list(range(count))[::-1]

        return work

    assert is_linear(prepare, 10_000)
