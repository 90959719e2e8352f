"""Where an import's records come from: a bundle's files, or a document's lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lading.bundle import BundleReader
from lading.catalog import Catalog
from lading.changes.history import History, history_of
from lading.changes.link_sides import Relinking, moved_lists
from lading.changes.releases import Writer
from lading.changes.replay import Flow
from lading.changes.run import Piece, Upgrade
from lading.changes.streams import Failed, Origin, Streams
from lading.errors import BundleError, VersionError
from lading.importing.contradictions import refuse_contradictions
from lading.mapping.derivation import RESERVED_NAMES, Entities
from lading.messages import listed, nearest, shown
from lading.model.hidden import UNSAID, has_hidden, told
from lading.model.rowsets import RowSet
from lading.model.shape import stored_otherwise
from lading.report import Problem
from lading.values.json_text import plain_json_text

GUESSED = (
    "The document says no version, and was taken for today's; say what a missing label means by "
    "Catalog(unlabelled=...)."
)


class Upgraded:
    """Records in their newest form, of whatever version they were written.

    Close it when it has been read: what an upgrade looks up is kept in temporary files.
    """

    origin: Origin
    upgrade: Upgrade
    #: The catalog's entities by name.
    rows: Mapping[str, RowSet]
    streams: Streams | None = None
    relinking: Relinking

    def take(self, upgrade: Upgrade, entities: Entities) -> None:
        """Let records flow through an upgrade, and links to the side that has them today."""
        self.rows = entities.roots
        self.upgrade = upgrade
        self.streams = Streams(self.origin, upgrade)
        self.relinking = Relinking(self.streams, moved_lists(entities, upgrade.after))
        for moved in self.relinking.moved:
            if moved.source in self.names and moved.holder not in self.names:
                raise BundleError(
                    f"{moved.source}.{moved.field} holds links that stand in {moved.holder} today, "
                    f"and there is no {moved.holder}",
                    f"Export both, or declare {moved.field} = Ref() in the schema of "
                    f"{moved.source}.",
                    file=self.file(moved.source),
                    field=moved.field,
                )

    def close(self) -> None:
        """Give temporary files back."""
        if self.streams is not None:
            self.streams.close()
            self.relinking.close()

    @property
    def names(self) -> list[str]:
        """The entities that there are records of, by their names of today."""
        return list(self.upgrade.flows)

    def note(self, name: str, needed: int) -> str:
        """Say what changes made of an entity's records, for messages; empty for nothing."""
        return self.upgrade.note(name, needed)

    def blocks(self, name: str, size: int, failed: Failed = lambda _: None) -> Iterator[Piece]:
        """Yield an entity's records in blocks, upgraded.

        What can't be upgraded is left out, and told to ``failed``.
        """
        rows = self.rows[name]
        told_to = partial(_tell_hidden, failed, rows) if has_hidden(rows) else failed
        assert self.streams is not None, "check comes first"
        return self.relinking.pieces(name, size, told_to)

    @property
    def _streams(self) -> Streams:
        assert self.streams is not None, "check comes first"
        return self.streams

    def as_written(self, name: str) -> str | None:
        """Return the payload's name of an entity whose records are as they were written."""
        flow = self.upgrade.flows[name]
        return flow.source if isinstance(flow.source, str) and not flow.deeds else None

    def has_ids(self, name: str) -> bool:
        """Tell whether blocks carry surrogate ids, which are then ignored."""
        written = self.as_written(name)
        return written is not None and self.origin.has_ids(written)

    def links(self, name: str) -> Mapping[str, int]:
        """Return the number of links that each reference must have in the blocks, where known."""
        written = self.as_written(name)
        return {} if written is None else self.relinking.links(name, self.origin.links(written))

    def total(self, name: str) -> int:
        """Return how many records an entity has, with those that can't be upgraded."""
        return self._streams.total(self.upgrade.flows[name])

    def file(self, name: str) -> str:
        """Return what messages call the place of an entity's records.

        For records that the payload doesn't hold as such it tells where they come from.
        """
        flow = self.upgrade.flows[name]
        if isinstance(flow.source, str):
            return self.origin.file(flow.source)
        return f"{name} (of {self._streams.files(flow)})"

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Give problems of records that were made of others the places of those."""
        made = {
            self.file(name): flow
            for name, flow in self.upgrade.flows.items()
            if not isinstance(flow.source, str)
        }
        return [self._located(item, made.get(item.file)) for item in problems]

    def _located(self, problem: Problem, flow: Flow | None) -> Problem:
        if flow is None or problem.record is None:
            return problem
        file, record = self._streams.locate(flow, problem.record)
        return replace(problem, file=file, record=record)

    def record_at(self, name: str, number: int) -> str:
        """Name a record of an entity by its place: ``record 3``, with the file if it's another."""
        flow = self.upgrade.flows[name]
        if isinstance(flow.source, str):
            return f"record {number}"
        file, record = self._streams.locate(flow, number)
        return f"record {record} of {file}"


