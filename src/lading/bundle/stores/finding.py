"""Finding the store that a path holds, and telling a bundle from anything else."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from lading.bundle.stores.base import BundleSource, read_whole
from lading.bundle.stores.directory import DirectorySource
from lading.bundle.stores.files import reported
from lading.bundle.stores.limits import MAX_MANIFEST
from lading.bundle.stores.occupant import Occupant, is_bundle_folder, listed_names, survey
from lading.bundle.stores.place import Place
from lading.bundle.stores.zip import ArchiveSource
from lading.errors import BundleError
from lading.filenames import MANIFEST, RESERVED
from lading.messages import Message


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
    raise BundleError(
        Message("bundle-missing", "there is no such file or folder"),
        "Check the path.",
        file=str(path),
    )


def _refuse_part(file: Path, path: Path) -> None:
    """Refuse a file that is part of a bundle, whose folder was meant."""
    names = survey(file.parent).own if is_bundle_folder(file.parent) else RESERVED
    if file.name in names:
        raise BundleError(
            Message("path-unusable", "is one file of a bundle, and a bundle is read whole"),
            f"Give its folder: {str(path.parent)!r}.",
            file=str(path),
        )


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
