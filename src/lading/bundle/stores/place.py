"""The place of a bundle, and its siblings: temporaries and old ones set aside.

A folder can't be swapped for another in one step.  So the old bundle is renamed to an
*aside*, the new one is renamed from its temporary to the path, and the aside is removed.
An aside has its temporary's name, and counts only beside it: whoever comes after a crash
between the two renames finds both, and the old bundle in the aside.  The second rename
makes the aside garbage, which no reader looks at and the next writer removes.
"""

from __future__ import annotations

import os
import re
import secrets
import warnings
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lading.bundle.stores.files import hold, locked, remove, reported, sync_folder
from lading.bundle.stores.occupant import Occupant, is_bundle_folder, survey
from lading.errors import BundleError
from lading.messages import Message, shown

__all__ = ["Place", "is_needed"]

_TEMPORARY, _ASIDE = ".tmp", ".old"


class Place:
    """Where a bundle is or will be, with symbolic links followed."""

    def __init__(self, path: Path) -> None:
        try:
            self.path = Path(os.path.realpath(path))
        except (ValueError, OSError) as error:
            why = (
                getattr(error, "strerror", None) or "no file's name can hold one of its characters"
            )
            raise BundleError(
                Message("path-unusable", f"can't be a path: {why}"),
                "Name another.",
                file=shown(str(path)),
            ) from error
        self.parent = self.path.parent

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

    def check_parent(self) -> None:
        """Raise ``BundleError`` unless a file or folder may be written here."""
        if not self.parent.is_dir():
            raise BundleError(
                Message("path-unusable", f"the folder {str(self.parent)!r} doesn't exist"),
                "Create it first, or name another path.",
                file=str(self.path),
            )
        if is_bundle_folder(self.parent):
            raise BundleError(
                Message(
                    "path-unusable",
                    f"is inside of the bundle {str(self.parent)!r}, which it would make unreadable",
                ),
                "Name a path outside of that folder.",
                file=str(self.path),
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out while looking at the siblings or renaming them."""
        self.check_parent()
        with reported(self.path, "written"), locked(self.parent):
            yield

    def temporary(self) -> Path:
        """Return a new name for a temporary sibling."""
        return self.parent / f".{self.path.name}.lading-{secrets.token_hex(6)}{_TEMPORARY}"

    def mode(self) -> int | None:
        """Return the permissions of what will be replaced, which the new one takes over."""
        return self.path.stat().st_mode & 0o777 if self.path.exists() else None

    def asides(self) -> list[Path]:
        """List the old bundles that were set aside and not replaced."""
        try:
            return [aside for aside in self._siblings(_ASIDE) if _has_temporary(aside)]
        except OSError:  # a folder that may be passed through, but not listed
            return []

    def tidy(self) -> None:
        """Finish what a crash left; the caller holds the lock.

        An old bundle that was set aside is put back where the path is free, and left alone
        where something else is there.  Asides that were replaced, and temporaries that no
        process holds, are removed.
        """
        for aside in self._siblings(_ASIDE):
            if not _has_temporary(aside):
                self._clear(aside)
            elif self.is_free:
                aside.rename(self.path)
                sync_folder(self.parent)
        for temporary in self._siblings(_TEMPORARY):
            if not is_needed(temporary):
                _remove_stale(temporary)

    def put(self, temporary: Path) -> None:
        """Rename a finished temporary to the path; the caller holds the lock.

        If that fails, the old bundle is back at the path, or still in the aside.
        """
        if self.is_archive or self.is_free:
            temporary.replace(self.path)
            sync_folder(self.parent)
            return
        aside = temporary.with_suffix(_ASIDE)
        try:
            self.path.rename(aside)
            temporary.rename(self.path)
        except BaseException:
            if os.path.lexists(aside) and not os.path.lexists(self.path):
                aside.rename(self.path)
            raise
        sync_folder(self.parent)
        self._clear(aside)

    def _clear(self, aside: Path) -> None:
        """Remove an old bundle that was replaced: its plain files, and the folder if that was all.

        Folders beside them, such as a repository's, move to the bundle that replaced it.
        """
        try:
            old = survey(aside)
        except BundleError:
            old = Occupant(is_bundle=False)
        for name in old.folders if self.path.is_dir() else ():
            if not os.path.lexists(self.path / name):
                with suppress(OSError):  # it stays in the aside, of which a warning tells
                    (aside / name).rename(self.path / name)
        _remove(aside, (*old.own, *old.by_the_way))

    def _siblings(self, suffix: str) -> list[Path]:
        name = re.escape(f".{self.path.name}.lading-") + "[0-9a-f]{12}" + re.escape(suffix)
        return [sibling for sibling in self.parent.iterdir() if re.fullmatch(name, sibling.name)]


def is_needed(temporary: Path) -> bool:
    """Tell whether an old bundle waits in the aside of a temporary, which shows that it counts."""
    return os.path.lexists(temporary.with_suffix(_ASIDE))


def _has_temporary(aside: Path) -> bool:
    return os.path.lexists(aside.with_suffix(_TEMPORARY))


def _remove_stale(path: Path) -> None:
    fd = hold(path)
    if fd is not None:
        _remove(path)
        os.close(fd)


def _remove(path: Path, names: Container[str] | None = None) -> None:
    if not remove(path, names):
        warnings.warn(
            f"{str(path)!r} is left of a bundle that was replaced or not finished, and can't be "
            "removed; remove it yourself",
            stacklevel=2,
        )
