"""The manifest: what a bundle holds, as frozen values and as canonical text.

Reading is strict: whatever can be known to be wrong without a catalog is refused
here, with the field's path.  This module reads and writes no files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from lading.bundle.validation import (
    DAMAGED,
    Rule,
    built,
    digest,
    instant,
    list_of,
    mapping_of,
    name,
    object_,
    of_type,
    optional,
    parse,
    text,
    whole,
    wrong,
)
from lading.errors import BundleError, ChecksumError, VersionError
from lading.filenames import MANIFEST, folded, name_fault
from lading.messages import shown

FORMAT_VERSION = "1.0"
# Features that a bundle may require of its reader.  Format 1.0 has none.
FEATURES: frozenset[str] = frozenset()
#: How many entity files a bundle may have: more is made up, and takes a reader minutes.
MAX_FILES = 10_000
DEFERRALS = ("update", "insert")

_SEAL = b'\n  "manifest_sha256": "'
_SEAL_END = re.compile(rb'([0-9a-f]{64})"\n}\n')
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Links:
    """One reference field: the entity it points to, and how many links it holds."""

    entity: str
    count: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entity file of a bundle; ``bytes`` is its length, ``sha256`` its digest.

    ``dependencies`` are the entities that its references point to, and
    ``import_order`` counts from 1.
    """

    filename: str
    entity_type: str
    record_count: int
    sha256: str
    bytes: int
    dependencies: tuple[str, ...]
    import_order: int
    schema_version: int
    natural_key: tuple[str, ...]
    references: Mapping[str, Links]
    shape: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deferred:
    """A reference that is filled in after its entity: ``by`` is update or insert."""

    entity: str
    field: str
    references: str
    by: str


@dataclass(frozen=True, slots=True)
class External:
    """Links of a partial bundle whose targets are not in it."""

    entity: str
    field: str
    references: str
    count: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A bundle's table of contents.

    ``export_date`` is aware; ``left_out`` gives each name's reason, ``None``
    where nobody excused it; ``files`` are in import order.  ``brought_back`` counts, per
    entity, the records that a filter left out and a closure took after all; ``rounded`` counts, per
    column, the decimals that SQLite held with more digits than were written.  ``path`` is where
    the bundle was written or read; it is no part of the text or of equality.
    """

    version: str
    export_date: datetime
    source: str | None
    catalog: str
    lading_version: str
    requires: tuple[str, ...]
    partial: bool
    left_out: Mapping[str, str | None]
    external: tuple[External, ...]
    snapshot: str
    files: tuple[FileEntry, ...]
    deferred: tuple[Deferred, ...]
    content_sha256: str
    brought_back: Mapping[str, int] = field(default_factory=dict)
    rounded: Mapping[str, int] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)

    def __getitem__(self, entity: str) -> FileEntry:
        for entry in self.files:
            if entry.entity_type == entity:
                return entry
        raise KeyError(entity)

    def __str__(self) -> str:
        where = str(self.path) if self.path else "bundle"
        partial = ", partial" if self.partial else ""
        records = sum(entry.record_count for entry in self.files)
        size = sum(entry.bytes for entry in self.files)
        return (
            f"{where}: {_counted(len(self.files), 'entity', 'entities')}, "
            f"{_counted(records, 'record', 'records')}, {_counted(size, 'byte', 'bytes')}, "
            f"content {self.content_sha256[:12]}{partial}"
        )

    def table(self) -> str:
        """Return the files as an aligned plain-text table with a line of totals."""
        rows = [("order", "file", "records", "bytes", "sha256", "depends on")]
        for entry in self.files:
            count, size = f"{entry.record_count:,}", f"{entry.bytes:,}"
            needs = ", ".join(entry.dependencies) or "-"
            order = str(entry.import_order)
            rows.append((order, entry.filename, count, size, entry.sha256[:12], needs))
        records = sum(entry.record_count for entry in self.files)
        size = f"{sum(entry.bytes for entry in self.files):,}"
        total = f"total of {_counted(len(self.files), 'file', 'files')}"
        rows.append(("", total, f"{records:,}", size, self.content_sha256[:12], ""))
        return _aligned(rows, right=(0, 2, 3))

    def to_bytes(self) -> bytes:
        """Return the canonical text; ``BundleError`` for what JSON can't hold."""
        body = {item.name: getattr(self, item.name) for item in fields(self)}
        del body["path"]
        body = {key: value for key, value in body.items() if value or key not in _OPTIONAL}
        if self.export_date.tzinfo is None:
            problem = "is without a time zone; expected UTC"
            raise BundleError(problem, file=MANIFEST, field="export_date")
        body["export_date"] = self.export_date.astimezone(UTC).isoformat()[:-6] + "Z"
        try:
            return sealed(body)
        except (TypeError, ValueError) as error:
            raise BundleError(f"can't be written as JSON: {error}", file=MANIFEST) from error

    @classmethod
    def from_bytes(cls, data: bytes, *, path: Path | None = None) -> Manifest:
        """Read a manifest, refusing everything that no catalog is needed to judge.

        Raises ``VersionError`` for a newer format, ``ChecksumError`` where the
        text isn't what was written, else ``BundleError`` naming the field.
        """
        top = object_(parse(data), "")
        _check_version(top.get("version"))
        _check_seal(data)
        del top["manifest_sha256"]
        _check_count(top.get("files"))
        manifest: Manifest = built(partial(cls, path=path), _MANIFEST, _OPTIONAL)(top, "")
        _check_files(manifest.files)
        _check_order(manifest.files, manifest.deferred)
        digest = content_digest(manifest.files)
        if digest != manifest.content_sha256:
            raise wrong("content_sha256", manifest.content_sha256, f"{digest!r}, of these files")
        return manifest


