"""The records of a bundle, on their way into an import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lading.bundle import BundleReader, BundleSurvey
from lading.bundle.manifest import Manifest
from lading.catalog import Catalog
from lading.changes.history import History, history_of
from lading.changes.releases import PayloadWriter
from lading.changes.run import Piece, Upgrade
from lading.changes.upgrade_plan import plan_upgrade
from lading.errors import BundleError, LadingError, VersionError
from lading.importing.contradictions import contradictions
from lading.importing.payload import Payload
from lading.messages import Message, listed, shown
from lading.model.entities import Entities
from lading.model.shape import stored_otherwise


class BundleOrigin:
    """An opened bundle's files, by the entities' names in it."""

    def __init__(self, reader: BundleReader | BundleSurvey) -> None:
        self.reader = reader
        files = () if reader.manifest is None else reader.manifest.files
        self.entries = {entry.entity_type: entry for entry in files}

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return str(self.entries[name].filename)

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return int(self.entries[name].record_count)

    def read(self, name: str, size: int) -> Iterator[Piece]:
        """Yield the records as they are; this checks the digest of the bytes that are read."""
        for block in self.reader.blocks(self.entries[name], size):
            yield Piece(block.first, block.records)

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, for people who debug."""
        return self.entries[name].shape.get("ids") is True

    def links(self, name: str) -> dict[str, int]:
        """Return how many links each reference has, as the manifest says."""
        return {path: links.count for path, links in self.entries[name].references.items()}


class BundlePayload(Payload):
    """The records of an opened bundle."""

    def __init__(self, reader: BundleReader | BundleSurvey) -> None:
        self.reader = reader
        assert reader.manifest is not None, "whoever surveys a bundle looks first"
        self.manifest: Manifest = reader.manifest
        self.origin = BundleOrigin(reader)
        self.entries = self.origin.entries
        self.is_partial = self.manifest.partial
        self.digest = self.manifest.content_sha256
        self.revisions = self.manifest.revisions

    def check(self, catalog: Catalog) -> None:
        """Refuse a damaged bundle, or one of another catalog or version, before any insert."""
        self.identify(catalog)
        assert isinstance(self.reader, BundleReader), "a survey tells the faults of files itself"
        self.reader.verify()

    def identify(self, catalog: Catalog) -> None:
        """Refuse a bundle of another catalog or version; this reads the manifest alone."""
        for fault in self.faults(catalog):
            raise fault

    def faults(self, catalog: Catalog) -> Iterator[LadingError]:
        """Yield why a catalog can't read the records, and prepare their upgrade if it can."""
        entities, history = catalog.use(), history_of(catalog)
        unreadable = list(self._foreign(catalog, history))
        yield from unreadable
        if any(isinstance(fault, BundleError) for fault in unreadable):
            return  # no change leads on from what it doesn't know
        yield from self._stored_otherwise(entities)
        try:
            self._upgrade(history, entities, str(self._writer(catalog)))
        except (BundleError, VersionError) as error:
            yield error
            return
        missing = [name for name in entities.roots if name not in self.upgrade.flows]
        missing = [name for name in missing if name not in self.upgrade.plan.begun]
        if missing and not self.manifest.partial:
            yield BundleError(
                Message(
                    "entity-missing",
                    f"holds no {listed(missing, separator=', ')}, though it isn't partial",
                ),
                "Export again with this catalog.",
                file="manifest.json",
            )
        yield from contradictions(self.manifest, entities, current=not self.upgrade.plan.undone)

    def _foreign(self, catalog: Catalog, history: History) -> Iterator[LadingError]:
        """Yield what isn't of this catalog."""
        if self.manifest.catalog != catalog.name:
            yield VersionError(
                Message(
                    "catalog-other",
                    f"the bundle is of catalog {shown(self.manifest.catalog)}, not of "
                    f"{catalog.name!r}",
                ),
                "Import it with the catalog that it was exported from.",
                file="manifest.json",
                found=self.manifest.catalog,
                needed=catalog.name,
            )
        unknown = [name for name in self.entries if name not in history.version_graph.names]
        if unknown:
            yield BundleError(
                Message(
                    "entity-unknown",
                    f"holds {listed(unknown, separator=', ')}, which catalog {catalog.name!r} "
                    "doesn't know",
                ),
                _left_out_text(unknown, catalog.use().left_out)
                or f"{self._writer(catalog).newer()}, or declare a schema for each.",
                file="manifest.json",
            )

    def _stored_otherwise(self, entities: Entities) -> Iterator[VersionError]:
        """Yield the fields that hold a type's Python values here and stored ones there."""
        for name, entry in self.entries.items():
            rows = entities.roots.get(name)
            if rows is None or rows.version != entry.schema_version:
                continue
            for field in stored_otherwise(entry.shape, rows):
                yield VersionError(
                    Message(
                        "stored-otherwise",
                        "the bundle and the catalog differ on whether it is written as its type's "
                        "Python value or as it is stored",
                    ),
                    "Export again with this catalog, or declare it as it was: by Meta.stored, a "
                    "field, or the python_type of its type.",
                    file="manifest.json",
                    entity=name,
                    field=field,
                )

    def _writer(self, catalog: Catalog) -> PayloadWriter:
        return PayloadWriter(self.manifest.source, catalog.source, self.manifest.lading_version)

    def _upgrade(self, history: History, entities: Entities, writer: str) -> None:
        plan = plan_upgrade(
            history,
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
        versions: dict[str, int] = {}
        for entry in self.entries.values():
            targets = entry.shape.get("targets")
            if isinstance(targets, dict):
                versions |= {name: n for name, n in targets.items() if type(n) is int}
        return versions


def _left_out_text(names: list[str], reasons: Mapping[str, str]) -> str:
    """Say why an adopted database's tables of these names are left out; empty if none is."""
    texts = [f"{name}: {reasons[name]}" for name in names if name in reasons]
    return f"The database's are left out: {'; '.join(texts)}." if texts else ""
