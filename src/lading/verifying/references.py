"""Which references of a bundle's records lead nowhere within it: keys are held against keys.

The keys of records that are referred to, and the keys by which they are, are kept on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from lading.importing.batch import Batch
from lading.importing.resolver import CANDIDATES
from lading.importing.resolvers import HINTS
from lading.messages import closest
from lading.model.hidden import hides
from lading.model.rowsets import Reference, RowSet, Value, references_of
from lading.records.layout import Key
from lading.scratch.key_index import KeyIndex
from lading.verifying.strict_decoder import StrictBatch

#: What a reference leads to: a table, and the field that it is written by, if it isn't the key.
Target = tuple[Any, str | None]
#: A reference's place: the entity's name, and the dotted path within its records.
Spot = tuple[str, str]

#: How many keys of one reference are remembered, since neighbours often share them.
REMEMBERED = 20_000
_encode = msgspec.json.Encoder(order="sorted").encode


class BundleReferences:
    """The references of some entities, and the keys that they lead to."""

    def __init__(self, roots: Iterable[RowSet]) -> None:
        self.spots: dict[Spot, Reference] = {}
        tables: set[Any] = set()
        roots = list(roots)
        for root in roots:
            tables.update(rows.table for rows in root.tree())
        for root in roots:
            for path, _, reference in references_of(root):
                if reference.target.table in tables and reference.parts:
                    self.spots[root.name, path] = reference
        self.targets: dict[Target, KeyIndex] = {
            _target(reference): KeyIndex() for reference in self.spots.values()
        }
        self.wanted = {spot: KeyIndex() for spot in self.spots}
        self._known: dict[Spot, set[bytes]] = {spot: set() for spot in self.spots}
        self._texts: dict[Target, list[str]] = {}
        self._hints = HINTS

    def add(self, root: RowSet, strict: StrictBatch) -> None:
        """Note the keys of records, and the keys that they refer to."""
        for batch in (strict.batch, *(batch for batch, _ in strict.patched)):
            self._add(root, batch)

    def _add(self, root: RowSet, batch: Batch) -> None:
        for rows, inner in _tree(root, batch):
            for (table, by), index in self.targets.items():
                if rows.table is table:
                    keys = inner.keys if by is None else _keys_by(rows, inner, by)
                    index.fill((_encode(key), b"", 0) for key in keys)
        for spot, wanted in self._keys(root, batch):
            known = self._known[spot]
            texts = {_encode(key) for key in wanted} - known
            if texts:
                self.wanted[spot].fill((text, b"", 0) for text in texts)
                if len(known) > REMEMBERED:
                    known.clear()
                known |= texts

    def forget(self, root: RowSet) -> None:
        """Forget an entity's records, which are to be read again."""
        tables = {rows.table for rows in root.tree()}
        for target in self.targets:
            if target[0] in tables:
                self.targets[target].close()
                self.targets[target] = KeyIndex()
        for spot in self.spots:
            if spot[0] == root.name:
                self.wanted[spot].close()
                self.wanted[spot] = KeyIndex()
                self._known[spot] = set()

    def ignore(self, root: RowSet) -> bool:
        """Follow no references to an entity's records; tell whether there are any."""
        tables = {rows.table for rows in root.tree()}
        spots = [s for s, reference in self.spots.items() if reference.target.table in tables]
        for spot in spots:
            del self.spots[spot]
            self.wanted.pop(spot).close()
        return bool(spots)

    def dangling(self) -> dict[str, dict[str, KeyIndex]]:
        """Return the keys that no record has, by the entity and the path of their references."""
        lost: dict[str, dict[str, KeyIndex]] = {}
        for (name, path), index in self.wanted.items():
            keys = self.targets[_target(self.spots[name, path])]
            missing = KeyIndex()
            missing.fill((text, b"", 0) for text, _ in index.counts() if keys.get(text) is None)
            if len(missing):
                lost.setdefault(name, {})[path] = missing
            else:
                missing.close()
        return lost

    def dangling_links(
        self, root: RowSet, strict: StrictBatch, lost: dict[str, KeyIndex]
    ) -> Iterator[tuple[Batch, int, str, Reference, Key]]:
        """Yield each reference that leads nowhere: batch, record, path, reference and key."""
        for batch, replaced in ((strict.batch, set[str]()), *strict.patched):
            for path, numbers, keys in _links(root, batch):
                index = lost.get(path)
                if index is None or path.split(".")[0] in replaced:
                    continue
                for number, key in zip(numbers, keys, strict=True):
                    if index.get(_encode(key)) is not None:
                        yield batch, number, path, self.spots[root.name, path], key

    def nearest(self, reference: Reference, key: Key) -> str | None:
        """Return the key of one text that is most like one that leads nowhere, for the first."""
        (part, *others) = reference.parts
        text = key[0]
        is_text = isinstance(part, Value) and isinstance(text, str) and not others
        self._hints -= 1
        if self._hints < 0 or not is_text or hides(part):
            return None
        target = _target(reference)
        if target not in self._texts:
            some = self.targets[target].beginning(b"", CANDIDATES)
            keys = map(msgspec.json.decode, some)
            self._texts[target] = [k[0] for k in keys if len(k) == 1 and isinstance(k[0], str)]
        return closest(text, self._texts[target])

    def _keys(self, root: RowSet, batch: Batch) -> Iterator[tuple[Spot, set[Key]]]:
        for path, keys in _keys_wanted(root, batch):
            if (root.name, path) in self.spots:
                yield (root.name, path), keys

    def close(self) -> None:
        """Give temporary files back."""
        for index in (*self.targets.values(), *self.wanted.values()):
            index.close()


