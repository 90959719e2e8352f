"""The story of a JSON Schema: which shapes of a catalog are meant, and from where."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lading.catalog import Catalog, catalog_of
from lading.changes.history import History, history_of
from lading.changes.replay import ChangeMismatch, undo
from lading.changes.rewriting.shapes import Shapes
from lading.changes.upgrade_plan import plan_upgrade
from lading.changes.version_checks import version_graph_of
from lading.errors import ArgumentError, VersionError
from lading.json_schemas.records import document_schema, record_schema
from lading.locking.check import shapes_before
from lading.locking.lock_file import Lock, read_lock
from lading.locking.sealed_shape import sealed_shapes
from lading.messages import Message, shown
from lading.options import check_entity, check_number, check_path, check_text


def json_schema(
    catalog: Catalog | None = None,
    entity: str | None = None,
    version: int | None = None,
    *,
    lock: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an entity's records, or of a catalog's document.

    A version that is in no seal is derived from the declared shapes by undoing changes.  A type
    that the changes don't preserve may then be any value, and references are written as before
    every change of their targets that need not come before that version.

    Args:
        catalog: The catalog; by default the default one.
        entity: The entity, by its name at that version; without it, the document is described.
        version: The entity's version; by default the declared one.
        lock: A lock file's path.  The last seal that has the version says how fields and
            references were written; it needs a version.

    Returns:
        The schema, as plain JSON values.

    Raises:
        ArgumentError: The entity is unknown, or an argument is wrong.
        VersionError: The version is unknown, or no change leads on from it.
        BundleError: The lock can't be read.
    """
    catalog = catalog_of(catalog)
    check_number("version", version)
    if lock is not None:
        check_path("lock", lock)
    check_text("entity", entity)
    entities = catalog.use()
    version_graph_of(catalog)
    current = {name: rows.version for name, rows in entities.roots.items()}
    if entity is None and version is not None:
        raise ArgumentError(
            "version",
            version,
            Message("arguments-disagree", "None without an entity"),
            "Name the entity.",
        )
    if version is None and lock is not None:
        raise ArgumentError(
            "lock",
            lock,
            Message("arguments-disagree", "None without a version"),
            "Name the entity and its version; without one, the schema is of what is declared now.",
        )
    if entity is None:
        return document_schema(sealed_shapes(entities), current, catalog.name)
    if version is None:
        check_entity("entity", entity, current)
        return record_schema(sealed_shapes(entities), entity, current[entity])
    sealed = None if lock is None else read_lock(Path(lock))
    return record_schema(_shapes(catalog, sealed, entity, version), entity, version)


def _shapes(catalog: Catalog, lock: Lock | None, entity: str, version: int) -> Shapes:
    """Return the shapes as of an entity's version: sealed ones, today's, or those before."""
    history = history_of(catalog)
    shapes = None if lock is None else _sealed(history, lock, entity, version)
    if shapes is not None:
        return shapes
    if history.version_graph.current.get(entity) == version:
        return sealed_shapes(catalog.use())
    return _undone(history, lock, entity, version)


def _undone(history: History, lock: Lock | None, entity: str, version: int) -> Shapes:
    """Return the shapes that the changes lead back to."""
    _refuse_unknown(history, lock, entity, version)
    plan = plan_upgrade(history, {entity: version}, file=entity)
    shapes = sealed_shapes(history.entities)
    undo(shapes, [action.change for action in plan.undone])
    if entity not in shapes.roots:
        raise VersionError(
            Message("version-unknown", f"there is nothing known of {entity} at version {version}"),
            "Name a version that changes lead on from, or a lock that has sealed it.",
            found=version,
            needed=history.version_graph.current.get(entity),
        )
    return shapes


def _refuse_unknown(history: History, lock: Lock | None, entity: str, version: Any) -> None:
    """Refuse an entity that never was, and a version beyond those that are known of it."""
    version_graph = history.version_graph
    seals = lock.seals if lock is not None else ()
    states = [*version_graph.current.items(), *version_graph.onward, *version_graph.back]
    states += [state for seal in seals for state in seal.versions.items()]
    numbers = sorted({number for name, number in states if name == entity and number is not None})
    if not numbers:
        check_entity("entity", entity, list(dict.fromkeys(name for name, _ in states)))
    if not 1 <= version <= numbers[-1]:
        known = ", ".join(map(str, numbers))
        raise VersionError(
            Message(
                "version-unknown",
                f"{entity}: unknown version {shown(version)}; expected one of: {known}",
            ),
            "Name one of these.",
            found=version,
            needed=known,
        )


def _sealed(history: History, lock: Lock, entity: str, version: int) -> Shapes | None:
    """Return the shapes of the last seal that has an entity at a version."""
    for place in range(len(lock.seals), 0, -1):
        seen = Lock(lock.catalog, lock.seals[:place], ())
        if seen.last.versions.get(entity) == version:
            with suppress(
                ChangeMismatch
            ):  # then an older seal, or the changes alone say what there was
                return shapes_before(history.catalog, seen.last.versions, seen.shapes)
    return None
