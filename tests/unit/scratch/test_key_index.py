"""Texts by key in a temporary file: what is kept, what came twice, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from lading.scratch import key_index
from lading.scratch.key_index import Entry, KeyIndex

#: The second text of b"b" differs, the third does not; the second of b"a" is the same.
ENTRIES: list[Entry] = [
    (b"b", b"one", 1),
    (b"a", b"two", 2),
    (b"b", b"other", 3),
    (b"a", b"two", 4),
    (b"b", b"one", 5),
    (b"c", b"", 6),
]


@pytest.fixture(params=[2, 2_000], ids=["slices of two", "one slice"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyIndex]:
    """An index of the entries, written and read in slices of a size."""
    monkeypatch.setattr(key_index, "SLICE", request.param)
    made = KeyIndex()
    made.fill(iter(ENTRIES))
    yield made
    made.close()


def test_the_first_text_of_a_key_is_kept(index: KeyIndex) -> None:
    """And whether others came is told beside it."""
    assert index.get(b"b") == (b"one", True)
    assert index.get(b"a") == (b"two", True)
    assert index.get(b"c") == (b"", False)
    assert index.get(b"d") is None
    assert len(index) == 3


def test_keys_are_counted(index: KeyIndex) -> None:
    """However often one comes."""
    assert dict(index.counts()) == {b"b": 3, b"a": 2, b"c": 1}


def test_only_another_text_is_a_clash(index: KeyIndex) -> None:
    """With the number of the record that brought it; the same text again is none."""
    assert list(index.clashes()) == [(b"b", 1, 3)]


def test_the_last_records_are_forgotten(index: KeyIndex) -> None:
    """Keys that came first with them, and what else they brought under older keys."""
    index.forget(3)
    assert list(index.clashes()) == []
    assert (index.get(b"b") is None, index.get(b"c") is None) == (False, True)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_values_come_in_order_of_arrival(index: KeyIndex, size: int) -> None:
    """So many at a time."""
    lists = list(index.values(size))
    assert [value for values in lists for value in values] == [b"one", b"two", b""]
    assert max(map(len, lists)) == min(size, 3)


def test_an_entry_tells_its_record() -> None:
    """By its number among the entries that were kept."""
    index = KeyIndex()
    index.fill([(b"x", b"", 7), (b"y", b"", 9)])
    assert [index.origin(number) for number in (1, 2)] == [7, 9]
    index.close()


def test_entries_may_be_read_from_the_index_itself() -> None:
    """Filling goes on while what feeds it looks up what is there."""
    index = KeyIndex()

    def entries() -> Iterable[Entry]:
        yield b"a", b"1", 1
        yield b"b", b"known" if index.get(b"z") else b"new", 2

    index.fill(entries())
    assert index.get(b"b") == (b"new", False)
    index.close()
