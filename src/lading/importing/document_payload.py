"""The records of a document in memory, on their way into an import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lading.catalog import Catalog
from lading.changes.history import history_of
from lading.changes.releases import PayloadWriter
from lading.changes.run import Piece, Upgrade
from lading.changes.upgrade_plan import plan_upgrade
from lading.errors import BundleError, VersionError
from lading.importing.payload import Payload
from lading.messages import Message, nearest, shown
from lading.model.entities import RESERVED_NAMES
from lading.values.json_text import json_text, plain_json_text

GUESSED = (
    "The document says no version, and was taken for today's; say what a missing label means by "
    "Catalog(unlabelled=...)."
)


class DocumentOrigin:
    """A document's lists, by the entities' names in it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.entries = {
            name: records for name, records in document.items() if name not in RESERVED_NAMES
        }

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
            texts = [_text(name, start + n, record) for n, record in enumerate(part, 1)]
            yield Piece(start + 1, texts)

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, for people who debug."""
        return self.document.get("include_ids") is True

    def links(self, name: str) -> dict[str, int]:
        """Return nothing: a document doesn't say how many links it holds."""
        return {}


def _text(name: str, number: int, record: Any) -> bytes:
    try:
        return plain_json_text(record)
    except (TypeError, ValueError) as error:
        raise BundleError(
            Message("document-malformed", f"holds what JSON can't: {error}"),
            "Give plain JSON values.",
            file=name,
            record=number,
        ) from error


def _no_versions(versions: Any, catalog: Catalog) -> BundleError:
    names = sorted(catalog.use().roots)[:1]
    example = json_text({"schema_versions": dict.fromkeys(names, 1)}).decode()
    return BundleError(
        Message(
            "document-malformed",
            f"schema_versions is {shown(versions)}; expected an object of versions by entity",
        ),
        f"Write {example}, or leave it out.",
    )


class DocumentPayload(Payload):
    """The records of a document in memory.

    ``shapes`` are those of its entities, where they are known; otherwise they are derived
    backwards through the changes.
    """

    def __init__(
        self, document: Mapping[str, Any], shapes: Mapping[str, Any] | None = None
    ) -> None:
        self.document = document
        self.shapes = shapes or {}
        self.origin = DocumentOrigin(document)
        self.entries = self.origin.entries
        self.is_guessed = False

    def check(self, catalog: Catalog) -> None:
        """Refuse what isn't a document of this catalog, or can't be upgraded to it."""
        history = history_of(catalog)
        versions = self.document.get("schema_versions")
        if versions is None:
            versions = self._released(catalog)
        if not isinstance(versions, Mapping):
            raise _no_versions(versions, catalog)
        writer = PayloadWriter(self.document.get("source"), catalog.source)
        for name, records in self.entries.items():
            if name not in history.version_graph.names:
                known = nearest(name, history.version_graph.current)
                raise BundleError(
                    Message(
                        "entity-unknown",
                        f"the document holds {name!r}, which catalog {catalog.name!r} doesn't "
                        f"know; it knows {known}",
                    ),
                    f"{writer.newer()}."
                    if str(writer)
                    else "Correct the name, or declare a schema.",
                )
            if not isinstance(records, list):
                raise BundleError(
                    Message(
                        "document-malformed", f"is {shown(records)}; expected a list of records"
                    ),
                    "Write its records in brackets.",
                    entity=name,
                )
        targets = {name: n for name, n in versions.items() if type(n) is int}
        found_versions = {name: versions.get(name, 1) for name in self.entries}
        plan = plan_upgrade(
            history, found_versions, file="document", targets=targets, writer=str(writer)
        )
        shapes = {name: self.shapes[name] for name in self.entries if name in self.shapes}
        self.take(Upgrade(plan, shapes, "document"), catalog.use())
        self.is_guessed = self._is_guessed(catalog)

    def note(self, name: str, needed: int) -> str:
        """Say how changes upgraded an entity's records, or that their version was guessed."""
        return super().note(name, needed) or (GUESSED if self.is_guessed else "")

    def _is_guessed(self, catalog: Catalog) -> bool:
        """Tell whether records count as current without saying so, in a catalog with releases."""
        labels = [self.document.get(name) for name in ("schema_versions", "version")]
        return bool(catalog.releases) and catalog.unlabelled is None and labels == [None, None]

    def _released(self, catalog: Catalog) -> Any:
        """Return the versions that the document's label stands for; without a label, today's."""
        current = {name: rows.version for name, rows in catalog.use().roots.items()}
        label = self.document.get("version")
        label = catalog.unlabelled if label is None else label
        if label is None:
            return current
        if not isinstance(label, str) or label not in catalog.releases:
            known = nearest(label, catalog.releases)
            remedy = "Name its versions in Catalog(releases=...), or add schema_versions to it."
            if not isinstance(label, str):
                remedy = 'A label is a string: write "version": "1.0", with quotes.'
            raise VersionError(
                Message(
                    "release-unknown",
                    f"the document is of version {shown(label)}, which isn't a release of catalog "
                    f"{catalog.name!r} (its releases: {known})",
                ),
                remedy,
                found=label,
                needed=known,
            )
        return catalog.releases[label]
