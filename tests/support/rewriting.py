"""Edits a bundle's records as an attacker or a careless person would who also reseals it.

The manifest is made anew, so that what is tested is the import and not the checksum.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lading.bundle.manifest import Manifest, content_digest
from lading.filenames import MANIFEST, SUMS

Edit = Callable[[str, list[Any]], list[Any]]


def rewritten(
    path: Path, edit: Edit | None = None, *, indent: int | None = None, **changes: Any
) -> Path:
    """Replace each entity's records by what ``edit`` makes of them, and reseal the bundle.

    ``edit`` gets an entity's name and its records; ``changes`` replace fields of the
    manifest, and ``entry`` is a function from each file's entry to a new one.
    """
    manifest = Manifest.from_bytes((path / MANIFEST).read_bytes())
    change_entry = changes.pop("entry", lambda entry: entry)
    files = []
    for entry in manifest.files:
        file = path / entry.filename
        whole = json.loads(file.read_bytes())
        if edit is not None:
            records = edit(entry.entity_type, whole["records"])
            file.write_bytes(entity_text(whole, records, indent))
            count = len(records)
        else:
            count = entry.record_count
        data = file.read_bytes()
        fresh = replace(entry, sha256=sha256(data).hexdigest(), bytes=len(data), record_count=count)
        files.append(change_entry(fresh))
    return resealed(path, replace(manifest, files=tuple(files), **changes))


def resealed(path: Path, manifest: Manifest) -> Path:
    """Write a manifest and the checksums that go with it."""
    manifest = replace(manifest, content_sha256=content_digest(manifest.files))
    (path / MANIFEST).write_bytes(manifest.to_bytes())
    lines = (f"{entry.sha256}  {entry.filename}\n" for entry in manifest.files)
    (path / SUMS).write_text("".join(lines))
    return path


def entity_text(whole: dict[str, Any], records: list[Any], indent: int | None = None) -> bytes:
    """Return an entity file's text; a record that is bytes stands as it is."""
    if indent is not None:
        text = json.dumps({**whole, "records": records}, indent=indent, ensure_ascii=False)
        return text.encode()
    lines = [
        item
        if isinstance(item, bytes)
        else json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
        for item in records
    ]
    head = f'{{"entity_type":{json.dumps(whole["entity_type"])},'
    head += f'"schema_version":{whole["schema_version"]},"records":[\n'
    return head.encode() + b",\n".join(lines) + (b"\n]}\n" if lines else b"]}\n")


def entity_bytes(path: Path) -> dict[str, bytes]:
    """Return the bytes of a bundle's entity files by name."""
    manifest = Manifest.from_bytes((path / MANIFEST).read_bytes())
    return {entry.filename: (path / entry.filename).read_bytes() for entry in manifest.files}