def sealed(body: Mapping[str, Any]) -> bytes:
    """Return a manifest's fields as canonical text, with ``manifest_sha256`` last.

    The digest is of every byte before the line that holds it.
    """
    kept = {name: value for name, value in body.items() if name != "manifest_sha256"}
    text = json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    head = text.removesuffix("\n}").encode() + b","
    return head + _SEAL + sha256(head + b"\n").hexdigest().encode() + b'"\n}\n'


def content_digest(files: Iterable[FileEntry]) -> str:
    """Return one digest over the entities' checksums: equal data gives an equal string.

    File names and import order don't count; entities and their bytes do.
    """
    lines = sorted(f"{entry.entity_type}\0{entry.sha256}\n" for entry in files)
    return sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> dict[str, Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{shown(value)} has no JSON form")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _aligned(rows: Iterable[tuple[str, ...]], right: tuple[int, ...]) -> str:
    columns = []
    for n, column in enumerate(zip(*rows, strict=True)):
        width = max(map(len, column))
        columns.append([f"{text:{'>' if n in right else '<'}{width}}" for text in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _filename(value: Any, where: str) -> Any:
    expected = name_fault(text(value, where))
    if expected:
        raise wrong(where, value, expected)
    return value


def _feature(value: Any, where: str) -> Any:
    if text(value, where) not in FEATURES:
        problem = f"the bundle needs {shown(value)}, a feature that this lading doesn't have"
        raise BundleError(problem, "Read it with a newer lading.", file=MANIFEST, field=where)
    return value


def _deferral(value: Any, where: str) -> Any:
    if value not in DEFERRALS:
        raise wrong(where, value, "'update' or 'insert'")
    return value


_EDGE: dict[str, Rule] = {"entity": name, "field": name, "references": name}
_FILE: dict[str, Rule] = {
    "filename": _filename,
    "entity_type": name,
    "record_count": whole(0),
    "sha256": digest,
    "bytes": whole(0),
    "dependencies": list_of(name),
    "import_order": whole(1),
    "schema_version": whole(1),
    "natural_key": list_of(name),
    "references": mapping_of(built(Links, {"entity": name, "count": whole(0)})),
    "shape": object_,
}
_MANIFEST: dict[str, Rule] = {
    "version": text,
    "export_date": instant,
    "source": optional(text),
    "catalog": text,
    "lading_version": text,
    "requires": list_of(_feature),
    "partial": of_type(bool, "true or false"),
    "left_out": mapping_of(optional(text)),
    "external": list_of(built(External, {**_EDGE, "count": whole(0)})),
    "snapshot": text,
    "files": list_of(built(FileEntry, _FILE)),
    "deferred": list_of(built(Deferred, {**_EDGE, "by": _deferral})),
    "content_sha256": digest,
}
# Absent where they are empty, so that earlier releases read such bundles.
_OPTIONAL: dict[str, Rule] = {
    "brought_back": mapping_of(whole(1)),
    "rounded": mapping_of(whole(1)),
}


def _check_version(version: Any) -> None:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise wrong("version", version, f"a format version like {FORMAT_VERSION!r}")
    if version != FORMAT_VERSION:
        raise VersionError(
            f"the format is {version!r}, and this lading reads {FORMAT_VERSION!r}",
            "Read it with the lading that wrote it, or with a newer one.",
            found=version,
            needed=FORMAT_VERSION,
            file=MANIFEST,
            field="version",
        )


def _seal_of(data: bytes) -> tuple[str, str] | None:
    """Return the checksum that a manifest ends with and that of its text, if there is one."""
    head, _, tail = data.rpartition(_SEAL)
    match = _SEAL_END.fullmatch(tail)
    return None if match is None else (match[1].decode(), sha256(head + b"\n").hexdigest())


def is_sealed(data: bytes) -> bool:
    """Tell whether a text ends with its own checksum, as a manifest does."""
    seal = _seal_of(data)
    return seal is not None and seal[0] == seal[1]


def _check_seal(data: bytes) -> None:
    seal = _seal_of(data)
    if seal is None:
        problem = "must be the last line, with 64 lower-case hexadecimal digits"
        raise BundleError(problem, DAMAGED, file=MANIFEST, field="manifest_sha256")
    expected, found = seal
    if expected != found:
        raise ChecksumError(
            "its checksum differs from its own manifest_sha256 (edited after export?)",
            DAMAGED,
            expected=expected,
            found=found,
            file=MANIFEST,
            field="manifest_sha256",
        )


def _check_count(files: Any) -> None:
    if isinstance(files, list) and len(files) > MAX_FILES:
        problem = f"lists {len(files):,} files; at most {MAX_FILES:,} are read"
        raise BundleError(problem, DAMAGED, file=MANIFEST, field="files")


def _check_files(files: tuple[FileEntry, ...]) -> None:
    names: dict[str, str] = {}
    entities: set[str] = set()
    for n, entry in enumerate(files):
        other = names.setdefault(folded(entry.filename), entry.filename)
        if len(names) == n:
            expected = f"a name that no other file has, and {shown(other)} is the same"
            raise wrong(f"files[{n}].filename", entry.filename, expected)
        entities.add(entry.entity_type)
        if len(entities) == n:
            raise wrong(f"files[{n}].entity_type", entry.entity_type, "each entity once")
        # The shortest record is "{}": a count beyond that is made up, and would
        # have a reader prepare for it.
        if entry.record_count > entry.bytes // 2:
            expected = f"at most {entry.bytes // 2}, for a file of {entry.bytes} bytes"
            raise wrong(f"files[{n}].record_count", entry.record_count, expected)


def _check_order(files: tuple[FileEntry, ...], deferred: tuple[Deferred, ...]) -> None:
    order = {entry.entity_type: n for n, entry in enumerate(files, 1)}
    later = {(edge.entity, edge.references) for edge in deferred}
    for n, entry in enumerate(files, 1):
        if entry.import_order != n:
            expected = f"{n}: files are listed as they are imported, 1 to {len(files)}"
            raise wrong(f"files[{n - 1}].import_order", entry.import_order, expected)
        for need in entry.dependencies:
            if order.get(need, 0) > n and (entry.entity_type, need) not in later:
                expected = f"{entry.entity_type!r} to come after {need!r}, which it depends on"
                raise wrong(f"files[{n - 1}].import_order", n, expected)
