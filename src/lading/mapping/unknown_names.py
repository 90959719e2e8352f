"""Says of a name that no field has which field it may mean, and which fields there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lading.mapping.meta_options import Excluded
from lading.mapping.relationships import attribute_of
from lading.messages import nearest
from lading.model.rowsets import Reference, RowSet, Value


def with_hint(rows: RowSet, name: str, names: Iterable[str]) -> str:
    """Say which field a name that isn't a field's may mean, as far as it can be told, and all.

    Args:
        rows: The row set whose fields are meant.
        name: What was written instead of a field's name.
        names: The fields that could have been named.
    """
    fields = [member.name for member in rows.members if name in _other_names(rows, member)]
    through = [m.name for m in rows.members if isinstance(m, Reference) and _leads_to(m, name)]
    hint = ""
    if fields:
        hint = f", which stands in records as {_joined(fields)}"
    elif name in Excluded(rows.schema).names and rows.mapper.has_property(name):
        hint = ", which Meta.exclude leaves out"
    elif through:
        hint = f", which is reached by the reference {_joined(through)}"
    wanted = next(iter([*fields, *through]), name)
    return f"{name!r}{hint}; expected one of: {nearest(wanted, names)}"


def _joined(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def _other_names(rows: RowSet, member: object) -> Iterator[str | None]:
    """Yield what a field's columns, their attributes and its relationship are called."""
    if isinstance(member, Reference):
        yield member.relationship
    if isinstance(member, Value | Reference):
        for column in member.columns:
            yield str(column.name)
            yield attribute_of(rows.mapper, column)


def _leads_to(reference: Reference, name: str) -> bool:
    """Tell whether a reference leads to records that have a field of a name, or are called so."""
    target = reference.target
    return name == target.name or any(member.name == name for member in target.members)
