"""The entity graphs of a catalog and of a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lading.bundle.manifest import Manifest
from lading.bundle.shape_format import is_shape
from lading.catalog import Catalog
from lading.drawing.entity_graph import DrawnEntity, EntityGraph, entity_graph
from lading.exporting.manifest_builder import deferrals
from lading.mapping.load_order import LoadOrder, load_order_of
from lading.model.entities import Entities
from lading.model.shape import shape_of


def graph_of_catalog(catalog: Catalog, records: Mapping[str, int] | None = None) -> EntityGraph:
    """Return the entity graph of a catalog.

    Args:
        catalog: the catalog.
        records: the number of records of each entity, where a database was counted.

    Returns:
        The graph.

    Raises:
        DeclarationError: the catalog is empty, or its schemas have mistakes.
    """
    entities = catalog.use()
    order = load_order_of(entities)
    counts = records or {}
    drawn = [
        DrawnEntity(name, shape_of(entities[name]), counts.get(name)) for name in order.entities
    ]
    return entity_graph(catalog.name, drawn, _deferred(entities, order))


def _deferred(entities: Entities, order: LoadOrder) -> Iterator[tuple[str, str]]:
    for rows in entities.all_rows():
        for path, _, _ in deferrals(order, rows):
            yield rows.entity, path


def graph_of_manifest(manifest: Manifest) -> EntityGraph:
    """Return the entity graph of a bundle, for which no catalog is needed.

    Args:
        manifest: the bundle's manifest.

    Returns:
        The graph, with the number of each entity's records.  An entity whose recorded shape makes
        no sense has neither references nor parts.
    """
    drawn = [
        DrawnEntity(
            entry.entity_type,
            entry.shape if is_shape(entry.shape) else {"key": entry.natural_key},
            entry.record_count,
        )
        for entry in manifest.files
    ]
    deferred = [(reference.entity, reference.field) for reference in manifest.deferred]
    return entity_graph(manifest.catalog, drawn, deferred)
