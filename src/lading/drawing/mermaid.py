"""An entity graph as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lading.drawing.entity_graph import LINKS, OPTIONAL, EntityEdge, EntityGraph, EntityNode

#: Characters beside letters and digits that a quoted label may hold as they are.
PLAIN = " _-.,:"
#: What Mermaid takes for a line's end, a formula or an icon, in whatever form it is written.
SPELLS = re.compile(r"(?<=\\)(?=n)|(?<=\$)(?=\$)|(?<=:)(?=fa-)")
ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
#: How many fields of one edge are named.
FIELDS = 3


def mermaid_text(graph: EntityGraph) -> str:
    """Return the graph as a flowchart, in which references point to what must be there first."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: EntityGraph) -> Iterator[str]:
    ids = {node.name: f"e{place}" for place, node in enumerate(graph.nodes, 1)}
    yield "flowchart RL"
    yield f"  %% {escaped(graph.title)}"
    yield "  %% --> required, --o optional, ==> list of links, -.-> deferred: set after the load"
    for layer in graph.layers:
        yield f'  subgraph layer{layer[0].layer}["layer {layer[0].layer}"]'
        for node in layer:
            yield f'    {ids[node.name]}["{_label(node)}"]'
        yield "  end"
    for edge in graph.edges:
        yield f"  {ids[edge.source]} {_arrow(edge)} {ids[edge.target]}"


def escaped(text: str) -> str:
    """Write a text as a label's, with entity codes for what means something in Mermaid."""
    readable = "".join(character if character.isprintable() else " " for character in text)
    return "".join(
        character if character.isalnum() or character in PLAIN else f"#{ord(character)};"
        for character in SPELLS.sub(ZERO_WIDTH_SPACE, readable)
    )


def _label(node: EntityNode) -> str:
    lines = [f"<b>{escaped(node.name)}</b>"]
    if node.key:
        lines.append(f"<i>{escaped(', '.join(node.key))}</i>")
    words = {"owned": "owns", "links": "links"}
    lines += [f"{words[part.form]} {escaped(part.path)}" for part in node.parts]
    return "<br/>".join(lines)


def _arrow(edge: EntityEdge) -> str:
    more = f" and {len(edge.fields) - FIELDS} more" if len(edge.fields) > FIELDS else ""
    names = escaped(", ".join(edge.fields[:FIELDS]) + more)
    line = {LINKS: "==>", OPTIONAL: "--o"}.get(edge.form, "-->")
    line = "-.->" if edge.is_deferred else line
    return f'{line}|"{names}"|' if names else line
