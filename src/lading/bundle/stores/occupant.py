"""What is in a folder where a bundle is to be written: what may go, and what mustn't."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from lading.bundle.stores.files import open_regular, pieces_of, reported
from lading.bundle.stores.limits import MAX_MANIFEST
from lading.errors import BundleError
from lading.filenames import MANIFEST, RESERVED

__all__ = ["Occupant", "is_bundle_folder", "is_by_the_way", "listed_names", "survey"]

# What file managers and version control put into any folder.
_BY_THE_WAY = re.compile(
    r"\.[^.].*|(eh)?thumbs\.db|desktop\.ini|__macosx|@eadir|icon\r", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Occupant:
    """The names in a folder, sorted.

    ``own`` are the bundle's plain files, ``by_the_way`` and ``folders`` the files and the folders
    (a repository's ``.git``) that file managers and version control put there, ``foreign``
    everything else: a link, a pipe or a device is always foreign.
    """

    is_bundle: bool
    own: tuple[str, ...] = ()
    by_the_way: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def survey(folder: Path) -> Occupant:
    """Look at a folder; ``BundleError`` where it can't be listed."""
    listed = _listed(folder)
    known = {*(listed or ()), *RESERVED} if listed is not None else set()
    own, by_the_way, folders, foreign = list[str](), list[str](), list[str](), list[str]()
    with reported(folder, "read"):
        for file in sorted(folder.iterdir()):
            mode = file.lstat().st_mode
            if stat.S_ISREG(mode) and file.name in known:
                own.append(file.name)
            elif stat.S_ISREG(mode) and is_by_the_way(file.name):
                by_the_way.append(file.name)
            elif stat.S_ISDIR(mode) and is_by_the_way(file.name):
                folders.append(file.name)
            else:
                foreign.append(file.name)
    return Occupant(
        listed is not None, tuple(own), tuple(by_the_way), tuple(folders), tuple(foreign)
    )


def is_bundle_folder(folder: Path) -> bool:
    """Tell whether a folder is a bundle, of whatever format and however edited."""
    return _listed(folder) is not None


def _listed(folder: Path) -> set[str] | None:
    text = bytearray()
    try:
        for piece in pieces_of(open_regular(MANIFEST, folder, None), MANIFEST):
            text += piece
            if len(text) > MAX_MANIFEST:
                return None
    except BundleError:
        return None
    return listed_names(bytes(text))


def is_by_the_way(name: str) -> bool:
    """Tell whether a name is hidden, or one that a file manager makes by itself."""
    return _BY_THE_WAY.fullmatch(name) is not None


def listed_names(manifest: bytes) -> set[str] | None:
    """Return the file names that a manifest lists, ``None`` if it isn't lading's.

    This only recognises a bundle, of whatever format and however edited, before
    it is replaced; ``Manifest.from_bytes`` is what reads one.
    """
    try:
        members = json.loads(manifest)
        is_sealed = "manifest_sha256" in members
        return {str(entry["filename"]) for entry in members["files"]} if is_sealed else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
