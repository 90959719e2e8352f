"""The stories of a lock: sealing a catalog's shapes, and checking what became of them since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lading.catalog import Catalog, catalog_of
from lading.changes.history import history_of
from lading.changes.version_checks import version_graph_of
from lading.errors import DeclarationError, VersionError
from lading.locking.check import HEADS, drift, order_of_finding
from lading.locking.goldens import golden_document, golden_findings, golden_records, upgraded
from lading.locking.lock_file import (
    Lock,
    Seal,
    Waiver,
    golden_bytes,
    golden_written,
    read_golden,
    read_lock,
    sealed_by,
    write_lock,
)
from lading.locking.sealed_shape import sealed_shapes
from lading.messages import Message, shown
from lading.options import DOCUMENT, check_mapping, check_path
from lading.report import SAFE, Finding

PATH = "lading.lock.json"


@dataclass(frozen=True, slots=True)
class Locked:
    """What :func:`lock` did: ``number`` is the last seal's, ``sealed`` the entities that it holds.

    ``changed`` is false where there was nothing to seal; ``unread`` says that golden records were
    given then, and that they weren't read.
    """

    path: Path
    number: int
    sealed: tuple[str, ...]
    changed: bool
    unread: bool = False

    def __str__(self) -> str:
        if not self.changed:
            unread = ", and the goldens given weren't read" if self.unread else ""
            return f"{self.path}: nothing to seal; seal {self.number} stands{unread}"
        names = ", ".join(self.sealed) or "versions alone"
        return f"{self.path}: seal {self.number}, of {names}"


def lock(
    catalog: Catalog | None = None,
    path: str | os.PathLike[str] = PATH,
    *,
    goldens: Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> Locked:
    """Seal a catalog's shapes in a lock file, with golden records beside it.

    What is sealed never changes: a later seal adds the shapes that are new since.  Each
    seal has golden records in ``goldens/<number>.json``: the former ones as changes
    upgrade them, and new ones.  Without differences nothing is written.

    Args:
        catalog: the catalog to seal; by default the default one.
        path: the lock file.
        goldens: a document, or a bundle's path, from which a new seal's golden records are taken;
            by default they are made up from the schemas.

    Returns:
        What the lock holds now, and whether anything was sealed.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: :func:`check` finds what no waiver accepts, unless it is safe; or no
            record can be made up for a schema.
        BundleError: a file can't be read or written.
    """
    catalog = catalog_of(catalog)
    check_path("path", path)
    if goldens is not None and not isinstance(goldens, str | os.PathLike):
        check_mapping("goldens", goldens, f"{DOCUMENT}, or a bundle's path")
    entities, place = catalog.use(), Path(path)
    old = _lock_of(catalog, place) if os.path.lexists(place) else None
    waived = () if old is None else _accepted(catalog, place, old)
    history_of(catalog)
    versions = {name: rows.version for name, rows in entities.roots.items()}
    known = {} if old is None else old.shapes
    shapes = sealed_shapes(entities).roots
    fresh = {name: shape for name, shape in shapes.items() if known.get(name) != shape}
    if old is not None and not fresh and versions == dict(old.last.versions):
        return _unchanged(place, old, unread=goldens is not None)
    number = 1 if old is None else old.last.number + 1
    document = _document(catalog, place, old, goldens, {waiver.path for waiver in waived})
    with golden_written(place, number, golden_bytes(document)) as golden:
        seal = Seal(number, versions, fresh, golden, waived, sha256="")
        write_lock(place, sealed_by(old, catalog.name, seal))
    return Locked(place, number, tuple(fresh), changed=True)


def _accepted(catalog: Catalog, place: Path, old: Lock) -> tuple[Waiver, ...]:
    """Return the waivers that count; ``DeclarationError`` for what no waiver accepts."""
    findings, used = _checked(catalog, place, old)
    refused = [str(finding) for finding in findings if finding.severity != SAFE]
    if refused:
        raise DeclarationError("lock-refused", refused)
    return used


def _unchanged(place: Path, old: Lock, *, unread: bool) -> Locked:
    """Leave the file as it is; waivers that nothing needs go."""
    if old.waivers:
        write_lock(place, Lock(old.catalog, old.seals, ()))
    return Locked(place, old.last.number, (), changed=bool(old.waivers), unread=unread)


def _document(
    catalog: Catalog, place: Path, old: Lock | None, goldens: Any, waived: set[str]
) -> dict[str, Any]:
    former: dict[str, Any] = {}
    if old is not None:
        former = upgraded(catalog, read_golden(place, old.last), old.shapes)[0]
    more = None if goldens is None else golden_records(catalog, goldens)
    names = {name for name in catalog.use().roots if _leads_into(waived, name)}
    return golden_document(catalog, former, more, names)


def _leads_into(paths: Iterable[str], name: str) -> bool:
    return any(f"{path}.".startswith(f"{name}.") for path in paths)


def check(catalog: Catalog | None = None, path: str | os.PathLike[str] = PATH) -> list[Finding]:
    """Return what differs between what a catalog declares and what its lock has sealed, sorted.

    Nothing is found where the declared changes lead from the sealed shapes exactly to the declared
    ones: fields, types, nullability, classes, keys, references, order, limits.  What a function
    in ``Convert`` or ``Each`` produces is taken as declared, and tested on the golden
    records rather than proved.  Findings that a waiver accepts are left out.

    Args:
        catalog: the catalog to check; by default the default one.
        path: the lock file.

    Returns:
        The findings, sorted; none if nothing differs.

    Raises:
        BundleError: there is no lock, or it is none.
        ChecksumError: what is sealed was edited.
        VersionError: the lock is of another catalog or format.
        DeclarationError: the declarations can't be used at all.
    """
    catalog = catalog_of(catalog)
    check_path("path", path)
    version_graph_of(catalog)
    place = Path(path)
    return _checked(catalog, place, _lock_of(catalog, place))[0]


def _lock_of(catalog: Catalog, place: Path) -> Lock:
    lock_file = read_lock(place)
    if lock_file.catalog != catalog.name:
        raise VersionError(
            Message(
                "catalog-other",
                f"the lock is of catalog {shown(lock_file.catalog)}, not of {catalog.name!r}",
            ),
            "Name the catalog's own lock: keep each lock in a folder of its own.",
            file=place.name,
            found=lock_file.catalog,
            needed=catalog.name,
        )
    return lock_file


def _checked(
    catalog: Catalog, place: Path, lock_file: Lock
) -> tuple[list[Finding], tuple[Waiver, ...]]:
    """Return the findings that stand, and the waivers that count."""
    documents = {
        seal.golden.file: (read_golden(place, seal), lock_file.shapes_at(seal))
        for seal in lock_file.seals
    }
    drifted = drift(catalog, lock_file.last.versions, lock_file.shapes)
    standing, used = _waived(drifted, lock_file.waivers)
    if all(finding.severity == SAFE for finding in standing):
        passed = _passed(lock_file, used)
        golden = golden_findings(catalog, documents, passed)
        drifted += golden
    standing, used = _waived(drifted, lock_file.waivers)
    standing += _useless(lock_file.waivers, used)
    return sorted(standing, key=order_of_finding), used


def _waived(
    findings: list[Finding], waivers: tuple[Waiver, ...]
) -> tuple[list[Finding], tuple[Waiver, ...]]:
    """Leave out what waivers accept; return as well the waivers that do."""
    valid = [waiver for waiver in waivers if waiver.reason.strip()]
    accepted = {(waiver.rule, waiver.path) for waiver in valid}
    places = {(finding.rule, finding.path) for finding in findings}
    standing = [finding for finding in findings if (finding.rule, finding.path) not in accepted]
    causes = [
        finding.path
        for finding in standing
        if finding.severity != SAFE and finding.rule not in HEADS
    ]
    standing = [
        finding
        for finding in standing
        if finding.rule not in HEADS or _leads_into(causes, finding.path)
    ]
    return standing, tuple(waiver for waiver in valid if (waiver.rule, waiver.path) in places)


def _useless(waivers: tuple[Waiver, ...], used: tuple[Waiver, ...]) -> list[Finding]:
    findings = []
    for waiver in waivers:
        rule, text = (
            "WAIVER_UNUSED",
            f"the waiver of {waiver.rule} matches no finding here; remove it",
        )
        if not waiver.reason.strip():
            rule = "WAIVER_WITHOUT_REASON"
            text = f"the waiver of {waiver.rule} has no reason and is ignored; give one"
        if waiver not in used:
            findings.append(Finding(rule, waiver.path, SAFE, None, None, text))
    return findings


def _passed(lock_file: Lock, used: tuple[Waiver, ...]) -> dict[str, set[str]]:
    """Map each golden file to the entities that waivers broke after it was written."""
    passed: dict[str, set[str]] = {}
    later = {waiver.path.split(".", maxsplit=1)[0] for waiver in used}
    for seal in reversed(lock_file.seals):
        passed[seal.golden.file] = set(later)
        later |= {waiver.path.split(".", maxsplit=1)[0] for waiver in seal.waived}
    return passed
