"""An entity graph as plain text: layer by layer, each entity with its parts and references."""

from __future__ import annotations

from collections.abc import Iterator

from lading.drawing.entity_graph import LINKS, OPTIONAL, EntityEdge, EntityGraph, EntityNode
from lading.messages import counted, listed

#: How many fields of one edge are named.
FIELDS = 4


def plain_text(graph: EntityGraph) -> str:
    """Return the graph as lines."""
    return "\n".join([summary(graph), *_layers(graph)]) + "\n"


def summary(graph: EntityGraph) -> str:
    """Say in one line what a graph has."""
    fields = sum(len(edge.fields) for edge in graph.edges)
    late = sum(len(edge.fields) for edge in graph.edges if edge.is_deferred)
    deferred = f" ({late} of them deferred)" if late else ""
    return (
        f"{one_line(graph.title)}: {counted(len(graph.nodes), 'entity', 'entities')} in "
        f"{counted(len(graph.layers), 'layer')}, "
        f"{counted(fields, 'reference')}{deferred}"
    )


def one_line(text: str) -> str:
    """Return a text as one line, without what moves a cursor or turns the direction of writing."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _layers(graph: EntityGraph) -> Iterator[str]:
    width = len(str(max((node.order or 0 for node in graph.nodes), default=0)))
    for layer in graph.layers:
        yield ""
        yield f"layer {layer[0].layer}"
        for node in layer:
            yield f"  {node.order or '-':>{width}} {_headline(node)}"
            for line in _details(graph, node):
                yield f"  {'':{width}}   {line}"


def _headline(node: EntityNode) -> str:
    facts = [f"key {', '.join(map(one_line, node.key))}"] if node.key else []
    if node.records is not None:
        facts.append(counted(node.records, "record"))
    if node.order is None:
        facts.append("not in this bundle")
    if node.beyond:
        facts.append(f"{counted(node.beyond, 'neighbour')} not shown")
    return f"{one_line(node.name)}{'  (' if facts else ''}{'; '.join(facts)}{')' * bool(facts)}"


def _details(graph: EntityGraph, node: EntityNode) -> Iterator[str]:
    for part in node.parts:
        if part.form == "owned":
            yield f"{'  ' * part.depth}owns {one_line(part.name)}"
    for edge in graph.edges_from(node.name):
        yield edge_line(edge)


def edge_line(edge: EntityEdge) -> str:
    """Describe an edge: the target, and the fields that refer to it."""
    form = {OPTIONAL: "optional", LINKS: "list"}.get(edge.form, "")
    notes = ", ".join(filter(None, (form, "deferred" if edge.is_deferred else "")))
    target = "itself" if edge.target == edge.source else one_line(edge.target)
    arrow = "-->" if not edge.is_deferred else "..>"
    fields = listed(map(one_line, edge.fields), separator=", ", limit=FIELDS)
    return f"{arrow} {target}: {fields}{f' ({notes})' if notes else ''}"
