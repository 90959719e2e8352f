"""Finds records of one file that share a natural key, whatever the file's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import lt
from typing import Any, Protocol

from lading.importing.batch import Batch
from lading.importing.row_decoder import RowDecoder
from lading.messages import Message
from lading.records.layout import Key
from lading.report import Problem
from lading.scratch.sort import externally_sorted


class Decodes(Protocol):
    """Decodes the records of one entity."""

    @property
    def decoder(self) -> RowDecoder:
        """What makes batches of decoded records."""

    def decode(self, lines: list[bytes], first: int) -> tuple[Batch, list[Problem]]:
        """Return the good records of a block, and the problems of the others."""


class KeyOrder:
    """Checks that batches ascend by key, so that duplicates would be adjacent."""

    def __init__(self, decoder: Decodes) -> None:
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


def find_duplicates(decoder: Decodes, blocks: Iterable[Any]) -> dict[int, Duplicate]:
    """Map the number of each record that shares its key to another that has it."""
    duplicates: dict[int, Duplicate] = {}
    for number, duplicate in duplicates_in(decoder, blocks):
        duplicates.setdefault(duplicate.other, Duplicate(duplicate.key, number))
        duplicates[number] = duplicate
    return duplicates


def duplicates_in(decoder: Decodes, blocks: Iterable[Any]) -> Iterator[tuple[int, Duplicate]]:
    """Yield the number of each record whose key an earlier one has, by key."""

    def keyed() -> Iterator[tuple[Any, tuple[int, Key]]]:
        for block in blocks:
            batch, _ = decoder.decode(block.records, block.first)
            orders = decoder.decoder.orders(batch.keys)
            yield from zip(orders, zip(batch.numbers, batch.keys, strict=True), strict=True)

    last: Any = None
    for order, (number, key) in externally_sorted(keyed()):
        if last is not None and last[0] == order:
            yield number, Duplicate(key, last[1])
        last = (order, number)


def key_repeated(other: str) -> Message:
    """Say that a record has the natural key of another one, such as ``record 7``."""
    return Message(
        "key-repeated",
        f"has the natural key of {other}; it must be unique. Remove or rename one",
    )
