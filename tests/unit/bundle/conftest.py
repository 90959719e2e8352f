"""A small bundle and its parts, for every test of the bundle package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from lading.bundle import BundleWriter
from lading.manifest import FileEntry, Manifest, content_digest


def entry_of(data: bytes, count: int, name: str = "01_a.json", entity: str = "a") -> FileEntry:
    """Make the entry of an entity file with these bytes."""
    digest = sha256(data).hexdigest()
    return FileEntry(name, entity, count, digest, len(data), (), 1, 1, ("slug",), {}, {})


@pytest.fixture(scope="session")
def entry() -> Callable[..., FileEntry]:
    """Give the function that makes an entry of bytes."""
    return entry_of


@pytest.fixture(scope="session")
def written() -> Callable[..., Manifest]:
    """Give the function that writes a bundle of one entity file."""

    def write(path: Path, *records: bytes, overwrite: bool = False) -> Manifest:
        with BundleWriter(path, overwrite=overwrite) as writer:
            with writer.entity_file("01_a.json", "a", 1) as file:
                file.write(list(records))
            files = (
                FileEntry(
                    "01_a.json", "a", file.record_count, file.sha256, file.bytes,
                    (), 1, 1, ("slug",), {}, {},
                ),
            )  # fmt: skip
            return writer.finish(
                Manifest(
                    version="1.0",
                    export_date=datetime(2025, 1, 31, tzinfo=UTC),
                    source=None,
                    catalog="bakery",
                    lading_version="0.1.0",
                    requires=(),
                    partial=False,
                    left_out={},
                    external=(),
                    snapshot="serializable",
                    files=files,
                    deferred=(),
                    content_sha256=content_digest(files),
                )
            )

    return write
