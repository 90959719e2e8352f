"""The directory store: a bundle as a folder of plain files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lading.bundle.stores.files import (
    hold,
    open_folder,
    open_regular,
    pieces_of,
    remove,
    reported,
    sync_folder,
)
from lading.bundle.stores.occupant import Occupant, is_by_the_way
from lading.bundle.stores.place import Place, is_needed
from lading.errors import BundleError
from lading.filenames import MANIFEST

__all__ = ["DirectorySource", "DirectoryTarget", "Replaced"]


class Replaced(BundleError):
    """A bundle was replaced while it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "was replaced or removed while it was read", "Read it again.", file=str(path)
        )


class DirectorySource:
    """A folder that is read; it stays the same one if its path is given to another."""

    size = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = open_folder(path)

    def names(self) -> list[str]:
        """Return the names in the folder, without what file managers and such put there."""
        with reported(self.path, "read"):
            # Of the folder that is open, which its path may not lead to any more.
            names = os.listdir(self.path if self._fd is None else self._fd)  # noqa: PTH208
        if MANIFEST not in names and self._is_replaced():
            raise Replaced(self.path)
        return sorted(name for name in names if not is_by_the_way(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; ``BundleError`` if it is missing or no plain file."""
        try:
            file = open_regular(name, self.path, self._fd)
        except BundleError as error:
            if self._is_replaced():
                raise Replaced(self.path) from error
            raise
        yield from pieces_of(file, name)

    def _is_replaced(self) -> bool:
        """Tell whether the path doesn't lead to the folder that is open any more."""
        if self._fd is None:
            return False
        try:
            current, opened = self.path.stat(), os.fstat(self._fd)
        except OSError:
            return True
        return (current.st_dev, current.st_ino) != (opened.st_dev, opened.st_ino)

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

    def publish(self, old: Occupant) -> None:
        """Put the temporary in its place; the caller holds the place's lock.

        What file managers and version control put beside the old bundle stays there (folders are
        moved after it), and a process whose working folder is replaced goes on in the new one.
        """
        for name in old.by_the_way:
            with reported(name, "written"):
                shutil.copy2(self._place.path / name, self._folder / name, follow_symlinks=False)
        is_working_folder = _works_in(self._place.path)
        self._place.put(self._folder)
        if is_working_folder:
            with suppress(OSError):
                os.chdir(self._place.path)
        self._let_go()

    def discard(self) -> None:
        """Remove the temporary, unless the old bundle couldn't be put back."""
        if not is_needed(self._folder):
            remove(self._folder)
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                os.close(self._held)
            self._held = None


def _works_in(folder: Path) -> bool:
    """Tell whether a folder is the process's own working folder."""
    try:
        return folder.samefile(os.curdir)
    except OSError:  # one of the two isn't there
        return False
