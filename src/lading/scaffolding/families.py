"""Sorts entities by family: each beside the one without which it means nothing."""

from __future__ import annotations

from lading.mapping.load_order import load_order_of
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet


def families_of(entities: Entities) -> dict[str, list[str]]:
    """Map the first entity of each family to its members, both in import order.

    An entity is of the family of the only other one that it requires, or of the only one that
    takes its rows along when it is deleted.

    Args:
        entities: A catalog's entities.
    """
    order = {name: place for place, name in enumerate(load_order_of(entities).entities)}
    parents = {name: _parent_of(rows, entities) for name, rows in entities.roots.items()}
    families: dict[str, list[str]] = {}
    for name in sorted(order, key=order.__getitem__):
        families.setdefault(_head_of(name, parents), []).append(name)
    return dict(sorted(families.items(), key=lambda family: order[family[0]]))


def _head_of(name: str, parents: dict[str, str | None]) -> str:
    """Return the first entity of a family; of a circle, the first by its name."""
    visited = [name]
    while (parent := parents[visited[-1]]) is not None:
        if parent in visited:
            return min(visited[visited.index(parent) :])
        visited.append(parent)
    return visited[-1]


def _parent_of(rows: RowSet, entities: Entities) -> str | None:
    required = [
        reference
        for reference in rows.references
        if not reference.nullable and reference.target is not entities.plain[rows.schema]
    ]
    holding = [reference for reference in required if _is_deleted_with(reference)]
    for references in (holding, required):
        names = {reference.target.name for reference in references} & entities.roots.keys()
        if len(names) == 1:
            return names.pop()
    return None


def _is_deleted_with(reference: Reference) -> bool:
    keys = [key for column in reference.columns for key in column.foreign_keys]
    return any(str(key.ondelete).upper() == "CASCADE" for key in keys)
