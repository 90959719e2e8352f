"""Masks the values of the fields that ``Meta.hidden`` names, which no message may show.

Code that shows a value, a key or a record calls these functions, with its member.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lading.messages import Message, coded, shown
from lading.model.rowsets import Children, Column, Links, Member, Reference, RowSet, Value


class Hidden(str):
    """What is shown in place of a hidden value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


HIDDEN = Hidden("<hidden>")
#: Messages in place of one about a hidden value, and of a driver's text that may hold one.
UNFIT_VALUE = f"its value {HIDDEN} isn't one that the field takes. Correct it"
WITHHELD = f"({HIDDEN}: the entity has hidden fields)"


def hides(member: Member) -> bool:
    """Tell whether what a field holds is hidden: its own value, or a part of its target's key."""
    return _hides(member, set())


def _hides(member: Member, visited: set[int]) -> bool:
    if isinstance(member, Value):
        return member.hidden
    if isinstance(member, Links):
        return _hides(member.reference, visited)
    if isinstance(member, Reference) and id(member) not in visited:
        visited.add(id(member))
        return any(_hides(part, visited) for part in member.parts)
    return False


def has_hidden(rows: RowSet) -> bool:
    """Tell whether a record holds anything that is hidden, at any depth."""
    return any(
        has_hidden(member.rows) if isinstance(member, Children) else hides(member)
        for member in rows.members
    )


def hides_columns(rows: RowSet | None, columns: Iterable[Column]) -> bool:
    """Tell whether some of a row set's columns hold hidden values."""
    values = rows.values if rows is not None else ()
    return not {value.column for value in values if value.hidden}.isdisjoint(columns)


def shown_foreign_key(reference: Reference, values: Sequence[Any]) -> str:
    """Return what a foreign key's columns hold, as it may be shown."""
    if hides_columns(reference.target, reference.remote):
        return HIDDEN
    return shown(values[0] if len(values) == 1 else tuple(values))


def paths_of_values(rows: RowSet, path: str = "") -> Iterator[tuple[str, Value]]:
    """Yield the values of a record, at any depth, each with its dotted path of written names."""
    for value in rows.values:
        yield f"{path}{value.written}", value
    for children in rows.children:
        yield from paths_of_values(children.rows, f"{path}{children.written}.")


def masked(members: Iterable[Member], record: Any) -> Any:
    """Return a record, or a key in portable form, as it may be shown."""
    if not isinstance(record, Mapping):
        return record if record is None or not any(map(hides, members)) else HIDDEN
    by_name = {member.written: member for member in members}
    return {
        name: masked_value(by_name[name], value) if name in by_name else value
        for name, value in record.items()
    }


def masked_value(member: Member, value: Any) -> Any:
    """Return what a field holds in portable form, as it may be shown."""
    if value is None:
        return None
    if isinstance(member, Children):
        is_list = isinstance(value, list)
        return [masked(member.rows.members, element) for element in value] if is_list else value
    if not hides(member):
        return value
    if isinstance(member, Links) and isinstance(value, list):
        return [masked_value(member.reference, element) for element in value]
    if isinstance(member, Reference) and not member.flat:
        return masked(member.parts, value)
    return HIDDEN


def masked_faults(
    rows: RowSet, faults: Iterable[tuple[str, Message]]
) -> Iterator[tuple[str, Message]]:
    """Yield the faults of a record's fields, by dotted path, as they may be shown."""
    for path, message in faults:
        yield path, coded(masked_fault(rows, path, message), message.code)


def masked_fault(rows: RowSet, path: str, text: str) -> str:
    """Return a field's fault as it may be shown; a record's is withheld if it has hidden fields."""
    if not path.split(".", maxsplit=1)[0]:
        return WITHHELD if has_hidden(rows) else text
    is_plain = isinstance(text, Message) and text.code in PLAIN
    return UNFIT_VALUE if is_hidden(rows, path) and not is_plain else text


def is_hidden(rows: RowSet, path: str) -> bool:
    """Tell whether a dotted path of names, and places in lists, leads to what is hidden."""
    for name in (name for name in path.split(".") if not name.isdigit()):
        member = next((m for m in rows.members if name in (m.written, m.name)), None)
        if not isinstance(member, Children):
            return member is not None and hides(member)
        rows = member.rows
    return False


#: The codes of messages about a field's presence, which never hold its value.
PLAIN = {"field-missing", "field-unknown", "value-null"}