def _target(reference: Reference) -> Target:
    return reference.target.table, reference.parts[0].name if reference.by is not None else None


def _tree(rows: RowSet, batch: Batch) -> Iterator[tuple[RowSet, Batch]]:
    yield rows, batch
    for children in rows.children:
        yield from _tree(children.rows, batch.children[children.name].batch)


def _keys_by(rows: RowSet, batch: Batch, by: str) -> list[Key]:
    """Return what records are called by one field."""
    writable = [value.name for value in rows.values if value.writable]
    if by not in writable:
        return []
    place = writable.index(by)
    return [(values[place],) for values in batch.values]


def _keys_wanted(rows: RowSet, batch: Batch, path: str = "") -> Iterator[tuple[str, set[Key]]]:
    """Yield the different keys that a batch's records refer to, by dotted path."""
    for reference in rows.references:
        keys = {key for key in set(batch.references[reference.name]) if key is not None}
        yield f"{path}{reference.written}", keys
    for links in rows.links:
        yield f"{path}{links.written}", set(chain.from_iterable(batch.links[links.name]))
    for children in rows.children:
        nested = batch.children[children.name].batch
        yield from _keys_wanted(children.rows, nested, f"{path}{children.written}.")


def _links(
    rows: RowSet, batch: Batch, path: str = ""
) -> Iterator[tuple[str, list[int], list[Key]]]:
    """Yield the keys that a batch's records refer to, by dotted path, with the records' numbers."""
    for reference in rows.references:
        pairs = zip(batch.numbers, batch.references[reference.name], strict=True)
        set_pairs = [(number, key) for number, key in pairs if key is not None]
        yield f"{path}{reference.written}", *_unzipped(set_pairs)
    for links in rows.links:
        lists = zip(batch.numbers, batch.links[links.name], strict=True)
        all_pairs = [(number, key) for number, keys in lists for key in keys]
        yield f"{path}{links.written}", *_unzipped(all_pairs)
    for children in rows.children:
        nested = batch.children[children.name].batch
        yield from _links(children.rows, nested, f"{path}{children.written}.")


def _unzipped(pairs: list[tuple[int, Key]]) -> tuple[list[int], list[Key]]:
    return [number for number, _ in pairs], [key for _, key in pairs]
