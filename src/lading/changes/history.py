"""A catalog's changes in their order, and what each of them alters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import networkx as nx

from lading.catalog import Catalog
from lading.changes.change import Change
from lading.changes.replay import ChangeMismatch, newest, undo_one
from lading.changes.rewriting.shapes import Shapes
from lading.changes.version_checks import version_graph_of
from lading.changes.version_graph import VersionGraph, order_graph
from lading.errors import DeclarationError
from lading.model.entities import Entities


def in_order(graph: VersionGraph) -> list[type[Change]]:
    """List every change after those that it must come after; else as they were declared."""
    place = {change: number for number, change in enumerate(graph.changes)}
    return list(nx.lexicographical_topological_sort(order_graph(graph), key=place.get))


def altered_by_changes(
    graph: VersionGraph, changes: Sequence[type[Change]], shapes: Shapes
) -> tuple[dict[type[Change], set[str]], ChangeMismatch | None]:
    """Undo changes, the last first; return what each alters, and what doesn't fit the shapes.

    What a change alters are the entities to which references are written otherwise since, and
    those that have such references, as they are called today.  After a misfit nothing is known.
    """
    altered: dict[type[Change], set[str]] = {}
    for change in reversed(changes):
        if not graph.live(change):
            continue
        try:
            undone = undo_one(shapes, change)
        except ChangeMismatch as error:
            return altered, error
        if undone.altered:
            names = {name for referrers in undone.altered.values() for name in referrers}
            names |= {target.split(".", maxsplit=1)[0] for target in undone.altered}
            altered[change] = {_today(graph, name) for name in names}
    return altered, None


def _today(graph: VersionGraph, name: str) -> str:
    """Return what an entity is called today, given its name just before or after a change."""
    for state in (*graph.onward, *graph.back):
        if state[0] == name and graph.ends_well(state):
            return graph.end(state)[0]
    return name


class History:
    """A catalog's versions and changes, checked.

    ``order`` lists every change after those that it must come after, else as they were
    declared; ``live`` are those that lead to what the catalog has.  ``altered`` says what each
    change alters, as :func:`altered_by_changes` does.  ``plans`` keeps what
    :func:`~lading.changes.upgrade_plan.plan_upgrade` finds.

    Raises ``DeclarationError`` for steps that can't lead to what the catalog declares, and for
    changes that need an order and have none.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.entities = catalog.use()
        self.version_graph = version_graph_of(catalog)
        self.order_graph = order_graph(self.version_graph)
        self.order = in_order(self.version_graph)
        self.live = {change for change in self.order if self.version_graph.live(change)}
        self.altered: dict[type[Change], set[str]] = {}
        self.plans: dict[Any, Any] = {}
        mistakes = [*self._replay(), *self._unordered()]
        if mistakes:
            raise DeclarationError("change-undelivered", mistakes)

    def has_changed(self, name: str) -> bool:
        """Tell whether changes lead to an entity's version, so that payloads must say it."""
        return bool(self.version_graph.before((name, self.version_graph.current[name])))

    def _replay(self) -> list[str]:
        """Undo everything once, so that a step which can't be right is found now."""
        shapes = newest(self.entities) if self.live else Shapes({}, {})
        self.altered, misfit = altered_by_changes(self.version_graph, self.order, shapes)
        # What is older stands on what is newer, so only the first can be told.
        return [f"{misfit}; correct the step, or the schema"] if misfit is not None else []

    def _unordered(self) -> Iterator[str]:
        """Yield the pairs of changes whose order matters, and is open."""
        names = {
            change: {
                self.version_graph.end((name, move[0]))[0] for name, move in change.upgrades.items()
            }
            for change in self.order
        }
        for first, second in combinations(self.order, 2):
            clash = self.altered.get(first, set()) & names[second]
            clash |= self.altered.get(second, set()) & names[first]
            if clash and not self._is_ordered(first, second):
                renames, other = (first, second) if first in self.altered else (second, first)
                yield (
                    f"{renames.__name__} renames what references are written by, and "
                    f"{other.__name__} changes {', '.join(sorted(clash))}, which has such "
                    f"references: their order matters; write after = [...] in one of them"
                )

    def _is_ordered(self, first: type[Change], second: type[Change]) -> bool:
        """Tell whether one of two changes must come after the other."""
        graph = self.order_graph
        return bool(nx.has_path(graph, first, second) or nx.has_path(graph, second, first))


def history_of(catalog: Catalog) -> History:
    """Return a catalog's history, found once.

    Raises ``DeclarationError`` for changes that can't be right.
    """
    return catalog.use().once(_history, catalog)


def _history(_: Entities, catalog: Catalog) -> History:
    return History(catalog)
