"""Keys that recur, found level by level with what finds one level."""

from __future__ import annotations

from typing import Any

import pytest

from lading.importing import recursive_resolver
from lading.importing.recursive_resolver import RecursiveResolver
from support.cookbook import rows
from support.fake_resolvers import AMBIGUOUS, FakeResolver

CATEGORIES = rows("categories")
#: Each level by its parent's raw foreign key and name, and what it gives: own id, own id.
LEVELS: dict[Any, Any] = {
    (None, "bread"): (1, 1),
    ((1,), "sour"): (2, 2),
    ((2,), "rye"): (3, 3),
    (None, "cake"): (4, 4),
    ((4,), "sour"): (5, 5),
}


def path(*names: str) -> tuple[Any, ...]:
    """Return a key by the names from the root down."""
    return tuple((name,) for name in names)


KEYS = {
    path("bread"): (1,),
    path("bread", "sour"): (2,),
    path("bread", "sour", "rye"): (3,),
    path("cake"): (4,),
    path("cake", "sour"): (5,),
}


def resolver(levels: dict[Any, Any] | None = None, *, is_small: bool = False) -> RecursiveResolver:
    """Return a resolver over levels."""
    found = LEVELS if levels is None else levels
    return RecursiveResolver(FakeResolver(CATEGORIES, CATEGORIES.key, found, is_small=is_small))


@pytest.mark.parametrize("is_small", [True, False])
def test_every_key_is_found(is_small: bool) -> None:
    """Of a small target read whole, and of a large one by levels."""
    made = resolver(is_small=is_small)
    assert made.find([*KEYS, None, path("nothing"), path("bread", "rye")]) == KEYS
    assert (made.target, made.parts) == (CATEGORIES, CATEGORIES.key)


def test_a_level_is_looked_up_once_for_all_keys_that_share_it() -> None:
    """And levels of one depth together."""
    made = resolver()
    made.find([path("bread", "sour"), path("bread", "sour", "rye"), path("cake", "sour")])
    assert made.level.asked == [  # type: ignore[attr-defined]
        {(None, "bread"), (None, "cake")},
        {((1,), "sour"), ((4,), "sour")},
        {((2,), "rye")},
    ]


def test_levels_that_were_found_are_remembered() -> None:
    """Until there are too many; what a growing table has stays there."""
    made = resolver()
    made.find([path("bread", "sour")])
    made.forget(growing=True)
    made.find([path("bread", "sour", "rye")])
    assert made.level.asked[2:] == [{((2,), "rye")}]  # type: ignore[attr-defined]
    assert made.level.forgotten == [True]  # type: ignore[attr-defined]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many levels there are."""
    monkeypatch.setattr(recursive_resolver, "REMEMBERED", 2)
    made = resolver()
    assert made.find(KEYS) == KEYS
    assert len(made.remembered) <= 2


@pytest.mark.parametrize("is_small", [True, False])
def test_below_a_level_that_several_rows_have_nothing_is_clear(is_small: bool) -> None:
    """It isn't known whose the rows are."""
    made = resolver({**LEVELS, ((1,), "sour"): AMBIGUOUS}, is_small=is_small)
    keys = [path("bread"), path("bread", "sour"), path("bread", "sour", "rye"), path("cake")]
    assert made.find(keys) == {
        path("bread"): (1,),
        path("bread", "sour"): AMBIGUOUS,
        path("bread", "sour", "rye"): AMBIGUOUS,
        path("cake"): (4,),
    }
    assert made.unclear(path("bread", "sour", "rye")) == path("bread", "sour")


def test_rows_that_are_their_own_ancestors_have_no_key() -> None:
    """They hang from no root."""
    circle = {((7,), "a"): (8, 8), ((8,), "b"): (7, 7)}
    assert resolver({**LEVELS, **circle}, is_small=True).find([]) == KEYS


@pytest.mark.parametrize("is_small", [True, False])
def test_a_level_of_another_class_is_passed_through(is_small: bool) -> None:
    """A row without the columns asked for may have rows below it that have them."""
    made = resolver({**LEVELS, ((1,), "sour"): (2, None)}, is_small=is_small)
    found = made.find([path("bread", "sour"), path("bread", "sour", "rye")])
    assert path("bread", "sour") not in found
    assert found[path("bread", "sour", "rye")] == (3,)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        (path("bread", "sour", "oat"), "name 'sour' and parent.name 'bread'"),
        (path("bread", "white", "oat"), "name 'bread' and parent null"),
        (path("pie", "sour"), None),
        (path("pie"), None),
    ],
)
def test_the_lowest_level_that_exists_is_nearest(key: Any, near: str | None) -> None:
    """So that whoever reads it sees which level is wrong."""
    assert resolver().nearest(key) == near
    assert resolver().alike([key]) == {}
