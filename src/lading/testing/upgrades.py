"""``assert_upgrades``: whatever a sealed version could hold, arrives at today's whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.changes.history import history_of
from lading.changes.rewriting.records import copied
from lading.changes.upgrade_plan import UpgradePlan, plan_upgrade
from lading.errors import DeclarationError
from lading.fresh_databases.factories import (
    EngineFactory,
    check_factory,
    database,
    sqlite_engine,
)
from lading.importer import import_document
from lading.locker import PATH, check
from lading.locking.check import shapes_before
from lading.locking.goldens import faults
from lading.locking.goldens import upgraded as upgraded_golden
from lading.locking.lock_file import Lock, read_golden, read_lock
from lading.model.entities import RESERVED_NAMES
from lading.options import check_path
from lading.report import SAFE
from lading.testing.datasets.catalog_plan import check_overrides
from lading.testing.old_versions.documents import Past, Records
from lading.testing.old_versions.journey import Faulty, step_by_step, upgraded
from lading.testing.trips.trip import RoundTripError
from lading.values.json_text import json_text


def assert_upgrades(
    catalog: Catalog,
    lock: str | os.PathLike[str] = PATH,
    *,
    overrides: Mapping[str, SearchStrategy[Any]] | None = None,
    engine_factory: EngineFactory | None = sqlite_engine,
) -> None:
    """Draw records of every sealed version and upgrade them to today's; miss nothing.

    For each seal of the lock, documents are drawn from the sealed shapes, beside the golden
    records, as many as the Hypothesis profile says.  What each change makes of them must fit the
    shape that follows; no record and no link may go but by a ``Drop`` (or what an ``Each``
    drops); all changes at once must give what one after the other gives; and schemas must load
    the outcome.  Golden records must become the next seal's golden records.

    Args:
        catalog: The catalog as it is today.
        lock: The lock's path.
        overrides: Strategies of written values by field (``"products.unit"``, as it was
            called), where only the application knows what the field holds.
        engine_factory: Gives the fresh databases into which golden records are imported;
            ``None`` leaves that out.

    Raises:
        RoundTripError: Something is lost; the text names the seal, the change and the record.
        DeclarationError: :func:`lading.check` finds anything that isn't safe.
    """
    check_path("lock", lock)
    check_overrides(overrides)
    if engine_factory is not None:
        check_factory("engine_factory", engine_factory)
    refused = [str(finding) for finding in check(catalog, lock) if finding.severity != SAFE]
    if refused:
        raise DeclarationError("lock-refused", refused)
    place = Path(lock)
    sealed = read_lock(place)
    for past in _pasts(catalog, sealed, place, overrides or {}):
        if engine_factory is not None:
            _load(catalog, past, engine_factory)
        _hold(catalog, past)


def _pasts(
    catalog: Catalog, lock: Lock, place: Path, overrides: Mapping[str, SearchStrategy[Any]]
) -> list[Past]:
    """Return the catalog as it was at each seal."""
    pasts = []
    for seal in lock.seals:
        known = lock.shapes_at(seal)
        before = shapes_before(catalog, seal.versions, known)
        before.roots = {name: before.roots[name] for name in known}
        golden = read_golden(place, seal)
        records = {name: of for name, of in golden.items() if name not in RESERVED_NAMES}
        past = Past(seal.number, seal.versions, before, records, overrides)
        past.goldens = _without_waived(catalog, past, lock)
        pasts.append(past)
    return pasts


def _without_waived(catalog: Catalog, past: Past, lock: Lock) -> Records:
    """Leave out golden records that don't arrive, where people have accepted that."""
    accepted = [*lock.waivers, *(waiver for seal in lock.seals for waiver in seal.waived)]
    names = {waiver.path.split(".", maxsplit=1)[0] for waiver in accepted}
    if not names:
        return past.goldens
    records, problems = upgraded_golden(catalog, _document(past), past.shapes.roots)
    bad = {(problem.file, problem.record) for problem in problems}
    spoilt = {name for name, _, _ in faults(catalog.use(), records)} & names
    return {
        name: [
            record
            for number, record in enumerate(of, 1)
            if name not in spoilt and (name not in names or (name, number) not in bad)
        ]
        for name, of in past.goldens.items()
    }


def _document(past: Past) -> dict[str, Any]:
    return {"schema_versions": dict(past.versions), **past.goldens}


def _load(catalog: Catalog, past: Past, engine_factory: EngineFactory) -> None:
    """Load a seal's golden records into a database."""
    versions = {name: rows.version for name, rows in catalog.use().roots.items()}
    with database(engine_factory, catalog) as engine:
        try:
            records, _ = upgraded_golden(catalog, _document(past), past.shapes.roots)
            import_document(engine, {"schema_versions": versions, **records}, catalog=catalog)
        except Exception as error:
            error.add_note(f"while the kit loaded the golden records of seal {past.number}")
            raise


def _hold(catalog: Catalog, past: Past) -> None:
    """Draw documents of a seal, and follow them to today."""

    @settings(settings(), database=None)
    @given(past.documents())
    def arrives(drawn: Records) -> None:
        roots = past.shapes.roots
        records = {name: [*past.goldens.get(name, ()), *drawn.get(name, ())] for name in roots}
        try:
            _arrive(catalog, past, records)
        except Faulty as error:
            raise RoundTripError(f"upgrading from seal {past.number}: {error}") from error

    arrives()


def _arrive(catalog: Catalog, past: Past, records: Records) -> None:
    by_steps = step_by_step(copied(records), _plan(catalog, past), past.shapes)
    at_once = upgraded(copied(records), _plan(catalog, past), copied(past.shapes.roots))
    for name in at_once:
        pairs = zip(at_once[name], by_steps[name], strict=True)
        for number, (record, stepwise) in enumerate(pairs, 1):
            if json_text(record) != json_text(stepwise):
                raise Faulty(
                    f"{name} record {number}: all changes at once give {record!r}, one after the "
                    f"other gives {stepwise!r}"
                )
    for name, number, text in faults(catalog.use(), at_once):
        raise Faulty(f"{name} record {number}, once upgraded, isn't accepted: {text}")


def _plan(catalog: Catalog, past: Past) -> UpgradePlan:
    """Return what upgrades a seal's documents; it is used up by running."""
    versions = {name: past.versions[name] for name in past.shapes.roots}
    return plan_upgrade(history_of(catalog), versions, file=f"seal {past.number}", whole=True)
