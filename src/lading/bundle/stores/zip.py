"""The archive store: a bundle as one ZIP file.

Nothing is ever extracted: members that the manifest lists are read as streams.
"""

from __future__ import annotations

import os
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from lading.bundle.stores.files import hold, open_regular, remove, reported
from lading.bundle.stores.limits import PIECE, unpacked_limit
from lading.bundle.stores.occupant import Occupant, is_by_the_way
from lading.bundle.stores.place import Place
from lading.bundle.stores.zip_check import check_members, outline
from lading.bundle.stores.zip_member import Stretch, inflated, refuse
from lading.errors import BundleError, ChecksumError
from lading.filenames import MANIFEST
from lading.messages import DAMAGED, Message

__all__ = ["ArchiveSource", "ArchiveTarget"]

# The archive's comment, which ``zip -z`` shows: a digest of all before the end
# record.  It guards what no checksum of ZIP does, such as names and dates.
SEAL = b"lading sha256 "
SEALED = len(SEAL) + 64
# What zipfile and zlib raise on damaged input, beside OSError.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)


@contextmanager
def _sound(name: str) -> Iterator[None]:
    try:
        with reported(name, "read"):
            yield
    except _FAULTS as error:
        raise BundleError(
            Message(
                "file-unusable",
                f"can't be read from the archive: {str(error) or type(error).__name__}",
            ),
            "Get an undamaged copy of the archive.",
            file=name,
        ) from error


class ArchiveSource:
    """A ZIP file that is read; its members may stand in one folder at its top."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_regular(path.name, path.parent, None)
        try:
            with _sound(path.name):
                self.size = self._file.seek(0, os.SEEK_END)
                self._outline = outline(self._file, path.name)
                with zipfile.ZipFile(self._file) as archive:
                    members = archive.infolist()
                stretches = check_members(self._file, members, self._outline, path.name)
            self._members = _within_top(stretches)
        except BaseException:
            self._file.close()
            raise

    def names(self) -> list[str]:
        """Return the names of all members, without what file managers put there."""
        return sorted(name for name in self._members if not is_by_the_way(name.split("/")[0]))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes; ``BundleError`` if it is missing or damaged."""
        stretch = self._members.get(name)
        if stretch is None:
            raise BundleError(
                Message("file-missing", "is missing from the bundle"), DAMAGED, file=name
            )
        with _sound(name):
            yield from inflated(self._file, stretch)

    def check(self) -> None:
        """Check the archive's own seal, if lading wrote it (others have none)."""
        comment = self._outline.comment
        if not comment:
            return
        digest = _digest(self._file, self._outline.end, self.path.name)
        expected = comment.removeprefix(SEAL).decode("latin-1")
        if comment != SEAL + digest.encode():
            raise ChecksumError(
                Message(
                    "archive-edited", "the archive differs from its seal (edited after export?)"
                ),
                DAMAGED,
                expected=expected,
                found=digest,
                file=self.path.name,
            )

    def close(self) -> None:
        """Close the archive."""
        self._file.close()


def _within_top(stretches: Mapping[str, Stretch]) -> dict[str, Stretch]:
    """Return a bundle's members without the name of the one folder in which they stand, if any.

    Folders are refused otherwise.
    """
    tops = {name.split("/")[0] for name in stretches}
    tops = {name for name in tops if not is_by_the_way(name)}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    top = top if f"{top}{MANIFEST}" in stretches else ""
    for name in stretches:
        if name.endswith("/") and name != top and not is_by_the_way(name.split("/")[0]):
            refuse("is not a plain file", name)
    return {name.removeprefix(top): at for name, at in stretches.items() if name != top}


class ArchiveTarget:
    """A ZIP file that is being written, as a temporary sibling of its place."""

    def __init__(self, place: Place) -> None:
        """Create the temporary; the caller holds the place's lock."""
        self._place = place
        self._path = place.temporary()
        mode = place.mode()
        self._file = self._path.open("x+b")
        self._held = hold(self._path)
        if mode is not None:
            self._path.chmod(mode | 0o600)
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        self._archive.comment = SEAL + b"0" * 64

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """Open a new member for writing; its date is always 1980, as ZIP begins."""
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        # The length isn't known ahead, so room is left for a large one.
        with reported(name, "written"):
            member = self._archive.open(info, "w", force_zip64=True)
        try:
            yield member  # type: ignore[misc]
        finally:
            with reported(name, "written"):
                member.close()

    def complete(self) -> None:
        """Write the archive's directory and seal, and make all of it durable."""
        with reported(self._path, "written"):
            self._archive.close()
            end = self._file.seek(0, os.SEEK_END) - SEALED
            # The end record, 22 bytes, isn't sealed: the reader checks each of its numbers.
            digest = _digest(self._file, end - 22, self._path.name)
            self._file.seek(end)
            self._file.write(SEAL + digest.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._warn(self._file.tell())

    def _warn(self, size: int) -> None:
        """Warn of an archive that nobody reads without saying so."""
        total = sum(info.file_size for info in self._archive.infolist())
        if total > unpacked_limit(size):
            warnings.warn(
                f"{str(self._place.path)!r} holds {total:,} bytes in {size:,}, which is taken for "
                f"a trap unless whoever reads it passes max_bytes={total}; a folder isn't",
                stacklevel=2,
            )

    def publish(self, old: Occupant) -> None:
        """Put the temporary in its place; the caller holds the place's lock."""
        self._place.put(self._path)
        self._let_go()

    def discard(self) -> None:
        """Remove the temporary."""
        remove(self._path)
        # Closing writes the archive's directory, into a file that has no name any more.
        with suppress(OSError, ValueError):
            self._archive.close()
        self._let_go()

    def _let_go(self) -> None:
        with suppress(OSError):
            self._file.close()
        if self._held is not None:
            with suppress(OSError):
                os.close(self._held)
            self._held = None


def _digest(file: BinaryIO, length: int, name: str) -> str:
    """Return the digest of a file's first bytes."""
    digest = sha256()
    with reported(name, "read"):
        file.seek(0)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            digest.update(piece)
            length -= len(piece)
    return digest.hexdigest()
