"""Which links of an upgraded partial bundle lead out of it, found by its records alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lading.bundle.manifest import External, FileEntry
from lading.model.entities import Entities
from lading.model.rowsets import Reference, RowSet, references_of
from lading.records.canonical import links_in
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text

#: The records of an entity, as references name them: by their key, or by a field.
Named = tuple[str, str | None]


class Externals:
    """The keys of all records, and the keys that they refer to, on disk.

    References to owned rows can't be found by one record; their counts are those of the old bundle.
    """

    def __init__(self, entities: Entities, names: Sequence[str]) -> None:
        self.names = names
        self.links: dict[tuple[str, str], tuple[Reference, KeyIndex]] = {}
        self.keys: dict[Named, tuple[tuple[str, ...], KeyIndex]] = {}
        for name in names:
            for path, _, reference in references_of(entities[name]):
                if reference.target.is_owned:
                    continue
                self.links[name, path] = (reference, KeyIndex())
                parts = tuple(part.written for part in reference.parts)
                self.keys.setdefault(_named(reference), (parts, KeyIndex()))

    def note(self, rows: RowSet, record: dict[str, Any]) -> None:
        """Add a record's keys, and the keys that it refers to."""
        for (name, _), (parts, index) in self.keys.items():
            if name == rows.name and record.keys() >= set(parts):
                index.fill([(json_text({part: record[part] for part in parts}), b"", 0)])
        for path, value in links_in(rows, record):
            if (rows.name, path) in self.links:
                reference, index = self.links[rows.name, path]
                key = {reference.parts[0].written: value} if reference.flat else value
                index.fill([(json_text(key), b"", 0)])

    def links_outside(
        self, files: Iterable[FileEntry], before: Iterable[External]
    ) -> Iterator[External]:
        """Yield the references that lead outside, with the number of their links."""
        counts_before = {(external.entity, external.field): external.count for external in before}
        for entry in files:
            for path, links in entry.references.items():
                place = (entry.entity_type, path)
                count = self._outside(place) if place in self.links else counts_before.get(place, 0)
                if count:
                    yield External(*place, links.entity, count)

    def _outside(self, place: tuple[str, str]) -> int:
        reference, index = self.links[place]
        _, keys = self.keys[_named(reference)]
        return sum(times for key, times in index.counts() if keys.get(key) is None)

    def close(self) -> None:
        """Delete the temporary files."""
        for _, index in (*self.links.values(), *self.keys.values()):
            index.close()


def _named(reference: Reference) -> Named:
    by = reference.parts[0].written if reference.by is not None else None
    return reference.target.name, by
