"""The names of a bundle's own files, and which names a file may have on every system."""

from __future__ import annotations

import re
import unicodedata

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
RESERVED = (MANIFEST, SUMS)

LONGEST_NAME = 255
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:]")


def folded(name: str) -> str:
    """Return a name as file systems that ignore case and composition see it."""
    return unicodedata.normalize("NFC", name.casefold())


def name_fault(name: str) -> str | None:
    """Say what a bundle's file name must be, or ``None`` if it is that.

    A name that passes stays inside its folder on every system.
    """
    if not name or _UNSAFE.search(name) or name != name.strip(" ") or name.strip(".") == "":
        return "a plain file name, without a folder, drive, scheme or control character"
    if folded(name) in map(folded, RESERVED):
        return "a name other than the bundle's own files"
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        return f"a file name of at most {LONGEST_NAME} bytes"
    return None
