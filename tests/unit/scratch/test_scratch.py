"""Temporary files where there is no room: one error of lading's, with the folder and a remedy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lading.errors import LadingError
from lading.scratch.key_index import KeyIndex
from lading.scratch.sort import externally_sorted
from lading.scratch.spool import Spool


def sort() -> None:
    """Sort by way of files."""
    list(externally_sorted([(n, n) for n in range(100)], run=10))


def spool() -> None:
    """Keep and read an item."""
    kept = Spool()
    try:
        kept.append("x" * 100_000)
        list(kept)
    finally:
        kept.close()


@pytest.mark.parametrize("work", [sort, spool])
def test_67_a_missing_temporary_folder_is_named(
    work: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the folder isn't there, it is named, and so is TMPDIR."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(LadingError) as caught:
        work()
    assert str(caught.value) == (
        f"temporary files can't be kept in {str(tmp_path / 'nowhere')!r}: No such file or directory. "
        "Make room there, or name another folder by the environment's TMPDIR."
    )


def test_67_no_temporary_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python finds none that can be written, its reason is told."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nonexistent"])
    with pytest.raises(LadingError, match=r"can't be kept in .*: No usable temporary directory"):
        sort()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("work", [sort, spool])
def test_67_a_full_disk_is_told(work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be written is an error at once, and closing the file adds no other."""

    def full(**_: Any) -> Any:
        return Path("/dev/full").open("w+b")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(LadingError, match="No space left on device"):
        work()


def test_67_a_full_disk_of_an_index_is_told() -> None:
    """SQLite's own file is temporary as well."""
    index = KeyIndex()
    index.base.execute("pragma max_page_count = 10")
    with pytest.raises(LadingError, match=r"temporary files can't be kept.*disk is full"):
        index.fill((b"%d" % n, b"x" * 100, n) for n in range(10_000))
    index.close()


def test_errors_of_what_is_sorted_are_left_as_they_are() -> None:
    """Only what becomes of the temporary files is said to be theirs."""

    def items() -> Any:
        yield 1, 1
        raise OSError(5, "of the application's own")

    with pytest.raises(OSError, match="of the application's own"):
        list(externally_sorted(items()))
