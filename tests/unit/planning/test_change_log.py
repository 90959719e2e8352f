"""Changes on disk: counted, in order, by entity, and without a footprint in memory."""

from __future__ import annotations

import tracemalloc

import pytest

from lading.model.hidden import HIDDEN
from lading.planning.change_log import ChangeLog, json_line
from lading.planning.record_change import RecordChange
from support.plans import delete, insert, log_of, update


def test_changes_come_back_in_the_order_in_which_they_were_added() -> None:
    """Of one entity, or of all, and as often as one asks."""
    changes = [
        update("a", "x", price=("1", None)),
        insert("b", "y", deep=[{"n": 2**70}]),
        delete("a", "z"),
    ]
    log = log_of(changes)
    assert list(log.changes()) == changes
    assert list(log.changes("a")) == [changes[0], changes[2]]
    assert len(log) == 3
    assert log.counts["a"] == {"update": 1, "delete": 1}
    log.add(delete("c", "last"))
    assert len(list(log.changes())) == 4


def test_two_readers_of_one_log_do_not_disturb_each_other() -> None:
    """They read one file."""
    log = log_of(insert("ab"[number % 2], str(number)) for number in range(10))
    assert all(first == second for first, second in zip(log.changes(), log.changes(), strict=True))


def test_a_mask_is_kept_as_its_text() -> None:
    """It is a string of its own class."""
    log = log_of([RecordChange("a", {"slug": HIDDEN}, "delete", {"slug": HIDDEN}, None)])
    assert next(log.changes()).key == {"slug": "<hidden>"}


def test_what_is_no_json_is_not_written() -> None:
    """Only a mask is a string of a class of its own."""
    with pytest.raises(NotImplementedError):
        json_line({"a": object()})


def test_memory_does_not_grow_with_the_changes() -> None:
    """Neither the log nor its groups hold them, however many sets of fields there are."""

    def peak(count: int) -> int:
        tracemalloc.start()
        log = ChangeLog()
        for number in range(count):
            log.add(update("a", f"r{number}", **{f"f{number}": ("x" * 200, "y" * 200)}))
        assert sum(1 for _ in log.changes()) == count
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(12_000) < 1.3 * peak(3_000)
