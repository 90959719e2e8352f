"""The files and records of a bundle, read past all that lading does."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lading.bundle.manifest import Manifest
from lading.filenames import MANIFEST
from lading.model.entities import Entities
from lading.model.rowsets import RowSet
from lading.records.canonical import in_order
from lading.records.comparison import RecordComparison
from lading.records.marshmallow_path import needs_marshmallow
from lading.values.json_text import json_text


def records_of(path: Path) -> dict[str, list[Any]]:
    """Return the records of a bundle by entity."""
    files = read_bundle(path)
    manifest = Manifest.from_bytes(files[MANIFEST])
    return {
        entry.entity_type: json.loads(files[entry.filename])["records"] for entry in manifest.files
    }


def as_loaded(
    entities: Entities, content: Path | Mapping[str, Any], *, every: bool = False
) -> dict[str, list[Any]]:
    """Return the records of a payload by entity; those with hooks as an import loads them.

    Args:
        entities: What the catalog declares.
        content: A bundle's path, or a document.
        every: Whether those without hooks are loaded as well.
    """
    records_by_name = records_of(content) if isinstance(content, Path) else content

    def loaded(root: RowSet) -> list[Any]:
        records = list(records_by_name[root.name])
        if not (every or needs_marshmallow(root)):
            return records
        load = RecordComparison(root).loaded
        return [in_order(root, load(json_text(record))) for record in records]

    return {name: loaded(root) for name, root in entities.roots.items() if name in records_by_name}


def read_bundle(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle, be it a folder or a ZIP."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def files_of(path: Path) -> dict[str, bytes]:
    """Return a bundle's files but the manifest, which says when it was made."""
    return {name: data for name, data in read_bundle(path).items() if name != MANIFEST}
