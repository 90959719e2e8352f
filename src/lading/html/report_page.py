"""The page of a bundle or database: its graph, its entities, and a bounded look at its records."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import msgspec

from lading.bundle import BundleReader, with_bundle
from lading.bundle.manifest import FileEntry, Manifest
from lading.bundle.shape_format import is_shape
from lading.catalog import Catalog, catalog_of
from lading.drawing import graph_of_catalog, graph_of_manifest
from lading.drawing.entity_graph import EntityGraph
from lading.drawing.layout import MOST_DRAWN
from lading.drawing.svg import svg_element, svg_style
from lading.errors import BundleError
from lading.exporting.export_run import Export, exporting_from, prepared_export
from lading.exporting.reader import count_rows
from lading.html.document import asset, document
from lading.html.report_data import ReportSubject, report_data
from lading.html.sample import EntityTotal, Record, Sampler
from lading.messages import coded, counted
from lading.model.entities import Entities
from lading.model.hidden import has_hidden
from lading.model.rowsets import RowSet
from lading.options import check_path, check_text, session_of
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import Progress
from lading.scratch.sort import CHUNK
from lading.values.json_text import on_own_stack, parse_json
from lading.verifying.bundle_check import is_current
from lading.verifying.portable import PortableBinder
from lading.verifying.shape_rows import hide_as_declared, rows_of_shapes


def bundle_page(
    path: str | os.PathLike[str], *, catalog: Catalog | None = None, label: str | None = None
) -> str:
    """Return the page of a bundle, whose checksums are verified first.

    Args:
        path: the bundle's folder, or its ZIP file.
        catalog: the catalog of the bundle, whose choices are shown and whose hidden fields are
            hidden as well; none is needed.
        label: what the page calls the bundle; by default the path.

    Returns:
        One HTML document, which loads nothing.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: the catalog has mistakes.
        BundleError: the bundle is damaged, or isn't one.
        VersionError: it is of a newer format.
    """
    check_path("path", path)
    check_text("label", label)
    entities = None if catalog is None else catalog_of(catalog).use()
    name = label if label is not None else os.fsencode(path).decode(errors="replace")
    return with_bundle(path, lambda reader: _bundle_page(reader, entities, name))


def _bundle_page(reader: BundleReader, entities: Entities | None, label: str) -> str:
    reader.verify()
    manifest = reader.manifest
    totals = list(_totals(manifest, entities))
    subject = ReportSubject(
        title=manifest.catalog,
        facts=_facts_of_manifest(manifest, label),
        shapes={e.entity_type: e.shape for e in manifest.files if is_shape(e.shape)},
        versions={e.entity_type: e.schema_version for e in manifest.files},
        left_out=manifest.left_out,
        links={
            e.entity_type: {p: r.count for p, r in e.references.items()} for e in manifest.files
        },
        choices=() if entities is None else entities.choices,
        notes=list(_notes_of_manifest(manifest)),
    )

    def records(name: str) -> Generator[Record, None, None]:
        entry = manifest[name]
        for block in reader.blocks(entry, CHUNK):
            for number, line in enumerate(block.records, block.first):
                yield _parsed(entry, number, line)

    return report(subject, graph_of_manifest(manifest), totals, records)


def _parsed(entry: FileEntry, number: int, line: bytes) -> Record:
    """Return a record of a bundle, whose checksums may be right for any object."""
    try:
        record: Record = parse_json(line)
        return record
    except ValueError as error:
        raise BundleError(
            coded(str(error), "file-malformed"), file=entry.filename, record=number
        ) from error


def _totals(manifest: Manifest, entities: Entities | None) -> Iterator[EntityTotal]:
    """Yield the entities of a bundle: as its catalog declares them, if it does, else by shapes."""
    if entities is not None and is_current(manifest, entities):
        for entry in manifest.files:
            rows = entities[entry.entity_type]
            yield EntityTotal(rows.name, rows, entry.record_count, is_withheld=_may_hide(rows))
        return
    shapes = rows_of_shapes(manifest.files, PortableBinder())
    if entities is not None:
        hide_as_declared(shapes, entities)
    for entry in manifest.files:
        name = entry.entity_type
        is_withheld = name not in shapes and _may_hide_unseen(entry, entities)
        yield EntityTotal(name, shapes.get(name), entry.record_count, is_withheld)


def _may_hide(rows: RowSet) -> bool:
    """Tell whether a schema's own code may write hidden values under other names."""
    return needs_marshmallow(rows) and has_hidden(rows)


