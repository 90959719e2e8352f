"""Writing a bundle, so that a reader sees the old one or the whole new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from msgspec.structs import replace

from lading.bundle.file_format import CLOSE, MAX_RECORD, SEPARATOR, header, sums
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.reader import BundleReader
from lading.bundle.stores.base import Target
from lading.bundle.stores.directory import DirectoryTarget
from lading.bundle.stores.files import reported
from lading.bundle.stores.finding import occupant_of
from lading.bundle.stores.occupant import Occupant
from lading.bundle.stores.place import Place
from lading.bundle.stores.zip import ArchiveTarget
from lading.errors import BundleError, VersionError
from lading.filenames import MANIFEST, SUMS, name_fault
from lading.messages import Message, listed, shown

__all__ = ["BundleWriter", "EntityFile"]

#: What is wrong with a record that no reader would take.
TOO_LONG = Message("too-large", f"is longer than the {MAX_RECORD:,} bytes that are read again")


class EntityFile:
    """An entity file that is being written, by ``BundleWriter.entity_file``.

    ``bytes`` and ``record_count`` grow; with ``sha256`` they are right once the
    ``with`` statement has ended.
    """

    def __init__(self, filename: str, entity_type: str, schema_version: int) -> None:
        self.filename = filename
        self.entity_type = entity_type
        self.schema_version = schema_version
        self.record_count = 0
        self.bytes = 0
        self.sha256 = ""
        self._digest = sha256()
        self._sink: BinaryIO | None = None

    def write(self, lines: list[bytes]) -> None:
        """Append records, each the JSON text of one, without a newline in it."""
        if not lines:
            return
        text = SEPARATOR.join(lines)
        if text.count(b"\n") != len(lines) - 1:
            raise ValueError("a record's text has a newline in it")
        if len(text) > MAX_RECORD and max(map(len, lines)) >= MAX_RECORD:
            place = next(n for n, line in enumerate(lines, 1) if len(line) >= MAX_RECORD)
            raise BundleError(
                TOO_LONG,
                "Keep such data elsewhere.",
                file=self.filename,
                record=self.record_count + place,
                entity=self.entity_type,
            )
        self._put(SEPARATOR + text if self.record_count else text)
        self.record_count += len(lines)

    def _put(self, data: bytes) -> None:
        if self._sink is None:
            raise ValueError(f"{self.filename} isn't open for writing")
        with reported(self.filename, "written"):
            self._sink.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @contextmanager
    def _opened(self, sink: BinaryIO) -> Iterator[Self]:
        self._sink = sink
        try:
            self._put(header(self.entity_type, self.schema_version))
            yield self
            self._put(b"\n" + CLOSE if self.record_count else CLOSE)
            self.sha256 = self._digest.hexdigest()
        finally:
            self._sink = None


class BundleWriter:
    """A bundle that is being written; use it in a ``with`` statement.

    Nothing is at the path before ``finish`` has put the whole bundle there.
    Leaving without it, or on an exception, removes what was written.  Raises
    ``BundleError`` at once where the path can't be written or is taken: only a
    bundle is ever replaced, and only with ``overwrite``.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.path = Path(os.fsdecode(path))
        self._overwrite = overwrite
        self._place = Place(self.path)
        self._files: dict[str, EntityFile] = {}
        self._whole = True
        with self._place.locked():
            self._place.tidy()
            self._occupant()
            kind = ArchiveTarget if self._place.is_archive else DirectoryTarget
            self._target: Target | None = kind(self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what was written, unless it was finished."""
        if self._target is not None:
            self._target.discard()
            self._target = None

    @contextmanager
    def entity_file(
        self, filename: str, entity_type: str, schema_version: int
    ) -> Iterator[EntityFile]:
        """Open an entity file; one at a time.  Raises ``BundleError`` for a bad name."""
        expected = name_fault(filename)
        if expected or filename in self._files:
            problem = f"the file name {shown(filename)} can't be used; expected "
            raise BundleError(
                Message("file-name", problem + (expected or "each once")), entity=entity_type
            )
        if not self._whole:
            raise ValueError("one entity file is open already, or wasn't written whole")
        self._whole = False
        file = EntityFile(filename, entity_type, schema_version)
        with ExitStack() as stack:
            sink = stack.enter_context(self._open_target().create(filename))
            yield stack.enter_context(file._opened(sink))
        self._files[filename] = file
        self._whole = True

    def finish_if_changed(self, manifest: Manifest) -> Manifest:
        """Leave the bundle that is there as it is if it is whole and holds the same records.

        Returns its own manifest, which says so; otherwise does what ``finish`` does.
        """
        try:
            with BundleReader(self.path) as reader:
                if reader.manifest.has_records_of(Manifest.from_bytes(manifest.to_bytes())):
                    reader.verify()
                    return replace(reader.manifest, path=self.path, unchanged=True)
        except (BundleError, VersionError):
            pass  # there is none, or a damaged one
        return self.finish(manifest)

    def finish(self, manifest: Manifest) -> Manifest:
        """Write checksums and manifest, and put the bundle in its place, durably.

        Returns the manifest with its path.  Raises ``BundleError`` if the
        manifest isn't what was written; the place is then as it was.
        """
        target = self._open_target()
        try:
            self._compare(manifest)
            text = manifest.to_bytes()
            Manifest.from_bytes(text)
            for name, data in ((SUMS, sums(manifest.files)), (MANIFEST, text)):
                with target.create(name) as sink, reported(name, "written"):
                    sink.write(data)
            target.complete()
            with self._place.locked():
                self._place.tidy()
                target.publish(self._occupant())
        except BaseException:
            self.discard()
            raise
        self._target = None
        return replace(manifest, path=self.path)

    def _open_target(self) -> Target:
        if self._target is None:
            raise ValueError("this bundle was finished or discarded")
        return self._target

    def _compare(self, manifest: Manifest) -> None:
        """Check that the manifest lists the files written, as they were written."""
        if not self._whole:
            raise ValueError("an entity file is open, or wasn't written whole")
        written = {name: _facts(file) for name, file in self._files.items()}
        for entry in manifest.files:
            written_file = written.pop(entry.filename, None)
            if written_file != _facts(entry):
                problem = f"the manifest says {_facts(entry)}; written was {written_file}"
                raise BundleError(Message("bundle-inconsistent", problem), file=entry.filename)
        if written:
            problem = f"the manifest doesn't list {listed(written, separator=', ')}"
            raise BundleError(Message("bundle-inconsistent", problem), file=MANIFEST)

    def _occupant(self) -> Occupant:
        """Return what is in the place; raise if that mustn't be replaced."""
        if self._place.is_free:
            return Occupant(is_bundle=False)
        old = occupant_of(self._place)
        is_empty = old is not None and not old.is_bundle and not old.foreign
        if old is None or not (old.is_bundle or is_empty):
            raise BundleError(
                Message(
                    "target-exists", "is there already and is not a bundle, so it is not replaced"
                ),
                "Name another path, or remove it yourself.",
                file=str(self.path),
            )
        if old.is_bundle and not self._overwrite:
            raise BundleError(
                Message("target-exists", "there is a bundle already"),
                "Pass overwrite=True to replace it, or name another path.",
                file=str(self.path),
            )
        if old.foreign:
            raise BundleError(
                Message(
                    "target-exists",
                    "the bundle's folder also holds "
                    f"{listed(map(repr, old.foreign), separator=', ')}",
                ),
                "Move that elsewhere: replacing the bundle would remove it.",
                file=str(self.path),
            )
        return old


def _facts(file: EntityFile | FileEntry) -> tuple[str, int, int, int, str]:
    return (
        file.entity_type,
        file.schema_version,
        file.record_count,
        file.bytes,
        file.sha256,
    )
