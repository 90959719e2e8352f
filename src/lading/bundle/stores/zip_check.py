"""What is checked of a ZIP file's structure before ``zipfile`` is let near it.

``zipfile`` accepts junk before and after, members that overlap, duplicate names
and a directory that the two ends of the file disagree about.  Each of these is
a way to show one reader something else than another, so all are refused.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from lading.bundle.stores.limits import MAX_FILES
from lading.bundle.stores.zip_member import ENCRYPTED, Stretch, check_local, refusal, refuse
from lading.errors import BundleError
from lading.filenames import folded
from lading.messages import Message, shown

__all__ = ["BrokenArchive", "Outline", "check_members", "outline"]

# The entity files, the bundle's own, and what file managers put beside each.
MAX_MEMBERS = 2 * MAX_FILES + 10
MAX_DIRECTORY = 16 * 1024 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
# The bit by which DOS tells a folder.
DOS_FOLDER = 0x10


class BrokenArchive(BundleError):
    """The first of several faults of an archive's structure; ``faults`` are all of them."""

    def __init__(self, faults: Sequence[BundleError]) -> None:
        first = faults[0]
        super().__init__(Message(first.code, first.problem), first.remedy, file=first.file)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Outline:
    """Where an archive's directory and its end record are, and what the latter says."""

    directory: int
    end: int
    members: int
    comment: bytes


def _no_archive(file: BinaryIO, name: str) -> BundleError:
    """Return the error for a file of another kind; a document may be meant."""
    file.seek(0)
    if not file.read(_END.size).lstrip().startswith(b"{"):
        return refusal("is not a ZIP archive, or its end is missing", name)
    return BundleError(
        Message("archive-malformed", "is a JSON document, as it seems, and not a bundle"),
        "Make a bundle of it: lading export DOCUMENT BUNDLE, or in Python write_bundle(document, "
        "path).",
        file=name,
    )


def outline(file: BinaryIO, name: str) -> Outline:
    """Check that an archive's end, directory and size agree, and return its outline."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(b"PK\5\6")
    rest = len(tail) - at - _END.size
    if at < 0 or rest < 0:
        raise _no_archive(file, name)
    _, disk, first, here, members, length, offset, comment = _END.unpack_from(tail, at)
    if rest != comment:
        refuse("has other bytes after its end, or its end is cut off", name)
    if disk or first or here != members:
        refuse("is one part of a split archive", name)
    end = start + at
    members, length, offset, top = _extended(file, name, end, (members, length, offset))
    if members > MAX_MEMBERS or length > MAX_DIRECTORY:
        refuse(f"lists {members} files; at most {MAX_MEMBERS} are read", name)
    if offset + length != top:
        refuse("has other bytes before the archive's start or within its directory", name)
    return Outline(offset, end, members, tail[at + _END.size :])


def _extended(
    file: BinaryIO, name: str, end: int, numbers: tuple[int, int, int]
) -> tuple[int, int, int, int]:
    """Return members, length and offset of the directory, and where it must end.

    The numbers are those of the ZIP64 record, if there is one: then the plain
    ones must say the same, or be full.
    """
    file.seek(max(0, end - _LOCATOR.size))
    locator = file.read(_LOCATOR.size)
    if len(locator) < _LOCATOR.size or not locator.startswith(b"PK\6\7"):
        return *numbers, end
    _, disk, at, disks = _LOCATOR.unpack(locator)
    if disk or disks != 1 or at != end - _LOCATOR.size - _END64.size:
        refuse("has a ZIP64 locator that points elsewhere", name)
    file.seek(at)
    mark, size, _, _, disk, first, here, *large = _END64.unpack(file.read(_END64.size))
    full = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    agree = all(a in (b, most) for a, b, most in zip(numbers, large, full, strict=True))
    sound = mark == b"PK\6\6" and size == _END64.size - 12 and not disk and not first
    if not sound or here != large[0] or not agree:
        refuse("has a ZIP64 record that its end record contradicts", name)
    members, length, offset = large
    return members, length, offset, at


def check_members(
    file: BinaryIO, members: Iterable[zipfile.ZipInfo], outline: Outline, name: str
) -> dict[str, Stretch]:
    """Return where each member's data are; refuse special, repeated and overlapping members.

    Members follow each other from the archive's start to its directory, without a gap.

    Args:
        file: The open archive.
        members: What its directory lists.
        outline: Where the directory is, and how many members it says there are.
        name: What errors call the archive.
    """
    names: dict[str, str] = {}
    stretches: dict[str, Stretch] = {}
    faults: list[BundleError] = []
    ordered = sorted(members, key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered[1:]), outline.directory]
    if ordered and ordered[0].header_offset:
        faults.append(refusal("has other bytes before the first file", name))
    if len(ordered) != outline.members:
        faults.append(refusal("has another number of files than it says", name))
    for info, end in zip(ordered, ends, strict=False):
        try:
            _check_member(info)
            _check_name(info, names, name)
            stretches[info.filename] = check_local(file, info, end)
        except BundleError as error:
            faults.append(error)
    if faults:
        raise BrokenArchive(faults) if faults[1:] else faults[0]
    return stretches


def _check_name(info: zipfile.ZipInfo, names: dict[str, str], name: str) -> None:
    """Refuse a member with the name of another, and note its own."""
    other = names.get(folded(info.filename))
    if other is not None:
        refuse(f"has two files of one name, {shown(other)} and {shown(info.filename)}", name)
    names[folded(info.filename)] = info.filename


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & ENCRYPTED:
        raise BundleError(
            Message("archive-unsupported", "is encrypted"),
            "Decrypt the archive first.",
            file=info.filename,
        )
    if info.compress_type not in METHODS:
        raise BundleError(
            Message(
                "archive-unsupported",
                f"is compressed by method {info.compress_type}; expected deflate or none",
            ),
            "Pack it again without that method.",
            file=info.filename,
        )
    if info.orig_filename != info.filename or not info.filename:
        refuse("has a NUL character, a backslash or nothing in its name", info.filename)
    kinds: tuple[int, ...] = (0, stat.S_IFREG)
    is_folder = info.filename.endswith("/")
    if is_folder:
        kinds = (0, stat.S_IFDIR)
    elif info.external_attr & DOS_FOLDER:
        kinds = ()
    if stat.S_IFMT(info.external_attr >> 16) not in kinds or (is_folder and info.file_size):
        refuse("is not a plain file", info.filename)
