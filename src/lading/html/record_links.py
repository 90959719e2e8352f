"""Which record of a page's sample each reference leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from lading.model.hidden import hides
from lading.model.rowsets import Children, Links, Reference, RowSet, Value
from lading.values.json_text import on_own_stack

#: Where in a record something is: names of fields, and places in lists.
Path: TypeAlias = tuple[str | int, ...]
#: What records are found by: a table, and the names of some of its fields.
Index: TypeAlias = tuple[int, tuple[str, ...]]
_encoder = msgspec.json.Encoder(order="sorted")


def references_of_record(
    rows: RowSet, record: Mapping[str, Any], path: Path = ()
) -> Iterator[tuple[Path, Reference, bytes]]:
    """Yield the references of a record: where each is, and by which key it leads where.

    Those whose keys are hidden, and those that are null, are left out.
    """
    for member in rows.members:
        value = record.get(member.written)
        here = (*path, member.written)
        if isinstance(member, Children):
            for place, row in _objects(value):
                yield from references_of_record(member.rows, row, (*here, place))
        elif isinstance(member, Links) and isinstance(value, list):
            for place, element in enumerate(value):
                yield from _reference(member.reference, element, (*here, place))
        elif isinstance(member, Reference):
            yield from _reference(member, value, here)


def _objects(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for place, row in enumerate(value if isinstance(value, list) else ()):
        if isinstance(row, Mapping):
            yield place, row


def _reference(
    reference: Reference, value: Any, path: Path
) -> Iterator[tuple[Path, Reference, bytes]]:
    if value is None or not reference.parts or hides(reference):
        return
    if reference.flat:
        value = _nested(reference, value)
    if isinstance(value, Mapping):
        yield path, reference, key_text(index_of(reference)[1], value)


def _nested(reference: Reference, value: Any) -> Any:
    """Return a flat reference's value as a nested one has it."""
    part: Value | Reference = reference
    names = []
    while isinstance(part, Reference):
        part = part.parts[0]
        names.append(part.written)
    for name in reversed(names):
        value = {name: value}
    return value


def index_of(reference: Reference) -> Index:
    """Return what a reference's targets are found by."""
    return id(reference.target.table), tuple(part.written for part in reference.parts)


def key_text(names: tuple[str, ...], record: Mapping[str, Any]) -> bytes:
    """Return the fields of a record that a reference is written by, as one text."""
    return on_own_stack(_encoder.encode, [record.get(name) for name in names])


def rows_in(rows: RowSet, record: Mapping[str, Any]) -> Iterator[tuple[RowSet, Mapping[str, Any]]]:
    """Yield a record and the owned rows in it, each with its row set.

    Owned rows get the reference to their parent, which they leave out and others may refer by.
    """
    yield rows, record
    for children in rows.children:
        for _, row in _objects(record.get(children.written)):
            yield from rows_in(children.rows, {**row, **_way_to_parent(children, record)})


def _way_to_parent(children: Children, parent: Mapping[str, Any]) -> dict[str, Any]:
    via = children.via
    if via is None:  # a shape doesn't say
        return {}
    return {via.written: {part.written: parent.get(part.written) for part in via.parts}}
