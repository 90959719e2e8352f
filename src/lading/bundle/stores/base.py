"""Finding the store that a path holds, and telling a bundle from anything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

from lading.bundle.stores.directory import DirectorySource
from lading.bundle.stores.files import reported
from lading.bundle.stores.limits import MAX_MANIFEST
from lading.bundle.stores.occupant import Occupant, is_bundle_folder, listed_names, survey
from lading.bundle.stores.place import Place
from lading.bundle.stores.zip import ArchiveSource
from lading.errors import BundleError
from lading.filenames import MANIFEST, RESERVED

__all__ = ["BundleSource", "occupant_of", "open_source", "read_whole"]


class BundleSource(Protocol):
    """A store that is read; ``size`` is its length in bytes where it is packed, else ``None``."""

    @property
    def size(self) -> int | None:
        """Return its length."""

    def names(self) -> list[str]:
        """Return the names of all in it that a person would have put there."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes."""

    def check(self) -> None:
        """Raise ``BundleError`` for what is wrong with the store itself."""

    def close(self) -> None:
        """Let go of it."""


def open_source(path: Path) -> BundleSource:
    """Open the folder or archive at a path, or the aside that a crash left of it.

    Another process may be replacing the bundle just now, so a path that was
    missing is looked at once more after its aside.
    """
    place = Place(path)
    for candidate in (place.path, *place.asides(), place.path):
        with reported(path, "read"), suppress(FileNotFoundError):
            if candidate.is_dir():
                return DirectorySource(candidate)
            if candidate.exists():
                _refuse_part(candidate, path)
                return ArchiveSource(candidate)
    raise BundleError("there is no such file or folder", "Check the path.", file=str(path))


def _refuse_part(file: Path, path: Path) -> None:
    """Refuse a file that is part of a bundle, whose folder was meant."""
    names = survey(file.parent).own if is_bundle_folder(file.parent) else RESERVED
    if file.name in names:
        raise BundleError(
            "is one file of a bundle, and a bundle is read whole",
            f"Give its folder: {str(path.parent)!r}.",
            file=str(path),
        )


def read_whole(source: BundleSource, name: str, limit: int) -> bytes:
    """Return a small file's bytes; ``BundleError`` if there are more than ``limit``."""
    data = bytearray()
    for piece in source.pieces(name):
        data += piece
        if len(data) > limit:
            raise BundleError(f"is longer than {limit} bytes", file=name)
    return bytes(data)


def occupant_of(place: Place) -> Occupant | None:
    """Return what is in a bundle's place; ``None`` where it can't be replaced by this kind."""
    if place.path.is_dir() == place.is_archive:
        return None
    if not place.is_archive:
        return survey(place.path)
    try:
        with closing(open_source(place.path)) as source:
            listed = listed_names(read_whole(source, MANIFEST, MAX_MANIFEST))
            foreign = [name for name in source.names() if name not in {*(listed or ()), *RESERVED}]
    except BundleError:
        return None
    return Occupant(listed is not None, foreign=tuple(foreign))