def _tell_hidden(failed: Failed, rows: RowSet, problem: Problem) -> None:
    """Pass on that a record can't be upgraded, without its values."""
    step = problem.message.partition(": ")[0]
    failed(replace(problem, key=told(rows.key, problem.key), message=f"{step}: {UNSAID}"))


class BundleOrigin:
    """An opened bundle's files, by the entities' names in it."""

    def __init__(self, reader: BundleReader) -> None:
        self.reader = reader
        self.entries = {entry.entity_type: entry for entry in reader.manifest.files}

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return str(self.entries[name].filename)

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return int(self.entries[name].record_count)

    def read(self, name: str, size: int) -> Iterator[Piece]:
        """Yield the records as they are; checks the digest of the very bytes read."""
        for block in self.reader.blocks(self.entries[name], size):
            yield Piece(block.first, block.records)

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, for people who debug."""
        return self.entries[name].shape.get("ids") is True

    def links(self, name: str) -> dict[str, int]:
        """Return how many links each reference has, by the manifest."""
        return {path: held.count for path, held in self.entries[name].references.items()}


class BundlePayload(Upgraded):
    """The records of an opened bundle."""

    def __init__(self, reader: BundleReader) -> None:
        self.reader = reader
        self.manifest = reader.manifest
        self.origin = BundleOrigin(reader)
        self.entries = self.origin.entries

    def check(self, catalog: Catalog) -> None:
        """Refuse damaged bundles, and those of other catalogs and versions, before any insert."""
        entities = catalog.use()
        if self.manifest.catalog != catalog.name:
            raise VersionError(
                f"the bundle is of catalog {self.manifest.catalog!r}, not of {catalog.name!r}",
                "Import it with the catalog that it was exported from.",
                file="manifest.json",
                found=self.manifest.catalog,
                needed=catalog.name,
            )
        history = history_of(entities)
        unknown = [name for name in self.entries if name not in history.chains.names]
        if unknown:
            raise BundleError(
                f"holds {listed(unknown, separator=', ')}, which catalog {catalog.name!r} doesn't "
                "know",
                f"{self._writer(catalog).newer()}, or declare a schema for each.",
                file="manifest.json",
            )
        self._refuse_stored_otherwise(entities)
        self._upgrade(history, entities, str(self._writer(catalog)))
        missing = [name for name in entities.roots if name not in self.upgrade.flows]
        missing = [name for name in missing if name not in self.upgrade.plan.begun]
        if missing and not self.manifest.partial:
            raise BundleError(
                f"holds no {listed(missing, separator=', ')}, though it isn't partial",
                "Export again with this catalog.",
                file="manifest.json",
            )
        refuse_contradictions(self.manifest, entities, current=not self.upgrade.plan.undone)
        self.reader.verify()

    def _refuse_stored_otherwise(self, entities: Entities) -> None:
        """Refuse values of a type's own for what is stored, and the other way round."""
        for name, entry in self.entries.items():
            rows = entities.roots.get(name)
            if rows is None or rows.version != entry.schema_version:
                continue
            for field in stored_otherwise(entry.shape, rows):
                raise VersionError(
                    "the bundle and the catalog differ on whether it is written as its type's "
                    "Python value or as it is stored",
                    "Export again with this catalog, or declare it as it was: by Meta.stored, a "
                    "field, or the python_type of its type.",
                    file="manifest.json",
                    entity=name,
                    field=field,
                )

    def _writer(self, catalog: Catalog) -> Writer:
        return Writer(self.manifest.source, catalog.source, self.manifest.lading_version)

    def _upgrade(self, history: History, entities: Entities, writer: str) -> None:
        plan = history.plan(
            {name: entry.schema_version for name, entry in self.entries.items()},
            file="manifest.json",
            writer=writer,
            targets=self._targets(),
            whole=not self.manifest.partial,
        )
        shapes = {name: entry.shape for name, entry in self.entries.items()}
        self.take(Upgrade(plan, shapes, "manifest.json"), entities)

    def _targets(self) -> dict[str, int]:
        """Return the versions of the entities that references lead to, in the bundle or not."""
        found: dict[str, int] = {}
        for entry in self.entries.values():
            targets = entry.shape.get("targets")
            if isinstance(targets, dict):
                found |= {name: n for name, n in targets.items() if type(n) is int}
        return found


