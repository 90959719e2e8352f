"""Keys that recur: their levels, their depth, and what they sort by without nesting."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import pytest

from lading.model.recursive_keys import (
    DEEPEST,
    deepest,
    flattened_order,
    level_parts,
    levels_of,
    recurring,
    recurs,
)
from support.cookbook import rows

CATEGORIES = rows("categories")
(PARENT,) = CATEGORIES.references
(CATEGORY,) = (item for item in rows("recipes").references if item.name == "category")


def test_a_key_recurs_through_one_part() -> None:
    """The other parts make up a level."""
    assert recurring(CATEGORIES.key) is PARENT
    assert [part.name for part in level_parts(CATEGORIES.key)] == ["name"]
    assert recurring(rows("authors").key) is None
    assert recurs(PARENT)
    assert recurs(CATEGORY)


def test_a_record_s_own_reference_has_one_level_less() -> None:
    """So that no record's key has more than any reference may hold."""
    assert (deepest(CATEGORY), deepest(PARENT)) == (DEEPEST, DEEPEST - 1)


KEY = {"parent": {"parent": None, "name": "a"}, "name": "b"}


def test_levels_go_up_from_the_lowest() -> None:
    """A key that doesn't recur has one."""
    assert [level["name"] for level in levels_of(KEY, PARENT)] == ["b", "a"]
    assert [level["name"] for level in levels_of(KEY, PARENT, loaded=True)] == ["b", "a"]
    assert levels_of({"slug": "a"}, None) == [{"slug": "a"}]
    assert levels_of({"name": "a"}, PARENT) == [{"name": "a"}]


def nested(levels: tuple[int, ...], place: int) -> tuple[Any, ...]:
    """Return what a key of two parts sorts by with its nesting: null before what is set."""
    above: Any = (False,)
    for number in levels:
        level = [(number,)]
        level.insert(place, above)
        above = (True, tuple(level))
    return tuple(above[1])


@pytest.mark.parametrize("place", [0, 1])
def test_flat_orders_are_those_of_nested_keys(place: int) -> None:
    """Whichever part recurs, of any depths."""
    keys = [levels for depth in (1, 2, 3) for levels in product((1, 2), repeat=depth)]
    for one, other in permutations(keys, 2):
        flat = [flattened_order([(n,) for n in key], place) for key in (one, other)]
        assert (flat[0] < flat[1]) is (nested(one, place) < nested(other, place)), (one, other)
