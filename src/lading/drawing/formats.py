"""The formats that an entity graph is drawn in."""

from __future__ import annotations

from collections.abc import Callable

from lading.drawing.dot import dot_text
from lading.drawing.entity_graph import EntityGraph
from lading.drawing.mermaid import mermaid_text
from lading.drawing.plain_text import plain_text
from lading.drawing.svg import svg_text
from lading.errors import ArgumentError
from lading.messages import Message

#: The formats by name.
FORMATS: dict[str, Callable[[EntityGraph], str]] = {
    "text": plain_text,
    "mermaid": mermaid_text,
    "dot": dot_text,
    "svg": svg_text,
}


def drawn(graph: EntityGraph, form: str = "text") -> str:
    """Draw an entity graph; equal graphs give equal texts.

    Args:
        graph: the graph.
        form: ``"text"``, ``"mermaid"``, ``"dot"`` or ``"svg"``.

    Returns:
        The picture, which ends with a line break.

    Raises:
        ArgumentError: there is no such format; for SVG also if the graph has more than 250
            entities, or if graphlay isn't installed, which lays it out.
    """
    if form not in FORMATS:
        raise ArgumentError(
            "form", form, Message("choice-unknown", f"one of: {', '.join(FORMATS)}")
        )
    return FORMATS[form](graph)
