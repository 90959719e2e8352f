"""Checks what a catalog's changes and releases say of versions, whatever their steps do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import networkx as nx

from lading.catalog import Catalog
from lading.changes.change import Change, declaration_faults, names_after, step_faults
from lading.changes.version_graph import State, VersionGraph, order_graph
from lading.errors import DeclarationError
from lading.messages import nearest, shown
from lading.model.entities import Entities


def version_graph_of(catalog: Catalog) -> VersionGraph:
    """Return the versions that a catalog's changes lead through, found once.

    Raises ``DeclarationError`` with every mistake in its changes and releases, but those in what
    steps do: for these see :func:`history_of`.
    """
    return catalog.use().once(_checked_graph, catalog)


def _checked_graph(entities: Entities, catalog: Catalog) -> VersionGraph:
    changes = catalog.changes
    faults = [
        f"{change.__name__}: {text}"
        for change in changes
        for text in declaration_faults(change, catalog)
    ]
    if faults:
        raise DeclarationError("change-malformed", faults)
    graph = VersionGraph({name: rows.version for name, rows in entities.roots.items()}, changes)
    faults = _graph_faults(graph) + list(_release_faults(catalog, graph))
    if faults:
        raise DeclarationError("change-malformed", faults)
    return graph


def _graph_faults(graph: VersionGraph) -> list[str]:
    """Return what is wrong with where changes lead; of what hides others, the first alone."""
    changes = graph.changes
    faults = [f"{change.__name__}: {text}" for change in changes for text in step_faults(change)]
    faults += [
        f"{change.__name__}: {text}; make one of them the next version, or both one change"
        for change, text in graph.faults
    ]
    if not faults:
        faults = [f"{change.__name__}: {text}" for change, text in _move_faults(graph)]
    return faults or list(_cycle_faults(graph))


def _move_faults(graph: VersionGraph) -> Iterator[tuple[type[Change], str]]:
    for change in graph.changes:
        after = names_after(change)
        for name, move in change.upgrades.items():
            text = _move_fault(graph, (name, move[0]), (after[name], move[1]))
            if text is not None:
                yield change, text


def _move_fault(graph: VersionGraph, old: State, new: State) -> str | None:
    """Say what is wrong with what a change makes of an entity, if anything is."""
    name, version = new
    needed = graph.current.get(name, 0)
    if name not in graph.names:
        return _unknown_entity(graph, new)
    if version is None and needed:
        return f"ends {name}, which still has a schema; remove one of the two"
    if needed and version is not None and version > needed:
        return (
            f"upgrades {name} to {version}, and its schema is at version {needed}; "
            f"write version = {version} in its Meta"
        )
    if old[1] is not None and graph.current.get(old[0]) == old[1]:
        return (
            f"upgrades {old[0]} from {old[1]}, which its schema has; take a higher version for "
            "the schema"
        )
    return None


def _unknown_entity(graph: VersionGraph, new: State) -> str:
    """Say what to do about a name that no entity has: it was removed, or never was."""
    last, version = graph.end(new)
    return (
        f"upgrades an unknown entity {new[0]!r}; expected one of: "
        f"{nearest(new[0], graph.current)}; "
        f"if it was removed, declare a change that ends it, with upgrades = "
        f'{{"{last}": ({version}, None)}} and steps = [Drop("{last}")], else correct the name'
    )


def _cycle_faults(graph: VersionGraph) -> Iterator[str]:
    try:
        edges = nx.find_cycle(order_graph(graph))
    except nx.NetworkXNoCycle:
        return
    changes = [edges[0][0], *(later for _, later in edges)]
    path = " before ".join(change.__name__ for change in changes)
    yield f"changes must come before each other: {path}; remove one of their after"


def _release_faults(catalog: Catalog, graph: VersionGraph) -> Iterator[str]:
    releases: Mapping[Any, Any] = catalog.releases
    for label, versions in releases.items():
        if not isinstance(label, str) or not isinstance(versions, Mapping):
            yield (
                f"releases: {shown(label)}: {shown(versions)}; map a label to versions by "
                'entity: {"1.0": {"recipes": 1}}'
            )
            continue
        for name, version in versions.items():
            if not graph.knows(name, version):
                yield (
                    f"releases: {label!r} has {shown(name)} at version {shown(version)}, which "
                    "doesn't exist; today's versions are "
                    + ", ".join(f"{at} {number}" for at, number in graph.current.items())
                )
    if catalog.unlabelled is not None and catalog.unlabelled not in list(catalog.releases):
        known = nearest(repr(catalog.unlabelled), map(repr, catalog.releases))
        yield f"unlabelled = {shown(catalog.unlabelled)} isn't a release; expected one of: {known}"
