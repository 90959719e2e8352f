"""Documents and other JSON files of a command line, where ``-`` is standard input or output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lading.bundle import BundleReader
from lading.bundle.stores.files import reported
from lading.bundle.stores.whole_file import whole_file
from lading.bundle.validation import JsonFile
from lading.errors import BundleError
from lading.messages import Message
from lading.scratch.sort import CHUNK
from lading.values.json_text import on_own_stack, plain_json_text

STANDARD = "-"
SUFFIX = ".json"


def is_document(path: str) -> bool:
    """Tell whether a path is a document's: ``-`` or a ``.json`` file, and not a bundle's folder."""
    is_json = path.lower().endswith(SUFFIX) and not Path(path).is_dir()
    return path == STANDARD or is_json


def read_document(path: str) -> dict[str, Any]:
    """Read a document from a file or from standard input.

    Raises ``BundleError`` for what can't be read, or isn't one JSON object.
    """
    if path == STANDARD:
        data, name = sys.stdin.buffer.read(), "standard input"
    else:
        name = path
        with reported(name, "read"):
            data = Path(path).read_bytes()
    return JsonFile(name, "Correct it there, or give it a document.").parse(data)


def write_document(document: dict[str, Any], path: str, *, overwrite: bool) -> None:
    """Write a document to a file, whole or not at all, or to standard output."""
    data = plain_json_text(document) + b"\n"
    if path == STANDARD:
        stream = sys.stdout.buffer
        stream.write(data)
        stream.flush()
        return
    place = Path(path)
    if place.exists() and not overwrite:
        raise BundleError(
            Message("target-exists", "there is a file already"),
            "Pass --overwrite to replace it.",
            file=str(path),
        )
    with reported(place, "written"), whole_file(place) as file:
        file.write(data)


def document_of_bundle(reader: BundleReader) -> dict[str, Any]:
    """Return a bundle's records as a document, at the versions that it has."""
    manifest = reader.manifest
    lists = {
        entry.entity_type: [
            on_own_stack(json.loads, record)
            for block in reader.blocks(entry, CHUNK)
            for record in block.records
        ]
        for entry in manifest.files
    }
    has_ids = any(entry.shape.get("ids") is True for entry in manifest.files)
    return {
        "version": None,
        "schema_versions": {entry.entity_type: entry.schema_version for entry in manifest.files},
        "exported_at": manifest.export_date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "source": manifest.source,
        **({"include_ids": True} if has_ids else {}),
        **lists,
    }


@contextmanager
def as_file(path: str) -> Iterator[str]:
    """Yield the path of a file to read; standard input is copied to one that goes at the end."""
    if path != STANDARD:
        yield path
        return
    with TemporaryDirectory(prefix="lading-") as folder:
        copy = Path(folder) / "standard-input"
        with copy.open("wb") as file:
            for piece in iter(lambda: sys.stdin.buffer.read(1 << 16), b""):
                file.write(piece)
        yield str(copy)
