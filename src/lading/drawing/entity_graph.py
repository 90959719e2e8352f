"""The entity graph as plain data: entities in layers, and the references between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: What a part of a record is: the rows that it owns, or a list of links.
PartForm = Literal["owned", "links"]
#: How references tie records: the target must be there, may be null, or is in a list of links.
EdgeForm = Literal["required", "optional", "links"]
REQUIRED: EdgeForm = "required"
OPTIONAL: EdgeForm = "optional"
LINKS: EdgeForm = "links"


@dataclass(frozen=True, slots=True)
class EntityPart:
    """Owned rows or a list of links, at a path within an entity's records."""

    path: str
    form: PartForm

    @property
    def depth(self) -> int:
        """How many owned lists it is in."""
        return self.path.count(".")

    @property
    def name(self) -> str:
        """The last name of its path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class EntityNode:
    """An entity.

    ``order`` is its place in the import order, ``layer`` counts from 1: an entity refers to those
    of earlier layers.  ``records`` is the number of its records, where that is known.  An entity
    that is only referred to, because a partial bundle lacks it, has neither order nor key.
    ``beyond`` counts the entities around it that a picture leaves out.
    """

    name: str
    order: int | None
    layer: int
    key: tuple[str, ...] = ()
    parts: tuple[EntityPart, ...] = ()
    records: int | None = None
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class EntityEdge:
    """The references of one form from an entity to another, or to itself.

    ``fields`` are the paths that hold them.  Deferred references are set, or their rows inserted,
    once their targets are loaded.
    """

    source: str
    target: str
    form: EdgeForm
    is_deferred: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityGraph:
    """Entities in import order, and the references between them, sorted."""

    title: str
    nodes: tuple[EntityNode, ...]
    edges: tuple[EntityEdge, ...]

    def __getitem__(self, name: str) -> EntityNode:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def layers(self) -> list[list[EntityNode]]:
        """The entities by layer."""
        numbers = sorted({node.layer for node in self.nodes})
        return [[node for node in self.nodes if node.layer == number] for number in numbers]

    def edges_from(self, name: str) -> list[EntityEdge]:
        """Return the edges that begin at an entity.

        Args:
            name: The entity's name.

        Returns:
            The edges; none for an unknown name.
        """
        return [edge for edge in self.edges if edge.source == name]


@dataclass(frozen=True, slots=True)
class DrawnEntity:
    """What a graph is made of: an entity's name, shape and number of records."""

    name: str
    shape: Mapping[str, Any]
    records: int | None = None


def entity_graph(
    title: str, entities: Iterable[DrawnEntity], deferred: Iterable[tuple[str, str]]
) -> EntityGraph:
    """Make a graph.

    Args:
        title: what the graph is of.
        entities: the entities in import order.
        deferred: the deferred references: entity, and path within its records.
    """
    drawn = list(entities)
    places = {entity.name: place for place, entity in enumerate(drawn, 1)}
    paths = set(deferred)
    fields: dict[tuple[str, str, EdgeForm, bool], list[str]] = {}
    for entity in drawn:
        for path, target_path, form in references_in(entity.shape):
            target = root_of(target_path, places)
            is_late = places.get(target, 0) >= places[entity.name]
            is_deferred = (entity.name, path) in paths or (is_late and target != entity.name)
            fields.setdefault((entity.name, target, form, is_deferred), []).append(path)
    edges = tuple(EntityEdge(*edge, tuple(sorted(paths))) for edge, paths in sorted(fields.items()))
    layers = _layers(list(places), edges)
    absent = sorted({edge.target for edge in edges} - set(places))
    nodes = [_node(entity, places[entity.name], layers[entity.name]) for entity in drawn]
    return EntityGraph(title, (*(EntityNode(name, None, 1) for name in absent), *nodes), edges)


def _node(entity: DrawnEntity, order: int, layer: int) -> EntityNode:
    parts = tuple(parts_in(entity.shape))
    key = tuple(map(str, entity.shape.get("key", ())))
    return EntityNode(entity.name, order, layer, key, parts, entity.records)


def _layers(names: list[str], edges: Iterable[EntityEdge]) -> dict[str, int]:
    """Return each entity's layer: one above all that must be there before it."""
    targets: dict[str, set[str]] = {name: set() for name in names}
    for edge in edges:
        if not edge.is_deferred and edge.source != edge.target:
            targets[edge.source].add(edge.target)
    layers: dict[str, int] = {}
    for name in names:
        layers[name] = 1 + max((layers.get(target, 1) for target in targets[name]), default=0)
    return layers


def references_in(shape: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str, EdgeForm]]:
    """Yield the references in an entity's shape: path, name of the target, and form."""
    for name, inner in shape.get("fields", {}).items():
        if inner.get("type") == "reference":
            yield f"{path}{name}", inner["entity"], OPTIONAL if inner.get("nullable") else REQUIRED
        elif inner.get("type") == "references":
            yield f"{path}{name}", inner["entity"], LINKS
        elif inner.get("type") == "owned":
            yield from references_in(inner, f"{path}{name}.")


def parts_in(shape: Mapping[str, Any], path: str = "") -> Iterator[EntityPart]:
    """Yield the owned rows and lists of links in an entity's shape, parents first."""
    for name, inner in shape.get("fields", {}).items():
        full = f"{path}{name}"
        if inner.get("type") == "references":
            yield EntityPart(full, "links")
        elif inner.get("type") == "owned":
            yield EntityPart(full, "owned")
            yield from parts_in(inner, f"{full}.")


def root_of(name: str, entities: Iterable[str]) -> str:
    """Return the entity whose records hold the rows that a name stands for."""
    names = set(entities)
    root = name
    while root and root not in names:
        root = root.rpartition(".")[0]
    return root or name
