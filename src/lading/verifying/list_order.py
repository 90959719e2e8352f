"""Whether the lists inside of records are in the order in which an export writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import lt
from typing import Any

import msgspec

from lading.codegen import CodeBuilder
from lading.importing.batch import Batch
from lading.importing.row_decoder import RowDecoder
from lading.model.ordering import as_listed
from lading.model.rowsets import Children, Links, Reference, RowSet
from lading.records.key_source import order_source
from lading.records.layout import Key
from lading.records.lines import encode_lines
from lading.values.json_text import on_own_stack


class ListOrder:
    """Checks the links and owned lists of a row set's decoded records, at any depth."""

    def __init__(self, decoder: RowDecoder) -> None:
        rows = decoder.rows
        self.links = [(decoder.links[links.name], _orders(links)) for links in rows.links]
        self.owned = [
            (
                decoder.layout.place[children.name],
                children,
                ListOrder(decoder.children[children.name]),
            )
            for children in rows.children
        ]

    def holds(self, records: Sequence[Any]) -> bool:
        """Tell whether every list is in order, and links stand in it once."""
        for keys_of, orders in self.links:
            for keys in keys_of(records):
                if len(keys) > 1 and not _ascends(orders(keys)):
                    return False
        for place, children, inner in self.owned:
            lists = [getattr(record, place) or () for record in records]
            flat = [child for elements in lists for child in elements]
            is_ordered = all(
                _as_listed(children, elements) for elements in lists if len(elements) > 1
            )
            if flat and not (is_ordered and inner.holds(flat)):
                return False
        return True


def _orders(links: Links) -> Callable[[list[Key]], list[Any]]:
    source = CodeBuilder(f"order of {links.name}")
    order = order_source(source, links.reference.parts, "k")
    orders: Callable[[list[Key]], list[Any]] = source.compile(
        f"lambda keys: [{order} for k in keys]"
    )
    return orders


def _ascends(orders: list[Any]) -> bool:
    return all(map(lt, orders, orders[1:]))


def _as_listed(children: Children, elements: Sequence[Any]) -> bool:
    texts = encode_lines(elements)
    records = [on_own_stack(msgspec.json.decode, text) for text in texts]
    text_of = {id(record): text for record, text in zip(records, texts, strict=True)}
    return as_listed(children, records, lambda record: text_of[id(record)]) == records


def repeated_links(
    rows: RowSet, batch: Batch, path: str = ""
) -> Iterator[tuple[str, Reference, Key]]:
    """Yield each link that stands twice in its list, with the dotted path of the list."""
    for links in rows.links:
        for keys in batch.links[links.name]:
            for key, count in Counter(keys).items():
                if count > 1:
                    yield f"{path}{links.written}", links.reference, key
    for children in rows.children:
        nested = batch.children[children.name].batch
        yield from repeated_links(children.rows, nested, f"{path}{children.written}.")
