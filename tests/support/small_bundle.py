"""A small bundle of one entity file, which tests of files write and spoil."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from lading import LadingError, verify
from lading.bundle import BundleReader, BundleWriter
from lading.bundle.manifest import FileEntry, Manifest, content_digest


def entry_of(data: bytes, count: int, name: str = "01_a.json", entity: str = "a") -> FileEntry:
    """Make the entry of an entity file with these bytes."""
    digest = sha256(data).hexdigest()
    return FileEntry(name, entity, count, digest, len(data), (), 1, 1, ("slug",), {}, {})


def manifest_of(*files: FileEntry) -> Manifest:
    """Make the manifest of a bundle of these files."""
    return Manifest(
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


def write_small(path: Path, *records: bytes, overwrite: bool = False) -> Manifest:
    """Write a bundle of one entity file, ``01_a.json``."""
    with BundleWriter(path, overwrite=overwrite) as writer:
        with writer.entity_file("01_a.json", "a", 1) as file:
            file.write(list(records))
        entry = FileEntry(
            "01_a.json", "a", file.record_count, file.sha256, file.bytes,
            (), 1, 1, ("slug",), {}, {},
        )  # fmt: skip
        return writer.finish(manifest_of(entry))


def reseal(path: Path, data: bytes, count: int) -> None:
    """Put other bytes into a folder's entity file, and make all checksums right again."""
    entry = entry_of(data, count)
    (path / "01_a.json").write_bytes(data)
    (path / "SHA256SUMS").write_text(f"{entry.sha256}  01_a.json\n")
    (path / "manifest.json").write_bytes(manifest_of(entry).to_bytes())


def examine(path: Path) -> list[bytes]:
    """Verify a bundle, and return all records; ``verify`` must find what a reader refuses."""
    try:
        with BundleReader(path) as reader:
            reader.verify()
            blocks = reader.blocks(reader.manifest["a"], 7)
            return [record for block in blocks for record in block.records]
    except LadingError:
        # Its shape says nothing, which is told of every one.
        assert [p for p in verify(path).problems if p.field != "files[0].shape"]
        raise
