"""Reading past what is no JSON, line by line."""

from __future__ import annotations

import pytest

from lading.bundle.salvage import salvaged
from lading.errors import BundleError
from support.small_bundle import entry_of

HEAD = b'{"entity_type":"a","schema_version":1,"records":[\n'


def read(text: bytes) -> tuple[list[tuple[int, bytes]], list[tuple[int | None, str]]]:
    """Return the records with their numbers, and the faults."""
    faults: list[BundleError] = []
    pieces = iter([text[start : start + 5] for start in range(0, len(text), 5)])
    blocks = list(salvaged(pieces, entry_of(text, 1), faults.append))
    records = [(block.first, block.records[0]) for block in blocks]
    return records, [(fault.record, fault.problem) for fault in faults]


def test_records_around_malformed_lines_are_read() -> None:
    """Each keeps the number of its line."""
    records, faults = read(HEAD + b'{"n":1},\n{"n":,\n[3],\n{"n":4}\n]}\n')
    assert records == [(1, b'{"n":1}'), (4, b'{"n":4}')]
    assert [number for number, _ in faults] == [2, 3]
    assert faults[1][1] == "is malformed: expected an object"


def test_commas_are_looked_at() -> None:
    """One too few, and one too many."""
    _, faults = read(HEAD + b'{"n":1}\n{"n":2},\n]}\n')
    assert faults == [
        (2, "is malformed: no comma stands before it"),
        (2, "is malformed: a comma follows the last record"),
    ]


def test_conflict_markers_are_no_records() -> None:
    """Each is told by its place, and the records of both sides keep theirs."""
    text = b'{"n":1},\n<<<<<<< HEAD\n{"n":2},\n=======\n{"n":3},\n>>>>>>> theirs\n{"n":4}\n]}\n'
    records, faults = read(HEAD + text)
    assert [number for number, _ in records] == [1, 2, 3, 4]
    told = "is malformed: behind record {} stands a conflict marker of git; keep one side"
    assert faults == [(None, told.format(number)) for number in (1, 2, 3)]


def test_the_end_is_looked_at() -> None:
    """It is there, and nothing follows it."""
    assert read(HEAD + b'{"n":1}\n')[1] == [
        (None, "is malformed: the file ends before its records do; expected ']}'")
    ]
    records, faults = read(HEAD + b'{"n":1}\n]}\n{"n":2}\n')
    assert records == [(1, b'{"n":1}')]
    assert faults == [(None, "is malformed: something follows the document")]


def test_another_layout_is_left_alone() -> None:
    """Its records can't be told apart."""
    assert read(b'{"records": [\n{"n":1}\n]}') == ([], [])


def test_a_line_without_an_end_ends_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory doesn't grow with it, and the records before are read."""
    monkeypatch.setattr("lading.bundle.salvage.MAX_RECORD", 60)
    records, faults = read(HEAD + b'{"n":1},\n{"n":"' + b"x" * 90)
    assert records == [(1, b'{"n":1}')]
    assert (None, "is malformed: a record is longer than 60 bytes") in faults
