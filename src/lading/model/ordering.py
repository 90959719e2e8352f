"""The order in which a record lists what it owns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lading.model.recursive_keys import flattened_order, levels_of, recurring
from lading.model.rowsets import Children, Reference, Value

Record = dict[str, Any]


def as_listed(
    children: Children, records: Iterable[Record], text: Callable[[Record], bytes]
) -> list[Record]:
    """Return owned records as an export lists them: a set by its texts, a sequence by its columns.

    Where columns are equal, texts decide; but a sequence that is ordered by what records don't
    carry (an id) must come in that order.
    """
    carried = {value.column for value in children.rows.values}
    is_carried = all(column in carried for column, _ in children.sequence)
    return by_columns(children, sorted(records, key=text) if is_carried else records)


def by_columns(children: Children, records: Iterable[Record]) -> list[Record]:
    """Sort owned records by what their sequence is ordered by, as far as they carry it."""
    ordered = list(records)
    for column, descending in reversed(children.sequence):
        for value in children.rows.values:
            if value.column is column:
                ordered.sort(key=_order_by(value), reverse=descending)
    return ordered


def _order_by(value: Value) -> Callable[[Record], Any]:
    def order(record: Record) -> Any:
        written = record.get(value.written)
        return (False,) if written is None else (True, value.kind.order(written))

    return order


def reference_order(reference: Reference, written: Mapping[str, Any] | None) -> Any:
    """Return what a nested key sorts by: null first, then its parts."""
    return (False,) if written is None else (True, *key_order(reference.parts, written))


def key_order(parts: tuple[Value | Reference, ...], written: Mapping[str, Any]) -> Any:
    """Return what a key sorts by, be it nested or a record's own."""
    own = recurring(parts)
    orders = [
        [_order_of_part(part, level[part.written]) for part in parts if part is not own]
        for level in reversed(levels_of(written, own))
    ]
    return orders[0] if own is None else flattened_order(orders, parts.index(own))


def _order_of_part(part: Value | Reference, value: Any) -> Any:
    if isinstance(part, Reference):
        return reference_order(
            part, {part.parts[0].written: value} if part.flat and value is not None else value
        )
    return (False,) if value is None else (True, part.kind.order(value))
