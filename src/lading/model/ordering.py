"""The order in which a record lists what it owns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lading.model.rowsets import Children, Value

Record = dict[str, Any]


def as_listed(
    children: Children, records: Iterable[Record], text: Callable[[Record], bytes]
) -> list[Record]:
    """Return owned records as an export lists them: a set by its texts, a sequence by its columns.

    Where columns are equal, texts decide; but a sequence that is ordered by what records don't
    carry (an id) must come in that order.
    """
    carried = {value.column for value in children.rows.values}
    is_told = all(column in carried for column, _ in children.sequence)
    return by_columns(children, sorted(records, key=text) if is_told else records)


def by_columns(children: Children, records: Iterable[Record]) -> list[Record]:
    """Sort owned records by what their sequence is ordered by, as far as they carry it."""
    found = list(records)
    for column, descending in reversed(children.sequence):
        for value in children.rows.values:
            if value.column is column:
                found.sort(key=_order_by(value), reverse=descending)
    return found


def _order_by(value: Value) -> Callable[[Record], Any]:
    def order(record: Record) -> Any:
        written = record.get(value.written)
        return (False,) if written is None else (True, value.kind.order(written))

    return order
