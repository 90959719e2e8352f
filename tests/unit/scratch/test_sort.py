"""The external merge sort: what it holds, and that it loses nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from lading.scratch import sort
from lading.scratch.sort import chunked, externally_sorted


@pytest.fixture
def spilled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the runs that went to files."""
    lengths: list[int] = []
    spill: Callable[[Any], Any] = sort._spill

    def noted(pending: list[Any]) -> Any:
        lengths.append(len(pending))
        return spill(pending)

    monkeypatch.setattr(sort, "_spill", noted)
    return lengths


def test_runs_are_bounded_by_number(spilled: list[int]) -> None:
    """Twenty-five items in runs of ten: two in files, the rest in memory."""
    items = [(n, str(n)) for n in range(25)]
    mixed = random.Random(1).sample(items, 25)
    assert list(externally_sorted(mixed, run=10)) == items
    assert spilled == [10, 10]


def test_runs_are_bounded_by_bytes(spilled: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A few long items fill a run as many short ones do."""
    monkeypatch.setattr(sort, "RUN_BYTES", 100)
    items = [(n, b"x" * 40) for n in range(7)]
    assert list(externally_sorted(items[::-1], size=lambda item: len(item[1]))) == items
    assert spilled == [3, 3]


def test_items_come_in_lists_of_a_size() -> None:
    """The last list may be shorter; of nothing comes none."""
    assert list(chunked(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunked([], 2)) == []
