"""An entity graph in each format."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from lading import ArgumentError
from lading.drawing import FORMATS, around, drawn
from lading.drawing.cards import card_of, fitting, width_of
from lading.drawing.dot import quoted
from lading.drawing.entity_graph import EntityEdge, EntityGraph, EntityNode, entity_graph
from lading.drawing.layout import MOST_DRAWN, laid_out
from lading.drawing.mermaid import escaped
from lading.drawing.svg import svg_element
from support.graphs import HOSTILE, entity, hostile_graph, kitchen, ref

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg: str, name: str, class_: str) -> list[ET.Element]:
    """The elements of a picture that have a name and a class."""
    root = ET.fromstring(svg)
    return [e for e in root.iter(f"{SVG}{name}") if class_ in e.get("class", "").split()]


def test_text_says_everything() -> None:
    """Layer by layer, in the order of an import."""
    assert drawn(kitchen()) == (
        "kitchen: 5 entities in 4 layers, 7 references (2 of them deferred)\n"
        "\n"
        "layer 1\n"
        "  - tags  (not in this bundle)\n"
        "  1 units  (key slug; 3 records)\n"
        "\n"
        "layer 2\n"
        "  2 ingredients  (key slug; 1,200 records)\n"
        "      ..> itself: substitute (optional, deferred)\n"
        "      --> units: unit\n"
        "\n"
        "layer 3\n"
        "  3 recipes  (key slug; 70 records)\n"
        "      owns steps\n"
        "        owns uses\n"
        "      --> ingredients: steps.uses.ingredient\n"
        "      ..> photos: cover (optional, deferred)\n"
        "      --> tags: tags (list)\n"
        "      --> units: steps.uses.unit (optional)\n"
        "\n"
        "layer 4\n"
        "  4 photos  (key slug; 0 records)\n"
        "      --> recipes: recipe\n"
    )
    assert "recipes  (key slug; 70 records; 4 neighbours not shown)" in drawn(
        around(kitchen(), "recipes", 0)
    )


def test_mermaid_has_layers_as_subgraphs_and_an_arrow_for_each_form() -> None:
    """Required, optional, a list of links, and deferred."""
    text = drawn(kitchen(), "mermaid")
    assert '  subgraph layer3["layer 3"]\n    e4["<b>recipes</b>' in text
    assert "links tags<br/>owns steps<br/>owns steps.uses" in text
    for arrow in ('e3 -->|"unit"| e2', 'e4 --o|"steps.uses.unit"| e2', 'e4 ==>|"tags"| e1'):
        assert arrow in text
    assert 'e4 -.->|"cover"| e5' in text


def test_dot_has_a_rank_for_each_layer_and_dashes_for_deferred_edges() -> None:
    """Deferred edges run against the order, and don't rank."""
    text = drawn(kitchen(), "dot")
    assert '{ rank=same;\n    "recipes" [label="recipes\\lkey slug\\llinks tags\\l' in text
    assert re.search(r'"recipes" -> "photos" \[.*style=dashed.*constraint=false\];', text)
    assert re.search(r'"recipes" -> "ingredients" \[tooltip="steps.uses.ingredient"\];', text)


def test_svg_has_a_card_for_each_entity_and_a_line_for_each_edge() -> None:
    """A self reference is a line on its card, and deferred lines are dashed."""
    svg = drawn(kitchen(), "svg")
    assert len(elements(svg, "g", "card")) == 5
    between = [edge for edge in kitchen().edges if edge.source != edge.target]
    shown = [e for e in elements(svg, "g", "edge") if "neutral" not in e.get("class", "")]
    assert len(shown) == len(between)
    assert [e.get("data-to") for e in shown if "deferred" in e.get("class", "")] == ["5"]
    assert [e.text for e in elements(svg, "text", "itself")] == ["substitute (deferred)"]
    assert [e.text for e in elements(svg, "text", "owned")] == ["steps", "uses"]
    assert elements(svg, "g", "legend")


def test_what_loads_first_stands_on_the_left() -> None:
    """The line of an edge ends at its target, whichever comes first."""
    svg = drawn(kitchen(), "svg")
    lefts = {}
    for card in elements(svg, "g", "card"):
        match = re.match(r"translate\(([\d.]+) ", card.get("transform", ""))
        assert match is not None
        lefts[card.get("data-entity")] = float(match[1])
    for edge in elements(svg, "g", "edge"):
        if "neutral" in edge.get("class", ""):
            continue
        numbers = re.findall(r"-?[\d.]+", edge[1].get("d", ""))
        is_leftward = float(numbers[0]) > float(numbers[-2])
        assert is_leftward == (lefts[edge.get("data-to")] < lefts[edge.get("data-from")])
        assert is_leftward != ("deferred" in edge.get("class", ""))


