"""Finds rows of a bundle whose unique values an earlier row has, as a database would.

Owned rows of one table may be in several files, so all files are compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lading.importing.batch import Batch
from lading.importing.collisions import unique_groups
from lading.importing.reference_values import Parts, ReferenceValue, unique_parts, values_in_keys
from lading.messages import Message
from lading.model.rowsets import Reference, RowSet, Value
from lading.report import Problem
from lading.scratch.key_index import KeyIndex

#: A row's origin counts unique sets by so much, and the records of their files by one.
RECORDS = 2**40
Place = Callable[[str, int], str]
_encode = msgspec.json.Encoder(order="sorted", enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class UniqueSet:
    """Members that are unique together: in the whole table, or among the rows of one owner.

    ``name`` is the table's and the members' columns, which rows of other entities may share.
    """

    file: str
    path: str
    name: tuple[str, ...]
    parts: Parts
    is_within_owner: bool


def place_of(file: str, record: int) -> str:
    """Name a record by its file."""
    return f"record {record} of {file}"


class RepeatedValues:
    """The unique values of a bundle's rows, those that its records nest included."""

    def __init__(self) -> None:
        self.numbered: list[UniqueSet] = []
        self.by_root: dict[RowSet, dict[RowSet, list[int]]] = {}
        self.index: KeyIndex | None = None
        self.count = 0

    def add(self, root: RowSet, file: str, batch: Batch) -> None:
        """Note the values of a batch of an entity's records."""
        numbers = self._sets_of(root, file)
        if any(numbers.values()):
            self.index = self.index or KeyIndex()
            self.index.fill(self._entries(root, batch, [0] * len(batch), numbers))

    def forget(self, root: RowSet) -> None:
        """Forget the last entity's records, which are to be read again."""
        numbers = [number for own in self.by_root.get(root, {}).values() for number in own]
        if self.index is not None and numbers:
            self.index.forget(min(numbers) * RECORDS)

    def _sets_of(self, root: RowSet, file: str) -> dict[RowSet, list[int]]:
        """Return the numbers of an entity's unique sets, by row set."""
        if root not in self.by_root:
            numbers: dict[RowSet, list[int]] = {}
            for rows, sets in _sets(root, file):
                start = len(self.numbered)
                self.numbered += sets
                numbers[rows] = list(range(start, len(self.numbered)))
            self.by_root[root] = numbers
        return self.by_root[root]

    def _entries(
        self, rows: RowSet, batch: Batch, owners: Sequence[int], numbers: dict[RowSet, list[int]]
    ) -> Iterator[tuple[bytes, bytes, int]]:
        for number in numbers[rows]:
            unique = self.numbered[number]
            for place, key in _keys(rows, batch, unique.parts):
                record = batch.numbers[place]
                scope = [number, record, owners[place]] if unique.is_within_owner else []
                self.count += 1
                text = _encode([unique.name, scope, key])
                yield text, b"%d" % self.count, number * RECORDS + record
        for children in rows.children:
            nested = batch.children[children.name]
            yield from self._entries(children.rows, nested.batch, nested.owners, numbers)

    def problems(self, place: Place = place_of) -> Iterator[Problem]:
        """Yield the first record whose values an earlier row has, for each that several have.

        ``place`` names the other record by the file that it is said to be in, and its number.
        """
        for _, first, second in self.index.clashes() if self.index is not None else ():
            earlier, record = divmod(first, RECORDS)
            later, number = divmod(second, RECORDS)
            unique, other = self.numbered[later], self.numbered[earlier]
            names = [part.written for part in unique.parts]
            message = Message(
                "value-taken",
                f"{' and '.join(names)} must be unique, and a row in {place(other.file, record)} "
                "has the same. Correct one of them",
            )
            yield Problem.of(message, unique.file, number, field=f"{unique.path}{names[0]}")

    def close(self) -> None:
        """Give the temporary file back."""
        if self.index is not None:
            self.index.close()
            self.index = None


def _sets(rows: RowSet, file: str, path: str = "") -> Iterator[tuple[RowSet, list[UniqueSet]]]:
    """Yield the unique sets of a row set and of those nested in it, but for the record's key."""
    of_owner = set(_given_by_owner(rows))
    sets = []
    for group in unique_groups(rows):
        parts = unique_parts(rows, group, tuple(of_owner))
        if parts and (rows.parent is not None or set(parts) != set(rows.key)):
            name = (group[0].table.fullname, *(text for part in parts for text in _names(part)))
            sets.append(UniqueSet(file, path, name, parts, not of_owner.isdisjoint(group)))
    yield rows, sets
    for children in rows.children:
        yield from _sets(children.rows, file, f"{path}{children.written}.")


def _names(part: Value | Reference) -> list[str]:
    """Return what tells a member's texts from others': its columns, and how a key is written."""
    if isinstance(part, Value):
        return [part.column.name]
    return [*(column.name for column in part.columns), *(each.name for each in part.parts)]


def _given_by_owner(rows: RowSet) -> Iterator[Any]:
    """Yield the columns of owned rows that their owner fills."""
    for children in rows.parent.children if rows.parent is not None else ():
        if children.rows is rows:
            yield from (near for near, _ in children.pairs)


def _keys(rows: RowSet, batch: Batch, parts: Parts) -> Iterator[tuple[int, list[Any]]]:
    """Yield the place and the values of each row that has all of them; null equals nothing."""
    places = {value: place for place, value in enumerate(v for v in rows.values if v.writable)}
    columns: list[Sequence[Any]] = []
    for part in parts:
        if isinstance(part, ReferenceValue):
            columns.append(values_in_keys(rows, part, batch.references[part.name]))
        elif isinstance(part, Value):
            columns.append([values[places[part]] for values in batch.values])
        else:
            columns.append(batch.references[part.name])
    for place, key in enumerate(zip(*columns, strict=True)):
        if None not in key:
            yield place, list(key)
