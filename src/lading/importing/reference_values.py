"""Values of single columns of longer foreign keys, as the keys of references hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lading.mapping.natural_keys import covering
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Column, Reference, RowSet, Value
from lading.records.comparison import Content
from lading.records.key_source import named_key
from lading.records.layout import Key

Parts = tuple[Value | Reference, ...]


@dataclass(eq=False, slots=True)
class ReferenceValue(Value):
    """A column of a foreign key that has others; ``path`` leads to its value in a record.

    It has the name of the reference, with which it changes.
    """

    path: tuple[str, ...] = ()


def unique_parts(
    rows: RowSet, columns: tuple[Column, ...], owned: tuple[Column, ...] | None = None
) -> Parts:
    """Return the members that hold the values of columns which are unique together.

    Args:
        rows: the row set.
        columns: the columns.
        owned: those that a row's owner gives, which need no member; by default as declared.

    Returns:
        The members; columns of which a reference holds only some as ``ReferenceValue``. Nothing if
        a record doesn't hold them all.
    """
    owned = rows.owner_columns if owned is None else owned
    parts = covering(rows, columns, owned, every=False)
    if parts:
        return parts
    in_keys = {
        column: part
        for column in columns
        if not covering(rows, (column,), owned, every=False)
        and (part := _in_a_key(rows.references, column)) is not None
    }
    others = tuple(column for column in columns if column not in in_keys)
    rest = covering(rows, others, owned, every=False) if others else ()
    return (*rest, *in_keys.values()) if in_keys and (rest or not others) else ()


def values_in_keys(rows: RowSet, part: ReferenceValue, keys: Iterable[Key | None]) -> list[Any]:
    """Return the values of a member in the keys that its reference has in some rows."""
    reference = next(each for each in rows.references if each.name == part.name)
    named = ({reference.written: named_key(reference.parts, key)} for key in keys)
    return [value_in(record, part) for record in named]


def value_in(record: Content, part: Value | Reference) -> Any:
    """Return the value of a member in a record, in portable form."""
    if not isinstance(part, ReferenceValue):
        return record.get(part.written)
    value: Any = record
    for name in part.path:
        value = None if value is None else value.get(name)
    return value


def _in_a_key(references: Iterable[Reference], column: Column) -> ReferenceValue | None:
    for reference in references:
        within = _within(reference, column)
        if within is None:
            continue
        path, value = within
        return ReferenceValue(
            reference.name,
            ".".join(path),
            value.field,
            reference.nullable,
            attribute=reference.name,
            column=column,
            kind=value.kind,
            writable=True,
            stored=value.stored,
            hidden=value.hidden,
            classes=reference.classes,
            path=path,
        )
    return None


def _within(reference: Reference, column: Column) -> tuple[tuple[str, ...], Value] | None:
    """Return the path in a record to the value of a reference's column, and the target's member."""
    remote = dict(zip(reference.columns, reference.remote, strict=True)).get(column)
    if remote is None or reference.flat or recurring(reference.parts) is not None:
        return None
    for part in reference.parts:
        if isinstance(part, Value) and part.column is remote:
            return (reference.written, part.written), part
        if isinstance(part, Reference) and (within := _within(part, remote)) is not None:
            return (reference.written, *within[0]), within[1]
    return None
