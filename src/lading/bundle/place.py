"""The place of a bundle, and its siblings: temporaries and the old one set aside.

A folder can't be swapped for another in one step.  So the old bundle is renamed
to its *aside*, the new one is renamed to the path, and the aside is removed.
Whoever comes after a crash in between finds the old bundle in the aside.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lading.bundle.files import hold, locked, remove, reported, sync_folder
from lading.errors import BundleError, shown

__all__ = ["Place"]


class Place:
    """Where a bundle is or will be, with symbolic links followed."""

    def __init__(self, path: Path) -> None:
        try:
            self.path = Path(os.path.realpath(path))
        except (ValueError, OSError) as error:
            raise BundleError(f"can't be a path: {error}", file=shown(str(path))) from error
        self.parent = self.path.parent
        self.aside = self.parent / f".{self.path.name}.lading-old"

    @property
    def is_archive(self) -> bool:
        """Whether the name asks for one ZIP file."""
        return self.path.suffix.lower() == ".zip"

    @property
    def is_free(self) -> bool:
        """Whether nothing is there, or (for a folder) only an empty one."""
        if self.path.is_dir() and not self.is_archive:
            return not any(self.path.iterdir())
        return not os.path.lexists(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out while looking at the siblings or renaming them."""
        if not self.parent.is_dir():
            raise BundleError(
                f"the folder {str(self.parent)!r} doesn't exist",
                "Create it first, or name another path.",
                file=str(self.path),
            )
        with reported(self.path, "written"), locked(self.parent):
            yield

    def temporary(self) -> Path:
        """Return a new name for a temporary sibling."""
        return self.parent / f".{self.path.name}.lading-{secrets.token_hex(6)}.tmp"

    def mode(self) -> int | None:
        """Return the permissions of what will be replaced, which the new one takes over."""
        return self.path.stat().st_mode & 0o777 if self.path.exists() else None

    def tidy(self, is_bundle: Callable[[Path], bool]) -> None:
        """Finish what a crash left; the caller holds the lock.

        The aside is put back where the path is free, and removed where the path
        holds a bundle.  Beside anything else it is left alone, being the only
        copy.  Temporaries that no process holds are removed.
        """
        start, end = f".{self.path.name}.lading-", ".tmp"
        for sibling in list(self.parent.iterdir()):
            if sibling.name.startswith(start) and sibling.name.endswith(end):
                _remove_stale(sibling)
        if os.path.lexists(self.aside):
            if self.is_free:
                self.aside.rename(self.path)
                sync_folder(self.parent)
            elif is_bundle(self.path):
                remove(self.aside)

    def put(self, temporary: Path) -> None:
        """Rename a finished temporary to the path; the caller holds the lock.

        If that fails, the old bundle is back at the path, or still in the aside.
        """
        if self.is_archive or self.is_free:
            temporary.replace(self.path)
        else:
            self.path.rename(self.aside)
            try:
                temporary.rename(self.path)
            except BaseException:
                self.aside.rename(self.path)
                raise
        sync_folder(self.parent)
        remove(self.aside)


def _remove_stale(path: Path) -> None:
    fd = hold(path)
    if fd is not None:
        remove(path)
        os.close(fd)
