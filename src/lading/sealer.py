"""The story of a seal: a bundle that was edited by hand, whole again.

Applications import this module where they start, so most of what a seal needs is imported when
there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lading.bundle import BundleSurvey, BundleWriter
from lading.bundle.manifest import External, FileEntry, LinkCount, Manifest, content_digest
from lading.catalog import Catalog, catalog_of
from lading.errors import BundleError, ImportFailed
from lading.filenames import MANIFEST
from lading.messages import Message, counted, listed
from lading.options import check_number, check_path, check_progress
from lading.report import Problem, Progress
from lading.scratch.sort import CHUNK, chunked

if TYPE_CHECKING:
    from lading.verifying.bundle_check import BundleCheck
    from lading.verifying.file_check import FileCheck

Watch = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class SealedFile:
    """An entity file that a seal changed or found changed.

    ``records_before`` and ``records`` are how many there were by the manifest and are now,
    ``rewritten`` how many weren't in canonical form, and ``moved`` how many stood before their
    place in key order.
    """

    entity: str
    filename: str
    records_before: int
    records: int
    rewritten: int
    moved: int

    def __str__(self) -> str:
        notes = [f"{count} {word}" for count, word in self._counts() if count]
        count = counted(self.records, "record")
        if self.records != self.records_before:
            count = f"{counted(self.records_before, 'record')} became {self.records:,}"
        return f"{self.filename}: {', '.join([count, *notes])}"

    def _counts(self) -> tuple[tuple[int, str], ...]:
        return (self.rewritten, "rewritten in canonical form"), (self.moved, "put in key order")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a seal did; it is true if anything was written.

    ``files`` are the entity files that weren't as an export leaves them, or aren't as the manifest
    said before; ``manifest`` is what it says now.
    """

    path: Path
    manifest: Manifest
    files: tuple[SealedFile, ...]
    written: bool

    def __bool__(self) -> bool:
        return self.written

    def __str__(self) -> str:
        if not self.written:
            return f"{self.path}: whole already; nothing was written"
        head = f"{self.path}: sealed, content {self.manifest.content_sha256[:12]}"
        if not self.files:
            return f"{head}; every entity file is as it was"
        return f"{head}\n  {listed(map(str, self.files), limit=len(self.files))}"


def seal(
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    progress: Watch | None = None,
    max_bytes: int | None = None,
) -> Sealed:
    """Make a bundle whole again after an edit that was meant.

    Everything is verified but what an edit changes: checksums, lengths, and counts of records and
    links.  Records are rewritten in canonical form and key order; whoever reads the bundle sees
    the old one or the new one.  A bundle that is whole already stays as it is, and so does one
    that can't be mended.

    Args:
        path: the bundle's folder, or its ZIP file.
        catalog: the catalog that the records are verified against, as in :func:`verify`; without
            one, they are verified by the shapes that the manifest records.
        progress: a function that is called with a ``Progress`` after each chunk.
        max_bytes: how many bytes an archive's files may hold, as in :func:`import_all`.

    Returns:
        What was changed.

    Raises:
        ArgumentError: an argument isn't of these forms.
        BundleError: nothing is at the path, or it can't be written.
        ImportFailed: ``report`` lists every fault that a seal doesn't mend.
    """
    from lading.verifying.bundle_check import BundleCheck

    check_path("path", path)
    check_progress(progress)
    check_number("max_bytes", max_bytes)
    if catalog is not None:
        catalog_of(catalog).use()
    with BundleSurvey(path, max_bytes=max_bytes) as survey:
        check = BundleCheck(survey, catalog, progress)
        check.run()
        findings = check.findings
        if findings.lasting:
            raise _failed(findings.lasting.kept, findings.lasting.more)
        manifest = survey.manifest
        if manifest is None:
            raise BundleError(
                Message("bundle-missing", "has no manifest that could be read"), file=MANIFEST
            )
        if not findings.problems:
            return Sealed(survey.path, manifest, (), written=False)
        _refuse_unmendable(check, manifest)
        return _Seal(survey, check, manifest).write()


def _failed(problems: Sequence[Problem], more: int) -> ImportFailed:
    """Return the error that lists what a seal doesn't mend."""
    from lading.verifying.canonical_bundle import failed

    return failed(problems, more)


def _refuse_unmendable(check: BundleCheck, manifest: Manifest) -> None:
    """Refuse edited files whose records nobody here could write again."""
    problems = []
    for entry in manifest.files:
        if check.survey.digests.get(entry.filename) == entry.sha256:
            continue
        text = None
        if entry.shape.get("ids") is True:
            text = Message(
                "edit-of-ids",
                "carries surrogate ids, which no edit can keep. Export it without include_ids",
            )
        elif check.files[entry.entity_type].decoder is None:
            text = Message(
                "catalog-needed",
                "is written by a schema's own code. Pass its catalog=, at the bundle's version",
            )
        elif not check.files[entry.entity_type].is_ordered:
            text = Message(
                "catalog-needed", "has a key whose order only its catalog tells. Pass its catalog="
            )
        if text is not None:
            problems.append(Problem.of(text, entry.filename))
    if problems:
        raise _failed(problems, 0)


