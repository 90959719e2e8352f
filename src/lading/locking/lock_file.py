"""The lock's files: what is sealed, chained by checksums, and the golden records beside it.

``lading.lock.json`` is JSON with two spaces of indent.  Its keys stand in the order of the
structs here, shapes in the order of records.  A seal's ``sha256`` is of its own text and the
seal before, so that an edit of any sealed part is found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lading.bundle.file_format import line_endings
from lading.bundle.manifest import AnyShape
from lading.bundle.shape_format import check_shape
from lading.bundle.stores.files import open_regular, pieces_of, remove, reported
from lading.bundle.stores.place import Place
from lading.bundle.stores.whole_file import whole_file
from lading.bundle.validation import Closed, Digest, JsonFile, Name, Number
from lading.errors import BundleError, ChecksumError, VersionError
from lading.messages import Message, shown

__all__ = [
    "LOCK_VERSION",
    "Golden",
    "Lock",
    "Seal",
    "Waiver",
    "golden_bytes",
    "golden_written",
    "read_golden",
    "read_lock",
    "sealed_by",
    "write_lock",
]

LOCK_VERSION = "1.0"
REMEDY = "Restore the file from version control."
WAIVER = (
    'Write waivers as a list of {"rule": "UNIQUE_ADDED", "path": "items", "reason": "..."} and its '
    "like, with the rule and the path of what check finds."
)


class Waiver(Closed, frozen=True):
    """A finding that people accept, and why; without a reason it counts for nothing."""

    rule: str
    path: str
    reason: str = ""


class Golden(Closed, frozen=True):
    """A file of golden records beside the lock."""

    file: Name
    sha256: Digest


class Seal(Closed, frozen=True):
    """What was sealed at one time.

    ``versions`` are those of all entities, ``shapes`` the ones that are new since the seal
    before, and ``waived`` the findings that were accepted.
    """

    number: Number
    versions: Mapping[str, Number]
    shapes: Mapping[str, AnyShape]
    golden: Golden
    waived: tuple[Waiver, ...]
    sha256: Digest


Seals = Annotated[tuple[Seal, ...], Meta(min_length=1, description="at least one seal")]


class Lock(Closed, frozen=True):
    """A lock: its catalog's name, the seals in order, and what people wave through next."""

    catalog: str
    seals: Seals
    waivers: tuple[Waiver, ...]

    @property
    def last(self) -> Seal:
        """The newest seal."""
        return self.seals[-1]

    @property
    def shapes(self) -> dict[str, Any]:
        """The shapes of the last seal's entities."""
        return self.shapes_at(self.last)

    def shapes_at(self, seal: Seal) -> dict[str, Any]:
        """Return the shapes of a seal's entities: its own, and those of the seals before."""
        known: dict[str, Any] = {}
        for earlier in self.seals[: seal.number]:
            known |= earlier.shapes
        return {name: known[name] for name in seal.versions}


def read_lock(path: Path) -> Lock:
    """Read a lock, and verify its seals.

    Raises ``BundleError`` for a file that is missing or no lock, ``VersionError`` for one of
    another format, and ``ChecksumError`` naming the seal that was edited.
    """
    file = JsonFile(path.name, REMEDY)
    body = file.parse(_bytes(path, "There is no lock yet: write one with lading.lock(catalog)."))
    version = body.pop("version", None)
    if version != LOCK_VERSION:
        raise VersionError(
            Message(
                "format-unknown",
                f"the lock's format is {shown(version)}, and this lading reads {LOCK_VERSION!r}",
            ),
            "Read it with the lading that wrote it, or with a newer one.",
            found=version,
            needed=LOCK_VERSION,
            file=path.name,
            field="version",
        )
    if "waivers" in body:  # people write them, so that the remedy is another
        JsonFile(path.name, WAIVER).convert(body["waivers"], tuple[Waiver, ...], "waivers")
    lock = file.convert(body, Lock)
    _check_shapes(file, lock)
    _verify(file, body, lock)
    return lock


def _check_shapes(file: JsonFile, lock: Lock) -> None:
    """Refuse what is no shape, and a seal's version of an entity whose shape is sealed nowhere."""
    known: set[str] = set()
    for number, seal in enumerate(lock.seals):
        field = f"seals[{number}].shapes"
        for name, shape in seal.shapes.items():
            check_shape(file, shape, f"{field}.{name}")
        known |= seal.shapes.keys()
        for missing in sorted(seal.versions.keys() - known):
            raise file.error(f"holds no shape of {missing!r}", field)


