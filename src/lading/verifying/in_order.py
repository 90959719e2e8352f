"""The canonical texts of an entity's records, in key order, whatever order they come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lading.records.layout import Key
from lading.scratch.sort import externally_sorted
from lading.verifying.strict_decoder import StrictBatch, StrictDecoder

#: Is told of a record's number and key, and of the number of another that has the same.
Twins = Callable[[int, Key, int], None]


def lines_in_order(
    decoder: StrictDecoder,
    blocks: Iterable[Any],
    take: Callable[[StrictBatch], None],
    twins: Twins,
) -> Iterator[bytes]:
    """Yield the texts of the good records.

    Args:
        decoder: reads the records.
        blocks: the records, in blocks.
        take: is called with what was read of each block.
        twins: is called with each record whose key an earlier one has.
    """

    def keyed() -> Iterator[tuple[Any, tuple[int, Key, bytes]]]:
        for block in blocks:
            strict = decoder.read(block.records, block.first)
            take(strict)
            batch = strict.batch
            orders = decoder.decoder.orders(batch.keys)
            entries = zip(batch.numbers, batch.keys, batch.lines, strict=True)
            yield from zip(orders, entries, strict=True)

    last: Any = None
    for order, (number, key, text) in externally_sorted(
        keyed(), size=lambda entry: len(entry[1][2])
    ):
        if last is not None and last[0] == order:
            twins(number, key, last[1])
        last = (order, number)
        yield text
