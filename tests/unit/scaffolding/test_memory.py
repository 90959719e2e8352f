"""What ``lading init`` remembers of its last run, and what it says at the end of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lading import DeclarationError
from lading.report import Problem
from lading.scaffolding.memory import NAME, Memory, memory_of
from lading.scaffolding.result import Scaffolding

PROBLEM = Problem("items", 1, None, None, "is odd", "odd")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """Nothing was written before the first run."""
    assert memory_of(tmp_path) == Memory()
    memory = Memory({"items": {"id": "id: Mapped[int]"}}, {"items": "class ItemSchema: ..."})
    (tmp_path / NAME).write_text(memory.text(), "utf-8")
    assert memory_of(tmp_path) == memory


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"models": {}}',
        '{"models": {"items": []}, "schemas": {}}',
        '{"models": {"items": {"id": 5}}, "schemas": {}}',
        '{"models": {}, "schemas": {"items": null}}',
    ],
)
def test_a_file_that_somebody_spoilt_is_refused(tmp_path: Path, text: str) -> None:
    """It says which file, and what becomes of it if it is removed."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(DeclarationError) as caught:
        memory_of(tmp_path)
    assert f"{tmp_path / NAME} can't be read" in str(caught.value)
    assert "Restore it, or remove it" in str(caught.value)


@pytest.mark.parametrize(
    ("records", "problems", "verdict"),
    [
        (2, [], "1 entity, 2 records: all come back from a scratch database"),
        (2, [PROBLEM], "2 records: not all come back from a scratch database"),
        (0, [PROBLEM], "the records can't be exported, so nothing is proved"),
    ],
)
def test_the_verdict_says_what_was_proved(
    records: int, problems: list[Problem], verdict: str
) -> None:
    """Whether all records come back, some don't, or none could be tried."""
    result = Scaffolding(Path("app"), entities=1, records=records, problems=problems)
    assert verdict in str(result)
