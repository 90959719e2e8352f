"""The last line of a manifest: the checksum of all lines before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from lading.bundle.validation import JsonFile
from lading.errors import BundleError, ChecksumError
from lading.filenames import MANIFEST
from lading.messages import DAMAGED, Message

_FILE = JsonFile(MANIFEST)
_SEAL = b'\n  "manifest_sha256": "'
_SEAL_END = re.compile(rb'([0-9a-f]{64})"\n}\n')


def sealed(body: Mapping[str, Any]) -> bytes:
    """Return a manifest's fields as canonical text, with ``manifest_sha256`` last.

    The digest is of every byte before the line that holds it.
    """
    members = {name: value for name, value in body.items() if name != "manifest_sha256"}
    text = json.dumps(
        members, indent=2, ensure_ascii=False, allow_nan=False, default=msgspec.to_builtins
    )
    head = text.removesuffix("\n}").encode() + b","
    return head + _SEAL + sha256(head + b"\n").hexdigest().encode() + b'"\n}\n'


def _seal_of(data: bytes) -> tuple[str, str] | None:
    """Return the checksum that a manifest ends with and that of its text, if there is one."""
    head, _, tail = data.rpartition(_SEAL)
    match = _SEAL_END.fullmatch(tail)
    return None if match is None else (match[1].decode(), sha256(head + b"\n").hexdigest())


def is_sealed(data: bytes) -> bool:
    """Tell whether a text ends with its own checksum, as a manifest does."""
    seal = _seal_of(data)
    return seal is not None and seal[0] == seal[1]


def seal_faults(data: bytes) -> Iterator[BundleError]:
    """Find what is wrong with the last line: its form, or its checksum."""
    seal = _seal_of(data)
    if seal is None:
        problem = "must be the last line, with 64 lower-case hexadecimal digits"
        yield _FILE.error(problem, "manifest_sha256")
        return
    expected, actual = seal
    if expected != actual:
        yield ChecksumError(
            Message(
                "manifest-edited",
                "its checksum differs from its own manifest_sha256 (edited after export?)",
            ),
            DAMAGED,
            expected=expected,
            found=actual,
            file=MANIFEST,
            field="manifest_sha256",
        )
