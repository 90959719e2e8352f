"""The order in which doomed rows go: the reverse of the order in which a catalog loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lading.importing.deletions.doomed_tree import DoomedTree
from lading.mapping.load_order import LoadOrder, link_name
from lading.model.rowsets import Links, Reference, RowSet


@dataclass(frozen=True, slots=True)
class DeletionStep:
    """Doomed rows of one row set whose links go, and then, if ``deletes_rows``, they themselves."""

    tree: DoomedTree
    rows: RowSet
    links: tuple[Links, ...]
    deletes_rows: bool


def deletion_steps(order: LoadOrder, trees: Mapping[str, DoomedTree]) -> Iterator[DeletionStep]:
    """Yield what is to be deleted, so that everything follows what refers to it.

    Args:
        order: the catalog's order of loading.
        trees: the rows that go, by entity.
    """
    for step in reversed(order.steps):
        for tree in trees.values():
            for rows in reversed(list(tree.root.tree())):
                own_step = rows.name if rows.name in order.deferred else rows.entity
                links = tuple(x for x in rows.links if _step_of(rows, x, own_step, order) == step)
                if links or own_step == step:
                    yield DeletionStep(tree, rows, links, deletes_rows=own_step == step)


def _step_of(rows: RowSet, links: Links, own_step: str, order: LoadOrder) -> str:
    """Name the step that loads the links of a row set."""
    name = link_name(rows, links)
    return name if name in order.deferred else own_step


def required_self_references(rows: RowSet, order: LoadOrder) -> list[Reference]:
    """Return the references to rows of the same table that can't be set to null."""
    return [
        reference
        for reference in rows.references
        if (rows.name, reference.name) in order.parents_first
    ]
