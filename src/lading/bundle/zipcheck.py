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
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from lading.errors import BundleError
from lading.manifest import folded

__all__ = ["Outline", "check_members", "outline"]

MAX_MEMBERS = 10_000
MAX_DIRECTORY = 16 * 1024 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Outline:
    """Where an archive's end record is, and what it says."""

    end: int
    members: int
    comment: bytes


def refuse(problem: str, file: str) -> NoReturn:
    """Raise the one error for an archive that can't be trusted."""
    raise BundleError(problem, "Get an undamaged copy of the archive.", file=file)


def outline(file: BinaryIO, name: str) -> Outline:
    """Check that an archive's end, directory and size agree, and return its outline."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(b"PK\5\6")
    rest = len(tail) - at - _END.size
    if at < 0 or rest < 0:
        refuse("is not a ZIP archive, or its end is missing", name)
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
    return Outline(end, members, tail[at + _END.size :])


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


def check_members(members: Iterable[zipfile.ZipInfo], expected: int, name: str) -> None:
    """Refuse members that are encrypted, special, named twice or overlapping."""
    names: set[str] = set()
    reached = 0
    for info in sorted(members, key=lambda info: info.header_offset):
        _check_member(info)
        if not names and info.header_offset:
            refuse("has other bytes before the first file", name)
        names.add(folded(info.filename))
        if info.header_offset < reached:
            refuse("overlaps the file before it in the archive", info.filename)
        own = len(info.orig_filename.encode("utf-8", "surrogatepass"))
        reached = info.header_offset + _LOCAL_HEADER + own + info.compress_size
    if len(names) != expected:
        refuse("has two files of one name, or another number of files than it says", name)


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise BundleError("is encrypted", "Decrypt the archive first.", file=info.filename)
    if info.compress_type not in METHODS:
        raise BundleError(
            f"is compressed by method {info.compress_type}; expected deflate or none",
            "Pack it again without that method.",
            file=info.filename,
        )
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        refuse("is not a plain file", info.filename)
    if info.orig_filename != info.filename:
        refuse("has a NUL character or a backslash in its name", info.filename)
