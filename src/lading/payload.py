"""Where an import's records come from: a bundle's files, or a document's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lading.bundle import Block, BundleReader
from lading.declare.catalog import Catalog
from lading.declare.derivation import RESERVED_NAMES
from lading.derive.upgrades import History, history_of
from lading.engine.upgrade import Upgrade
from lading.errors import BundleError, VersionError, listed, shown
from lading.jsontext import plain_json_text
from lading.report import Problem

#: Is told of each record that no change could upgrade.
Failed = Callable[[Problem], None]


class Upgraded:
    """Records in their newest form, of whatever version they were written.

    ``entries`` holds what there is, by the entities' names of today; ``former`` their names
    in the payload.
    """

    entries: dict[str, Any]
    former: dict[str, str]
    upgrade: Upgrade

    def take(self, upgrade: Upgrade) -> None:
        """Name the entries as they are called today; those that changes drop are gone."""
        self.upgrade = upgrade
        self.former = {now: before for before, now in upgrade.names.items()}
        self.entries = {now: self.entries[before] for now, before in self.former.items()}

    def note(self, name: str, needed: int) -> str:
        """Say what changes made of an entity's records, for messages; empty for nothing."""
        return self.upgrade.note(self.former[name], needed)

    def blocks(self, name: str, size: int, failed: Failed = lambda _: None) -> Iterator[Block]:
        """Yield an entity's records in blocks, upgraded.

        What can't be upgraded is left out, and told to ``failed``.
        """
        upgrade = self.upgrade.of(self.former[name], self.file(name), ids=self._has_ids(name))
        if upgrade is None:
            yield from self._read(name, size)
            return
        for block in self._read(name, size):
            pieces, problems = upgrade.run(block.records, block.first)
            for problem in problems:
                failed(problem)
            for piece in pieces:
                yield Block(piece.first, piece.records)
        if upgrade.links.certain:
            refuse_links(self.file(name), self._links(name), upgrade.links.counts)

    def has_ids(self, name: str) -> bool:
        """Tell whether blocks carry surrogate ids, which are then ignored."""
        return self._has_ids(name) and not self.upgrade.deeds.get(self.former[name])

    def links(self, name: str) -> dict[str, int]:
        """Return the number of links that each reference must have in the blocks, where known."""
        return {} if self.upgrade.deeds.get(self.former[name]) else self._links(name)

    def file(self, name: str) -> str:
        """Return what messages call the place of an entity's records."""
        raise NotImplementedError

    def _read(self, name: str, size: int) -> Iterator[Block]:
        raise NotImplementedError

    def _has_ids(self, name: str) -> bool:
        raise NotImplementedError

    def _links(self, name: str) -> dict[str, int]:
        raise NotImplementedError


class BundlePayload(Upgraded):
    """The records of an opened bundle."""

    def __init__(self, reader: BundleReader) -> None:
        self.reader = reader
        self.manifest = reader.manifest
        self.entries = {entry.entity_type: entry for entry in self.manifest.files}

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
                "Declare a schema for each.",
                file="manifest.json",
            )
        self._upgrade(history)
        missing = [name for name in entities.roots if name not in self.entries]
        missing = [name for name in missing if name not in self.upgrade.plan.begun]
        if missing and not self.manifest.partial:
            raise BundleError(
                f"holds no {listed(missing, separator=', ')}, though it isn't partial",
                "Export again with this catalog.",
                file="manifest.json",
            )
        self.reader.verify()

    def _upgrade(self, history: History) -> None:
        plan = history.plan(
            {name: entry.schema_version for name, entry in self.entries.items()},
            file="manifest.json",
            targets=self._targets(),
            whole=not self.manifest.partial,
        )
        shapes = {name: entry.shape for name, entry in self.entries.items()}
        self.take(Upgrade(plan, shapes, "manifest.json"))

    def _targets(self) -> dict[str, int]:
        """Return the versions of the entities that references lead to, in the bundle or not."""
        found: dict[str, int] = {}
        for entry in self.entries.values():
            targets = entry.shape.get("targets")
            if isinstance(targets, dict):
                found |= {name: n for name, n in targets.items() if type(n) is int}
        return found

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return str(self.entries[name].filename)

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return int(self.entries[name].record_count)

    def _read(self, name: str, size: int) -> Iterator[Block]:
        """Yield the records as they are; checks the digest of the very bytes read."""
        return self.reader.blocks(self.entries[name], size)

    def _has_ids(self, name: str) -> bool:
        return self.entries[name].shape.get("ids") is True

    def _links(self, name: str) -> dict[str, int]:
        return {path: held.count for path, held in self.entries[name].references.items()}


class DocumentPayload(Upgraded):
    """The records of a document in memory."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise BundleError(f"the document is {shown(document)}; expected a dictionary of lists")
        self.document = document
        self.entries = {name: item for name, item in document.items() if name not in RESERVED_NAMES}

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
        for name, records in self.entries.items():
            if name not in history.chains.names:
                known = ", ".join(history.chains.current)
                raise BundleError(
                    f"the document holds {name!r}, which catalog {catalog.name!r} doesn't know; it "
                    f"knows {known}"
                )
            if not isinstance(records, list):
                raise BundleError(f"{name} is {shown(records)}; expected a list", entity=name)
        targets = {name: n for name, n in versions.items() if type(n) is int}
        found = {name: versions.get(name, 1) for name in self.entries}
        plan = history.plan(found, file="document", targets=targets)
        self.take(Upgrade(plan, {}, "document"))

    def _released(self, catalog: Catalog) -> Any:
        """Without versions, an application's label says them; without either, they are current."""
        current = {name: rows.version for name, rows in catalog.use().roots.items()}
        label = self.document.get("version")
        label = catalog.unlabelled if label is None else label
        if label is None:
            return current
        if not isinstance(label, str) or label not in catalog.releases:
            known = ", ".join(catalog.releases) or "none"
            raise VersionError(
                f"the document is of version {shown(label)}, which is no release of catalog "
                f"{catalog.name!r} (its releases: {known})",
                "Name its versions in Catalog(releases=...), or add schema_versions to it.",
                found=label,
                needed=known,
            )
        return catalog.releases[label]

    def file(self, name: str) -> str:
        """A document's lists are named by their entity, as it was called then."""
        return self.former[name]

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return len(self.entries[name])

    def _read(self, name: str, size: int) -> Iterator[Block]:
        records = self.entries[name]
        for start in range(0, len(records), size):
            part = records[start : start + size]
            yield Block(
                start + 1,
                [self._text(self.file(name), start + n, item) for n, item in enumerate(part, 1)],
            )

    def _text(self, name: str, number: int, record: Any) -> bytes:
        try:
            return plain_json_text(record)
        except (TypeError, ValueError) as error:
            raise BundleError(
                f"holds what JSON can't: {error}",
                "Give plain JSON values.",
                file=name,
                record=number,
            ) from error

    def _has_ids(self, name: str) -> bool:
        return self.document.get("include_ids") is True

    def _links(self, name: str) -> dict[str, int]:
        """A document doesn't say how many links it holds."""
        return {}


def refuse_links(file: str, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raise ``BundleError`` where the links that were read aren't as many as the manifest says."""
    for path, count in expected.items():
        if found.get(path, 0) != count:
            raise BundleError(
                f"{found.get(path, 0)} links were read, the manifest says {count}",
                "Export again.",
                file=file,
                field=path,
            )
