"""What ``--json`` prints, as structs: `lading schema --output-of COMMAND` publishes each."""

from __future__ import annotations

from typing import Any

import msgspec

from lading.bundle.manifest import Manifest


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that a command prints."""


class FailureResult(Result, frozen=True):
    """What any command prints that can't do its work.

    ``error`` is the name of lading's exception, ``message`` what standard error says as well, and
    ``exit_code`` what the command ends with.
    """

    error: str
    message: str
    exit_code: int


class FileResult(Result, frozen=True):
    """An entity file of a bundle."""

    entity: str
    filename: str
    records: int
    bytes: int
    version: int
    sha256: str


class BundleResult(Result, frozen=True):
    """A bundle that was written; ``left_out`` gives the reason for each table and column."""

    path: str
    catalog: str
    content_sha256: str
    partial: bool
    unchanged: bool
    records: int
    files: tuple[FileResult, ...]
    left_out: dict[str, str | None]


def bundle_result(manifest: Manifest) -> BundleResult:
    """Return what is said of a bundle's manifest."""
    files = tuple(
        FileResult(
            entry.entity_type,
            entry.filename,
            entry.record_count,
            entry.bytes,
            entry.schema_version,
            entry.sha256,
        )
        for entry in manifest.files
    )
    return BundleResult(
        path=str(manifest.path),
        catalog=manifest.catalog,
        content_sha256=manifest.content_sha256,
        partial=manifest.partial,
        unchanged=manifest.unchanged,
        records=sum(file.records for file in files),
        files=files,
        left_out=dict(manifest.left_out),
    )


def json_line(result: Any) -> str:
    """Return a document on one line."""
    return msgspec.json.encode(result).decode()
