"""The directory store: a bundle as a folder of plain files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lading.bundle.files import (
    hold,
    open_folder,
    open_regular,
    pieces_of,
    remove,
    reported,
    sync_folder,
)
from lading.bundle.place import Place

__all__ = ["DirectorySource", "DirectoryTarget"]


class DirectorySource:
    """A folder that is read; it stays the same one if its path is given to another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = open_folder(path)

    def names(self) -> list[str]:
        """Return the names of everything in the folder."""
        with reported(self.path, "read"):
            # Of the folder that is open, which its path may not lead to any more.
            return sorted(os.listdir(self.path if self._fd is None else self._fd))  # noqa: PTH208

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; ``BundleError`` if it is missing or no plain file."""
        yield from pieces_of(open_regular(name, self.path, self._fd), name)

    def check(self) -> None:
        """Check what the manifest doesn't vouch for: here, nothing."""

    def close(self) -> None:
        """Let go of the folder."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class DirectoryTarget:
    """A folder that is being written, as a temporary sibling of its place."""

    def __init__(self, place: Place) -> None:
        """Create the temporary; the caller holds the place's lock."""
        self._place = place
        self._folder = place.temporary()
        mode = place.mode()
        self._folder.mkdir()
        self._held = hold(self._folder)
        if mode is not None:
            self._folder.chmod(mode | 0o700)

    @contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """Open a new file for writing; leaving makes its bytes durable."""
        with reported(name, "written"):
            file = (self._folder / name).open("xb")
        try:
            yield file
            with reported(name, "written"):
                file.flush()
                os.fsync(file.fileno())
        finally:
            with reported(name, "written"):
                file.close()

    def complete(self) -> None:
        """Make the temporary's list of files durable."""
        with reported(self._folder, "written"):
            sync_folder(self._folder)

    def publish(self) -> None:
        """Put the temporary in its place; the caller holds the place's lock."""
        self._place.put(self._folder)
        self._let_go()

    def discard(self) -> None:
        """Remove the temporary."""
        remove(self._folder)
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.close(self._held)
            self._held = None
