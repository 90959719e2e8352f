"""The text of an entity file, and how much of it a reader holds at once.

Nothing here opens a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from lading.bundle.manifest import FileEntry
from lading.errors import BundleError
from lading.messages import Message
from lading.values.json_text import DEEPEST_RECORD

SEPARATOR = b",\n"
CLOSE = b"]}\n"

# Bytes after which a block ends, even if it could take more records.
BLOCK_BYTES = 4 * 1024 * 1024
# Bounds on what a hostile file can make a reader hold.
MAX_RECORD = 64 * 1024 * 1024
MAX_DEPTH = DEEPEST_RECORD


class LineEndings(BundleError):
    """A file would be right with the line endings that it was written with."""


def line_endings(file: str) -> LineEndings:
    """Return the error for a file that would be right with the line endings it was written with."""
    return LineEndings(
        Message(
            "line-endings",
            "has CRLF line endings, which something converted (git does with core.autocrlf)",
        ),
        "Check it out again with '* -text' in the .gitattributes of its folder.",
        file=file,
    )


def header(entity_type: str, schema_version: int) -> bytes:
    """Return the first line of an entity file, with its newline."""
    name = json.dumps(entity_type, ensure_ascii=False)
    return f'{{"entity_type":{name},"schema_version":{schema_version},"records":[\n'.encode()


def sums(files: Iterable[FileEntry]) -> bytes:
    """Return the text of ``SHA256SUMS``, which ``sha256sum -c`` reads."""
    return "".join(f"{entry.sha256}  {entry.filename}\n" for entry in files).encode()
