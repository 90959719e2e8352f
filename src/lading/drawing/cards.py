"""The card of an entity in a picture: its lines of text, and how large it is."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Literal

from lading.drawing.entity_graph import EntityGraph, EntityNode

#: What a line of a card says, which is how it is drawn.
LineRole = Literal["owned", "links", "itself", "beyond"]

#: Sizes in pixels: of letters (bold ones as wide as larger ones), of the head with its two lines,
#: of each further line and the mark before it, and how wide texts may be.
BOLD_SIZE, TEXT_SIZE = 14, 11
HEAD, LINE, PADDING, INDENT, MARK, GAP = 42, 17, 10, 12, 15, 14
NARROWEST, WIDEST, WIDEST_KEY = 90, 230, 150
NARROW, WIDE = set("ijl.,:;'|!ftIr()[] "), set("mwMW@%")


@dataclass(frozen=True, slots=True)
class CardLine:
    """A line below a card's head, at a depth of nesting; ``path`` leads to what it names."""

    text: str
    role: LineRole
    path: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class EntityCard:
    """An entity as it is drawn: head, lines, and size."""

    node: EntityNode
    name: str
    number: str
    key: str
    count: str
    lines: tuple[CardLine, ...]
    width: float
    height: float

    def height_of(self, path: str) -> float | None:
        """Return how far below its top the line is that a path begins with, if there is one."""
        place = None
        for number, line in enumerate(self.lines):
            if line.path and (path == line.path or path.startswith(f"{line.path}.")):
                place = number
        return None if place is None else HEAD + LINE * (place + 0.5)


def card_of(graph: EntityGraph, node: EntityNode) -> EntityCard:
    """Return the card of an entity of a graph."""
    lines = _lines(graph, node)
    number = "" if node.order is None else str(node.order)
    key = ", ".join(node.key)
    count = "" if node.records is None else f"{node.records:,}"
    if node.order is None:
        key = "not in this bundle"
    beside_name, beside_key = (GAP + width_of(text, TEXT_SIZE) for text in (number, count))
    widths = [
        width_of(node.name, BOLD_SIZE) + beside_name,
        min(width_of(key, TEXT_SIZE) + beside_key, WIDEST_KEY),
        *(width_of(line.text, TEXT_SIZE) + MARK + INDENT * line.depth for line in lines),
    ]
    room = math.ceil(min(max(*widths, NARROWEST), WIDEST))
    width = room + 2 * PADDING
    return EntityCard(
        node,
        fitting(node.name, BOLD_SIZE, room - beside_name),
        number,
        fitting(key, TEXT_SIZE, room - beside_key),
        count,
        lines,
        width,
        HEAD + LINE * len(lines) + (6 if lines else 0),
    )


def _lines(graph: EntityGraph, node: EntityNode) -> tuple[CardLine, ...]:
    room = WIDEST - MARK
    lines = [
        CardLine(
            fitting(part.name, TEXT_SIZE, room - INDENT * part.depth),
            part.form,
            part.path,
            part.depth,
        )
        for part in node.parts
    ]
    for edge in graph.edges_from(node.name):
        if edge.target == node.name:
            late = " (deferred)" if edge.is_deferred else ""
            text = fitting(", ".join(edge.fields) + late, TEXT_SIZE, room)
            lines.append(CardLine(text, "itself", ""))
    if node.beyond:
        lines.append(CardLine(f"{node.beyond} more not shown", "beyond", ""))
    return tuple(lines)


def width_of(text: str, size: float) -> float:
    """Estimate how wide a text is, in a sans-serif font of a size, rather too much."""
    return size * sum(map(_width, text))


def _width(character: str) -> float:
    if character in NARROW:
        return 0.36
    if character in WIDE:
        return 0.9
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.7 if character.isupper() else 0.6


def fitting(text: str, size: float, room: float) -> str:
    """Cut a text to the room that there is."""
    if width_of(text, size) <= room:
        return text
    while text and width_of(text, size) > room - size:
        text = text[:-1]
    return f"{text}\N{HORIZONTAL ELLIPSIS}"
