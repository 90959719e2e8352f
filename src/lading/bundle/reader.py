"""Reading a bundle: its manifest, its checksums, and its records in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NoReturn, TypeVar

from lading.bundle.file_format import BLOCK_BYTES, line_endings, sums
from lading.bundle.lines import runs
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.manifest_seal import is_sealed
from lading.bundle.opened import OpenedBundle
from lading.bundle.stores.base import BundleSource, read_whole
from lading.bundle.stores.directory import Replaced
from lading.errors import BundleError, ChecksumError
from lading.filenames import MANIFEST, RESERVED, SUMS, folded
from lading.messages import DAMAGED, EDITED, Message, counted, listed

__all__ = ["Block", "BundleReader", "with_bundle"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Block:
    """Some records of an entity file, as JSON texts; ``first`` counts from 1."""

    first: int
    records: list[bytes]


class BundleReader(OpenedBundle):
    """A bundle that is read; use it in a ``with`` statement.

    Opening reads and checks the manifest alone.  Raises ``BundleError`` for
    what is no bundle or not a whole one, and for more than ``max_bytes`` in its entity
    files (by default, for an archive that unpacks to very many times its size);
    ``VersionError`` for a newer format.
    """

    manifest: Manifest

    def _begin(self) -> None:
        text = self._manifest_text()
        if b"\r\n" in text and is_sealed(text.replace(b"\r\n", b"\n")):
            raise line_endings(MANIFEST)
        self.manifest = Manifest.from_bytes(text, path=self.path)
        self._check_size()

    def verify(self, entries: Iterable[FileEntry] | None = None) -> None:
        """Compare files with the manifest: those of some entries, or all of them.

        Raises one error for all faults found: the fault's own error if there is
        one, else a ``BundleError`` that lists them.
        """
        faults = list(self._faults(self.manifest.files if entries is None else entries))
        if len(faults) == 1:
            raise faults[0]
        if faults:
            texts = listed(map(str, faults), limit=20)
            raise BundleError(
                Message("several-faults", f"{len(faults)} faults:\n  {texts}"), file=str(self.path)
            )

    def text(self, entry: FileEntry) -> Iterator[bytes]:
        """Yield an entity file's bytes as they stand, hashed as in ``blocks``."""
        measured = Measured(self._source, entry, most=entry.bytes)
        yield from measured
        measured.finish()

    def blocks(self, entry: FileEntry, size: int) -> Iterator[Block]:
        """Yield an entity file's records, at most ``size`` in a block.

        A block ends early after some megabytes, so memory doesn't grow with the
        file.  The bytes are hashed as they are yielded; whoever takes the last
        block and then asks for more gets ``ChecksumError`` if they aren't the
        manifest's, ``BundleError`` if their number or the records' isn't.  A
        malformed file raises on the way.
        """
        if size < 1:
            raise ValueError(f"size is {size}; expected at least 1")
        measured = Measured(self._source, entry, most=entry.bytes)
        count = 0
        try:
            for block in grouped(runs(iter(measured), entry), size):
                yield block
                count += len(block.records)
        except BundleError:
            # Damage shows as malformed JSON first; that it is damage says more.
            measured.finish()
            raise
        measured.finish()
        refuse_count(entry, count)

    def _check_size(self) -> None:
        """Refuse what the manifest says is too much, before any of it is read."""
        size, limit = self._source.size, self._most
        total = sum(entry.bytes for entry in self.manifest.files)
        if limit is not None and total > limit:
            packed = "" if size is None else f" in an archive of {size:,}"
            raise BundleError(
                Message("too-large", f"holds {total:,} bytes{packed}; at most {limit:,} are read"),
                f"Pass max_bytes={total} if you trust it.",
                file=str(self.path),
            )

    def _faults(self, entries: Iterable[FileEntry]) -> Iterator[BundleError]:
        yield from store_faults(self._source, self.manifest, self.path)
        for entry in entries:
            yield from raised(Measured(self._source, entry, most=entry.bytes).finish)


def store_faults(source: BundleSource, manifest: Manifest, path: Path) -> Iterator[BundleError]:
    """Yield what is wrong with a bundle's store, its file names and its list of checksums."""
    yield from raised(source.check)
    yield from raised(partial(_check_names, source, manifest, path))
    yield from raised(partial(_check_sums, source, manifest))


def _check_names(source: BundleSource, manifest: Manifest, path: Path) -> None:
    known = {*RESERVED, *(entry.filename for entry in manifest.files)}
    same = {folded(name): name for name in known}
    extra = [
        f"{name!r} (to some file systems the same as {same[folded(name)]!r})"
        if folded(name) in same
        else repr(name)
        for name in source.names()
        if name not in known
    ]
    if extra:
        raise BundleError(
            Message(
                "file-unlisted",
                f"there are files that the manifest doesn't list: {listed(extra, separator=', ')}",
            ),
            "Move them elsewhere.",
            file=str(path),
        )


