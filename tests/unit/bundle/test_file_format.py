"""The bytes and names of a bundle's files, and what is recognised as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lading.bundle.file_format import header, line_endings, sums
from lading.bundle.manifest import FileEntry
from lading.bundle.stores.limits import MAX_UNPACKED, unpacked_limit
from lading.bundle.stores.occupant import is_by_the_way, listed_names


@pytest.mark.parametrize(
    ("name", "is_hidden"),
    [
        (".git", True),
        (".DS_Store", True),
        ("Thumbs.db", True),
        ("ehthumbs.db", True),
        ("DESKTOP.INI", True),
        ("__MACOSX", True),
        ("@eaDir", True),
        ("Icon\r", True),
        ("..", False),
        (".", False),
        ("...", False),
        ("things.json", False),
        ("my thumbs.db", False),
        ("thumbs.db.json", False),
        ("icon", False),
    ],
)
def test_files_that_others_make_are_told_by_their_name(name: str, is_hidden: bool) -> None:
    """Of file managers and version control, in any case of letters."""
    assert is_by_the_way(name) is is_hidden


@pytest.mark.parametrize(
    ("size", "limit"),
    [(0, MAX_UNPACKED), (MAX_UNPACKED // 200, MAX_UNPACKED), (10_000_000, 2_000_000_000)],
)
def test_an_archive_may_unpack_to_so_many_times_its_size(size: int, limit: int) -> None:
    """And to a fixed length in any case."""
    assert unpacked_limit(size) == limit


def test_a_header_is_the_start_of_a_document() -> None:
    """With names as they are, and escaped only where JSON needs it."""
    assert header('Größe"', 3) == (
        '{"entity_type":"Größe\\"","schema_version":3,"records":[\n'.encode()
    )


def test_sums_are_what_sha256sum_reads(entry: Callable[..., FileEntry]) -> None:
    """A line for each file, with two spaces."""
    first, second = entry(b"[]", 0), entry(b"[1]", 1)
    assert sums([first, second]).decode() == (
        f"{first.sha256}  {first.filename}\n{second.sha256}  {second.filename}\n"
    )
    assert sums([]) == b""


def test_converted_line_endings_are_told_with_their_remedy() -> None:
    """Git converts them silently."""
    error = line_endings("things.json")
    assert str(error) == (
        "things.json: has CRLF line endings, which something converted (git does with "
        "core.autocrlf). Check it out again with '* -text' in the .gitattributes of its folder."
    )
    assert error.file == "things.json"


MARK = {"manifest_sha256": "0" * 64}


@pytest.mark.parametrize(
    ("top", "names"),
    [
        ({**MARK, "files": [{"filename": "a"}, {"filename": "b"}]}, {"a", "b"}),
        ({**MARK, "files": [], "format_version": 99, "extra": None}, set()),
        ({"files": [{"filename": "a"}]}, None),
        ({**MARK, "files": [{}]}, None),
        ({**MARK, "files": 5}, None),
        (MARK, None),
        ([], None),
        (5, None),
        (None, None),
    ],
)
def test_a_manifest_is_recognised_by_its_mark_and_files(top: Any, names: set[str] | None) -> None:
    """Of whatever version; what isn't one has no names."""
    assert listed_names(json.dumps(top).encode()) == names


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_no_manifest(data: bytes) -> None:
    """However it fails."""
    assert listed_names(data) is None
