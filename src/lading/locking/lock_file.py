"""The lock's files: what is sealed, chained by checksums, and the golden records beside it.

``lading.lock.json`` is JSON with two spaces of indent.  Its keys stand in the order of the
dataclasses here, shapes in the order of records.  A seal's ``sha256`` is of its own text and the
seal before, so that an edit of any sealed part is found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from lading.bundle.file_format import line_endings
from lading.bundle.shape_format import shape_rule
from lading.bundle.stores.files import open_regular, pieces_of, remove, reported, sync_folder
from lading.bundle.stores.place import Place
from lading.bundle.validation import (
    DAMAGED,
    Rule,
    built,
    digest,
    list_of,
    mapping_of,
    name,
    object_,
    parse,
    text,
    whole,
)
from lading.errors import BundleError, ChecksumError, VersionError
from lading.messages import shown

__all__ = [
    "LOCK_VERSION",
    "Golden",
    "Lock",
    "Seal",
    "Waiver",
    "golden_bytes",
    "read_golden",
    "read_lock",
    "sealed_by",
    "write_golden",
    "write_lock",
]

LOCK_VERSION = "1.0"
REMEDY = "Restore the file from version control."
WAIVER = (
    'Write waivers as a list of {"rule": "UNIQUE_ADDED", "path": "items", "reason": "..."} and its '
    "like, with the rule and the path of what check finds."
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that people accept, and why; without a reason it counts for nothing."""

    rule: str
    path: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Golden:
    """A file of golden records beside the lock."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What was sealed at one time.

    ``versions`` are those of all entities, ``shapes`` the ones that are new since the seal
    before, and ``waived`` the findings that were accepted.
    """

    number: int
    versions: Mapping[str, int]
    shapes: Mapping[str, Any]
    golden: Golden
    waived: tuple[Waiver, ...]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: its catalog's name, the seals in order, and what people wave through next."""

    catalog: str
    seals: tuple[Seal, ...]
    waivers: tuple[Waiver, ...] = field(default=())

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
        for one in self.seals[: seal.number]:
            known |= one.shapes
        return {name: known[name] for name in seal.versions}


def _waiver(value: Any, where: str) -> Waiver:
    """Take a waiver; one without a reason is for the check to report."""
    given = {"reason": "", **object_(value, where)}
    made: Waiver = built(Waiver, {"rule": text, "path": text, "reason": text})(given, where)
    return made


def _waivers(value: Any, where: str) -> tuple[Waiver, ...]:
    """Take the waivers, which people write: what is wrong in them is for people to correct."""
    try:
        found: tuple[Waiver, ...] = list_of(_waiver)(value, where)
    except BundleError as error:
        raise BundleError(error.problem, WAIVER, field=error.field) from error
    return found


_WAIVED: Rule = built(Waiver, {"rule": text, "path": text, "reason": text})
_SEAL: dict[str, Rule] = {
    "number": whole(1),
    "versions": mapping_of(whole(1)),
    "shapes": mapping_of(shape_rule),
    "golden": built(Golden, {"file": name, "sha256": digest}),
    "waived": list_of(_WAIVED),
    "sha256": digest,
}
_LOCK: dict[str, Rule] = {
    "catalog": text,
    "seals": list_of(built(Seal, _SEAL)),
    "waivers": _waivers,
}


def read_lock(path: Path) -> Lock:
    """Read a lock, and verify its seals.

    Raises ``BundleError`` for a file that is missing or no lock, ``VersionError`` for one of
    another format, and ``ChecksumError`` naming the seal that was edited.
    """
    data = _bytes(path, "There is no lock yet: write one with lading.lock(catalog).")
    with _said_of(path.name):
        top = object_(parse(data), "")
        if top.get("version") != LOCK_VERSION:
            raise VersionError(
                f"the lock's format is {shown(top.get('version'))}, and this lading reads "
                f"{LOCK_VERSION!r}",
                "Read it with the lading that wrote it, or with a newer one.",
                found=top.get("version"),
                needed=LOCK_VERSION,
                file=path.name,
                field="version",
            )
        body = {key: value for key, value in top.items() if key != "version"}
        lock: Lock = built(Lock, _LOCK)(body, "")
        if not lock.seals:
            raise BundleError("holds no seal", field="seals")
        _refuse_shapeless(lock)
    _verify(path.name, top, lock)
    return lock


