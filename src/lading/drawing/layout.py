"""Where the cards of an entity graph stand, and how the lines between them run.

graphlay does the work.  Entities that load first stand on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lading.drawing.cards import EntityCard
from lading.drawing.entity_graph import EntityEdge, EntityGraph
from lading.errors import ArgumentError

OPTIONS: dict[str, Any] = {
    "direction": "leftright",
    "spacing": {
        "node_gap": 22.0,
        "layer_gap": 44.0,
        "isolated_gap": 22.0,
        "isolated_max_columns": 6,
    },
    "routing": {"merge_edges": "forks"},
}
#: How far down a card the line of a deferred edge begins, where no line of the card's does.
BEGIN = 0.85
#: Up to how many entities graphlay takes its time, for the fewest crossings.
THOROUGH = 80
#: Up to how many entities are laid out: four times as many take ten seconds, and nobody reads them.
MOST_DRAWN = 250
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlacedCard:
    """A card with its upper left corner."""

    card: EntityCard
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """An edge with its line, from the entity that refers to the one referred to."""

    edge: EntityEdge
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """A picture's cards and lines, which begin at the origin, and its size."""

    cards: tuple[PlacedCard, ...]
    edges: tuple[PlacedEdge, ...]
    width: float
    height: float


def laid_out(graph: EntityGraph, cards: list[EntityCard]) -> GraphLayout:
    """Lay out a graph, whose cards stand in the order of its nodes.

    Raises:
        ArgumentError: the graph has more than ``MOST_DRAWN`` entities, or graphlay isn't installed.
    """
    if len(cards) > MOST_DRAWN:
        raise ArgumentError(
            "graph",
            graph,
            f"at most {MOST_DRAWN}",
            "Draw a part of it: --around NAME --depth N (in Python: around(graph, name, depth)); "
            "the other formats take any number.",
            subject=f"an SVG picture of {len(cards):,} entities",
        )
    if not cards:
        return GraphLayout((), (), 0, 0)
    edges = [edge for edge in graph.edges if edge.source != edge.target]
    effort = "thorough" if len(cards) <= THOROUGH else "fast"
    options = {**OPTIONS, "effort": effort}
    raw = _library().layout(_request(graph, cards, edges), options=options)
    bounds = raw.bounds
    x, y = bounds["min"]["x"], bounds["min"]["y"]
    places = {node.name: place for place, node in enumerate(graph.nodes)}
    return GraphLayout(
        tuple(
            PlacedCard(
                card,
                node["center"]["x"] - card.width / 2 - x,
                node["center"]["y"] - card.height / 2 - y,
            )
            for card, node in zip(cards, raw.nodes, strict=True)
        ),
        tuple(
            PlacedEdge(edge, _line(places, edge, line["points"], x, y))
            for edge, line in zip(edges, raw.edges, strict=True)
        ),
        bounds["max"]["x"] - x,
        bounds["max"]["y"] - y,
    )


def _library() -> Any:
    """Import graphlay, which only SVG needs."""
    try:
        import graphlay
    except ImportError as error:
        raise ArgumentError(
            "form", "svg", "graphlay to be installed", "Run: pip install 'lading[cli]'."
        ) from error
    return graphlay


def _request(
    graph: EntityGraph, cards: list[EntityCard], edges: list[EntityEdge]
) -> dict[str, Any]:
    places = {node.name: place for place, node in enumerate(graph.nodes)}
    return {
        "nodes": [
            {
                "size": {"width": card.width, "height": card.height},
                "shape": "box",
                "key": str(place),
            }
            for place, card in enumerate(cards)
        ],
        "edges": [_edge(places, cards, edge) for edge in edges],
    }


def _edge(places: dict[str, int], cards: list[EntityCard], edge: EntityEdge) -> dict[str, Any]:
    """Return an edge from what loads first to what loads later."""
    referrer, target = places[edge.source], places[edge.target]
    height = _height(cards[referrer], edge)
    is_forward = referrer < target
    if is_forward and height is None:
        # Lines that begin and lines that end on one side of a card stay apart.
        height = cards[referrer].height * BEGIN
    port = {} if height is None else _port(cards[referrer], height, is_forward=is_forward)
    return {
        "source": min(referrer, target),
        "target": max(referrer, target),
        "weight": 1.0,
        **port,
    }


def _height(card: EntityCard, edge: EntityEdge) -> float | None:
    """Return how far down a card its edge begins, if all fields are on one line."""
    heights = {card.height_of(field) for field in edge.fields}
    return heights.pop() if len(heights) == 1 else None


def _port(card: EntityCard, height: float, *, is_forward: bool) -> dict[str, Any]:
    side, end = ("right", "source_port") if is_forward else ("left", "target_port")
    # graphlay counts from a side's middle: -1 is its upper end, and 1 its lower one.
    return {end: {"offset": {"side": side, "t": 2 * height / card.height - 1}}}


def _line(
    places: dict[str, int],
    edge: EntityEdge,
    points: list[dict[str, float]],
    x: float,
    y: float,
) -> tuple[Point, ...]:
    line = [(point["x"] - x, point["y"] - y) for point in points]
    is_forward = places[edge.source] < places[edge.target]
    return tuple(line if is_forward else reversed(line))
