"""An entity graph in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from lading.drawing.entity_graph import LINKS, OPTIONAL, EntityEdge, EntityGraph, EntityNode


def dot_text(graph: EntityGraph) -> str:
    """Return the graph for Graphviz, with a rank for each layer."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: EntityGraph) -> Iterator[str]:
    yield f"digraph {quoted(graph.title)} {{"
    yield "  rankdir=RL;"
    yield '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];'
    yield '  edge [fontname="sans-serif", fontsize=9];'
    for layer in graph.layers:
        yield "  { rank=same;"
        yield from (f"    {quoted(node.name)} [label={_label(node)}];" for node in layer)
        yield "  }"
    yield from (f"  {_edge(edge)}" for edge in graph.edges)
    yield "}"


def quoted(text: str) -> str:
    """Write a text as a quoted string, in which nothing is an escape of Graphviz's."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    plain = text.replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\\", "\\\\")
    return plain.replace('"', '\\"').replace("&", "&amp;")


def _label(node: EntityNode) -> str:
    lines = [node.name]
    if node.key:
        lines.append(f"key {', '.join(node.key)}")
    for part in node.parts:
        word = "owns" if part.form == "owned" else "links"
        lines.append(f"{'  ' * part.depth}{word} {part.name}")
    return '"' + "".join(f"{_escaped(line)}\\l" for line in lines) + '"'


def _edge(edge: EntityEdge) -> str:
    styles = {LINKS: ["arrowhead=crow"], OPTIONAL: ["arrowhead=empty"]}.get(edge.form, [])
    deferred = ["style=dashed"] if edge.is_deferred else []
    label = [f"tooltip={quoted(', '.join(edge.fields))}"]
    options = ", ".join([*styles, *deferred, *label])
    # Graphviz ranks by an edge's direction; a deferred one runs against the order.
    free = ", constraint=false" if edge.is_deferred else ""
    return f"{quoted(edge.source)} -> {quoted(edge.target)} [{options}{free}];"
