"""What counts of a record when an import compares it, and in which order its lists stand."""

from __future__ import annotations

from typing import Any

from lading.model.ordering import as_listed
from lading.model.rowsets import RowSet
from lading.testing.compare.records import ANYTHING, at_each_level, plain_text, restorable

Record = dict[str, Any]


def freed(rows: RowSet, record: Record) -> Record:
    """Return a record without a say in the versions that updates count themselves."""
    return at_each_level(
        rows, record, lambda within, inner: inner | dict.fromkeys(_versions(within), ANYTHING)
    )


def counted(rows: RowSet, record: Record) -> Record:
    """Return what counts when a record is compared with the one that is there."""

    def without(within: RowSet, record: Record) -> Record:
        volatile = {member.written for member in within.members if member.name in within.volatile}
        ignored = volatile.union(_versions(within))
        return {name: value for name, value in record.items() if name not in ignored}

    (whole,) = restorable(rows, [record])
    return in_order(rows, at_each_level(rows, whole, without))


def _versions(rows: RowSet) -> list[str]:
    version = rows.mapper.version_id_col
    return [value.written for value in rows.values if value.column is version is not None]


def in_order(rows: RowSet, record: Record) -> Record:
    """Return a record whose lists stand as an export writes them."""

    def ordered(within: RowSet, record: Record) -> Record:
        lists = {
            links.written: sorted(record[links.written], key=plain_text)
            for links in within.links
            if record.get(links.written)
        } | {
            children.written: as_listed(children, record[children.written], _text)
            for children in within.children
            if record.get(children.written)
        }
        return record | lists

    return at_each_level(rows, record, ordered)


def _text(record: Record) -> bytes:
    return plain_text(record).encode()
