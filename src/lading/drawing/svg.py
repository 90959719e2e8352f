"""An entity graph as SVG."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files

from lading.drawing.cards import HEAD, INDENT, LINE, PADDING, EntityCard, card_of
from lading.drawing.entity_graph import EntityGraph
from lading.drawing.layout import GraphLayout, PlacedCard, PlacedEdge, Point, laid_out
from lading.drawing.legend import LEGEND_HEIGHT, LEGEND_WIDTH, legend
from lading.drawing.plain_text import edge_line, summary

#: How many colours tell the lines to different entities apart.
HUES = 8
MARGIN = 20
#: How round the corners of lines are, and how long an arrow's head is.
RADIUS, HEAD_LENGTH = 7.0, 8.0
#: Characters that XML can't hold.
_FOREIGN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg_text(graph: EntityGraph) -> str:
    """Return the graph as an SVG document."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg_element(graph, style=svg_style())}\n'


def svg_style() -> str:
    """Return the style sheet of pictures, for documents that embed them."""
    return (files("lading.drawing") / "graph.css").read_text(encoding="utf-8")


def svg_element(graph: EntityGraph, *, style: str = "", anchors: bool = False) -> str:
    """Return the graph as an ``svg`` element.

    Args:
        graph: the graph.
        style: the style sheet to put into it; a page has ``svg_style`` beside it instead.
        anchors: whether each card is a link to ``#entity-1``, ``#entity-2`` and so on, by the
            order of the graph's nodes.
    """
    layout = laid_out(graph, [card_of(graph, node) for node in graph.nodes])
    width = max(layout.width, LEGEND_WIDTH) + 2 * MARGIN
    height = layout.height + LEGEND_HEIGHT + 3 * MARGIN
    lines = [
        _opening(number(width), number(height)),
        f"<title>{xml(summary(graph))}</title>",
        *([f"<style>\n{style}</style>"] if style else []),
        f'<rect class="paper" width="{number(width)}" height="{number(height)}"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
        *_edges(graph, layout),
        *(
            line
            for place, card in enumerate(layout.cards, 1)
            for line in _card(card, place, graph, anchors=anchors)
        ),
        "</g>",
        f'<g transform="translate({MARGIN} {number(layout.height + 2 * MARGIN)})">',
        *legend(),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines)


def _opening(width: str, height: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="entity-graph" role="group" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    )


def xml(text: str) -> str:
    """Escape a text; characters that XML can't hold become replacement characters."""
    return escape(_FOREIGN.sub("\N{REPLACEMENT CHARACTER}", text))


def number(value: float) -> str:
    """Write a coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _edges(graph: EntityGraph, layout: GraphLayout) -> Iterator[str]:
    places = {node.name: place for place, node in enumerate(graph.nodes, 1)}
    targets = sorted({placed.edge.target for placed in layout.edges}, key=lambda name: places[name])
    hues = {name: place % HUES for place, name in enumerate(targets)}
    for placed in layout.edges:
        edge = placed.edge
        names = [
            "edge",
            edge.form,
            f"hue{hues[edge.target]}",
            *(["deferred"] if edge.is_deferred else []),
        ]
        yield (
            f'<g class="{" ".join(names)}" data-from="{places[edge.source]}" '
            f'data-to="{places[edge.target]}">'
        )
        yield f"<title>{xml(f'{edge.source} {edge_line(edge)}')}</title>"
        yield f'<path class="line" d="{path_of(shortened(placed.points))}"/>'
        yield f'<path class="head" d="{_head(placed)}"/>'
        yield "</g>"


def shortened(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return a line that ends where its arrow's head begins."""
    (x, y), (dx, dy) = points[-1], _direction(points)
    return (*points[:-1], (x - dx * HEAD_LENGTH / 2, y - dy * HEAD_LENGTH / 2))


def _direction(points: tuple[Point, ...]) -> Point:
    (x0, y0), (x1, y1) = points[-2:]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    return (x1 - x0) / length, (y1 - y0) / length


def _head(placed: PlacedEdge) -> str:
    (x, y), (dx, dy) = placed.points[-1], _direction(placed.points)
    back_x, back_y = x - dx * HEAD_LENGTH, y - dy * HEAD_LENGTH
    half = HEAD_LENGTH * 0.45
    corners = [
        (x, y),
        (back_x - dy * half, back_y + dx * half),
        (back_x + dy * half, back_y - dx * half),
    ]
    return "M" + "L".join(f"{number(cx)} {number(cy)}" for cx, cy in corners) + "Z"


def path_of(points: tuple[Point, ...]) -> str:
    """Return a line's path, with round corners."""
    first, last = points[0], points[-1]
    text = f"M{number(first[0])} {number(first[1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        text += (
            f"L{number(start[0])} {number(start[1])}"
            f"Q{number(corner[0])} {number(corner[1])} {number(end[0])} {number(end[1])}"
        )
    return f"{text}L{number(last[0])} {number(last[1])}"


def _towards(corner: Point, other: Point) -> Point:
    length = math.dist(corner, other) or 1.0
    share = min(RADIUS, length / 2) / length
    return corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share


def _card(placed: PlacedCard, place: int, graph: EntityGraph, *, anchors: bool) -> Iterator[str]:
    card = placed.card
    absent = " absent" if card.node.order is None else ""
    if anchors:
        yield f'<a href="#entity-{place}" class="card-link">'
    yield (
        f'<g class="card{absent}" data-entity="{place}" '
        f'transform="translate({number(placed.x)} {number(placed.y)})">'
    )
    yield f"<title>{xml(_tooltip(card, graph))}</title>"
    yield from card_lines(card)
    yield "</g>"
    if anchors:
        yield "</a>"


def _tooltip(card: EntityCard, graph: EntityGraph) -> str:
    node = card.node
    key = f"\nkey: {', '.join(node.key)}" if node.key else ""
    edges = "".join(f"\n{edge_line(edge)}" for edge in graph.edges_from(node.name))
    return f"{node.name}{key}{edges}"


def card_lines(card: EntityCard) -> Iterator[str]:
    """Yield a card's box and texts, from its upper left corner."""
    width, right = number(card.width), number(card.width - PADDING)
    yield f'<rect class="box" width="{width}" height="{number(card.height)}" rx="7"/>'
    yield f'<text class="name" x="{PADDING}" y="18">{xml(card.name)}</text>'
    yield f'<text class="order" x="{right}" y="17">{card.number}</text>'
    yield f'<text class="key" x="{PADDING}" y="34">{xml(card.key)}</text>'
    yield f'<text class="count" x="{right}" y="34">{card.count}</text>'
    for place, line in enumerate(card.lines):
        x = PADDING + INDENT * line.depth
        y = HEAD + LINE * place
        yield from _mark(line.role, x, y)
        yield f'<text class="{line.role}" x="{x + 15}" y="{y + 12}">{xml(line.text)}</text>'


def _mark(role: str, x: float, y: float) -> Iterator[str]:
    if role == "owned":
        yield f'<rect class="mark" x="{x}" y="{y + 3.5:g}" width="9" height="9" rx="2"/>'
    elif role == "links":
        yield f'<path class="mark" d="M{x} {y + 8}h9m-3 -3l3 3l-3 3m-3 -6l-3 3l3 3"/>'
    elif role == "itself":
        yield f'<path class="mark" d="M{x + 3} {y + 11}a3.5 3.5 0 1 1 3 0m-1 -3l1.2 3.2l-3 .8"/>'
