"""Pictures of a catalog's or bundle's entities: as text, Mermaid, Graphviz DOT and SVG."""

from __future__ import annotations

from lading.drawing.around import around
from lading.drawing.entity_graph import EntityGraph
from lading.drawing.formats import FORMATS, drawn
from lading.drawing.sources import graph_of_catalog, graph_of_manifest

__all__ = ["FORMATS", "EntityGraph", "around", "drawn", "graph_of_catalog", "graph_of_manifest"]
