"""A bundle's files as the kit compares them, and errors that say what the kit was doing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.bundle.manifest import Manifest
from lading.catalog import Catalog
from lading.filenames import MANIFEST
from lading.importer import import_all, import_document


def records_of(path: Path) -> dict[str, list[Any]]:
    """Return the records of a bundle by entity."""
    files = read_bundle(path)
    manifest = Manifest.from_bytes(files[MANIFEST])
    return {
        entry.entity_type: json.loads(files[entry.filename])["records"] for entry in manifest.files
    }


def load(
    engine: sa.Engine, content: Path | dict[str, Any], catalog: Catalog, **options: Any
) -> Any:
    """Import a bundle or a document, or plan to.

    Args:
        engine: The engine of the database.
        content: A bundle's path, or a document.
        catalog: Its catalog.
        options: What ``import_all`` takes beside.
    """
    if isinstance(content, Path):
        return import_all(engine, content, catalog=catalog, **options)
    return import_document(engine, content, catalog=catalog, **options)


def read_bundle(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle, be it a folder or a ZIP."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def files_of(path: Path) -> dict[str, bytes]:
    """Return a bundle's files but the manifest, which says when it was made."""
    return {name: data for name, data in read_bundle(path).items() if name != MANIFEST}


@contextmanager
def noted(what: str) -> Iterator[None]:
    """Add to an error what the kit was doing."""
    try:
        yield
    except Exception as error:
        error.add_note(f"while the kit did {what}")
        raise
