"""What a manifest says of a catalog's entities, whoever writes their records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lading.bundle import EntityFile
from lading.bundle.manifest import (
    FORMAT_VERSION,
    Deferred,
    DeferredBy,
    External,
    FileEntry,
    LinkCount,
    Manifest,
    content_digest,
)
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.model.hidden import paths_of_values
from lading.model.rowsets import Reference, RowSet, references_of
from lading.model.shape import sequences_of, shape_of, targets_of
from lading.records.marshmallow_path import needs_marshmallow
from lading.version import __version__


class Contents:
    """The entities of one bundle, in the order of their import.

    ``ids`` says that records carry surrogate ids, for people who debug.
    """

    def __init__(
        self, entities: Entities, order: LoadOrder, names: Sequence[str], *, ids: bool = False
    ) -> None:
        self.entities = entities
        self.order = order
        self.names = names
        self.ids = ids

    def filename(self, name: str) -> str:
        """Return the name of an entity's file."""
        width = max(2, len(str(len(self.names))))
        return f"{self.names.index(name) + 1:0{width}}_{name}.json"

    def entry(self, file: EntityFile, links: Mapping[str, int]) -> FileEntry:
        """Return the entry of a written file, whose ``links`` are counted by path."""
        name = file.entity_type
        rows = self.entities[name]
        return FileEntry(
            filename=file.filename,
            entity_type=name,
            record_count=file.record_count,
            sha256=file.sha256,
            bytes=file.bytes,
            dependencies=tuple(
                other for other in self.order.dependencies[name] if other in self.names
            ),
            import_order=self.names.index(name) + 1,
            schema_version=rows.version,
            natural_key=rows.key_names,
            references={
                path: LinkCount(reference.target.name, links.get(path, 0))
                for path, _, reference in references_of(rows)
            },
            shape=self.shape(rows),
        )

    def shape(self, rows: RowSet) -> dict[str, Any]:
        """Return the shape, with the versions of the entities that records refer to.

        A ``custom`` entity's records are what the application's own code makes of them; ``hidden``
        are the fields whose values nobody shows, and ``sequences`` say what lists are ordered by.
        """
        targets = targets_of(self.entities, rows)
        sequences = dict(sequences_of(rows))
        hidden = [path for path, value in paths_of_values(rows) if value.hidden]
        return {
            **shape_of(rows),
            **({"targets": targets} if targets else {}),
            **({"ids": True} if self.ids else {}),
            **({"custom": True} if needs_marshmallow(rows) else {}),
            **({"hidden": hidden} if hidden else {}),
            **({"sequences": sequences} if sequences else {}),
        }

    def manifest(
        self,
        files: Sequence[FileEntry],
        *,
        source: str | None,
        partial: bool,
        left_out: Mapping[str, str | None],
        external: Iterable[External],
        snapshot: str,
        brought_back: Mapping[str, int],
        rounded: Mapping[str, int],
        revisions: Sequence[str],
    ) -> Manifest:
        """Return the manifest of a bundle.

        Args:
            files: the entries of its files, in import order.
            source: which application and version wrote it.
            partial: whether records may be missing that the database holds.
            left_out: what no record carries, with the reason why or ``None``.
            external: the references that lead to records outside of the bundle.
            snapshot: what the export saw of others' work.
            brought_back: how many filtered records the closure took after all, by entity.
            rounded: how many cells were rounded, by column.
            revisions: what alembic calls the structure of the database that was exported.
        """
        return Manifest(
            version=FORMAT_VERSION,
            export_date=datetime.now(UTC),
            source=source,
            catalog=self.entities.name,
            lading_version=__version__,
            requires=(),
            partial=partial,
            left_out=left_out,
            external=tuple(external),
            snapshot=snapshot,
            files=tuple(files),
            deferred=tuple(self._deferred()),
            content_sha256=content_digest(files),
            brought_back=brought_back,
            rounded=rounded,
            revisions=tuple(revisions),
        )

    def _deferred(self) -> Iterator[Deferred]:
        for name in self.names:
            for rows in self.entities[name].tree():
                for path, reference, by in deferrals(self.order, rows):
                    for target in self._holding(reference):
                        yield Deferred(name, path, target, by)

    def _holding(self, reference: Reference) -> list[str]:
        """Name the entities whose records hold the rows referred to."""
        table = reference.target.table
        names = {rows.entity for rows in self.entities.all_rows() if rows.table is table}
        return [name for name in self.names if name in names]


def deferrals(order: LoadOrder, rows: RowSet) -> Iterator[tuple[str, Reference, DeferredBy]]:
    """Yield a row set's deferred references: path within the record, reference, and how."""
    prefix = rows.name[len(rows.entity) + 1 :]
    prefix = f"{prefix}." if prefix else ""
    for reference in rows.references:
        if (rows.name, reference.name) in order.updated:
            yield f"{prefix}{reference.written}", reference, "update"
        elif rows.name in order.deferred:
            yield f"{prefix}{reference.written}", reference, "insert"
    for links in rows.links:
        if f"{rows.name}.{links.name}" in order.deferred:
            yield f"{prefix}{links.written}", links.reference, "insert"