def test_a_line_begins_at_the_owned_rows_that_refer() -> None:
    """On the card, at the height of their line."""
    layout = laid_out(kitchen(), [card_of(kitchen(), node) for node in kitchen().nodes])
    recipes = next(placed for placed in layout.cards if placed.card.name == "recipes")
    for field in ("steps.uses.ingredient", "steps.uses.unit", "tags"):
        (edge,) = (placed for placed in layout.edges if placed.edge.fields == (field,))
        height = recipes.card.height_of(field)
        assert height is not None
        assert edge.points[0] == pytest.approx((recipes.x, recipes.y + height), abs=6)


@pytest.mark.parametrize("form", FORMATS)
def test_equal_graphs_give_equal_bytes(form: str) -> None:
    """However often they are drawn."""
    assert drawn(kitchen(), form) == drawn(kitchen(), form)


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_graph_is_drawn(form: str) -> None:
    """A bundle may hold no entity."""
    assert drawn(entity_graph("empty", [], []), form)


def test_names_mean_nothing_in_svg() -> None:
    """Whatever characters they have, the document is well-formed and has no other elements."""
    svg = drawn(hostile_graph(), "svg")
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "style",
        "rect",
        "g",
        "path",
        "text",
    }
    assert HOSTILE.replace("\0", "\N{REPLACEMENT CHARACTER}") in "".join(root.itertext())


def test_names_mean_nothing_in_mermaid_and_dot() -> None:
    """Mermaid gets codes for all but letters and digits, DOT escapes quotes and backslashes."""
    mermaid = drawn(hostile_graph(), "mermaid")
    assert "script" in mermaid
    assert not re.search(r"<(?!/?[bi]>|br/>)", mermaid)
    assert len(mermaid.splitlines()) == 11
    dot = drawn(hostile_graph(), "dot")
    assert re.sub(r'"(\\.|[^"\\])*"', "", dot, flags=re.DOTALL).count('"') == 0
    assert "\0" not in dot
    assert quoted('a\\n"b"&') == r'"a\\n\"b\"&amp;"'


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a\\nb", "a#92;#8203;nb"),
        ("$$x$$", "#36;#8203;#36;x#36;#8203;#36;"),
        ("fa:fa-car", "fa:#8203;fa-car"),
        ("a\nb", "a b"),
        ("#35;", "#35;35#59;"),
    ],
)
def test_names_spell_nothing_in_mermaid(name: str, label: str) -> None:
    """It makes lines, formulas and icons of some texts, however they are written."""
    assert escaped(name) == label


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz isn't installed")
def test_graphviz_shows_names_as_they_are() -> None:
    """Without a word of complaint; reserved words and escapes are names like others."""
    names = ("end", "subgraph", 'a"b', "a\\nb", "\\N", "<b>x</b>", "&lt;", "--> x", "日本語", ";")
    nodes = tuple(EntityNode(name, place, 1 + place % 3) for place, name in enumerate(names, 1))
    edges = tuple(EntityEdge(name, names[0], "optional", False, (name,)) for name in names)
    dot = drawn(EntityGraph('graph "{"', nodes, edges), "dot")
    done = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
    assert not done.stderr
    texts = re.findall(r"<text[^>]*>(.*?)</text>", done.stdout.decode())
    assert set(names) <= {html.unescape(text).replace("\xa0", " ") for text in texts}


def test_names_move_no_cursor_in_text() -> None:
    """Control characters and marks that turn the direction of writing are replaced."""
    text = drawn(hostile_graph())
    assert not {"\0", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(text)
    assert len(text.splitlines()) == 10


def test_an_unknown_format_is_refused() -> None:
    """The error lists those that there are."""
    with pytest.raises(ArgumentError, match="expected one of: text, mermaid, dot, svg"):
        drawn(kitchen(), "png")


def test_svg_without_graphlay_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other formats need nothing."""
    monkeypatch.setitem(sys.modules, "graphlay", None)
    with pytest.raises(ArgumentError, match=r"pip install 'lading\[cli\]'"):
        drawn(kitchen(), "svg")
    assert drawn(kitchen(), "dot")


def test_a_picture_of_too_many_entities_is_refused_at_once() -> None:
    """The error says how to draw a part, and the part is drawn."""
    names = [f"e{number}" for number in range(MOST_DRAWN + 1)]
    graph = entity_graph("many", [entity(name, to=ref(names[0])) for name in names], [])
    with pytest.raises(ArgumentError, match=r"of 251 entities; expected at most 250\. Draw a part"):
        drawn(graph, "svg")
    assert drawn(around(graph, "e1"), "svg")


def test_a_long_name_is_cut_on_its_card_and_whole_in_its_title() -> None:
    """Cards have a greatest width."""
    name = "w" * 200
    graph = entity_graph("x", [entity(name), entity("b", **{name: ref(name)})], [])
    card = card_of(graph, graph[name])
    assert card.width <= 250
    assert card.name.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert f"<title>{name}" in svg_element(graph)
    assert width_of(fitting(name, 11, 100), 11) <= 100


def test_cards_link_to_entities_where_a_page_asks_for_it() -> None:
    """By the entity's place among the graph's."""
    assert svg_element(kitchen(), anchors=True).count('<a href="#entity-') == 5
    assert "<a " not in svg_element(kitchen())
    assert "<style" not in svg_element(kitchen())
