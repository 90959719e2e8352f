"""Files of changes: one JSON value a line, verified as a whole before any of it is used."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

import msgspec

from lading.bundle.file_format import MAX_RECORD, line_endings
from lading.bundle.stores.files import open_regular, reported
from lading.bundle.stores.place import Place
from lading.bundle.stores.whole_file import whole_file
from lading.bundle.validation import JsonFile
from lading.errors import BundleError, ChecksumError, VersionError
from lading.messages import Message, shown
from lading.planning.change_log import CHANGES, ChangeLog, json_line
from lading.planning.file_format import (
    PLAN_VERSION,
    ChangeLine,
    PlanHeader,
    PlanSummary,
    SealedSummary,
)
from lading.planning.other_files import BEGINNING, named_file, named_folder
from lading.planning.record_change import RecordChange
from lading.scratch.sort import chunked
from lading.values.json_text import on_own_stack

REMEDY = "Make the plan again, or use an undamaged copy."
OTHER_REMEDY = "Give the file that ImportPlan.write, Diff.write or --plan wrote."
#: A line holds a record twice, and its key.
LONGEST_LINE = 3 * MAX_RECORD
#: What each plan's first line holds, of this and other formats.
HEADER = (b'"version"', b'"catalog"', b'"database"')
_SEAL = b',"sha256":"'
_decoder = msgspec.json.Decoder(ChangeLine)


def write_change_file(path: Path, header: PlanHeader, log: ChangeLog, summary: PlanSummary) -> None:
    """Write changes to a file, in place of one that is there.

    Args:
        path: the file.
        header: its first line.
        log: the changes.
        summary: its last line, to which the checksum is added.
    """
    with whole_file(path) as file:
        digest = sha256()

        def write(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        write(json_line(header) + b"\n")
        for lines in chunked(log.lines(), CHANGES):
            write(b"\n".join(lines) + b"\n")
        write(json_line(summary)[:-1])
        file.write(_SEAL + digest.hexdigest().encode() + b'"}\n')


def read_change_file(path: Path) -> tuple[PlanHeader, ChangeLog, PlanSummary]:
    """Read a file of changes.

    Raises ``VersionError`` for another format, ``ChecksumError`` for a file that was edited, else
    ``BundleError`` where it isn't a whole one.
    """
    file = JsonFile(path.name, REMEDY)
    with _opened(path) as stream, reported(path.name, "read"):
        _refuse_other(path.name, stream)
        header = _header(file, stream)
        stream.seek(0)
        last = _verified(file, stream)
        stream.seek(0)
        stream.readline()
        log = _changes(file, stream, last)
    summary = file.convert(file.parse(last), SealedSummary, "summary")
    if len(log) != summary.changes:
        raise file.wrong("summary.changes", summary.changes, f"{len(log)}, as there are")
    return header, log, summary


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if not os.path.lexists(path):
        raise BundleError(Message("file-missing", "is missing"), "Check the path.", file=path.name)
    if path.is_dir():
        raise _other(path.name, named_folder(path))
    place = Place(path).path
    with open_regular(place.name, place.parent, None, shown=path.name) as file:
        yield io.BufferedReader(file)  # type: ignore[type-var]


def _refuse_other(name: str, stream: BinaryIO) -> None:
    """Raise ``BundleError`` for a file whose first line isn't a plan's, and say what it is."""
    beginning = stream.read(BEGINNING)
    stream.seek(0)
    first, _, _ = beginning.partition(b"\n")
    if not first.startswith(b"{") or any(part not in first for part in HEADER):
        raise _other(name, named_file(beginning))


def _other(name: str, what: str) -> BundleError:
    return BundleError(
        Message("plan-unrecognised", f"is {what}, and no plan or diff"), OTHER_REMEDY, file=name
    )


def _header(file: JsonFile, stream: BinaryIO) -> PlanHeader:
    body = file.parse(stream.readline(LONGEST_LINE))
    version = body.get("version")
    if version != PLAN_VERSION:
        raise VersionError(
            Message(
                "format-unknown",
                f"the plan's format is {shown(version)}, and this lading reads {PLAN_VERSION!r}",
            ),
            "Read it with the lading that wrote it, or with a newer one.",
            found=version,
            needed=PLAN_VERSION,
            file=file.name,
            field="version",
        )
    return file.convert(body, PlanHeader, "header")


def _verified(file: JsonFile, stream: BinaryIO) -> bytes:
    """Return the last line of a file that ends with its own checksum."""
    digest, last = sha256(), b""
    while line := stream.readline(LONGEST_LINE):
        digest.update(last)
        last = line
        if line.endswith(b"\r\n"):
            raise line_endings(file.name)
        if not line.endswith(b"\n"):
            break
    head, seal, tail = last.rpartition(_SEAL)
    if not seal or not last.endswith(b'"}\n'):
        raise file.error("doesn't end with a summary: it is cut off")
    digest.update(head)
    expected, actual = tail[:-3].decode("ascii", "replace"), digest.hexdigest()
    if expected != actual:
        raise ChecksumError(
            Message(
                "plan-edited",
                "its checksum differs from its own sha256 (edited after it was written?)",
            ),
            REMEDY,
            expected=expected,
            found=actual,
            file=file.name,
            field="summary.sha256",
        )
    return last


def _changes(file: JsonFile, stream: BinaryIO, last: bytes) -> ChangeLog:
    log = ChangeLog()
    for number, line in enumerate(takewhile(last.__ne__, stream), 2):
        change = _written(line) or file.convert(file.parse(line), ChangeLine, f"line {number}")
        log.add(RecordChange(**msgspec.structs.asdict(change)))
    return log


def _written(line: bytes) -> ChangeLine | None:
    """Return a change that would be written as this line; others need a stricter look."""
    try:
        change = on_own_stack(_decoder.decode, line)
        is_as_written = json_line(change) + b"\n" == line
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return change if is_as_written else None
