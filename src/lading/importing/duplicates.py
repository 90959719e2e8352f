"""Finds records of one file that share a natural key, whatever the file's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import lt
from typing import Any

from lading.importing.batch import Batch
from lading.importing.decode import RecordDecoder
from lading.records.layout import Key
from lading.scratch.sort import externally_sorted


class KeyOrder:
    """Checks that batches ascend by key, so that duplicates would be adjacent."""

    def __init__(self, decoder: RecordDecoder) -> None:
        self.decoder = decoder
        self.last: Any = None

    def holds(self, batch: Batch) -> bool:
        """Tell whether a batch continues in strictly ascending order."""
        if not len(batch):
            return True
        orders = self.decoder.decoder.orders(batch.keys)
        if self.last is not None:
            orders = [self.last, *orders]
        self.last = orders[-1]
        return all(map(lt, orders, orders[1:]))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A record's natural key, and the number of another record that has the same."""

    key: Key
    other: int


def find_duplicates(decoder: RecordDecoder, blocks: Iterable[Any]) -> dict[int, Duplicate]:
    """Map the number of each record that shares its key to another that has it."""

    def keyed() -> Iterator[tuple[Any, tuple[int, Key]]]:
        for block in blocks:
            batch, _ = decoder.decode(block.records, block.first)
            orders = decoder.decoder.orders(batch.keys)
            yield from zip(orders, zip(batch.numbers, batch.keys, strict=True), strict=True)

    duplicates: dict[int, Duplicate] = {}
    last: Any = None
    for order, (number, key) in externally_sorted(keyed()):
        if last is not None and last[0] == order:
            duplicates.setdefault(last[1], Duplicate(key, number))
            duplicates[number] = Duplicate(key, last[1])
        last = (order, number)
    return duplicates