def _may_hide_unseen(entry: FileEntry, entities: Entities | None) -> bool:
    """Tell whether records that no shape describes may hold hidden values."""
    if not is_shape(entry.shape) or "hidden" in entry.shape:
        return True
    if entities is None or not any(map(has_hidden, entities.roots.values())):
        return False
    name = entry.entity_type
    return name not in entities.roots or has_hidden(entities[name])


def _facts_of_manifest(manifest: Manifest, label: str) -> dict[str, str]:
    facts = {
        "bundle": label,
        "written": f"{manifest.export_date:%Y-%m-%d %H:%M:%S} UTC",
        "by": f"lading {manifest.lading_version}",
        "snapshot": manifest.snapshot,
        "content": manifest.content_sha256,
    }
    return {**facts, **({"source": manifest.source} if manifest.source else {})}


def _notes_of_manifest(manifest: Manifest) -> list[str]:
    notes = ["The bundle is partial: records may be missing that the database holds."]
    notes = notes if manifest.partial else []
    notes += [
        f"{other.entity}.{other.field}: {counted(other.count, 'reference')} to {other.references} "
        "outside of this bundle."
        for other in manifest.external
    ]
    notes += [
        f"{column}: SQLite held more digits in {counted(count, 'cell')} than were written."
        for column, count in manifest.rounded.items()
    ]
    return notes


def database_page(
    session: Any,
    *,
    catalog: Catalog | None = None,
    label: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> str:
    """Return the page of a database, which is read as an export reads it.

    Args:
        session: a ``Session``, ``Connection``, ``Engine`` or ``sessionmaker``; ``None`` for the
            catalog's ``bind``.
        catalog: the catalog of its entities; by default the default one.
        label: what the page calls the database; by default its engine's name.
        progress: a function that is called with a ``Progress`` after each chunk.

    Returns:
        One HTML document, which loads nothing.

    Raises:
        ArgumentError: an argument isn't of these forms.
        DeclarationError: the catalog has mistakes.
        TargetError: the database refuses, or its data fits no bundle, as in :func:`export_all`.
    """
    catalog = catalog_of(catalog)
    check_text("label", label)
    order, scope = prepared_export(catalog, None, None, closure=False)
    with exporting_from(
        session_of(session, catalog), catalog, order, scope, include_ids=False, progress=progress
    ) as export:
        return _database_page(export, label)


def _database_page(export: Export, label: str | None) -> str:
    entities = export.entities
    totals = [_total(export, entities[name]) for name in export.names]
    subject = ReportSubject(
        title=entities.name,
        facts={"database": label or export.database.connection.dialect.name},
        shapes={name: export.contents.shape(entities[name]) for name in export.names},
        versions={name: entities[name].version for name in export.names},
        left_out=export.catalog.coverage(),
        choices=entities.choices,
    )
    counts = {entity.name: entity.total for entity in totals}

    def records(name: str) -> Generator[Record, None, None]:
        with closing(export.records(name)) as chunks:
            for lines in chunks:
                for line in lines:
                    yield on_own_stack(msgspec.json.decode, line)

    return report(subject, graph_of_catalog(export.catalog, counts), totals, records)


def _total(export: Export, rows: RowSet) -> EntityTotal:
    count = count_rows(export.database, rows.table)
    return EntityTotal(rows.name, rows, count, _may_hide(rows))


def report(
    subject: ReportSubject,
    graph: EntityGraph,
    entities: list[EntityTotal],
    records: Callable[[str], Generator[Record, None, None]],
) -> str:
    """Return the page of a subject, whose records are read as far as they are shown.

    Args:
        subject: what the report is of.
        graph: the entities and their references.
        entities: their numbers of records, in import order.
        records: reads the records of an entity by its name.
    """
    sampler = Sampler(entities)
    sampler.run(records)
    return document(
        subject.title,
        asset("report.html").replace("{picture}", picture(graph)),
        report_data(subject, graph, entities, sampler.samples),
        script=asset("common.js", "report.js"),
        style=svg_style() + asset("page.css"),
    )


def picture(graph: EntityGraph) -> str:
    """Return the picture of a graph, or a sentence in its place."""
    if len(graph.nodes) > MOST_DRAWN:
        return (
            f'<p class="note">{len(graph.nodes):,} entities are too many for a picture, which has '
            f"at most {MOST_DRAWN}. Draw a part of them: "
            "<code>lading graph SOURCE --around NAME --depth N --format svg</code></p>"
        )
    return svg_element(graph, anchors=True)
