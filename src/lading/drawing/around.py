"""The part of an entity graph around one entity."""

from __future__ import annotations

from dataclasses import replace

from lading.drawing.entity_graph import EntityGraph
from lading.errors import ArgumentError
from lading.messages import Message, nearest


def around(graph: EntityGraph, name: str, depth: int = 1) -> EntityGraph:
    """Return an entity with those that references tie to it, in either direction.

    Args:
        graph: the whole graph.
        name: the entity in the middle.
        depth: how many references away the others may be.

    Returns:
        A graph of these entities and of all references between them, whose nodes say how many
        neighbours they have ``beyond`` it.

    Raises:
        ArgumentError: there is no such entity, or the depth is negative.
    """
    neighbours: dict[str, set[str]] = {node.name: set() for node in graph.nodes}
    if name not in neighbours:
        raise ArgumentError(
            "around", name, Message("name-unknown", f"one of: {nearest(name, neighbours)}")
        )
    if depth < 0:
        raise ArgumentError("depth", depth, "0 or more")
    for edge in graph.edges:
        if edge.source != edge.target:
            neighbours[edge.source].add(edge.target)
            neighbours[edge.target].add(edge.source)
    near = {name}
    for _ in range(depth):
        near = near.union(*(neighbours[other] for other in near))
    return EntityGraph(
        f"{graph.title}, around {name}",
        tuple(
            replace(node, beyond=len(neighbours[node.name] - near))
            for node in graph.nodes
            if node.name in near
        ),
        tuple(edge for edge in graph.edges if edge.source in near and edge.target in near),
    )
