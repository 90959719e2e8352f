"""Items that wait on disk, taken by their keys or read by their groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lading.scratch.pool import Pool
from support.growth import is_linear


def pool(size: int) -> Pool:
    """Return a pool of two groups with that many items each."""
    made = Pool()
    for number in range(size):
        for name in "ab":
            made.add(name, b"%d" % (number // 2), number)
    return made


def test_an_item_is_taken_once_and_the_first_first() -> None:
    """Several may share a key; a group yields those that nobody took."""
    made = pool(4)
    assert [made.take("a", b"1") for _ in range(3)] == [2, 3, None]
    assert (list(made.group("a")), list(made.group("b"))) == ([0, 1], [0, 1, 2, 3])


def test_a_group_is_read_in_linear_time() -> None:
    """However many items it has."""

    def prepare(size: int) -> Callable[[], Any]:
        made = pool(size)
        return lambda: list(made.group("b"))

    assert is_linear(prepare, 200)
