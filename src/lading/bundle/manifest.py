"""The manifest: what a bundle holds, as frozen values and as canonical text.

Reading is strict: whatever can be known to be wrong without a catalog is refused
here, with the field's path.  This module reads and writes no files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lading.bundle.manifest_seal import seal_faults, sealed
from lading.bundle.stores.limits import MAX_FILES
from lading.bundle.validation import INSTANT, Closed, Count, Digest, JsonFile, Name, Number
from lading.errors import BundleError, LadingError, VersionError
from lading.filenames import LONGEST_NAME, MANIFEST, folded, name_fault
from lading.messages import Message, counted, listed, shown

FORMAT_VERSION = "1.0"
#: Features that a bundle may require of its reader.  Format 1.0 has none.
FEATURES: frozenset[str] = frozenset()

Filename = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": LONGEST_NAME})]
Instant = Annotated[
    datetime,
    Meta(
        description="an instant in UTC like '2025-01-31T12:00:00Z'",
        extra_json_schema={"pattern": f"^{INSTANT.pattern}$"},
    ),
]
Version = Annotated[str, Meta(extra_json_schema={"const": FORMAT_VERSION})]
Features = Annotated[tuple[str, ...], Meta(extra_json_schema={"maxItems": len(FEATURES)})]
#: How a reference is filled in that can't be at once.
DeferredBy = Literal["update", "insert"]
#: A shape is checked when it is used: a reader needs no more of it than that it is an object.
AnyShape = Annotated[Mapping[str, Any], Meta(extra_json_schema={"$ref": "#/$defs/ShapeFormat"})]

_FILE = JsonFile(MANIFEST)
_OPTIONAL = ("brought_back", "rounded", "revisions")
#: What a manifest says of its export, and not of the records.
_OCCASION = {"export_date", "source", "lading_version", "snapshot"}
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}")


class LinkCount(Closed, frozen=True):
    """One reference field: the entity it points to, and how many links it holds."""

    entity: Name
    count: Count


class FileEntry(Closed, frozen=True):
    """One entity file of a bundle; ``bytes`` is its length, ``sha256`` its digest.

    ``dependencies`` are the entities that its references point to, and
    ``import_order`` counts from 1.
    """

    filename: Filename
    entity_type: Name
    record_count: Count
    sha256: Digest
    bytes: Count
    dependencies: tuple[Name, ...]
    import_order: Number
    schema_version: Number
    natural_key: tuple[Name, ...]
    references: Mapping[str, LinkCount]
    shape: AnyShape


class Deferred(Closed, frozen=True):
    """A reference that is filled in after its entity: ``by`` is update or insert."""

    entity: Name
    field: Name
    references: Name
    by: DeferredBy


class External(Closed, frozen=True):
    """LinkCount of a partial bundle whose targets are not in it."""

    entity: Name
    field: Name
    references: Name
    count: Count


class ManifestFields(Closed, frozen=True):
    """What a manifest's file says, but for ``manifest_sha256``, which is of its text.

    ``brought_back``, ``rounded`` and ``revisions`` are absent where they are empty, so that
    earlier releases read such bundles.
    """

    version: Version
    export_date: Instant
    source: str | None
    catalog: str
    lading_version: str
    requires: Features
    partial: bool
    left_out: Mapping[str, str | None]
    external: tuple[External, ...]
    snapshot: str
    files: tuple[FileEntry, ...]
    deferred: tuple[Deferred, ...]
    content_sha256: Digest
    brought_back: Mapping[str, Number] = msgspec.field(default_factory=dict)
    rounded: Mapping[str, Number] = msgspec.field(default_factory=dict)
    revisions: tuple[Name, ...] = ()


class Manifest(ManifestFields, frozen=True):
    """A bundle's table of contents.

    ``export_date`` is aware; ``left_out`` gives each name's reason, ``None``
    where nobody excused it; ``files`` are in import order.  ``brought_back`` counts, per
    entity, the records that a filter left out and a closure took after all; ``rounded`` counts, per
    column, the decimals that SQLite held with more digits than were written.  ``revisions`` are
    those of alembic that the database was at, if it has any.  ``path`` is where
    the bundle was written or read, and ``unchanged`` says that an export with
    ``overwrite="changed"`` left it as it was; neither is part of the text or of equality.
    """

    path: Path | None = None
    unchanged: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self._members() == other._members()

    __hash__ = None  # type: ignore[assignment]  # its mappings have none

    def _members(self) -> dict[str, Any]:
        members = msgspec.structs.asdict(self)
        del members["path"], members["unchanged"]
        return members

    def has_records_of(self, other: Manifest) -> bool:
        """Tell whether two bundles hold the same records in the same form.

        When, by whom and from what snapshot they were written makes no difference.

        Args:
            other: The other bundle's manifest.

        Returns:
            Whether they do.
        """
        contents, others = self._members(), other._members()
        return all(contents[name] == others[name] for name in contents.keys() - _OCCASION)

    def __getitem__(self, entity: str) -> FileEntry:
        for entry in self.files:
            if entry.entity_type == entity:
                return entry
        raise KeyError(entity)

    def __str__(self) -> str:
        where = str(self.path) if self.path else "bundle"
        partial = ", partial" if self.partial else ""
        unchanged = ", unchanged" if self.unchanged else ""
        records = sum(entry.record_count for entry in self.files)
        size = sum(entry.bytes for entry in self.files)
        return (
            f"{where}: {counted(len(self.files), 'entity', 'entities')}, "
            f"{counted(records, 'record')}, {counted(size, 'byte')}, "
            f"content {self.content_sha256[:12]}{partial}{unchanged}{self._outside()}"
        )

    def _outside(self) -> str:
        """Say on a further line how many references of each entity lead out of the bundle."""
        counts: dict[str, int] = {}
        for other in self.external:
            counts[other.entity] = counts.get(other.entity, 0) + other.count
        total = counted(sum(counts.values()), "reference leads", "references lead")
        entities = listed((f"{name} {n:,}" for name, n in counts.items()), separator=", ")
        return f"\n  {total} to records outside of it: {entities}" if counts else ""

    def table(self) -> str:
        """Describe the files for people.

        Returns:
            An aligned plain-text table with a line of totals.
        """
        rows = [("order", "file", "records", "bytes", "sha256", "depends on")]
        for entry in self.files:
            count, size = f"{entry.record_count:,}", f"{entry.bytes:,}"
            needs = ", ".join(entry.dependencies) or "-"
            order = str(entry.import_order)
            rows.append((order, entry.filename, count, size, entry.sha256[:12], needs))
        records = sum(entry.record_count for entry in self.files)
        size = f"{sum(entry.bytes for entry in self.files):,}"
        total = f"total of {counted(len(self.files), 'file')}"
        rows.append(("", total, f"{records:,}", size, self.content_sha256[:12], ""))
        return _aligned(rows, right=(0, 2, 3))

    def to_bytes(self) -> bytes:
        """Write the manifest.

        Returns:
            The canonical text of ``manifest.json``.

        Raises:
            BundleError: A member holds what JSON can't, or the date has no time zone.
        """
        members = self._members()
        body = {name: value for name, value in members.items() if value or name not in _OPTIONAL}
        if self.export_date.tzinfo is None:
            problem = "is without a time zone; expected UTC"
            raise BundleError(
                Message("manifest-malformed", problem), file=MANIFEST, field="export_date"
            )
        body["export_date"] = self.export_date.astimezone(UTC).isoformat()[:-6] + "Z"
        try:
            return sealed(body)
        except (TypeError, ValueError) as error:
            raise BundleError(
                Message("manifest-malformed", f"can't be written as JSON: {error}"), file=MANIFEST
            ) from error

    @classmethod
    def from_bytes(cls, data: bytes, *, path: Path | None = None) -> Manifest:
        """Read a manifest, refusing everything that no catalog is needed to judge.

        Args:
            data: The bytes of ``manifest.json``.
            path: The bundle's path, which ``path`` of the manifest then is.

        Returns:
            The manifest.

        Raises:
            VersionError: It is of a newer format.
            ChecksumError: The text isn't what was written.
            BundleError: A field, which the error names, is wrong.
        """
        body = _FILE.parse(data)
        for fault in chain(_version_faults(body.get("version")), seal_faults(data)):
            raise fault
        del body["manifest_sha256"]
        for fault in _unconverted_faults(body):
            raise fault
        members = _FILE.convert(body, ManifestFields)
        for fault in _contradictions(members):
            raise fault
        return cls(**msgspec.structs.asdict(members), path=path)

    @classmethod
    def examine(
        cls, data: bytes, *, path: Path | None = None
    ) -> tuple[Manifest | None, list[LadingError]]:
        """Return what a manifest says, if that can be told, and every fault of it."""
        try:
            body = _FILE.parse(data)
        except BundleError as error:
            return None, [error]
        faults: list[LadingError] = [*_version_faults(body.get("version")), *seal_faults(data)]
        is_newer = isinstance(next(iter(faults), None), VersionError)
        if is_newer:
            return None, faults  # whose fields mean something else
        body.pop("manifest_sha256", None)
        faults += _unconverted_faults(body)
        if isinstance(body.get("files"), list) and len(body["files"]) > MAX_FILES:
            return None, faults
        try:
            members = _FILE.convert(body, ManifestFields)
        except BundleError as error:
            return None, [*faults, *(list(_FILE.misfits(body, ManifestFields)) or [error])]
        faults += _contradictions(members)
        return cls(**msgspec.structs.asdict(members), path=path), faults


def content_digest(files: Iterable[FileEntry]) -> str:
    """Return one digest over the entities' checksums: equal data gives an equal string.

    File names and import order don't count; entities and their bytes do.
    """
    lines = sorted(f"{entry.entity_type}\0{entry.sha256}\n" for entry in files)
    return sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _aligned(rows: Iterable[tuple[str, ...]], right: tuple[int, ...]) -> str:
    columns = []
    for n, column in enumerate(zip(*rows, strict=True)):
        width = max(map(len, column))
        columns.append([f"{text:{'>' if n in right else '<'}{width}}" for text in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _version_faults(version: Any) -> Iterator[LadingError]:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        yield _FILE.wrong("version", version, f"a format version like {FORMAT_VERSION!r}")
    elif version != FORMAT_VERSION:
        yield VersionError(
            Message(
                "format-unknown",
                f"the format is {version!r}, and this lading reads {FORMAT_VERSION!r}",
            ),
            "Read it with the lading that wrote it, or with a newer one.",
            found=version,
            needed=FORMAT_VERSION,
            file=MANIFEST,
            field="version",
        )


def _unconverted_faults(body: Mapping[str, Any]) -> Iterator[BundleError]:
    """Find what a conversion would take: other forms of a date, and very many files."""
    date, files = body.get("export_date"), body.get("files")
    if isinstance(date, str) and not INSTANT.fullmatch(date):
        yield _FILE.wrong("export_date", date, "an instant in UTC like '2025-01-31T12:00:00Z'")
    if isinstance(files, list) and len(files) > MAX_FILES:
        yield _FILE.error(f"lists {len(files):,} files; at most {MAX_FILES:,} are read", "files")


def _contradictions(members: ManifestFields) -> Iterator[BundleError]:
    """Find what no single field shows to be wrong."""
    yield from _feature_faults(members.requires)
    yield from _file_faults(members.files)
    yield from _order_faults(members.files, members.deferred)
    digest = content_digest(members.files)
    if digest != members.content_sha256:
        expected = f"{digest!r}, of these files"
        yield _FILE.wrong("content_sha256", members.content_sha256, expected)


def _feature_faults(features: tuple[str, ...]) -> Iterator[BundleError]:
    for number, feature in enumerate(features):
        if feature not in FEATURES:
            yield BundleError(
                Message(
                    "format-unknown",
                    f"the bundle needs {shown(feature)}, a feature that this lading doesn't have",
                ),
                "Read it with a newer lading.",
                file=MANIFEST,
                field=f"requires[{number}]",
            )


def _file_faults(files: tuple[FileEntry, ...]) -> Iterator[BundleError]:
    names: dict[str, str] = {}
    entities: set[str] = set()
    for n, entry in enumerate(files):
        expected_name = name_fault(entry.filename)
        if expected_name:
            yield _FILE.wrong(f"files[{n}].filename", entry.filename, expected_name)
        other = names.get(folded(entry.filename))
        if other is not None:
            expected = f"a name that no other file has, and {shown(other)} is the same"
            yield _FILE.wrong(f"files[{n}].filename", entry.filename, expected)
        names[folded(entry.filename)] = entry.filename
        if entry.entity_type in entities:
            yield _FILE.wrong(f"files[{n}].entity_type", entry.entity_type, "each entity once")
        entities.add(entry.entity_type)
        # The shortest record is "{}": a count beyond that is made up, and would
        # have a reader prepare for it.
        if entry.record_count > entry.bytes // 2:
            expected = f"at most {entry.bytes // 2}, for a file of {entry.bytes} bytes"
            yield _FILE.wrong(f"files[{n}].record_count", entry.record_count, expected)


def _order_faults(
    files: tuple[FileEntry, ...], deferred: tuple[Deferred, ...]
) -> Iterator[BundleError]:
    order = {entry.entity_type: n for n, entry in enumerate(files, 1)}
    later = {(edge.entity, edge.references) for edge in deferred}
    for n, entry in enumerate(files, 1):
        if entry.import_order != n:
            expected = f"{n}: files are listed as they are imported, 1 to {len(files)}"
            yield _FILE.wrong(f"files[{n - 1}].import_order", entry.import_order, expected)
        for need in entry.dependencies:
            if order.get(need, 0) > n and (entry.entity_type, need) not in later:
                expected = f"{entry.entity_type!r} to come after {need!r}, which it depends on"
                yield _FILE.wrong(f"files[{n - 1}].import_order", n, expected)
