"""One export: the snapshot that all records are read from, and what the manifest says of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from lading.bundle import BundleWriter
from lading.bundle.file_format import MAX_RECORD
from lading.bundle.manifest import External, FileEntry, Manifest
from lading.bundle.writer import TOO_LONG
from lading.catalog import Catalog
from lading.changes.history import history_of
from lading.database.live.base import Database
from lading.database.revisions import revisions_of
from lading.database.session import Opened, reading
from lading.database.tables import require_tables
from lading.driver_errors.refusals import refusals, veiled
from lading.errors import TargetError
from lading.exporting.manifest_builder import Contents
from lading.exporting.omissions import left_out, rounded, warn_of_closure
from lading.exporting.reader import RecordReader, count_rows
from lading.exporting.reading import Tally
from lading.exporting.selection import Scope
from lading.exporting.shared_keys import refuse_shared_keys
from lading.mapping.load_order import LoadOrder, load_order_of
from lading.messages import Message
from lading.model.entities import Entities
from lading.model.hidden import masked
from lading.model.rowsets import RowSet, references_of
from lading.model.shape import targets_of
from lading.options import check_flags, conditions_of, entity_names
from lading.planning.change_text import key_text
from lading.records.marshmallow_path import dumped, needs_marshmallow
from lading.report import Progress
from lading.values.json_text import on_own_stack, parse_json

Watch = Callable[[Progress], None]


def prepared_export(
    catalog: Catalog, only: Any, where: Any, *, closure: bool
) -> tuple[LoadOrder, Scope]:
    """Check all declarations; return the order, and the entities and rows to export.

    Args:
        catalog: the catalog to export.
        only: the entities to export; by default all.
        where: conditions by entity, as in :func:`lading.export_all`.
        closure: whether to add what exported records refer to.
    """
    check_flags(closure=closure)
    entities = catalog.use()
    history_of(catalog)
    names = entity_names("only", only, entities.roots)
    conditions = conditions_of(where, entities, names)
    return load_order_of(entities), Scope(entities, names, conditions, closure=closure)


@contextmanager
def exporting_from(
    session: Any,
    catalog: Catalog,
    order: LoadOrder,
    scope: Scope,
    *,
    include_ids: bool,
    progress: Watch | None,
) -> Iterator[Export]:
    """Open the snapshot that all records are read from.

    Args:
        session: what to read from, as in :func:`lading.export_all`.
        catalog: the catalog to export.
        order: the order of its entities.
        scope: the entities and rows to export.
        include_ids: whether records carry surrogate ids too.
        progress: is called with a ``Progress`` after each chunk.
    """
    with veiled(catalog.use()), reading(session, catalog) as opened:
        require_tables(opened.database, catalog.use())
        scope.resolve(opened.database)
        refuse_shared_keys(opened.database, scope)
        yield Export(catalog, order, scope, opened, include_ids=include_ids, progress=progress)


class Export:
    """One export: the records of each entity, and what the manifest says of them."""

    def __init__(
        self,
        catalog: Catalog,
        order: LoadOrder,
        scope: Scope,
        opened: Opened,
        *,
        include_ids: bool,
        progress: Watch | None,
    ) -> None:
        self.catalog = catalog
        self.entities: Entities = catalog.use()
        self.order = order
        self.scope = scope
        self.opened = opened
        self.database: Database = opened.database
        self.include_ids = include_ids
        self.progress = progress
        self.names = [name for name in order.entities if name in scope.names]
        self.contents = Contents(self.entities, order, self.names, ids=include_ids)
        self.tallies: dict[str, Tally] = {}

    def records(self, name: str) -> Generator[list[bytes], None, None]:
        """Yield an entity's records in key order, as chunks of lines."""
        rows = self.entities[name]
        reader = RecordReader(self.database, rows, ids=self.include_ids)
        self.tallies[name] = reader.tally
        identities = self.scope.identities.get(name)
        if identities is not None:
            chunks = reader.chunks_of(sorted(identities))
        else:
            chunks = reader.chunks(self.scope.where.get(name))
        total = len(identities) if identities is not None else self._count(rows)
        exported = 0
        with closing(chunks), refusals(name, self.entities), self.database.texts_of(rows):
            for lines in chunks:
                yield dumped(rows, lines) if needs_marshmallow(rows) else lines
                exported += len(lines)
                if self.progress is not None:
                    self.progress(Progress("export", name, exported, total))
        if exported != total:
            raise TargetError(
                Message(
                    "rows-lost",
                    f"{exported} of {total} rows arrived; the bundle would not be whole",
                ),
                "Export again by an engine, or in REPEATABLE READ; if it happens there, the driver "
                "loses rows.",
                entity=name,
            )

    def _count(self, rows: RowSet) -> int:
        return count_rows(self.database, rows.table, self.scope.where.get(rows.name))

    def write_file(self, writer: BundleWriter, name: str) -> FileEntry:
        """Write one entity's file, and return its entry."""
        version = self.entities[name].version
        with (
            writer.entity_file(self.contents.filename(name), name, version) as file,
            closing(self.records(name)) as chunks,
        ):
            for lines in chunks:
                if max(map(len, lines), default=0) >= MAX_RECORD:
                    raise self._too_long(name, lines)
                file.write(lines)
        return self.contents.entry(file, self.tallies[name].links)

    def _too_long(self, name: str, lines: list[bytes]) -> TargetError:
        """Return the error for the first of some records that no reader would take."""
        line = next(line for line in lines if len(line) >= MAX_RECORD)
        rows = self.entities[name]
        record = on_own_stack(parse_json, line)
        key = masked(rows.key, {part: record[part] for part in rows.key_names})
        return TargetError(
            Message("too-large", f"the record with {key_text(key)} {TOO_LONG}"),
            "Keep such data elsewhere, or export the other entities only.",
            entity=name,
            key=key,
        )

    def check_counts(self) -> None:
        """Raise ``TargetError`` if a row of an owned table or a link table is in no record.

        What belongs to entities that weren't read isn't counted.
        """
        nested: dict[Any, set[str]] = {}
        owned: dict[Any, str] = {}
        for rows in self.entities.all_rows():
            if rows.parent is not None:
                owned[rows.table] = rows.schema.__name__
            tables = [links.table for links in rows.links]
            tables += [extension.table for extension in rows.extensions]
            for table in (*tables, *([rows.table] if rows.parent is not None else [])):
                nested.setdefault(table, set()).add(rows.entity)
        for table, names in nested.items():
            if not all(name in self.tallies and self.scope.is_whole(name) for name in names):
                continue
            total = count_rows(self.database, table)
            lost = total - sum(self.tallies[name].rows[table.fullname] for name in names)
            if lost:
                remedy = "Delete them, or give each a parent that exists."
                if table in owned:
                    remedy = (
                        "Give each a parent that exists, or don't own them: without Owned, "
                        f"{owned[table]} is an entity of its own, whose owner may be null."
                    )
                raise TargetError(
                    Message(
                        "rows-orphaned",
                        f"{lost} of {total} rows belong to no record, and would be forgotten",
                    ),
                    remedy,
                    entity=table.fullname,
                )

    def document(self) -> dict[str, Any]:
        """Return all records as one dictionary of plain JSON values."""
        lists = {
            name: [
                on_own_stack(msgspec.json.decode, line)
                for lines in self.records(name)
                for line in lines
            ]
            for name in self.names
        }
        self.check_counts()
        warn_of_closure(self.scope.brought_back)
        rounded(self.tallies.values())
        left_out(self.database, self.catalog, self.names)
        return {
            "version": _release(self.catalog),
            "schema_versions": _versions(self.catalog, self.names),
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "source": self.catalog.source,
            **({"include_ids": True} if self.include_ids else {}),
            **lists,
        }

    def manifest(self, files: list[FileEntry], source: str | None) -> Manifest:
        """Return the bundle's manifest, once all files are written."""
        self.check_counts()
        warn_of_closure(self.scope.brought_back)
        return self.contents.manifest(
            files,
            source=source or self.catalog.source,
            partial=self.scope.is_partial,
            left_out=left_out(self.database, self.catalog, self.names),
            external=self._external(),
            snapshot=self.opened.snapshot,
            brought_back=self.scope.brought_back,
            rounded=rounded(self.tallies.values()),
            revisions=revisions_of(self.database, self.entities),
        )

    def _external(self) -> tuple[External, ...]:
        if not self.scope.is_partial:
            return ()
        external = []
        for name in self.names:
            root = self.entities[name]
            for path, rows, reference in references_of(root):
                links = self.tallies[name].links.get(path, 0)
                count = self.scope.leaving(self.database, rows, reference, links)
                if count:
                    external.append(External(name, path, reference.target.name, count))
        return tuple(external)


def _versions(catalog: Catalog, names: list[str]) -> dict[str, int]:
    """Return the versions of entities, and of the targets of their references that have changes.

    Changes alone may alter how a reference is written.
    """
    entities, history = catalog.use(), history_of(catalog)
    versions = {name: entities[name].version for name in names}
    for name in names:
        targets = targets_of(entities, entities[name])
        versions |= {other: targets[other] for other in targets if history.has_changed(other)}
    return versions


def _release(catalog: Catalog) -> str | None:
    """Return the label of the release that has exactly the catalog's versions."""
    current = {name: rows.version for name, rows in catalog.use().roots.items()}
    for label, versions in catalog.releases.items():
        if {name: versions.get(name, 1) for name in current} == current:
            return label
    return None
