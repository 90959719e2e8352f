"""The slow way into an entity file: a scanner for any layout of its JSON.

It follows strings and nesting, cuts out one record at a time and holds no more
than that, so a pretty-printed file of any size can be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from lading.bundle.file_format import MAX_DEPTH, MAX_RECORD
from lading.bundle.manifest import FileEntry
from lading.bundle.stores.limits import PIECE
from lading.errors import BundleError
from lading.messages import DAMAGED, Message, shown
from lading.values.json_text import on_own_stack

__all__ = ["Window", "document", "records_onward"]

# A number or word of the document's own fields, beside its records.
LONGEST_SCALAR = 1000
FIELDS = frozenset({"entity_type", "schema_version", "records"})

_SPACE = re.compile(rb"[ \t\r\n]*")
# All up to the next bracket, over whole strings without escapes; possessive, so
# that it never goes back.
_PLAIN = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+")*+')
_IN_STRING = re.compile(rb'["\\]')
_SCALAR = re.compile(rb'[^ \t\r\n,:{}\[\]"]*')
_CLOSING = {b"{": b"}", b"[": b"]"}
_valid = msgspec.json.Decoder(msgspec.Raw).decode


class Malformed(BundleError):
    """An entity file isn't such a document."""


class Window:
    """The part of a file that is in memory, which moves along.

    ``at`` is the place in ``text`` that is looked at; ``number`` counts the
    records that were begun.
    """

    def __init__(self, pieces: Iterator[bytes], entry: FileEntry) -> None:
        self.text = bytearray()
        self.at = 0
        self.number = 0
        self.entry = entry
        self._offset = 0
        self._pieces = pieces

    def read(self) -> bool:
        """Append the next piece, if there is one."""
        piece = next(self._pieces, b"")
        self.text += piece
        # A piece beyond the longest record may be in the window.
        if len(self.text) - self.at > MAX_RECORD + 2 * PIECE:
            self.fail(f"a record is longer than {MAX_RECORD} bytes")
        return bool(piece)

    def drop(self, count: int) -> None:
        """Forget the first bytes, which have been dealt with."""
        del self.text[:count]
        self._offset += count
        self.at = 0

    def fail(self, problem: str) -> NoReturn:
        """Raise the error for a malformed file, naming the byte and the record."""
        raise Malformed(
            Message(
                "file-malformed", f"is malformed near byte {self._offset + self.at}: {problem}"
            ),
            "Correct it, or export again.",
            file=self.entry.filename,
            record=self.number or None,
        )

    def peek(self) -> bytes:
        """Skip blanks and return the byte that follows, empty at the end."""
        while True:
            self.at = _end(_SPACE, self.text, self.at)
            if self.at < len(self.text):
                return bytes(self.text[self.at : self.at + 1])
            self.drop(self.at)
            if not self.read():
                return b""

    def expect(self, choices: bytes) -> bytes:
        """Skip blanks and take one of these bytes, which is returned."""
        character = self.peek()
        if not character or character not in choices:
            wanted = " or ".join(repr(chr(choice)) for choice in choices)
            self.fail(f"expected {wanted}, found {_named(character)}")
        self.at += 1
        return character

    def scalar(self) -> Any:
        """Take a string or number and return its value."""
        if self.peek() == b'"':
            end = self._string_end(self.at + 1)
        else:
            while (end := _end(_SCALAR, self.text, self.at)) == len(self.text):
                if end - self.at > LONGEST_SCALAR:
                    self.fail(f"a number is longer than {LONGEST_SCALAR} characters")
                if not self.read():
                    break
        text, self.at = self.text[self.at : end], end
        try:
            return json.loads(text.decode("utf-8"))
        except (ValueError, RecursionError):
            self.fail(
                f"expected a string or a number, found {shown(text.decode(errors='replace'))}"
            )

    def record(self) -> bytes:
        """Cut out the object that starts here and return its text."""
        self.number += 1
        if self.peek() != b"{":
            self.fail(f"expected a record, found {_named(self.peek())}")
        if self.at > PIECE:
            self.drop(self.at)
        end = self._object_end(self.at)
        text, self.at = bytes(self.text[self.at : end]), end
        try:
            on_own_stack(_valid, text)
        except (msgspec.DecodeError, RecursionError) as error:
            self.fail(f"the record that ends here is not JSON ({error})")
        return text

    def _object_end(self, here: int) -> int:
        nesting: list[bytes] = []
        while True:
            here = _end(_PLAIN, self.text, here) + 1
            mark = bytes(self.text[here - 1 : here])
            if not mark:
                here = self._more()
            elif mark == b'"':
                here = self._string_end(here)
            elif mark in _CLOSING:
                nesting.append(_CLOSING[mark])
                if len(nesting) > MAX_DEPTH:
                    self.fail(f"a record is nested more than {MAX_DEPTH} deep")
            elif nesting.pop() != mark:
                self.fail("brackets don't match")
            elif not nesting:
                return here

    def _string_end(self, here: int) -> int:
        """Return the place after the string whose inside ``here`` is."""
        while True:
            match = _IN_STRING.search(self.text, here)
            if match is None:
                # A backslash may have been the last byte: what it escapes comes next.
                here = max(here, self._more())
            elif match[0] == b'"':
                return match.end()
            else:
                here = match.end() + 1

    def _more(self) -> int:
        """Append a piece and return where it starts; the file must not end here."""
        start = len(self.text)
        if not self.read():
            self.fail("the file ends in the middle of a value")
        return start


