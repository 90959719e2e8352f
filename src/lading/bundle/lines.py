"""The fast way into an entity file: lines as lading writes them.

Lines are cut by the piece, never one by one.  What isn't such a line is left to
the scanner, so every layout of the same JSON reads alike.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import msgspec

from lading.bundle.file_format import CLOSE, MAX_RECORD, SEPARATOR, header
from lading.bundle.manifest import FileEntry
from lading.bundle.scan import Window, document, records_onward
from lading.values.json_text import on_own_stack

__all__ = ["runs"]

_BETWEEN = b"}" + SEPARATOR + b"{"
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LAST = b"}\n" + CLOSE
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def runs(pieces: Iterator[bytes], entry: FileEntry) -> Iterator[list[bytes]]:
    """Yield the records of an entity file as JSON texts, some at a time, in order.

    Each text is one whole JSON value.  Raises ``BundleError``, naming the byte
    and the record, where the file isn't such a document to its end, and where
    its ``entity_type`` or ``schema_version`` isn't the entry's.
    """
    first_line = header(entry.entity_type, entry.schema_version)
    window = Window(pieces, entry)
    while len(window.text) < len(first_line) and window.read():
        pass
    if window.text.startswith(_MARKS):
        window.fail("it begins with a byte order mark; save it as UTF-8 without one")
    if window.text.startswith(first_line):
        window.drop(len(first_line))
        yield from _lines(window)
    else:
        for record in document(window):
            yield [record]


def _lines(window: Window) -> Iterator[list[bytes]]:
    seen = 0
    while True:
        cut = window.text.rfind(_BETWEEN, max(0, seen - len(_BETWEEN)))
        if cut >= 0:
            run = _cut(window.text[: cut + 1])
            if not run:
                break
            yield run
            window.number += len(run)
            window.drop(cut + 1 + len(SEPARATOR))
        seen = len(window.text)
        if seen > MAX_RECORD:
            break
        if not window.read():
            yield from _last_lines(window)
            return
    yield from _scanned(window)


def _last_lines(window: Window) -> Iterator[list[bytes]]:
    if window.text == CLOSE and not window.number:
        return
    end = len(window.text) - len(_LAST) + 1
    run = _cut(window.text[:end]) if window.text.endswith(_LAST) else None
    if run:
        yield run
    else:
        yield from _scanned(window)


def _scanned(window: Window) -> Iterator[list[bytes]]:
    for record in records_onward(window):
        yield [record]


def _cut(text: bytearray) -> list[bytes] | None:
    # The decoder checks the JSON and gives each record's exact bounds, so that
    # a line which someone broke or joined by hand is never taken for a record.
    try:
        return list(map(bytes, on_own_stack(_elements.decode, b"[" + text + b"]")))
    except (msgspec.DecodeError, RecursionError):
        return None
