"""The entity graph as data: layers, edges and parts, from shapes alone."""

from __future__ import annotations

import pytest

from lading import ArgumentError
from lading.drawing import EntityGraph, around
from lading.drawing.entity_graph import entity_graph
from support.graphs import entity, kitchen, links, owned, ref


def edges_of(graph: EntityGraph) -> set[tuple[str, ...]]:
    """Each edge with its fields, and a word where it is deferred."""
    return {
        (edge.source, edge.target, edge.form, *edge.fields, *["deferred"] * edge.is_deferred)
        for edge in graph.edges
    }


def test_an_entity_stands_one_layer_above_what_it_needs() -> None:
    """Deferred references tie nothing, and what no entity has stands in the first layer."""
    layers = [[node.name for node in layer] for layer in kitchen().layers]
    assert layers == [["tags", "units"], ["ingredients"], ["recipes"], ["photos"]]


def test_references_of_one_form_between_two_entities_are_one_edge() -> None:
    """Those in owned rows at any depth, lists of links and self references included."""
    assert edges_of(kitchen()) == {
        ("ingredients", "units", "required", "unit"),
        ("ingredients", "ingredients", "optional", "substitute", "deferred"),
        ("recipes", "tags", "links", "tags"),
        ("recipes", "photos", "optional", "cover", "deferred"),
        ("recipes", "ingredients", "required", "steps.uses.ingredient"),
        ("recipes", "units", "optional", "steps.uses.unit"),
        ("photos", "recipes", "required", "recipe"),
    }
    twice = entity_graph("x", [entity("a"), entity("b", one=ref("a"), two=ref("a"))], [])
    assert edges_of(twice) == {("b", "a", "required", "one", "two")}


def test_parts_are_listed_with_their_depth() -> None:
    """Owned rows and lists of links, parents first."""
    parts = kitchen()["recipes"].parts
    assert [(part.form, part.name, part.depth) for part in parts] == [
        ("links", "tags", 0),
        ("owned", "steps", 0),
        ("owned", "uses", 1),
    ]


def test_what_a_partial_bundle_lacks_is_there_without_an_order() -> None:
    """A reference that leads out of a bundle is shown."""
    tags = kitchen()["tags"]
    assert (tags.order, tags.key, tags.records) == (None, (), None)


def test_a_reference_to_an_owned_row_leads_to_the_entity_that_holds_it() -> None:
    """Names of entities may have dots of their own."""
    entities = [
        entity("shop.items", sizes=owned(name={"type": "string"})),
        entity("shop.orders", size=ref("shop.items.sizes"), item=ref("shop.items")),
    ]
    assert edges_of(entity_graph("x", entities, [])) == {
        ("shop.orders", "shop.items", "required", "item", "size")
    }


def test_a_reference_against_the_order_is_deferred_whoever_says_otherwise() -> None:
    """A manifest that was tampered with can't make a layer depend on itself."""
    graph = entity_graph("x", [entity("a", b=ref("b")), entity("b", a=ref("a"))], [])
    assert edges_of(graph) == {
        ("a", "b", "required", "b", "deferred"),
        ("b", "a", "required", "a"),
    }


@pytest.mark.parametrize(
    ("depth", "names"),
    [
        (0, ["photos"]),
        (1, ["recipes", "photos"]),
        (2, ["tags", "units", "ingredients", "recipes", "photos"]),
    ],
)
def test_a_picture_around_an_entity_has_what_references_tie_to_it(
    depth: int, names: list[str]
) -> None:
    """In either direction, up to a depth; the others are counted."""
    near = around(kitchen(), "photos", depth)
    assert [node.name for node in near.nodes] == names
    beyond = {0: {"photos": 1}, 1: {"recipes": 3}}.get(depth, {})
    assert {node.name: node.beyond for node in near.nodes if node.beyond} == beyond
    assert all(edge.source in names and edge.target in names for edge in near.edges)


def test_an_unknown_entity_has_nothing_around_it() -> None:
    """The error lists the entities that there are, the most alike first."""
    with pytest.raises(ArgumentError, match="around='recipe'; expected one of: recipes, "):
        around(kitchen(), "recipe")
    with pytest.raises(ArgumentError, match="depth=-1; expected 0 or more"):
        around(kitchen(), "recipes", -1)


def test_links_alone_tie_entities() -> None:
    """A list of links needs its targets first."""
    graph = entity_graph("x", [entity("a"), entity("b", all=links("a"))], [])
    assert graph["b"].layer == 2


def test_a_graph_gives_its_nodes_by_name() -> None:
    """And knows no others."""
    assert kitchen()["tags"].name == "tags"
    with pytest.raises(KeyError):
        kitchen()["nothing"]