def document(window: Window) -> Iterator[bytes]:
    """Yield the records of a whole document, whatever order its fields are in."""
    window.expect(b"{")
    seen: set[str] = set()
    while True:
        name = _key(window, seen)
        if name == "records":
            window.expect(b"[")
            yield from _records(window, window.peek() != b"]")
        else:
            _check(window, name)
        if window.expect(b",}") == b"}":
            break
    if seen != FIELDS:
        window.fail(f"the document has no {', '.join(map(repr, sorted(FIELDS - seen)))}")
    _end_of_file(window)


def records_onward(window: Window) -> Iterator[bytes]:
    """Yield the rest of the records, of a document whose other fields were read.

    The window begins with a record, or with the end of an empty list.
    """
    yield from _records(window, window.peek() != b"]")
    if window.expect(b",}") == b",":
        _key(window, set(FIELDS))
    _end_of_file(window)


def _records(window: Window, some: bool) -> Iterator[bytes]:
    while some:
        yield window.record()
        if window.expect(b",]") == b"]":
            return
    window.expect(b"]")


def _key(window: Window, seen: set[str]) -> str:
    if window.peek() != b'"':
        window.fail(f"expected a field's name, found {_named(window.peek())}")
    name = str(window.scalar())
    if name not in FIELDS:
        window.fail(f"{shown(name)} isn't a field of an entity file")
    if name in seen:
        window.fail(f"the field {name!r} is there twice")
    seen.add(name)
    window.expect(b":")
    return name


def _check(window: Window, name: str) -> None:
    expected: object = getattr(window.entry, name)
    value = window.scalar()
    if type(value) is not type(expected) or value != expected:
        raise BundleError(
            Message(
                "header-differs", f"is {shown(value)}, and the manifest says {shown(expected)}"
            ),
            DAMAGED,
            file=window.entry.filename,
            field=name,
        )


def _end_of_file(window: Window) -> None:
    if character := window.peek():
        window.fail(f"something follows the document: {_named(character)}")


def _end(pattern: re.Pattern[bytes], text: bytearray, at: int) -> int:
    # These patterns match the empty text, so there always is a match.
    match = pattern.match(text, at)
    return match.end() if match else at


def _named(character: bytes) -> str:
    return repr(character.decode("latin-1")) if character else "the end of the file"
