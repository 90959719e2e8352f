"""ORM objects loaded with everything that their records need, and the file that holds these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from bench.workloads import Workload
from lading import import_order
from lading.model.rowsets import RowSet


def entities_of(workload: Workload) -> list[RowSet]:
    """Return a workload's entities, those that others refer to first."""
    entities = workload.catalog.use()
    return [entities[name] for name in import_order(workload.catalog)]


def objects_of(session: Session, rows: RowSet) -> list[Any]:
    """Load an entity's objects by a few statements, in the order of their ids."""
    statement = sa.select(rows.mapper).options(*eager_options(rows)).order_by(*rows.identity)
    return list(session.scalars(statement))


def eager_options(rows: RowSet, path: Any = None) -> Iterator[Any]:
    """Yield the loader options of a record's references, links and owned rows."""
    yield from _references(rows.references, rows, path)
    for links in rows.links:
        yield _joined(selectinload, links.attribute, rows, path)
    for children in rows.children:
        step = _joined(selectinload, children.name, rows, path)
        yield step
        yield from eager_options(children.rows, step)


def _references(references: Any, rows: RowSet, path: Any) -> Iterator[Any]:
    for reference in references:
        step = _joined(joinedload, reference.relationship, rows, path)
        yield step
        nested = [part for part in reference.target.key if part in reference.target.references]
        yield from _references(nested, reference.target, step)


def _joined(load: Any, attribute: str, rows: RowSet, path: Any) -> Any:
    relationship = getattr(rows.mapper.class_, attribute)
    return load(relationship) if path is None else getattr(path, load.__name__)(relationship)


def write_document(document: dict[str, list[Any]], folder: Path) -> None:
    """Write lists of records by the standard library."""
    (folder / "document.json").write_text(json.dumps(document, default=str), encoding="utf-8")


def read_document(folder: Path) -> dict[str, list[Any]]:
    """Read them back."""
    document: dict[str, list[Any]] = json.loads((folder / "document.json").read_bytes())
    return document