def _check_sums(source: BundleSource, manifest: Manifest) -> None:
    expected = sums(manifest.files)
    text = read_whole(source, SUMS, 2 * len(expected))
    if text.replace(b"\r\n", b"\n") == expected != text:
        raise line_endings(SUMS)
    if text != expected:
        raise BundleError(
            Message("sums-differ", "differs from the manifest's checksums"), DAMAGED, file=SUMS
        )


def with_bundle(
    path: str | os.PathLike[str],
    use: Callable[[BundleReader], T],
    *,
    max_bytes: int | None = None,
) -> T:
    """Open a bundle and use it; once more, if it was replaced meanwhile."""
    try:
        with BundleReader(path, max_bytes=max_bytes) as reader:
            return use(reader)
    except Replaced:
        with BundleReader(path, max_bytes=max_bytes) as reader:
            return use(reader)


class Measured:
    """A file's pieces, hashed and counted as they pass.

    More than ``most`` bytes are refused, if there is such a limit: this stops an archive's member
    that expands without end.
    """

    def __init__(self, source: BundleSource, entry: FileEntry, *, most: int | None) -> None:
        self._source = source
        self._entry = entry
        self._most = most
        self._pieces = source.pieces(entry.filename)
        self._digest = sha256()
        #: How many have passed.
        self.bytes = 0
        #: Whether it couldn't be read to its end.
        self.failed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self.bytes += len(piece)
                if self._most is not None and self.bytes > self._most:
                    self._refuse_length(self._most)
                self._digest.update(piece)
                yield piece
        except BundleError:
            self.failed = True
            raise

    @property
    def sha256(self) -> str:
        """The digest of what has passed."""
        return self._digest.hexdigest()

    def _refuse_length(self, most: int) -> NoReturn:
        if most != self._entry.bytes:
            raise BundleError(
                Message("too-large", f"is longer than the {most} bytes that may still be read"),
                "Pass a larger max_bytes if you trust it.",
                file=self._entry.filename,
            )
        self._refuse_line_endings()
        raise BundleError(
            Message("too-large", f"is longer than the {most} bytes that the manifest says"),
            EDITED,
            file=self._entry.filename,
            field="bytes",
        )

    def _refuse_line_endings(self) -> None:
        """Raise if the file is the entry's but for its line endings."""
        digest, size, half = sha256(), 0, b""
        for piece in self._source.pieces(self._entry.filename):
            # A piece may end between the two characters.
            whole = half + piece
            half = b"\r" if whole.endswith(b"\r") else b""
            text = whole.removesuffix(half).replace(b"\r\n", b"\n")
            digest.update(text)
            size += len(text)
            if size > self._entry.bytes:
                return
        if digest.hexdigest() == self._entry.sha256:
            raise line_endings(self._entry.filename)

    def finish(self) -> None:
        """Read what is left, and raise ``BundleError`` if the whole isn't the entry's.

        A file that couldn't be read has had its error already.
        """
        for fault in self.faults():
            raise fault

    def faults(self) -> Iterator[BundleError]:
        """Read what is left, and yield how the whole differs from the entry."""
        if self.failed:
            return
        for _ in self:
            pass
        expected = self._entry.sha256
        if self.sha256 != expected:
            yield from raised(self._refuse_line_endings)
            yield ChecksumError(
                Message(
                    "file-edited", "its checksum differs from the manifest's (edited after export?)"
                ),
                EDITED,
                expected=expected,
                found=self.sha256,
                file=self._entry.filename,
            )
        if self.bytes != self._entry.bytes:
            yield BundleError(
                Message(
                    "count-differs",
                    f"has {self.bytes} bytes, and the manifest says {self._entry.bytes}",
                ),
                EDITED,
                file=self._entry.filename,
                field="bytes",
            )


def refuse_count(entry: FileEntry, count: int) -> None:
    """Raise ``BundleError`` if a file holds another number of records than its entry says."""
    if count != entry.record_count:
        raise BundleError(
            Message(
                "count-differs",
                f"holds {counted(count, 'record')}, and the manifest says {entry.record_count}",
            ),
            DAMAGED,
            file=entry.filename,
            field="record_count",
        )


def grouped(chunks: Iterable[list[bytes]], size: int) -> Iterator[Block]:
    """Put records into blocks of at most so many, and of some megabytes."""
    first, records, weight = 1, list[bytes](), 0
    for run in chunks:
        records += run
        weight += sum(map(len, run))
        full = len(records) if weight >= BLOCK_BYTES else len(records) - len(records) % size
        for start in range(0, full, size):
            yield Block(first + start, records[start : min(start + size, full)])
        if full:
            first += full
            del records[:full]
            weight = sum(map(len, records))
    if records:
        yield Block(first, records)


def raised(check: Callable[[], None]) -> Iterator[BundleError]:
    """Yield the error that a check raises, if it does; what replaced a bundle isn't its fault."""
    try:
        check()
    except Replaced:
        raise
    except BundleError as error:
        yield error
