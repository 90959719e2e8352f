"""A queue on disk: what goes in comes out, in order and by place."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from lading.scratch.spool import Spool


@pytest.fixture
def spool() -> Iterator[Spool]:
    """An empty spool."""
    made = Spool()
    yield made
    made.close()


def test_an_empty_spool_is_false(spool: Spool) -> None:
    """Until something is appended."""
    assert not spool
    assert list(spool) == []
    spool.append(None)
    assert spool


def test_items_come_in_the_order_in_which_they_went_in(spool: Spool) -> None:
    """As often as they are read."""
    items = [("a", b"\0"), {"b": [None]}, 10**30]
    for item in items:
        spool.append(item)
    assert list(spool) == items
    assert list(spool) == items


def test_an_item_is_found_by_its_place(spool: Spool) -> None:
    """Whatever was read or written since."""
    places = [spool.append("x" * length) for length in (3, 0, 5)]
    assert spool.at(places[1]) == ""
    places.append(spool.append("last"))
    assert [spool.at(place) for place in reversed(places)] == ["last", "xxxxx", "", "xxx"]


def test_items_may_be_appended_while_others_are_read(spool: Spool) -> None:
    """Those that were there when reading began are read."""
    spool.append(1)
    spool.append(2)
    seen = []
    for item in spool:
        seen.append(item)
        spool.append(item * 10)
    assert seen == [1, 2]
    assert list(spool) == [1, 2, 10, 20]


def test_a_deeply_nested_item_is_kept_from_deep_in_the_stack(spool: Spool) -> None:
    """Pickling goes as deep as the item, and whoever appends it may be deep already."""
    nested: list[object] = []
    for _ in range(400):
        nested = [nested]

    def append(levels: int) -> int:
        return append(levels - 1) if levels else spool.append(nested)

    place = append(sys.getrecursionlimit() // 2)
    assert spool.at(place) == nested
