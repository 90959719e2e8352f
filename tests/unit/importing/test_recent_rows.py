"""Rows that were just inserted are remembered, and the oldest forgotten."""

from __future__ import annotations

import pytest

from lading.importing import recent_rows
from lading.importing.recent_rows import RecentRows


def test_the_oldest_rows_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory doesn't grow, and at least so many of the newest stay."""
    monkeypatch.setattr(recent_rows, "RECENT", 2)
    recent = RecentRows([1])
    for number in range(6):
        recent.add([(f"k{number}",)], [("x", number)])
    found = recent.find([("k0",), ("k3",), ("k5",), ("nothing",), None])
    assert found == {("k3",): (3,), ("k5",): (5,)}
