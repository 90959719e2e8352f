"""A bounded number of records, shared among entities."""

from __future__ import annotations

import pytest

from lading.html.shares import fair_shares


@pytest.mark.parametrize(
    ("totals", "most", "shares"),
    [
        ({}, 10, {}),
        ({"a": 3, "b": 4}, 10, {"a": 3, "b": 4}),
        ({"big": 1000, "small": 2, "large": 500}, 10, {"big": 4, "small": 2, "large": 4}),
        ({"a": 5, "b": 5, "c": 5}, 2, {"a": 0, "b": 1, "c": 1}),
    ],
)
def test_small_ones_are_whole_and_others_get_equally_many(
    totals: dict[str, int], most: int, shares: dict[str, int]
) -> None:
    """Never more than there are, nor more than the whole bound."""
    assert fair_shares(totals, most) == shares
    assert list(fair_shares(totals, most)) == list(totals)
