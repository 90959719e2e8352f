"""The two sides of a diff: where their records come from, and what they hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator

from lading.bundle import BundleReader
from lading.bundle.file_format import header
from lading.database.dialects.base import Dialect
from lading.diffing.cursors import UnusualLayout
from lading.exporting.export_run import Export
from lading.importing.bundle_payload import BundlePayload
from lading.importing.payload import Payload
from lading.loading.unchecked import fingerprint_of
from lading.model.rowsets import RowSet, Value
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import Problem
from lading.scratch.sort import CHUNK
from lading.values.base import CUSTOM

Failed = Callable[[Problem], None]
#: The number of the first of some records, and the records as lines.
Block = tuple[int, list[bytes]]


class Side(ABC):
    """One side of a diff."""

    #: The engine that stores the records, whose lines are canonical and in key order; ``None``
    #: for a payload.
    dialect: Dialect | None = None
    #: Whether filters may have left records out.
    is_partial = False
    #: The checksum of a bundle's content.
    content_digest: str | None = None
    #: What tells a database from others.
    fingerprint: str | None = None

    def __init__(self, label: str) -> None:
        self.label = label

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Tell whether it says anything of an entity."""

    @abstractmethod
    def blocks(self, name: str, failed: Failed) -> Generator[Block, None, None]:
        """Yield an entity's records, with problems of those that can't be upgraded."""

    def text(self, rows: RowSet) -> Generator[bytes, None, None]:
        """Yield an entity file's text after its first line; ``UnusualLayout`` if there is none."""
        raise UnusualLayout

    def digest(self, name: str) -> str | None:
        """Return the checksum of an entity's file, if it holds today's records as they are."""
        return None

    def verify(self, name: str) -> None:
        """Compare such a file with its checksum."""
        raise NotImplementedError

    def total(self, name: str) -> int:
        """Return how many records such a file has."""
        raise NotImplementedError

    def file(self, name: str) -> str:
        """Return what messages call the place of an entity's records."""
        return f"{self.label}: {name}"

    def finish(self) -> None:
        """Check what can be checked once all was read."""


class PayloadSide(Side):
    """A document, upgraded to today's versions."""

    def __init__(self, label: str, payload: Payload) -> None:
        super().__init__(label)
        self.payload = payload

    def holds(self, name: str) -> bool:
        """Tell whether it has an entity's records, or is older than the entity."""
        return name in self.payload.names or name in self.payload.upgrade.plan.begun

    def file(self, name: str) -> str:
        """Return the name of an entity's file or list, after the side's label."""
        is_there = name in self.payload.names
        return f"{self.label}: {self.payload.file(name) if is_there else name}"

    def blocks(self, name: str, failed: Failed) -> Generator[Block, None, None]:
        """Yield an entity's records, with problems of those that can't be upgraded."""
        if name in self.payload.names:
            for piece in self.payload.blocks(name, CHUNK, failed):
                yield piece.first, piece.records


class BundleSide(PayloadSide):
    """A bundle, upgraded to today's versions; files that aren't read are not verified."""

    payload: BundlePayload

    def __init__(self, label: str, reader: BundleReader, payload: BundlePayload) -> None:
        super().__init__(label, payload)
        self.reader = reader
        reader.verify(())
        self.is_partial = payload.manifest.partial
        self.content_digest = payload.manifest.content_sha256

    def _has_todays(self, name: str) -> bool:
        """Tell whether an entity's file holds today's records as they are."""
        is_todays = name in self.payload.names and self.payload.as_written(name) == name
        return is_todays and not self.payload.relinking.moved

    def digest(self, name: str) -> str | None:
        """Return the checksum of an entity's file, if it holds today's records as they are."""
        return self.payload.entries[name].sha256 if self._has_todays(name) else None

    def verify(self, name: str) -> None:
        """Compare an entity's file with its checksum."""
        self.reader.verify([self.payload.entries[name]])

    def total(self, name: str) -> int:
        """Return how many records an entity's file has."""
        return self.payload.total(name)

    def text(self, rows: RowSet) -> Generator[bytes, None, None]:
        """Yield an entity file's text after its first line; ``UnusualLayout`` if there is none."""
        if not (self._has_todays(rows.name) and _is_told_by_line(rows)):
            raise UnusualLayout
        entry = self.payload.entries[rows.name]
        first_line = header(entry.entity_type, entry.schema_version)
        pieces, text = self.reader.text(entry), b""
        while len(text) < len(first_line) and (piece := next(pieces, b"")):
            text += piece
        if not text.startswith(first_line):
            raise UnusualLayout
        yield text[len(first_line) :]
        yield from pieces


def _is_told_by_line(rows: RowSet) -> bool:
    """Tell whether a line that begins after ``},`` and is taken for a record can only be one.

    Beside records, only elements of arrays begin so, and none of those may have all of a
    record's fields.
    """
    values = [value for within in rows.tree() for value in within.values]
    if needs_marshmallow(rows) or not all(map(_has_no_arrays, values)):
        return False
    names = {member.written for member in rows.members if member.classes is None}
    names -= {value.written for value in rows.values if not value.writable}
    return not any(names <= element for element in _elements(rows))


def _has_no_arrays(value: Value) -> bool:
    return not value.kind.is_json and value.kind.name != CUSTOM


def _elements(rows: RowSet) -> Iterator[set[str]]:
    """Yield the fields that the elements of a record's arrays have, at any depth."""
    for links in rows.links:
        yield {part.written for part in links.reference.parts}
    for children in rows.children:
        yield {member.written for member in children.rows.members}
        yield from _elements(children.rows)


class DatabaseSide(Side):
    """A database, read as an export reads it."""

    def __init__(self, label: str, export: Export) -> None:
        super().__init__(label)
        self.export = export
        self.dialect = export.database.dialect
        self.fingerprint = fingerprint_of(export.database)

    def holds(self, name: str) -> bool:
        """Tell whether it was asked for an entity."""
        return name in self.export.names

    def blocks(self, name: str, failed: Failed) -> Generator[Block, None, None]:
        """Yield an entity's records."""
        first = 1
        for lines in self.export.records(name):
            yield first, lines
            first += len(lines)

    def finish(self) -> None:
        """Refuse rows that belong to no record."""
        self.export.check_counts()
