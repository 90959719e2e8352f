"""What a database or a bundle holds, from a catalog or from a manifest alone."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from lading.bundle import with_bundle
from lading.bundle.manifest import FileEntry, Manifest
from lading.catalog import Catalog
from lading.cli.results import InspectedEntity, InspectResult
from lading.cli.shapes import owned_lists
from lading.cli.sources import Source
from lading.database.session import reading
from lading.database.tables import require_tables
from lading.exporting.reader import count_rows
from lading.mapping.load_order import load_order_of
from lading.messages import counted
from lading.model.entities import KeyChoice, shown_names
from lading.model.rowsets import RowSet, references_of


def database_contents(source: Source) -> InspectResult:
    """Return what a database holds, which is counted."""
    assert isinstance(source.place, sa.Engine), "it isn't a bundle"
    assert source.catalog is not None, "a database has a catalog in any case"
    catalog = source.catalog
    entities = catalog.use()
    with reading(source.place, catalog) as opened:
        require_tables(opened.database, entities)
        counts = {
            name: count_rows(opened.database, rows.table) for name, rows in entities.roots.items()
        }
    return InspectResult(
        source=source.label,
        catalog=catalog.name,
        records=sum(counts.values()),
        partial=False,
        external=(),
        entities=tuple(
            _entity(entities[name], counts[name], catalog)
            for name in load_order_of(entities).entities
        ),
        left_out=catalog.coverage(),
    )


def bundle_contents(path: str, catalog: Catalog | None) -> InspectResult:
    """Return what a bundle holds by its manifest; its catalog, if there is one, gives reasons."""
    manifest: Manifest = with_bundle(path, lambda reader: reader.manifest)
    return InspectResult(
        source=path,
        catalog=manifest.catalog,
        records=sum(entry.record_count for entry in manifest.files),
        partial=manifest.partial,
        external=manifest.external,
        entities=tuple(_entry(entry, catalog) for entry in manifest.files),
        left_out=dict(manifest.left_out),
    )


def _entity(rows: RowSet, count: int, catalog: Catalog) -> InspectedEntity:
    choice = _choice(rows.name, catalog)
    assert choice is not None, "every entity has a key"
    return InspectedEntity(
        entity=rows.name,
        records=count,
        version=rows.version,
        key=rows.key_names,
        reason=choice.reason,
        guarded=choice.guarded,
        candidates=choice.candidates,
        decisions=dict(choice.fields),
        references={path: reference.target.name for path, _, reference in references_of(rows)},
        owned=tuple(inner.name for inner in rows.tree() if inner is not rows),
    )


def _entry(entry: FileEntry, catalog: Catalog | None) -> InspectedEntity:
    choice = None if catalog is None else _choice(entry.entity_type, catalog)
    if choice is not None and choice.key != tuple(entry.natural_key):
        choice = None  # the bundle's key is another, whose reasons nobody knows
    return InspectedEntity(
        entity=entry.entity_type,
        records=entry.record_count,
        version=entry.schema_version,
        key=entry.natural_key,
        reason=choice.reason if choice else None,
        guarded=choice.guarded if choice else None,
        candidates=choice.candidates if choice else (),
        decisions=dict(choice.fields) if choice else {},
        references={path: links.entity for path, links in entry.references.items()},
        owned=tuple(owned_lists(entry.entity_type, entry.shape)),
    )


def _choice(name: str, catalog: Catalog) -> KeyChoice | None:
    return next((choice for choice in catalog.choices() if choice.entity == name), None)


def text_of(contents: InspectResult) -> str:
    """Return contents as lines."""
    partial = ", partial" if contents.partial else ""
    head = (
        f"{contents.source}: catalog {contents.catalog!r}, "
        f"{counted(len(contents.entities), 'entity', 'entities')}, "
        f"{counted(contents.records, 'record')}{partial}"
    )
    lines = [line for entity in contents.entities for line in _entity_lines(entity)]
    left_out = [
        f"  - {name}: {reason or 'nobody says why; name it in leaves_out'}"
        for name, reason in contents.left_out.items()
    ]
    outside = [
        f"  - {other.entity}.{other.field}: {counted(other.count, 'reference')} to "
        f"{other.references}"
        for other in contents.external
    ]
    if outside:
        lines += ["to records outside of this bundle:", *outside]
    if left_out:
        lines += [f"left out: {len(left_out)}", *left_out]
    return "\n".join([head, *lines])


def _entity_lines(entity: InspectedEntity) -> Iterator[str]:
    yield f"{entity.entity}: {counted(entity.records, 'record')}, version {entity.version}"
    reason = f" ({entity.reason})" if entity.reason else ""
    alone = "; no constraint guards it" if entity.guarded is False else ""
    yield f"    key: {', '.join(entity.key)}{reason}{alone}"
    others = [shown_names(names) for names in entity.candidates if names != entity.key]
    if others:
        yield f"    other candidates: {'; '.join(others)}"
    if entity.references:
        targets = (f"{field} to {target}" for field, target in entity.references.items())
        yield f"    references: {', '.join(targets)}"
    if entity.owned:
        yield f"    owned: {', '.join(entity.owned)}"
    for field, decision in entity.decisions.items():
        yield f"    {field} {decision}"
