"""One member of a ZIP file: its own header held against the directory, and its data.

A member says its name, sizes and method twice.  Readers differ in which they believe, so
both must be the same.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from lading.bundle.stores.limits import PIECE
from lading.errors import BundleError
from lading.messages import Message

__all__ = ["ENCRYPTED", "Stretch", "check_local", "inflated", "refusal", "refuse"]

ENCRYPTED = 0x1
_STREAMED = 0x8
_UTF8 = 0x800
# Flags that change what a reader does; the others are notes of the packer.
_MEANT = ENCRYPTED | _STREAMED | 0x40 | _UTF8 | 0x2000
_FULL = 0xFFFFFFFF
# Packed bytes that are read at once; what they unpack to comes by the piece.
PACKED = PIECE // 4
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075

_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")
_DESCRIPTORS = {12: "<3L", 16: "<4s3L", 20: "<L2Q", 24: "<4sL2Q"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a member's data are within an archive."""

    start: int
    info: zipfile.ZipInfo


def refusal(problem: str, file: str) -> BundleError:
    """Return the one error for an archive that can't be trusted."""
    return BundleError(
        Message("archive-malformed", problem), "Get an undamaged copy of the archive.", file=file
    )


def refuse(problem: str, file: str) -> NoReturn:
    """Raise the one error for an archive that can't be trusted."""
    raise refusal(problem, file)


def check_local(file: BinaryIO, info: zipfile.ZipInfo, end: int) -> Stretch:
    """Return where a member's data are; refuse a header that the directory contradicts.

    ``end`` is where the next member begins, or the archive's directory.
    """
    header = _at(file, info, info.header_offset, _LOCAL.size)
    mark, _, flags, method, _, _, *numbers, name_length, extra_length = _LOCAL.unpack(header)
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    texts = _at(file, info, info.header_offset + _LOCAL.size, name_length + extra_length)
    extra = _extra(info, texts[name_length:])
    start = info.header_offset + _LOCAL.size + len(texts)
    if start + info.compress_size > end:
        refuse("overlaps what follows it in the archive", info.filename)
    same = flags & _MEANT == info.flag_bits & _MEANT and method == info.compress_type
    if mark != b"PK\3\4" or texts[:name_length] != name or not same or info.volume:
        refuse("has a header of its own that the archive's directory contradicts", info.filename)
    for fields in (extra, _extra(info, info.extra)):
        _check_path(info, fields)
        _check_zip64(info, fields)
    sizes = _sizes(info, numbers, extra.get(_ZIP64, b""))
    after = _at(file, info, start + info.compress_size, end - start - info.compress_size)
    streamed = bool(flags & _STREAMED)
    expected = (info.CRC, info.compress_size, info.file_size)
    # From a pipe, what isn't known yet is zero, and told behind the data.
    pairs = zip(sizes, expected, strict=True)
    if not all(number == true or (streamed and not number) for number, true in pairs):
        refuse("has sizes of its own that the archive's directory contradicts", info.filename)
    if (after or sizes != expected) and not (streamed and _descriptor(after) == expected):
        refuse("is followed by other bytes in the archive", info.filename)
    return Stretch(start, info)


def inflated(file: BinaryIO, stretch: Stretch) -> Iterator[bytes]:
    """Yield a member's data; refuse what isn't as long as it says, or has another CRC.

    The file's place is its own again at each piece, for others may read meanwhile.
    """
    info, at, remaining = stretch.info, stretch.start, stretch.info.compress_size
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type else None
    size = crc = 0
    pending = b""
    while remaining or pending:
        if not pending:
            pending = _at(file, info, at, min(PACKED, remaining))
            at, remaining = at + len(pending), remaining - len(pending)
        piece, pending = pending, b""
        if inflate is not None:
            piece = inflate.decompress(piece, PIECE)
            pending = inflate.unconsumed_tail
            if inflate.eof and (remaining or pending or inflate.unused_data):
                refuse("has other bytes after its data", info.filename)
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > info.file_size:
            break
        yield piece
    if size != info.file_size or (inflate is not None and not inflate.eof):
        refuse(f"is not the {info.file_size} bytes long that the archive says", info.filename)
    if crc != info.CRC:
        refuse("has another CRC-32 than the archive says", info.filename)


def _at(file: BinaryIO, info: zipfile.ZipInfo, start: int, length: int) -> bytes:
    file.seek(start)
    data = file.read(length)
    if len(data) < length:
        refuse("is cut off", info.filename)
    return data


def _extra(info: zipfile.ZipInfo, data: bytes) -> dict[int, bytes]:
    """Return the extra fields by their number."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        number, length = _EXTRA.unpack_from(data, at) if at + _EXTRA.size <= len(data) else (0, -1)
        at += _EXTRA.size + length
        if length < 0 or at > len(data) or number in fields:
            refuse("has malformed extra fields in the archive", info.filename)
        fields[number] = data[at - length : at]
    return fields


def _check_path(info: zipfile.ZipInfo, fields: Mapping[int, bytes]) -> None:
    """Refuse a second name, which some readers take for the first."""
    field = fields.get(_UNICODE_PATH)
    if field is not None and field[5:] != info.filename.encode("utf-8", "surrogatepass"):
        refuse("has another name in its extra fields", info.filename)


def _check_zip64(info: zipfile.ZipInfo, fields: Mapping[int, bytes]) -> None:
    """Refuse large numbers that aren't the member's, where nothing asks for them too."""
    field = fields.get(_ZIP64, b"")
    known = {info.file_size, info.compress_size, info.header_offset, 0}
    numbers = struct.unpack_from(f"<{len(field) // 8}Q", field)
    if not known.issuperset(numbers):
        refuse("has other sizes in its ZIP64 fields", info.filename)


def _sizes(info: zipfile.ZipInfo, numbers: list[int], large: bytes) -> tuple[int, int, int]:
    """Return CRC, packed size and size, the latter from the ZIP64 field where they are full."""
    crc, packed, size = numbers
    try:
        if size == _FULL:
            size, large = *struct.unpack_from("<Q", large), large[8:]
        if packed == _FULL:
            packed = struct.unpack_from("<Q", large)[0]
    except struct.error:
        refuse("has no ZIP64 sizes in its own header", info.filename)
    return crc, packed, size


def _descriptor(data: bytes) -> tuple[int, int, int] | None:
    """Return what stands after data that were packed from a pipe."""
    form = _DESCRIPTORS.get(len(data))
    if form is None:
        return None
    *_, crc, packed, size = struct.unpack(form, data)
    return crc, packed, size
