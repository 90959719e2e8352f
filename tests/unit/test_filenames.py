"""Which names a bundle's files may have on every system."""

from __future__ import annotations

import pytest

from lading.filenames import folded, name_fault


@pytest.mark.parametrize(
    "name", ["things.json", "ключ", "a b.json", ".hidden", "a..b", "x" * 255, "manifest"]
)
def test_a_plain_name_has_no_fault(name: str) -> None:
    """Letters of any language, blanks within, dots that don't stand alone."""
    assert name_fault(name) is None


PLAIN = "a plain file name, without a folder, drive, scheme or control character"
OWN = "a name other than the bundle's own files"
LONG = "a file name of at most 255 bytes"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", PLAIN),
        (".", PLAIN),
        ("..", PLAIN),
        ("...", PLAIN),
        ("a/b", PLAIN),
        ("a\\b", PLAIN),
        ("C:a", PLAIN),
        ("a\0", PLAIN),
        ("a\x1f", PLAIN),
        ("a\x7f", PLAIN),
        (" a", PLAIN),
        ("a ", PLAIN),
        ("manifest.json", OWN),
        ("MANIFEST.JSON", OWN),
        ("sha256sums", OWN),
        ("x" * 256, LONG),
        ("é" * 128, LONG),
        ("\ud800" * 256, LONG),
    ],
)
def test_a_name_that_leaves_its_folder_somewhere_has_a_fault(name: str, fault: str) -> None:
    """Told as what a name must be."""
    assert name_fault(name) == fault


def test_names_fold_as_file_systems_do() -> None:
    """Which ignore case and composition."""
    assert folded("STRASSE") == folded("straße")
    assert folded("e\u0301") == folded("É")
    assert folded("a") != folded("b")
