"""One entity's records on two sides, in every layout and order, against a comparison by hand."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import mapped_column

from lading.diffing import cursors
from lading.diffing.entity_diff import EntityDiff
from lading.diffing.sides import Block, Failed, Side
from lading.model.rowsets import RowSet
from support.declaring import catalog_of, new_base, table

THINGS = catalog_of(table(new_base(), "things", note=mapped_column(sa.Text)))
ROWS = THINGS.use().roots["things"]
#: A record by its key: equal ones, shifted ones, and lines that are longer than windows.
RECORDS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.sampled_from(["", "x", "y", "z" * 90]), max_size=12
)


class TextSide(Side):
    """Records as the text of an entity file, in pieces of some bytes; or as lines alone."""

    def __init__(self, label: str, lines: list[bytes], piece: int = 7, *, end: bytes = b"") -> None:
        super().__init__(label)
        self.lines = lines
        body = b",\n".join(lines) + b"\n" if lines else b""
        self.bytes = body + b"]}\n" + end
        self.piece = piece

    def holds(self, name: str) -> bool:
        return True

    def blocks(self, name: str, failed: Failed) -> Generator[Block, None, None]:
        for start in range(0, len(self.lines), 3):
            yield start + 1, self.lines[start : start + 3]

    def total(self, name: str) -> int:
        return len(self.lines)

    def text(self, rows: RowSet) -> Generator[bytes, None, None]:
        if not self.piece:
            yield from super().text(rows)
        for start in range(0, len(self.bytes), self.piece):
            yield self.bytes[start : start + self.piece]


def line(slug: str, note: str | None, **more: Any) -> bytes:
    """One record as an export writes it."""
    record = {"slug": slug, "note": note, **more}
    return json.dumps(record, separators=(",", ":")).encode()


def lines_of(records: dict[str, str]) -> list[bytes]:
    """Records in key order."""
    return [line(slug, records[slug]) for slug in sorted(records)]


def changes_by_hand(left: dict[str, str], right: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What two dictionaries differ in."""
    for slug in sorted(left.keys() | right.keys()):
        if slug not in right:
            yield slug, "delete"
        elif slug not in left:
            yield slug, "insert"
        elif left[slug] != right[slug]:
            yield slug, "update"


def changes(result: Any) -> list[tuple[str, str]]:
    """What a comparison noted."""
    return sorted((change.key["slug"], change.action) for change in result.log.changes())


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows end within lines."""
    monkeypatch.setattr(cursors, "WINDOW", 64)
    monkeypatch.setattr(cursors, "NARROW", 8)


def checked(left: dict[str, str], right: dict[str, str], *sides: Side) -> None:
    """Compare two sides with what two dictionaries differ in."""
    result = EntityDiff(ROWS, *sides).run()
    by_hand = list(changes_by_hand(left, right))
    assert changes(result) == by_hand
    actions = [action for _, action in by_hand]
    counts = result.counts
    assert counts.inserted == actions.count("insert")
    assert (counts.updated, counts.deleted) == (actions.count("update"), actions.count("delete"))
    assert counts.unchanged == sum(1 for slug in left if left[slug] == right.get(slug))
    assert not result.problems


@given(RECORDS, RECORDS, st.integers(1, 200), st.integers(1, 200))
def test_two_texts_are_compared_as_by_hand(
    left: dict[str, str], right: dict[str, str], piece: int, other: int
) -> None:
    """Whatever pieces they come in."""
    sides = TextSide("a", lines_of(left), piece), TextSide("b", lines_of(right), other)
    checked(left, right, *sides)


@given(RECORDS, RECORDS, st.booleans())
def test_lines_are_compared_as_by_hand(
    left: dict[str, str], right: dict[str, str], is_text: bool
) -> None:
    """Also where one side alone is a text."""
    sides = TextSide("a", lines_of(left), 50 * is_text), TextSide("b", lines_of(right), 0)
    checked(left, right, *sides)


@given(RECORDS, RECORDS, st.randoms(use_true_random=False), st.sampled_from([0, 60]))
def test_records_in_no_order_are_compared_as_by_hand(
    left: dict[str, str], right: dict[str, str], random: Any, piece: int
) -> None:
    """They are sorted if that makes a difference."""
    shuffled, others = lines_of(left), lines_of(right)
    random.shuffle(shuffled)
    random.shuffle(others)
    checked(left, right, TextSide("a", shuffled, piece), TextSide("b", others, piece))


@given(RECORDS, RECORDS)
def test_a_text_that_is_laid_out_otherwise_is_compared_as_by_hand(
    left: dict[str, str], right: dict[str, str]
) -> None:
    """What follows the end, and lines that aren't records, lead to the slower way."""
    sides = TextSide("a", lines_of(left), 30, end=b"\n"), TextSide("b", lines_of(right), 30)
    checked(left, right, *sides)


