"""Finds rows of one file whose unique values an earlier row has, as a database would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lading.importing.batch import Batch
from lading.importing.collisions import Parts, unique_groups
from lading.mapping.natural_keys import covering
from lading.model.rowsets import RowSet, Value
from lading.scratch.key_index import KeyIndex

_encode = msgspec.json.Encoder(order="sorted", enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class UniqueSet:
    """Members that are unique together: in the whole table, or among the rows of one owner."""

    path: str
    parts: Parts
    is_within_owner: bool


class RepeatedValues:
    """The unique values of an entity's rows, those that its records nest included."""

    def __init__(self, root: RowSet | None) -> None:
        self.sets: Mapping[RowSet, Sequence[UniqueSet]] = dict(_sets(root)) if root else {}
        self.root = root
        self.index: KeyIndex | None = None
        self.count = 0

    def add(self, batch: Batch) -> None:
        """Note the values of a batch of records."""
        if self.root is not None and any(self.sets.values()):
            self.index = self.index or KeyIndex()
            self.index.fill(self._entries(self.root, batch, [0] * len(batch)))

    def _entries(
        self, rows: RowSet, batch: Batch, owners: Sequence[int]
    ) -> Iterator[tuple[bytes, bytes, int]]:
        for unique in self.sets[rows]:
            for place, key in _keys(rows, batch, unique.parts):
                number = batch.numbers[place]
                scope = [number, owners[place]] if unique.is_within_owner else []
                names = [part.name for part in unique.parts]
                self.count += 1
                yield _encode([rows.name, names, scope, key]), b"%d" % self.count, number
        for children in rows.children:
            nested = batch.children[children.name]
            yield from self._entries(children.rows, nested.batch, nested.owners)

    def clashes(self) -> Iterator[tuple[int, str, str]]:
        """Yield a record whose values an earlier row has: its number, the field, and the names."""
        if self.index is None:
            return
        by_names = {
            (rows.name, tuple(part.name for part in unique.parts)): unique
            for rows, sets in self.sets.items()
            for unique in sets
        }
        for text, number in self.index.clashes():
            name, names, *_ = msgspec.json.decode(text)
            unique = by_names[name, tuple(names)]
            written = [part.written for part in unique.parts]
            yield number, f"{unique.path}{written[0]}", " and ".join(written)

    def close(self) -> None:
        """Give the temporary file back."""
        if self.index is not None:
            self.index.close()
            self.index = None


def _sets(rows: RowSet, path: str = "") -> Iterator[tuple[RowSet, list[UniqueSet]]]:
    """Yield the unique sets of a row set and of those nested in it, but for the record's key."""
    given = set(_given_by_owner(rows))
    sets = []
    for group in unique_groups(rows):
        parts = covering(rows, group, tuple(given), every=False)
        if parts and (rows.parent is not None or set(parts) != set(rows.key)):
            sets.append(UniqueSet(path, parts, not given.isdisjoint(group)))
    yield rows, sets
    for children in rows.children:
        yield from _sets(children.rows, f"{path}{children.written}.")


def _given_by_owner(rows: RowSet) -> Iterator[Any]:
    """Yield the columns of owned rows that their owner fills."""
    for children in rows.parent.children if rows.parent is not None else ():
        if children.rows is rows:
            yield from (near for near, _ in children.pairs)


def _keys(rows: RowSet, batch: Batch, parts: Parts) -> Iterator[tuple[int, list[Any]]]:
    """Yield the place and the values of each row that has all of them; null equals nothing."""
    places = {value: place for place, value in enumerate(v for v in rows.values if v.writable)}
    columns = [
        [values[places[part]] for values in batch.values]
        if isinstance(part, Value)
        else batch.references[part.name]
        for part in parts
    ]
    for place, key in enumerate(zip(*columns, strict=True)):
        if None not in key:
            yield place, list(key)
