"""What marshmallow refuses in a record, by field: the value, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lading.messages import Message, coded, nearest, shown
from lading.model.hidden import has_hidden, masked_faults
from lading.model.rowsets import Children, Links, Member, Reference, RowSet

#: How many names of fields a message lists.
NAMES = 8
_MISSING = "Missing data for required field."
_UNKNOWN = "Unknown field."
_NULL = "Field may not be null."
_NO_RECORD = "Invalid input type."
#: The remedy for a value that is beyond the limits of its column.
ALTER = "Correct it, or let the column take it"
_TOO_LONG = "Longer than maximum length "
#: Stands for a value that no message shows.
_UNSHOWN = object()

#: The members of a record, or of a key, by their written names.
Members = Sequence[Member]


def faults_of(rows: RowSet, data: Any, messages: Any) -> Iterator[tuple[str, Message]]:
    """Yield what marshmallow says of a record, as it may be shown; list items count from 1.

    Args:
        rows: The record's row set.
        data: The record as it is written.
        messages: Those of a ``ValidationError``.
    """
    return masked_faults(rows, _faults(messages, "", rows.members, data))


def unfit(rows: RowSet, faults: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Message]]:
    """Yield what doesn't fit its column, as it may be shown, by dotted paths.

    A text without a code is a limit of the column; what no column takes has a remedy of its own.
    """
    mended = ((path, coded(text, "value-unfit", ALTER)) for path, text in faults)
    return masked_faults(rows, mended)


def failed_load(rows: RowSet, error: Exception) -> Iterator[tuple[str, Message]]:
    """Yield that code of the application's fails on a record."""
    text = f"{rows.schema.__name__}.load failed: {error!r}. Correct the schema, or the record"
    return masked_faults(rows, [("", Message("schema-failed", text))])


def _faults(
    messages: Any, path: str, members: Members, value: Any, name: str = ""
) -> Iterator[tuple[str, Message]]:
    """Yield messages about a field, or about the record if there is no name, and what is below."""
    if isinstance(messages, dict):
        for step, inner in messages.items():
            if step == "_schema":
                yield from _faults(inner, path, members, value, name)
                continue
            is_item = isinstance(step, int)
            at = f"{path}.{step + 1 if is_item else step}".lstrip(".")
            below = members if is_item or not name else _within(members, name)
            yield from _faults(inner, at, below, _value_at(value, step), name if is_item else step)
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _faults(inner, path, members, value, name)
    else:
        yield path, _message(messages, members, value, name)


def _within(members: Members, name: Any) -> Members:
    """Return the members of what a field holds: of an owned row, or of a key."""
    member = next((m for m in members if name in (m.written, m.name)), None)
    if isinstance(member, Children):
        return member.rows.members
    if isinstance(member, Links):
        member = member.reference
    return member.parts if isinstance(member, Reference) else ()


def _value_at(value: Any, step: Any) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return _UNSHOWN


def _message(text: Any, members: Members, value: Any, name: str) -> Message:
    """Return what marshmallow, or a validator of the application's, says with what it lacks."""
    if isinstance(text, Message):
        return text
    if not isinstance(text, str):
        return Message("value-refused", shown(text))
    if text == _MISSING:
        return Message("field-missing", f"{text} {_addition(members, name)}")
    if text == _UNKNOWN and any(name == member.written for member in members):
        problem = f"{text} Records of another class have it"
        return Message("field-of-class", f"{problem}. Remove it, or correct the class")
    if text == _UNKNOWN:
        known = nearest(name, (member.written for member in members), limit=NAMES)
        return Message(
            "field-unknown",
            f"{text} Expected one of: {known}. Correct the name, or remove the field; if another "
            "version has it, declare a change",
        )
    if text == _NULL:
        return Message("value-null", f"{text} Give it a value")
    there = "" if value is _UNSHOWN or _holds_hidden(members, name) else shown(value)
    if text == _NO_RECORD:
        found = f", found {there}" if there else ""
        return Message("record-malformed", f"{text} Expected an object with fields{found}")
    if text.startswith(_TOO_LONG):
        problem = f"{text.removesuffix('.')}: {there}".removesuffix(": ")
        return Message(
            "value-too-long", f"{problem}. Shorten it, or let its field and column take more"
        )
    if there and name and there not in text:
        text = f"{text.removesuffix('.')} (the value is {there}). Correct it"
    return Message("value-refused", text)


def _addition(members: Members, name: str) -> str:
    """Return what to add where a field is missing."""
    member = next((m for m in members if name in (m.written, m.name)), None)
    if isinstance(member, Children | Links):
        return "Add it, with [] if it is empty"
    return "Add it, with null if it has no value" if member and member.nullable else "Add it"


def _holds_hidden(members: Members, name: str) -> bool:
    """Tell whether what a field holds, as a whole, holds hidden values."""
    return any(
        isinstance(member, Children) and has_hidden(member.rows)
        for member in members
        if name in (member.written, member.name)
    )
