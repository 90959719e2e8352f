"""Compares two sides, entity by entity in the catalog's order."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from lading.bundle import BundleReader, with_bundle
from lading.catalog import Catalog
from lading.diffing.database_catalogs import side_catalog
from lading.diffing.entity_diff import EntityDiff
from lading.diffing.sides import BundleSide, DatabaseSide, PayloadSide, Side
from lading.exporting.export_run import exporting_from, prepared_export
from lading.importing.bundle_payload import BundlePayload
from lading.importing.document_payload import DocumentPayload
from lading.mapping.load_order import load_order_of
from lading.planning.change_log import ChangeLog
from lading.planning.file_format import PlanHeader
from lading.planning.plan import Diff
from lading.report import Counts, Problems

T = TypeVar("T")
Use = Callable[[Side], T]


def compared_sides(a: Any, b: Any, catalog: Catalog, names: set[str]) -> Diff:
    """Open two sides, and say how they differ.

    Args:
        a: a bundle's path, a document, or what a database is read by.
        b: likewise.
        catalog: the catalog of both.
        names: the entities to compare.

    Returns:
        What would have to happen to ``a`` to make it ``b``.
    """
    return _with_side(
        "a",
        a,
        catalog,
        names,
        lambda left: _with_side(
            "b", b, catalog, names, lambda right: _compared(catalog, names, left, right)
        ),
    )


def _with_side(label: str, source: Any, catalog: Catalog, names: set[str], use: Use[T]) -> T:
    """Open a side, and use it while it is open."""
    if isinstance(source, Mapping):
        with closing(DocumentPayload(source)) as document:
            document.check(catalog)
            return use(PayloadSide(label, document))
    if isinstance(source, str | os.PathLike):

        def with_payload(reader: BundleReader) -> T:
            with closing(BundlePayload(reader)) as bundle:
                bundle.identify(catalog)
                return use(BundleSide(label, reader, bundle))

        return with_bundle(source, with_payload)
    catalog = side_catalog(source, catalog, names)
    order, scope = prepared_export(catalog, names, None, closure=False)
    with exporting_from(source, catalog, order, scope, include_ids=False, progress=None) as export:
        return use(DatabaseSide(label, export))


def _compared(catalog: Catalog, names: set[str], left: Side, right: Side) -> Diff:
    """Compare the entities that both sides hold."""
    log, problems = ChangeLog(), Problems()
    counts: dict[str, Counts] = {}
    unchecked: list[str] = []
    entities = catalog.use()
    for name in load_order_of(entities).entities:
        missing = [side.label for side in (left, right) if not side.holds(name)]
        if name not in names or len(missing) == 2:
            continue
        if missing:
            unchecked.append(f"{name}: {missing[0]} doesn't hold this entity")
            continue
        result = EntityDiff(entities[name], left, right).run()
        counts[name] = result.counts
        problems.extend(result.problems)
        problems.more += result.problems.more
        log.extend(result.log)
        result.log.close()
    for side in (left, right):
        side.finish()
        if side.is_partial:
            unchecked.append(f"{side.label} is partial: filters may have left out what it lacks")
    return Diff(
        counts,
        log,
        problems=problems,
        more_problems=problems.more,
        unchecked=unchecked,
        header=PlanHeader(
            catalog=catalog.name, bundle=right.content_digest, database=left.fingerprint
        ),
    )
