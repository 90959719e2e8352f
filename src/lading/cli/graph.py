"""`lading graph`: the entity graph of a database, a bundle or a catalog, as text or a picture."""

from __future__ import annotations

import os

import click

from lading.bundle import with_bundle
from lading.cli.catalogs import CatalogChoice, bundle_catalog_options
from lading.cli.command import command
from lading.cli.databases import VARIABLE, is_url, place_or_variable
from lading.cli.documents import STANDARD
from lading.cli.output import Output
from lading.cli.results import DrawnEdge, DrawnNode, GraphResult
from lading.cli.sources import opened_source
from lading.cli.text_files import write_text
from lading.drawing import FORMATS, EntityGraph, around, drawn, graph_of_catalog, graph_of_manifest


@command(
    "graph",
    examples=(
        "lading graph sqlite:///app.db",
        "lading graph backup.zip --around recipes --depth 2 --format svg --output recipes.svg",
        "lading graph --catalog shop.schemas:catalog --format mermaid",
    ),
)
@click.argument("source", required=False)
@bundle_catalog_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="What to draw it in; dot is Graphviz's language.",
)
@click.option("--around", "middle", metavar="ENTITY", help="Draw only this entity's surroundings.")
@click.option(
    "--depth",
    type=click.IntRange(min=0),
    help="With --around: how many references away entities may be; by default 1.",
)
@click.option(
    "--output",
    "file",
    metavar="FILE",
    default=STANDARD,
    show_default=True,
    help="The file to write, which is replaced; - prints it.",
)
def graph(
    output: Output,
    *,
    source: str | None,
    choice: CatalogChoice,
    form: str,
    middle: str | None,
    depth: int | None,
    file: str,
) -> None:
    """Draw the entities, in the layers in which they load, and their references.

    SOURCE is a database URL or a bundle; without it the catalog is drawn, or DATABASE_URL.
    References that are set after the load, which opens cycles, are dashed.
    """
    if depth is not None and middle is None:
        raise click.UsageError("--depth is for --around; add it, or leave --depth out.")
    entity_graph = _graph_of(source, choice, output)
    if middle is not None:
        entity_graph = around(entity_graph, middle, 1 if depth is None else depth)
    if file != STANDARD or not output.as_json:
        write_text(file, drawn(entity_graph, form))
    if output.as_json:
        output.result("", graph_result(entity_graph))


def _graph_of(source: str | None, choice: CatalogChoice, output: Output) -> EntityGraph:
    catalog = choice.declared() if source is None else None
    if catalog is not None:
        return graph_of_catalog(catalog)
    if source is None and choice.database is None and not os.environ.get(VARIABLE):
        raise click.UsageError(
            f"Nothing to draw: expected a database's URL, a bundle, --catalog, or {VARIABLE}."
        )
    place = place_or_variable(source or choice.database, "SOURCE")
    if not is_url(place):
        return with_bundle(place, lambda reader: graph_of_manifest(reader.manifest))
    with opened_source(place, choice, output) as opened:
        assert opened.catalog is not None, "a database has a catalog in any case"
        return graph_of_catalog(opened.catalog)


def graph_result(entity_graph: EntityGraph) -> GraphResult:
    """Return what is said of a graph."""
    return GraphResult(
        title=entity_graph.title,
        entities=tuple(
            DrawnNode(
                entity=node.name,
                order=node.order,
                layer=node.layer,
                key=node.key,
                records=node.records,
                owned=tuple(part.path for part in node.parts if part.form == "owned"),
                links=tuple(part.path for part in node.parts if part.form == "links"),
            )
            for node in entity_graph.nodes
        ),
        references=tuple(
            DrawnEdge(edge.source, edge.target, edge.fields, edge.form, edge.is_deferred)
            for edge in entity_graph.edges
        ),
    )