class DocumentOrigin:
    """A document's lists, which are named by their entity, as it was called then."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.entries = {name: item for name, item in document.items() if name not in RESERVED_NAMES}

    def file(self, name: str) -> str:
        """Return the name of an entity's list."""
        return name

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return len(self.entries[name])

    def read(self, name: str, size: int) -> Iterator[Piece]:
        """Yield the records as they are; ``BundleError`` for what JSON can't hold."""
        records = self.entries[name]
        for start in range(0, len(records), size):
            part = records[start : start + size]
            texts = [_text(name, start + n, item) for n, item in enumerate(part, 1)]
            yield Piece(start + 1, texts)

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, for people who debug."""
        return self.document.get("include_ids") is True

    def links(self, name: str) -> dict[str, int]:
        """A document doesn't say how many links it holds."""
        return {}


def _text(name: str, number: int, record: Any) -> bytes:
    try:
        return plain_json_text(record)
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"holds what JSON can't: {error}",
            "Give plain JSON values.",
            file=name,
            record=number,
        ) from error


class DocumentPayload(Upgraded):
    """The records of a document in memory.

    ``shapes`` are those of its entities, where somebody knows them; else they are what the
    changes lead back to.
    """

    def __init__(self, document: Any, shapes: Mapping[str, Any] | None = None) -> None:
        if not isinstance(document, Mapping):
            raise BundleError(f"the document is {shown(document)}; expected a dictionary of lists")
        self.document = document
        self.shapes = shapes or {}
        self.origin = DocumentOrigin(document)
        self.entries = self.origin.entries
        self.is_guessed = False

    def check(self, catalog: Catalog) -> None:
        """Refuse what isn't a document of this catalog, or can't be upgraded to it."""
        history = history_of(catalog.use())
        versions = self.document.get("schema_versions")
        if versions is None:
            versions = self._released(catalog)
        if not isinstance(versions, Mapping):
            raise BundleError(
                f"schema_versions is {shown(versions)}; expected an object of versions by entity"
            )
        writer = Writer(self.document.get("source"), catalog.source)
        for name, records in self.entries.items():
            if name not in history.chains.names:
                known = nearest(name, history.chains.current)
                raise BundleError(
                    f"the document holds {name!r}, which catalog {catalog.name!r} doesn't know; it "
                    f"knows {known}",
                    f"{writer.newer()}." if str(writer) else "",
                )
            if not isinstance(records, list):
                raise BundleError(f"{name} is {shown(records)}; expected a list", entity=name)
        targets = {name: n for name, n in versions.items() if type(n) is int}
        found = {name: versions.get(name, 1) for name in self.entries}
        plan = history.plan(found, file="document", targets=targets, writer=str(writer))
        shapes = {name: self.shapes[name] for name in self.entries if name in self.shapes}
        self.take(Upgrade(plan, shapes, "document"), catalog.use())
        self.is_guessed = self._is_guessed(catalog)

    def note(self, name: str, needed: int) -> str:
        """Say what changes made of an entity's records, or that nobody said their version."""
        return super().note(name, needed) or (GUESSED if self.is_guessed else "")

    def _is_guessed(self, catalog: Catalog) -> bool:
        """Tell whether records are taken for today's, though the catalog has other releases."""
        said = [self.document.get(name) for name in ("schema_versions", "version")]
        return bool(catalog.releases) and catalog.unlabelled is None and said == [None, None]

    def _released(self, catalog: Catalog) -> Any:
        """Without versions, an application's label says them; without either, they are current."""
        current = {name: rows.version for name, rows in catalog.use().roots.items()}
        label = self.document.get("version")
        label = catalog.unlabelled if label is None else label
        if label is None:
            return current
        if not isinstance(label, str) or label not in catalog.releases:
            known = nearest(label, catalog.releases)
            remedy = "Name its versions in Catalog(releases=...), or add schema_versions to it."
            if not isinstance(label, str):
                remedy = 'A label is a text, in quotes: write "version": "1.0" and its like.'
            raise VersionError(
                f"the document is of version {shown(label)}, which is no release of catalog "
                f"{catalog.name!r} (its releases: {known})",
                remedy,
                found=label,
                needed=known,
            )
        return catalog.releases[label]
