"""``assert_upgrades``: whatever a sealed version could hold, arrives at today's whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

from lading.catalog import Catalog
from lading.changes.history import history_of
from lading.changes.upgrade_plan import plan_upgrade
from lading.errors import DeclarationError
from lading.fresh_databases.factories import EngineFactory, check_factory, database, sqlite_engine
from lading.importer import import_document
from lading.locker import PATH, check
from lading.locking.check import shapes_before
from lading.locking.goldens import faults, upgraded
from lading.locking.lock_file import read_golden, read_lock
from lading.options import check_path
from lading.report import SAFE, Problem
from lading.testing.compare.records import record_differences
from lading.testing.datasets.catalog_plan import check_overrides
from lading.testing.old_versions.documents import Past, Records
from lading.testing.old_versions.journey import step_by_step
from lading.testing.trips.failures import RoundTripError


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
    shape that follows; no record, owned row or link may go but by a ``Drop`` (or what an
    ``Each`` drops); all changes at once must give what one after the other gives; and schemas
    must load the outcome.  Golden records must become the next seal's golden records.

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
    for past in _pasts(catalog, Path(lock), overrides or {}):
        if engine_factory is not None:
            _load(catalog, past, engine_factory)
        _hold(catalog, past)


def _pasts(
    catalog: Catalog, place: Path, overrides: Mapping[str, SearchStrategy[Any]]
) -> Iterator[Past]:
    """Yield the catalog as it was at each seal."""
    lock = read_lock(place)
    for seal in lock.seals:
        shapes = shapes_before(catalog, seal.versions, lock.shapes_at(seal))
        document = read_golden(place, seal)
        goldens = {name: document.get(name, []) for name in seal.versions}
        past = Past(seal.number, seal.versions, shapes, goldens, overrides)
        past.goldens = _arriving(catalog, past)
        yield past


def _arriving(catalog: Catalog, past: Past) -> Records:
    """Return golden records without those that don't arrive, which people have accepted."""
    records, problems = _today(catalog, past, past.goldens)
    refused = {(problem.file, problem.record) for problem in problems}
    spoilt = {name for name, _, _ in faults(catalog.use(), records)}
    goldens = {name: [] if name in spoilt else golden for name, golden in past.goldens.items()}
    return {
        name: [record for number, record in enumerate(golden, 1) if (name, number) not in refused]
        for name, golden in goldens.items()
    }


def _today(catalog: Catalog, past: Past, records: Records) -> tuple[Records, list[Problem]]:
    """Return a seal's records as all changes make them, and what can't be upgraded."""
    return upgraded(catalog, {"schema_versions": past.versions, **records}, past.shapes.roots)


def _load(catalog: Catalog, past: Past, engine_factory: EngineFactory) -> None:
    """Load a seal's golden records into a database."""
    versions = {name: rows.version for name, rows in catalog.use().roots.items()}
    with database(engine_factory, catalog) as engine:
        try:
            records, _ = _today(catalog, past, past.goldens)
            import_document(engine, {"schema_versions": versions, **records}, catalog=catalog)
        except Exception as error:
            error.add_note(f"while the kit loaded the golden records of seal {past.number}")
            raise


def _hold(catalog: Catalog, past: Past) -> None:
    """Draw documents of a seal, and follow them to today."""

    @settings(settings(), database=None)
    @given(past.documents())
    def arrives(drawn: Records) -> None:
        records = {name: [*golden, *drawn.get(name, ())] for name, golden in past.goldens.items()}
        for text in _faults(catalog, past, records):
            raise RoundTripError(f"upgrading from seal {past.number}: {text}")

    arrives()


def _faults(catalog: Catalog, past: Past, records: Records) -> Iterator[str]:
    """Yield what is wrong with a seal's records on their way to today, and once there."""
    plan = plan_upgrade(history_of(catalog), past.versions, file="drawn records", whole=True)
    by_steps = yield from step_by_step(records, plan.undone, past.shapes)
    at_once, problems = _today(catalog, past, records)
    yield from map(str, problems)
    for name, number, text in faults(catalog.use(), at_once):
        yield f"{name} record {number}, once upgraded, isn't accepted: {text}"
    for difference in record_differences(catalog.use(), by_steps, at_once):
        yield f"all changes at once give others than one after the other: {difference}"
