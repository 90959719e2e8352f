"""The story of a diff: two sides, compared entity by entity in the catalog's order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from lading.bundle import BundleReader, with_bundle
from lading.catalog import Catalog, catalog_of
from lading.diffing.entity_diff import EntityDiff
from lading.diffing.sides import BundleSide, DatabaseSide, PayloadSide, Side
from lading.errors import ArgumentError
from lading.exporting.export_run import exporting_from, prepared_export
from lading.importing.bundle_payload import BundlePayload
from lading.importing.document_payload import DocumentPayload
from lading.mapping.load_order import load_order_of
from lading.messages import Message
from lading.options import ACCEPTED, DOCUMENT, check_path, entity_names, session_of
from lading.planning.change_log import ChangeLog
from lading.planning.file_format import PlanHeader
from lading.planning.plan import Diff
from lading.report import Counts, Problems

T = TypeVar("T")
Use = Callable[[Side], T]


def diff(
    a: Any, b: Any, *, catalog: Catalog | None = None, only: Iterable[str] | None = None
) -> Diff:
    """Say what would have to happen to ``a`` to make it ``b``, record by record and field by field.

    Records are matched by natural key and compared by content, with their links and owned rows.
    Volatile fields alone make no difference, and neither does a set's order.  Bundles and
    documents of older versions are upgraded first.  Nothing is written.

    Args:
        a: a bundle's path, a document (a dictionary of lists of records), or a database, as
            :func:`export_all` takes it: a ``Session``, ``Connection``, ``Engine`` or
            ``sessionmaker``; ``None`` for the catalog's ``bind``.
        b: likewise.
        catalog: the catalog that both are of; by default the default one.
        only: the entities to compare; by default all.  An entity that either side doesn't hold
            isn't compared, and ``unchecked`` names it.

    Returns:
        The changes, which is false if there are none; ``str`` of it says them in a bounded
        number of lines.

    Raises:
        ArgumentError: an argument isn't of these forms.
        BundleError: a bundle is damaged, or isn't one.
        VersionError: this catalog doesn't read the versions of a bundle or document.
        TargetError: a database refuses, or its data fits no bundle, as in :func:`export_all`.
    """
    catalog = catalog_of(catalog)
    names = entity_names("only", only, catalog.use().roots)
    sides = [_checked(argument, side, catalog) for argument, side in (("a", a), ("b", b))]
    return _with_side(
        "a",
        sides[0],
        catalog,
        names,
        lambda left: _with_side(
            "b", sides[1], catalog, names, lambda right: _compared(catalog, names, left, right)
        ),
    )


def _checked(argument: str, side: Any, catalog: Catalog) -> Any:
    """Return what to read a side by; refuse what is none."""
    if isinstance(side, Mapping):
        return side
    if isinstance(side, str | os.PathLike):
        check_path(argument, side)
        return side
    try:
        return session_of(side, catalog)
    except ArgumentError as error:
        expected = Message("session-malformed", f"a bundle's path, {DOCUMENT}, or {ACCEPTED}")
        raise ArgumentError(argument, side, expected, error.remedy) from error


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
