"""The way past what is no JSON in an entity file: line by line, as lading lays such files out.

The other readers stop at the first malformed record; whoever wants every fault reads on here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from lading.bundle.file_format import MAX_RECORD, header
from lading.bundle.manifest import FileEntry
from lading.bundle.reader import Block
from lading.bundle.validation import CONFLICT, CONFLICT_MARKERS
from lading.errors import BundleError
from lading.messages import Message
from lading.values.json_text import on_own_stack

__all__ = ["salvaged"]

Note = Callable[[BundleError], None]
_valid = msgspec.json.Decoder(msgspec.Raw).decode


def salvaged(pieces: Iterator[bytes], entry: FileEntry, note: Note) -> Iterator[Block]:
    """Yield the records of a malformed file, each in a block of its own.

    A file with another first line than lading writes holds none that could be told apart.

    Args:
        pieces: the file's bytes.
        entry: what the manifest says of the file.
        note: is called with the error of each line that is no record.
    """
    lines = _lines(pieces, entry, note)
    if next(lines, b"") + b"\n" != header(entry.entity_type, entry.schema_version):
        return
    number, is_closed, has_comma = 0, False, True
    for line in lines:
        text = line.strip(b" \t\r")
        if is_closed and text:
            note(_fault(entry, None, "something follows the document"))
            return
        if text == b"]}":
            is_closed = True
            if has_comma and number:
                note(_fault(entry, number, "a comma follows the last record"))
            continue
        if text.startswith(CONFLICT_MARKERS):
            place = f"behind record {number}" if number else "before the first record"
            note(_fault(entry, None, f"{place} stands {CONFLICT}"))
            continue
        number += 1
        if not has_comma:
            note(_fault(entry, number, "no comma stands before it"))
        has_comma = text.endswith(b",")
        text = text.removesuffix(b",")
        problem = _problem(text)
        if problem:
            note(_fault(entry, number, problem))
        else:
            yield Block(number, [text])
    if not is_closed:
        note(_fault(entry, None, "the file ends before its records do; expected ']}'"))


def _problem(text: bytes) -> str | None:
    """Say why a line is no record's text, if it isn't."""
    try:
        on_own_stack(_valid, text)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"it is not JSON ({error})"
    return None if text.startswith(b"{") else "expected an object"


def _fault(entry: FileEntry, number: int | None, problem: str) -> BundleError:
    remedy = "Correct it, or export again."
    return BundleError(
        Message("file-malformed", f"is malformed: {problem}"),
        remedy,
        file=entry.filename,
        record=number,
    )


def _lines(pieces: Iterator[bytes], entry: FileEntry, note: Note) -> Iterator[bytes]:
    """Yield lines without their ends; a longer one than a record may be ends the file."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        *lines, rest = pending.split(b"\n")
        yield from map(bytes, lines)
        pending = rest
        if len(pending) > MAX_RECORD:
            note(_fault(entry, None, f"a record is longer than {MAX_RECORD} bytes"))
            return
    if pending:
        yield bytes(pending)