def _refuse_unfollowed(check: BundleCheck, old: Manifest, entries: Iterable[FileEntry]) -> None:
    """Refuse records that now say something else where only a catalog tells what leads to them."""
    pairs = zip(old.files, entries, strict=True)
    changed = {new.entity_type: new for before, new in pairs if before.sha256 != new.sha256}
    names = {entry.entity_type for entry in old.files}
    problems = []
    for entry in entries:
        for path, links in entry.references.items():
            target = links.entity.split(".")[0]
            file = changed.get(target) or changed.get(entry.entity_type)
            is_followed = (entry.entity_type, path) in check.followed or target not in names
            if file is not None and links.count and not is_followed:
                text = Message(
                    "catalog-needed",
                    f"is edited, and where {entry.entity_type}.{path} leads is told only by the "
                    "catalog. Pass its catalog=",
                )
                problems.append(Problem.of(text, file.filename))
    if problems:
        raise _failed(problems, 0)


class _Seal:
    """One seal: the files anew, and the manifest that goes with them."""

    def __init__(self, survey: BundleSurvey, check: BundleCheck, manifest: Manifest) -> None:
        self.survey = survey
        self.check = check
        self.manifest = manifest

    def write(self) -> Sealed:
        """Write all of the bundle, in the place of the old one."""
        with BundleWriter(self.survey.path, overwrite=True) as writer:
            entries = tuple(self._write_file(writer, entry) for entry in self.manifest.files)
            if self.check.catalog is None:
                _refuse_unfollowed(self.check, self.manifest, entries)
            new = replace(
                self.manifest,
                files=entries,
                external=tuple(self._external()),
                content_sha256=content_digest(entries),
            )
            manifest = writer.finish(new)
        pairs = zip(self.manifest.files, entries, strict=True)
        files = [
            self._said(old, entry)
            for old, entry in pairs
            if old != entry or not self.check.files[old.entity_type].is_canonical
        ]
        return Sealed(self.survey.path, manifest, tuple(files), written=True)

    def _write_file(self, writer: BundleWriter, entry: FileEntry) -> FileEntry:
        file_check = self.check.files[entry.entity_type]
        name, version = entry.entity_type, entry.schema_version
        with writer.entity_file(entry.filename, name, version) as file:
            for lines in chunked(self._lines(entry, file_check), CHUNK):
                file.write(lines)
        links = {path: count.count for path, count in entry.references.items()}
        if file_check.rows is not None:
            links = {path: file_check.links.get(path, 0) for path in links}
        return replace(
            entry,
            record_count=file.record_count,
            sha256=file.sha256,
            bytes=file.bytes,
            references={
                path: LinkCount(
                    count.entity, links.get(path, 0) if file_check.rows else count.count
                )
                for path, count in entry.references.items()
            },
        )

    def _lines(self, entry: FileEntry, file_check: FileCheck) -> Iterator[bytes]:
        """Yield the records' canonical texts; as they stand where the file is as it was."""
        from lading.verifying.in_order import lines_in_order

        is_same = self.survey.digests[entry.filename] == entry.sha256
        blocks = self.survey.blocks(entry, CHUNK)
        if file_check.decoder is None or (is_same and file_check.is_canonical):
            yield from (line for block in blocks for line in block.records)
            return
        twins = partial(self._refuse_change, entry)
        yield from lines_in_order(file_check.decoder, blocks, lambda _: None, twins)

    def _refuse_change(self, entry: FileEntry, *_: object) -> None:
        raise BundleError(
            Message("file-changed", "was changed while it was read"),
            "Seal it again.",
            file=entry.filename,
        )

    def _external(self) -> Iterator[External]:
        """Yield the references that lead out of a partial bundle, counted anew."""
        entities = {entry.entity_type for entry in self.manifest.files}
        for edge in self.manifest.external:
            spot = (edge.entity, edge.field)
            count = edge.count
            if spot in self.check.followed:
                count = self.check.leaving[spot]
            elif edge.references not in entities:
                count = self.check.files[edge.entity].links.get(edge.field, 0)
            if count:
                yield replace(edge, count=count)

    def _said(self, old: FileEntry, new: FileEntry) -> SealedFile:
        file_check = self.check.files[old.entity_type]
        return SealedFile(
            old.entity_type,
            old.filename,
            old.record_count,
            new.record_count,
            file_check.loose,
            file_check.misplaced,
        )