def _refuse_shapeless(lock: Lock) -> None:
    """Raise for an entity of which a seal has a version, and no seal up to it a shape."""
    known: set[str] = set()
    for number, seal in enumerate(lock.seals):
        known |= seal.shapes.keys()
        for missing in seal.versions.keys() - known:
            raise BundleError(f"holds no shape of {missing!r}", field=f"seals[{number}].shapes")


def _verify(file: str, top: Mapping[str, Any], lock: Lock) -> None:
    before = ""
    for number, (seal, raw) in enumerate(zip(lock.seals, top["seals"], strict=True), 1):
        found = _digest(lock.catalog, before, raw)
        wrong = seal.number != number or seal.golden.file != golden_name(number)
        if found != seal.sha256 or wrong:
            raise ChecksumError(
                f"seal {number} was edited after it was sealed; only waivers may be",
                REMEDY,
                expected=seal.sha256,
                found=found,
                file=file,
                field=f"seals[{number - 1}]",
            )
        before = seal.sha256


def _digest(catalog: str, before: str, raw: Mapping[str, Any]) -> str:
    """Return the checksum of a seal's members and the seal before."""
    body = {key: value for key, value in raw.items() if key != "sha256"}
    held = {"version": LOCK_VERSION, "catalog": catalog, "previous": before, "seal": body}
    return sha256(json.dumps(held, ensure_ascii=False, allow_nan=False).encode()).hexdigest()


def sealed_by(lock: Lock | None, catalog: str, seal: Seal) -> Lock:
    """Return a lock with one more seal, whose checksum is made here, and without waivers."""
    seals = lock.seals if lock is not None else ()
    found = _digest(catalog, seals[-1].sha256 if seals else "", _plain(seal))
    body = {item.name: getattr(seal, item.name) for item in fields(Seal)}
    return Lock(catalog, (*seals, Seal(**{**body, "sha256": found})))


def write_lock(path: Path, lock: Lock) -> None:
    """Write a lock in place of the one that is there, at once."""
    body = {"version": LOCK_VERSION, **_plain(lock)}
    _write(path, json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Lock | Seal | Golden | Waiver):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


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


def write_golden(path: Path, number: int, data: bytes) -> Golden:
    """Write a seal's golden records beside a lock; those that are there are never replaced."""
    Place(path).check_parent()
    file = path.parent / golden_name(number)
    with reported(file, "written"):
        file.parent.mkdir(exist_ok=True)
    if os.path.lexists(file) and _bytes(file, REMEDY) != data:
        raise BundleError(
            "is there already and holds other records; goldens are never replaced",
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
    found = sha256(data).hexdigest()
    if sha256(data.replace(b"\r\n", b"\n")).hexdigest() == seal.golden.sha256 != found:
        raise line_endings(seal.golden.file)
    if found != seal.golden.sha256:
        raise ChecksumError(
            f"the golden records of seal {seal.number} were edited after they were sealed",
            REMEDY,
            expected=seal.golden.sha256,
            found=found,
            file=seal.golden.file,
        )
    with _said_of(seal.golden.file):
        document: dict[str, Any] = object_(parse(data), "")
        return document


# Files


def _bytes(path: Path, missing: str, *, name: str | None = None) -> bytes:
    file = name or path.name
    if not os.path.lexists(path):
        raise BundleError("is missing", missing, file=file)
    found = Place(path).path
    return b"".join(pieces_of(open_regular(found.name, found.parent, None, shown=file), file))


def _write(path: Path, data: bytes) -> None:
    """Write a file by way of a temporary sibling, so that readers see the old one or the new."""
    place = Place(path)
    with place.locked():
        place.tidy()
        mode, temporary = place.mode(), place.temporary()
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(place.path)
        finally:
            remove(temporary)
        sync_folder(place.parent)


@contextmanager
def _said_of(file: str) -> Iterator[None]:
    """Let the errors of the manifest's rules name this file."""
    try:
        yield
    except BundleError as error:
        remedy = REMEDY if error.remedy in ("", DAMAGED) else error.remedy
        raise BundleError(error.problem, remedy, file=file, field=error.field) from error
