"""What counts of a record when an import compares it, and in which order its lists stand."""

from __future__ import annotations

from typing import Any

from lading.model.ordering import as_listed
from lading.model.rowsets import RowSet
from lading.testing.compare.records import ANYTHING, plain_text, restorable

Record = dict[str, Any]


def _versions(rows: RowSet) -> list[str]:
    """Return the fields whose values an update counts itself."""
    version = rows.mapper.version_id_col
    return [value.written for value in rows.values if value.column is version is not None]


def freed(rows: RowSet, record: Record) -> Record:
    """Return a record without a say in what updates count themselves."""
    nested = {
        children.written: [freed(children.rows, inner) for inner in record[children.written]]
        for children in rows.children
        if record.get(children.written)
    }
    return record | nested | dict.fromkeys(_versions(rows), ANYTHING)


def counted(rows: RowSet, record: Record) -> Record:
    """Return what counts when a record is compared with the one that is there."""
    (whole,) = restorable(rows, [record])
    names = {member.name: member.written for member in rows.members}
    ignored = {names[volatile] for volatile in rows.volatile if volatile in names}
    ignored.update(_versions(rows))
    content = {name: value for name, value in whole.items() if name not in ignored}
    for member in rows.children:
        if content.get(member.written) is not None:
            content[member.written] = [counted(member.rows, x) for x in content[member.written]]
    return in_order(rows, content)


def in_order(rows: RowSet, record: Record) -> Record:
    """Return a record whose lists stand as an export writes them."""
    ordered = dict(record)
    for links in rows.links:
        if record.get(links.written):
            ordered[links.written] = sorted(record[links.written], key=plain_text)
    for children in rows.children:
        if record.get(children.written):
            owned = [in_order(children.rows, inner) for inner in record[children.written]]
            ordered[children.written] = as_listed(
                children, owned, lambda inner: plain_text(inner).encode()
            )
    return ordered