def compared(left: list[bytes], right: list[bytes], piece: int = 0) -> Any:
    """The result of comparing lines."""
    return EntityDiff(ROWS, TextSide("a", left, piece), TextSide("b", right, piece)).run()


@pytest.mark.parametrize("piece", [0, 40])
def test_spelling_makes_no_difference(piece: int) -> None:
    """Spaces, escapes and the order of fields."""
    spelled = b'{"note": "\\u0078", "slug":"a"}'
    result = compared([line("a", "x")], [spelled], piece)
    assert changes(result) == []
    assert result.counts.unchanged == 1


@pytest.mark.parametrize("piece", [0, 40])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            line("b", "x", size=1),
            "a: things record 2, size: Unknown field. Expected one of: slug, note. Correct "
            "the name, or remove the field; if another version has it, declare a change.",
        ),
        (
            b'{"slug":"b"}',
            "a: things record 2, note: Missing data for required field. Add it, with "
            "null if it has no value.",
        ),
        (
            b'{"slug":"b","note":5}',
            "a: things record 2, note: 5 is not a string. Write a text of whole characters, in quotes.",
        ),
        (
            b'{"slug":"b","note":"x","note":"y"}',
            "a: things record 2: isn't valid JSON: key 'note' stands twice in one object. "
            "Correct it.",
        ),
    ],
)
def test_a_record_that_the_schema_refuses_is_a_problem(
    text: bytes, problem: str, piece: int
) -> None:
    """Located as in an import, and the others are compared."""
    others = [line("a", "1"), line("b", "1"), line("c", "1")]
    result = compared([line("a", "0"), text, line("c", "1")], others, piece)
    assert list(map(str, result.problems)) == [problem]
    assert (result.counts.failed, result.counts.updated, result.counts.unchanged) == (1, 1, 1)


def test_two_records_of_one_key_are_a_problem() -> None:
    """Whether one of them is equal to the other side's or not."""
    twins = [line("a", "1"), line("a", "2"), line("b", "1")]
    result = compared(twins, [line("a", "2"), line("b", "1")])
    text = "a: things record 2: has the natural key of record 1; it must be unique. Remove or rename one."
    assert list(map(str, result.problems)) == [text]


@pytest.mark.parametrize("note", ["1", "2"])
def test_a_key_that_recurs_far_below_is_a_problem(note: str) -> None:
    """The first record of that key is equal to the other side's, and was skipped unread."""
    others = [line(slug, "1") for slug in "abc"]
    result = compared(others, [*others, line("a", note)])
    text = "b: things record 4: has the natural key of record 1; it must be unique. Remove or rename one."
    assert list(map(str, result.problems)) == [text]
    assert (result.counts.inserted, result.counts.unchanged) == (0, 3)


def test_memory_does_not_grow_with_the_records() -> None:
    """Nor with their changes."""

    def peak(count: int) -> int:
        left, right = (
            TextSide(note, [line(f"{number:06}", note * 50) for number in range(count)], piece=0)
            for note in "ab"
        )
        tracemalloc.start()
        try:
            assert EntityDiff(ROWS, left, right).run().counts.updated == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2_000)  # what is computed once
    assert peak(8_000) < 1.3 * peak(4_000)


@pytest.mark.parametrize(
    "text",
    [b'{"slug":"a"},\n{"slug":"b"}', b'{"slug":"a"}\n{"slug":"b"}\n]}\n', b'{"slug":"a"},\n[]\n]}\n'],
    ids=["no end", "no comma", "no record"],
)  # fmt: skip
def test_text_of_another_layout_is_not_compared_by_lines(text: bytes) -> None:
    """Somebody laid it out, or it is damaged: a parser reads it then."""
    cursor = cursors.TextCursor(iter([text[:9], text[9:]]), 2)
    with pytest.raises(cursors.UnusualLayout):
        while cursor.line() is not None:
            cursor.advance()
