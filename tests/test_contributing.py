"""CONTRIBUTING.md leads to files that exist, and leaves no folder out."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "lading"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = {text for text in re.findall(r"`([\w./]+)`", TEXT) if "/" in text or text.endswith(".py")}


def test_every_path_exists() -> None:
    """Paths are relative to the source, or begin at the project's root."""
    assert len(PATHS) > 60
    missing = [path for path in PATHS if not (SOURCE / path).exists()]
    assert not [path for path in missing if not (ROOT / path).exists()]


def test_no_folder_is_left_out() -> None:
    """Every folder and every module at the top has its line."""
    folders = [path.parent for path in SOURCE.glob("*/**/__init__.py")]
    names = [f"{folder.relative_to(SOURCE)}/" for folder in folders]
    names += [path.name for path in SOURCE.glob("*.py")]
    assert not [name for name in names if name not in PATHS]


def test_the_words_are_few() -> None:
    """A glossary that is read at once has at most forty words."""
    words = re.findall(r"\*\*([\w -]+)\*\*", TEXT)
    assert 20 < len(words) <= 40
    assert len(set(words)) == len(words)
