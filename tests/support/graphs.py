"""Entity graphs for tests of their drawings, made of shapes alone."""

from __future__ import annotations

from typing import Any

from lading.drawing.entity_graph import DrawnEntity, EntityGraph, entity_graph

#: A name with everything that means something to XML, HTML, Mermaid, DOT or a terminal.
HOSTILE = "</svg><script>\"'&#;\\|[x]\n\0\N{RIGHT-TO-LEFT OVERRIDE}"


def entity(name: str, records: int | None = None, **fields: Any) -> DrawnEntity:
    """An entity whose key is a slug."""
    value = {"type": "string", "nullable": False}
    return DrawnEntity(name, {"fields": {"slug": value, **fields}, "key": ["slug"]}, records)


def ref(target: str, *, nullable: bool = False) -> dict[str, Any]:
    """A reference."""
    return {"type": "reference", "entity": target, "nullable": nullable}


def links(target: str) -> dict[str, Any]:
    """A list of links."""
    return {"type": "references", "entity": target}


def owned(**fields: Any) -> dict[str, Any]:
    """Owned rows."""
    return {"type": "owned", "order": "set", "fields": fields, "key": []}


def kitchen() -> EntityGraph:
    """Three layers, with owned rows that own others, links, a deferred edge and a self reference."""
    entities = [
        entity("units", 3),
        entity(
            "ingredients", 1200, unit=ref("units"), substitute=ref("ingredients", nullable=True)
        ),
        entity(
            "recipes",
            70,
            tags=links("tags"),
            cover=ref("photos", nullable=True),
            steps=owned(
                uses=owned(ingredient=ref("ingredients"), unit=ref("units", nullable=True))
            ),
        ),
        entity("photos", 0, recipe=ref("recipes")),
    ]
    return entity_graph("kitchen", entities, [("recipes", "cover"), ("ingredients", "substitute")])


def hostile_graph() -> EntityGraph:
    """Two entities whose names and fields are HOSTILE."""
    below = f"{HOSTILE} 2"
    return entity_graph(
        HOSTILE,
        [
            entity(HOSTILE),
            entity(below, **{HOSTILE: ref(HOSTILE), "rows": owned(**{HOSTILE: links(HOSTILE)})}),
        ],
        [],
    )
