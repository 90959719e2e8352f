"""Reading a bundle whose every fault is wanted, and not the first alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from zlib import crc32

from lading.bundle.file_format import CLOSE, SEPARATOR, header, line_endings
from lading.bundle.lines import runs
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.manifest_seal import is_sealed
from lading.bundle.opened import OpenedBundle
from lading.bundle.reader import Block, Measured, grouped, raised, refuse_count, store_faults
from lading.bundle.salvage import salvaged
from lading.bundle.scan import Malformed
from lading.errors import BundleError, LadingError
from lading.filenames import MANIFEST
from lading.messages import Message

__all__ = ["BundleSurvey"]

Note = Callable[[LadingError], None]


class BundleSurvey(OpenedBundle):
    """A bundle that is looked through; use it in a ``with`` statement.

    Opening reads the manifest alone: ``faults`` is what is wrong with it, and ``manifest`` what
    it says, or ``None`` where that can't be told.  Raises ``BundleError`` where there is no
    folder or archive that could be read.
    """

    def _begin(self) -> None:
        self._taken = 0
        self.manifest: Manifest | None = None
        self.faults: list[LadingError] = []
        #: The names of the files that only ``salvaged`` can read.
        self.malformed: set[str] = set()
        #: The names of the files whose records aren't laid out as lading lays them out.
        self.loose: set[str] = set()
        #: The digests of the files that were read, by name.
        self.digests: dict[str, str] = {}
        self.faults += raised(self._read_manifest)

    def _read_manifest(self) -> None:
        text = self._manifest_text()
        unconverted = text.replace(b"\r\n", b"\n")
        if unconverted != text and is_sealed(unconverted):
            self.faults.append(line_endings(MANIFEST))
            text = unconverted
        self.manifest, faults = Manifest.examine(text, path=self.path)
        self.faults += faults

    def store_faults(self) -> Iterator[BundleError]:
        """Yield what is wrong with the store, the names in it, and the list of checksums."""
        if self.manifest is None:
            yield from raised(self._source.check)
        else:
            yield from store_faults(self._source, self.manifest, self.path)

    def blocks(self, entry: FileEntry, size: int) -> Iterator[Block]:
        """Yield an entity file's records in blocks, once more, and tell no fault again.

        Raises ``BundleError`` if they aren't the same any more.
        """
        measured = Measured(self._source, entry, most=self._most)
        pieces = iter(measured)
        with suppress(BundleError):
            if entry.filename in self.malformed:
                yield from salvaged(pieces, entry, lambda _: None)
            else:
                yield from grouped(runs(pieces, entry), size)
        for _ in measured.faults():
            pass
        if self.digests.get(entry.filename, measured.sha256) != measured.sha256:
            remedy = "Let nobody write to it meanwhile."
            raise BundleError(
                Message("file-changed", "was changed while it was read"),
                remedy,
                file=entry.filename,
            )

    def examined(self, entry: FileEntry, size: int, note: Note) -> Iterator[Block]:
        """Yield an entity file's records in blocks, and tell every fault of the file.

        Args:
            entry: what the manifest says of the file.
            size: how many records a block may have.
            note: is called with each fault.

        Raises:
            Malformed: it isn't such a document; ``salvaged`` reads on where this stops.
        """
        measured = self._measured(entry)
        count = 0
        layout = Layout(entry)
        try:
            for block in grouped(runs(layout.watched(measured), entry), size):
                layout.add(block.records)
                yield block
                count += len(block.records)
        except Malformed:
            self.malformed.add(entry.filename)
            raise
        except BundleError as error:
            note(error)
        else:
            for fault in raised(lambda: refuse_count(entry, count)):
                note(fault)
        for fault in measured.faults():
            note(fault)
        self._keep_digest(entry, measured)
        if not measured.failed and layout.differs():
            self.loose.add(entry.filename)

    def salvaged(self, entry: FileEntry, malformed: Malformed, note: Note) -> Iterator[Block]:
        """Yield the records of a malformed file that can be told apart, and tell every fault."""
        faults: list[BundleError] = []
        measured = self._measured(entry)
        pieces = iter(measured)
        yield from salvaged(pieces, entry, faults.append)
        for fault in [*(faults or [malformed]), *measured.faults()]:
            note(fault)
        self._keep_digest(entry, measured)

    def _measured(self, entry: FileEntry) -> Measured:
        """Return a file's pieces, of which no more are read than the others leave of the limit."""
        most = None if self._most is None else max(0, self._most - self._taken)
        return Measured(self._source, entry, most=most)

    def _keep_digest(self, entry: FileEntry, measured: Measured) -> None:
        self._taken += measured.bytes
        if not measured.failed:
            self.digests[entry.filename] = measured.sha256


class Layout:
    """Compares a file with its records, laid out as lading writes them, by their CRC-32."""

    def __init__(self, entry: FileEntry) -> None:
        self._file = 0
        self._expected = crc32(header(entry.entity_type, entry.schema_version))
        self._count = 0

    def watched(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces of the file as they pass."""
        for piece in pieces:
            self._file = crc32(piece, self._file)
            yield piece

    def add(self, records: list[bytes]) -> None:
        """Add records as they are read."""
        text = SEPARATOR.join(records)
        self._expected = crc32(SEPARATOR + text if self._count else text, self._expected)
        self._count += len(records)

    def differs(self) -> bool:
        """Tell whether the file, once read, isn't its records and no more."""
        return crc32(b"\n" + CLOSE if self._count else CLOSE, self._expected) != self._file
