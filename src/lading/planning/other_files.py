"""What a file is that was given as a plan and isn't one, as far as its beginning tells."""

from __future__ import annotations

from pathlib import Path

from lading.filenames import MANIFEST

#: How much of a file is looked at.
BEGINNING = 4096
#: What a file begins with, behind white space, and what it then is.
STARTS = {
    b"SQLite format 3\0": "a SQLite database",
    b"PK\x03\x04": "a ZIP file, as bundles may be",
    b"<": "a page in HTML",
    b'{"entity_type"': "an entity file of a bundle",
}
#: What the beginning of a JSON file of lading's holds, and what it then is.
MEMBERS = {
    b'"export_date"': "a bundle's manifest",
    b'"schema_versions"': "a document of records",
    b'"checks"': "the evidence of a verification",
    b'"seals"': "a lock",
    b'"$schema"': "a JSON Schema",
}


def named_folder(path: Path) -> str:
    """Say what a folder is."""
    return "a bundle" if (path / MANIFEST).exists() else "a folder"


def named_file(beginning: bytes) -> str:
    """Say what a file is, by its first bytes."""
    text = beginning.lstrip()
    if not text:
        return "an empty file"
    for start, name in STARTS.items():
        if text.startswith(start):
            return name
    for member, name in MEMBERS.items():
        if text.startswith(b"{") and member in text:
            return name
    return "another JSON file" if text.startswith((b"{", b"[")) else "a file of another format"