def _verify(file: JsonFile, body: Mapping[str, Any], lock: Lock) -> None:
    before = ""
    for number, (seal, raw) in enumerate(zip(lock.seals, body["seals"], strict=True), 1):
        digest = _digest(lock.catalog, before, raw)
        wrong = seal.number != number or seal.golden.file != golden_name(number)
        if digest != seal.sha256 or wrong:
            raise ChecksumError(
                Message(
                    "seal-edited",
                    f"seal {number} was edited after it was sealed; only waivers may be",
                ),
                REMEDY,
                expected=seal.sha256,
                found=digest,
                file=file.name,
                field=f"seals[{number - 1}]",
            )
        before = seal.sha256


def _digest(catalog: str, before: str, raw: Mapping[str, Any]) -> str:
    """Return the checksum of a seal's members and the seal before."""
    body = {key: value for key, value in raw.items() if key != "sha256"}
    sealed = {"version": LOCK_VERSION, "catalog": catalog, "previous": before, "seal": body}
    return sha256(json.dumps(sealed, ensure_ascii=False, allow_nan=False).encode()).hexdigest()


def sealed_by(lock: Lock | None, catalog: str, seal: Seal) -> Lock:
    """Return a lock with one more seal, whose checksum is computed here, and without waivers."""
    seals = lock.seals if lock is not None else ()
    before = seals[-1].sha256 if seals else ""
    digest = _digest(catalog, before, msgspec.to_builtins(seal))
    return Lock(catalog, (*seals, msgspec.structs.replace(seal, sha256=digest)), ())


def write_lock(path: Path, lock: Lock) -> None:
    """Write a lock in place of the one that is there, at once."""
    body = {"version": LOCK_VERSION, **msgspec.to_builtins(lock)}
    _write(path, json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n")


# Golden records


def golden_name(number: int) -> str:
    """Return where a seal's golden records stand, from the lock's folder."""
    return f"goldens/{number}.json"


def golden_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document's text, one record a line, in the order of its keys."""
    parts = []
    for key, value in document.items():
        text = _line(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(_line(record) for record in value)
            text += "\n]" if value else "]"
        parts.append(f"{_line(key)}:{text}")
    return ("{" + ",\n".join(parts) + "}\n").encode()


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@contextmanager
def golden_written(path: Path, number: int, data: bytes) -> Iterator[Golden]:
    """Write a seal's golden records beside a lock; those that are there are never replaced.

    If the block fails, in which the lock is written, what is new goes again.
    """
    Place(path).check_parent()
    file = path.parent / golden_name(number)
    new = [entry for entry in (file, file.parent) if not os.path.lexists(entry)]
    try:
        yield _write_golden(file, number, data)
    except BaseException:
        if file in new:
            remove(file)
        if file.parent in new:
            with suppress(OSError):  # it isn't there, or another process has put a file into it
                file.parent.rmdir()
        raise


def _write_golden(file: Path, number: int, data: bytes) -> Golden:
    with reported(file, "written"):
        file.parent.mkdir(exist_ok=True)
    if os.path.lexists(file) and _bytes(file, REMEDY) != data:
        raise BundleError(
            Message(
                "target-exists",
                "is there already and holds other records; goldens are never replaced",
            ),
            "Remove it if it belongs to no lock, or keep each lock in a folder of its own.",
            file=golden_name(number),
        )
    _write(file, data)
    return Golden(golden_name(number), sha256(data).hexdigest())


def read_golden(path: Path, seal: Seal) -> dict[str, Any]:
    """Return the golden document of a seal.

    Raises ``BundleError`` where it is missing, ``ChecksumError`` where it was edited.
    """
    data = _bytes(path.parent / seal.golden.file, REMEDY, name=seal.golden.file)
    digest = sha256(data).hexdigest()
    if sha256(data.replace(b"\r\n", b"\n")).hexdigest() == seal.golden.sha256 != digest:
        raise line_endings(seal.golden.file)
    if digest != seal.golden.sha256:
        raise ChecksumError(
            Message(
                "golden-edited",
                f"the golden records of seal {seal.number} were edited after they were sealed",
            ),
            REMEDY,
            expected=seal.golden.sha256,
            found=digest,
            file=seal.golden.file,
        )
    return JsonFile(seal.golden.file, REMEDY).parse(data)


# Files


def _bytes(path: Path, missing: str, *, name: str | None = None) -> bytes:
    file = name or path.name
    if not os.path.lexists(path):
        raise BundleError(Message("file-missing", "is missing"), missing, file=file)
    resolved = Place(path).path
    return b"".join(pieces_of(open_regular(resolved.name, resolved.parent, None, shown=file), file))


def _write(path: Path, data: bytes) -> None:
    with whole_file(path) as file:
        file.write(data)
