"""The layout of a bundle's files: exact bytes, names and limits.

Nothing here opens a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from lading.bundle.manifest import FileEntry
from lading.errors import BundleError
from lading.values.json_text import DEEPEST_RECORD

__all__ = [
    "BLOCK_BYTES",
    "CLOSE",
    "MAX_DEPTH",
    "MAX_MANIFEST",
    "MAX_RATIO",
    "MAX_RECORD",
    "MAX_UNPACKED",
    "PIECE",
    "SEPARATOR",
    "header",
    "is_by_the_way",
    "line_endings",
    "listed_names",
    "sums",
    "unpacked_limit",
]

SEPARATOR = b",\n"
CLOSE = b"]}\n"

# Bytes that are read at once.  Larger pieces fall out of the processor's cache.
PIECE = 256 * 1024
# Bytes after which a block ends, even if it could take more records.
BLOCK_BYTES = 4 * 1024 * 1024
# Bounds on what a hostile file can make a reader hold.
MAX_RECORD = 64 * 1024 * 1024
MAX_MANIFEST = 64 * 1024 * 1024
# What an archive may unpack to, unless somebody says more: this, or so many times its size.
MAX_UNPACKED = 256 * 1024 * 1024
MAX_RATIO = 200
MAX_DEPTH = DEEPEST_RECORD

# What file managers and version control put into any folder.
_BY_THE_WAY = re.compile(
    r"\.[^.].*|(eh)?thumbs\.db|desktop\.ini|__macosx|@eadir|icon\r", re.IGNORECASE
)


def is_by_the_way(name: str) -> bool:
    """Tell whether a name is of a hidden file, or of one that a file manager makes by itself."""
    return _BY_THE_WAY.fullmatch(name) is not None


def unpacked_limit(size: int) -> int:
    """Return how many bytes an archive of a size may hold, unless somebody says more."""
    return max(MAX_UNPACKED, MAX_RATIO * size)


def line_endings(file: str) -> BundleError:
    """Return the error for a file that would be right with the line endings it was written with."""
    return BundleError(
        "has CRLF line endings, which something converted (git does with core.autocrlf)",
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


def listed_names(manifest: bytes) -> set[str] | None:
    """Return the file names that a manifest lists, ``None`` if it isn't lading's.

    This only recognises a bundle, of whatever format and however edited, before
    it is replaced; ``Manifest.from_bytes`` is what reads one.
    """
    try:
        top = json.loads(manifest)
        return _listed(top) if "manifest_sha256" in top else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _listed(top: Any) -> set[str]:
    return {str(entry["filename"]) for entry in top["files"]}
