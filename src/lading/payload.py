"""Where an import's records come from: a bundle's files, or a document's lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lading.bundle import Block, BundleReader
from lading.declare.catalog import Catalog
from lading.declare.derivation import RESERVED_NAMES, Entities
from lading.errors import BundleError, VersionError, listed, shown
from lading.jsontext import plain_json_text


class BundlePayload:
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
        unknown = [name for name in self.entries if name not in entities.roots]
        if unknown:
            raise BundleError(
                f"holds {listed(unknown, separator=', ')}, which catalog {catalog.name!r} doesn't "
                "know",
                "Declare a schema for each.",
                file="manifest.json",
            )
        missing = [name for name in entities.roots if name not in self.entries]
        if missing and not self.manifest.partial:
            raise BundleError(
                f"holds no {listed(missing, separator=', ')}, though it isn't partial",
                "Export again with this catalog.",
                file="manifest.json",
            )
        for name, entry in self.entries.items():
            check_version(entities, name, entry.schema_version, "manifest.json")
        self.reader.verify()

    def file(self, name: str) -> str:
        """Return the name of an entity's file."""
        return self.entries[name].filename

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return self.entries[name].record_count

    def blocks(self, name: str, size: int) -> Iterator[Block]:
        """Yield an entity's records in blocks; checks the digest of the very bytes read."""
        return self.reader.blocks(self.entries[name], size)

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, which are then ignored."""
        return self.entries[name].shape.get("ids") is True

    def links(self, name: str) -> dict[str, int]:
        """Return the number of links that each reference must have."""
        return {path: held.count for path, held in self.entries[name].references.items()}


class DocumentPayload:
    """The records of a document in memory."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise BundleError(f"the document is {shown(document)}; expected a dictionary of lists")
        self.document = document
        self.entries = {name: item for name, item in document.items() if name not in RESERVED_NAMES}

    def check(self, catalog: Catalog) -> None:
        """Refuse what isn't a document of this catalog's current versions."""
        entities = catalog.use()
        versions = self.document.get("schema_versions")
        if versions is None:
            versions = self._released(catalog)
        if not isinstance(versions, Mapping):
            raise BundleError(
                f"schema_versions is {shown(versions)}; expected an object of versions by entity"
            )
        for name, records in self.entries.items():
            if name not in entities.roots:
                known = ", ".join(entities.roots)
                raise BundleError(
                    f"the document holds {name!r}, which catalog {catalog.name!r} doesn't know; it "
                    f"knows {known}"
                )
            if not isinstance(records, list):
                raise BundleError(f"{name} is {shown(records)}; expected a list", entity=name)
            check_version(entities, name, versions.get(name, 1), "document")

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
        """A document's lists are named by their entity."""
        return name

    def total(self, name: str) -> int:
        """Return how many records an entity has."""
        return len(self.entries[name])

    def blocks(self, name: str, size: int) -> Iterator[Block]:
        """Yield an entity's records in blocks."""
        records = self.entries[name]
        for start in range(0, len(records), size):
            part = records[start : start + size]
            yield Block(
                start + 1, [self._text(name, start + n, item) for n, item in enumerate(part, 1)]
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

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, which are then ignored."""
        return self.document.get("include_ids") is True

    def links(self, name: str) -> dict[str, int]:
        """A document doesn't say how many links it holds."""
        return {}


def check_version(entities: Entities, name: str, found: Any, file: str) -> None:
    """Raise ``VersionError`` unless records are of the version that the catalog has."""
    needed = entities[name].version
    if found == needed:
        return
    newer = type(found) is int and found > needed
    remedy = (
        "Upgrade the application that reads it."
        if newer
        else "No change leads from one to the other."
    )
    raise VersionError(
        f"{name} are at version {shown(found)}, this catalog needs {needed}",
        remedy,
        file=file,
        found=found,
        needed=needed,
    )
