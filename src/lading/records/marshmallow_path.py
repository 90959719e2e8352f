"""marshmallow's own way, for schemas with hooks, overridden methods or custom fields.

Records are the same; they only pass through ``schema.dump`` on their way out and
through ``schema.load`` on their way in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import marshmallow as ma
import msgspec

from lading.errors import TargetError
from lading.mapping.fields import Owned, Ref, RefList, ValueField, schema_of
from lading.messages import Message, shown
from lading.model.hidden import HIDDEN, WITHHELD, has_hidden, hides, is_hidden, masked, masked_fault
from lading.model.recursive_keys import levels_of, recurring
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.schema import EntitySchema
from lading.values.json_text import json_text, on_own_stack, parse_json
from lading.values.plain_json import plain_json

COMPILED_FIELDS = (ValueField, Ref, RefList, Owned)
_encoder = msgspec.json.Encoder()


def needs_marshmallow(root: RowSet) -> bool:
    """Tell whether any schema of an entity does more than the compiled functions do."""
    return any(_is_custom(rows) for rows in root.tree())


def _is_custom(rows: RowSet) -> bool:
    schema, fields = rows.schema, rows.fields.values()
    if any(schema._hooks.values()) or rows.fields.keys() != {m.name for m in rows.members}:
        return True
    if any(type(field) not in COMPILED_FIELDS for field in fields):
        return True
    # lading adds validators to values; those of references and lists are the application's.
    if any(field.validators for field in fields if not isinstance(field, ValueField)):
        return True
    own = {name for cls in schema.__mro__ if _is_application(cls) for name in vars(cls)}
    return bool(own & set(vars(ma.Schema)) - {"Meta", "__module__", "__doc__", "opts", *_MADE})


#: What class creation itself sets on every schema.
_MADE = {"_declared_fields", "_hooks", "__abstractmethods__", "_abc_impl", "__annotations__"}


def _is_application(cls: type) -> bool:
    return issubclass(cls, EntitySchema) and cls is not EntitySchema


class View:
    """A record's Python values as attributes, as the model's object would have them."""

    def __init__(self, values: dict[str, Any], hidden: frozenset[str] = frozenset()) -> None:
        self.__dict__.update(values)
        self._hidden = hidden

    def __repr__(self) -> str:
        shown_values = {
            name: HIDDEN if name in self._hidden else value
            for name, value in vars(self).items()
            if name != "_hidden"
        }
        return f"<record {shown_values!r}>"


def dumped(rows: RowSet, lines: Sequence[bytes]) -> list[bytes]:
    """Pass canonical records through ``schema.dump``, and make sure that they load again.

    Whatever hooks and fields of the application's own do, a record that ``load`` doesn't
    turn back into what the database holds would be a backup that can't be restored.
    """
    schema = schema_of(rows)
    return [_dumped(rows, schema, line) for line in lines]


def _dumped(rows: RowSet, schema: ma.Schema, line: bytes) -> bytes:
    record = parse_json(line)
    dumped_record = _attempted(rows, record, schema.dump, lambda: view_of(rows, parse_json(line)))
    prepared = _prepared(rows, record, dumped_record)
    text = on_own_stack(_encoder.encode, prepared)
    loaded = _attempted(rows, record, schema.load, lambda: parse_json(text))
    try:
        again = canonical_record(rows, loaded)
    except ma.ValidationError as error:
        raise _unrestorable(rows, record, f"fails on it ({error!r})", _first(error)) from error
    stored = writable_content(rows, record)
    for name, value in again.items():
        if json_text(value) != json_text(stored[name]):
            change = f"turns {name} {shown(stored[name])} into {shown(value)}"
            raise _unrestorable(rows, record, change, name)
    return _with_ids(rows, record, prepared, text)


def _attempted(
    rows: RowSet, record: dict[str, Any], call: Callable[..., Any], new_argument: Callable[[], Any]
) -> Any:
    """Dump or load a record; an error names the field at which the application's code fails."""
    try:
        return call(new_argument(), many=False)
    except ma.ValidationError as error:
        raise _unrestorable(rows, record, f"fails on it ({error!r})", _first(error)) from error
    except Exception as error:
        field = _failing(rows, call, new_argument)
        raise _unrestorable(rows, record, f"fails on it ({error!r})", field) from error


def _first(error: ma.ValidationError) -> str | None:
    """Return the first field that a validation error names."""
    messages = error.messages
    names = messages if isinstance(messages, dict) else ()
    return next((name for name in names if isinstance(name, str) and name != "_schema"), None)


def _failing(rows: RowSet, call: Callable[..., Any], new_argument: Callable[[], Any]) -> str | None:
    """Return the first field that fails by itself, or ``None`` if a hook fails."""
    schema: ma.Schema = call.__self__  # type: ignore[attr-defined]
    for member in rows.members:
        field = schema.fields.get(member.name)
        if field is None:
            continue
        value = new_argument()
        try:
            if isinstance(value, View):
                field.serialize(member.name, value)
            elif isinstance(value, dict) and member.written in value:
                field.deserialize(value[member.written], member.written, value)
        except Exception:
            return member.written
    return None


def _prepared(
    rows: RowSet, record: dict[str, Any], dumped_record: Any, path: str = ""
) -> dict[str, Any]:
    """Prepare what ``schema.dump`` returned for encoding; an error names what JSON can't hold."""
    if not isinstance(dumped_record, dict):
        raise _unrestorable(
            rows, record, f"dumps {shown(dumped_record)}, which isn't a record", path or None
        )
    members = {member.written: member for member in rows.members}
    prepared: dict[str, Any] = {}
    for name, value in dumped_record.items():
        member = members.get(name)
        try:
            if type(name) is not str:
                raise ValueError(f"{shown(name)} isn't a field's name; expected a string")
            if isinstance(member, Children) and isinstance(value, list):
                prepared[name] = [
                    _prepared(member.rows, record, child, f"{path}{name}.") for child in value
                ]
            else:
                prepared[name] = _plain(member, value)
        except ValueError as error:
            raise _unrestorable(rows, record, f"fails on it ({error})", f"{path}{name}") from error
    return prepared


def _plain(member: Member | None, value: Any) -> Any:
    """Return a field as plain JSON; the JSON of a column as its canonical text."""
    plain = plain_json(value, sort=isinstance(member, Value))
    is_json = isinstance(member, Value) and member.kind.is_json
    return msgspec.Raw(json_text(plain)) if is_json else plain


def writable_content(rows: RowSet, record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a record that an import writes: no ids, nothing computed."""
    content = {}
    for member in rows.members_of(record):
        value = record[member.written]
        if isinstance(member, Children):
            content[member.written] = [writable_content(member.rows, child) for child in value]
        elif not (isinstance(member, Value) and not member.writable):
            content[member.written] = value
    return content


def _unrestorable(
    rows: RowSet, record: dict[str, Any], problem: str, field: str | None = None
) -> TargetError:
    key = masked(rows.key, {name: record.get(name) for name in rows.key_names})
    if has_hidden(rows) and field is None:
        problem = f"fails on it {WITHHELD}"
    elif field is not None and is_hidden(rows, field):
        problem = f"fails on its value {HIDDEN}"
    elif field is not None:
        problem = masked_fault(rows, field, problem)
    return TargetError(
        Message(
            "schema-irreversible",
            f"{rows.schema.__name__} {problem}: {shown(key)} would not be restored as it is",
        ),
        "Correct the schema's hooks and fields: load must undo dump.",
        entity=rows.name,
        key=key,
        field=field,
    )


def _with_ids(rows: RowSet, record: dict[str, Any], prepared: dict[str, Any], text: bytes) -> bytes:
    """Add the surrogate ids of records made for debugging, which no schema knows."""
    ids = record.keys() - {member.written for member in rows.members}
    if not ids:
        return text
    return on_own_stack(
        _encoder.encode, {**prepared, **{name: record[name] for name in record if name in ids}}
    )


def view_of(rows: RowSet, record: dict[str, Any]) -> View:
    """Return a canonical record's Python values."""
    values: dict[str, Any] = {}
    for member in rows.members_of(record):
        written = record[member.written]
        if isinstance(member, Value):
            values[member.attribute] = values[member.name] = _value(member, written)
        elif isinstance(member, Reference):
            values[member.name] = _reference(member, written)
        elif isinstance(member, Links):
            values[member.name] = [_key_view(member.reference, element) for element in written]
        elif isinstance(member, Children):
            values[member.name] = [view_of(member.rows, element) for element in written]
    hidden = (name for member in rows.members if hides(member) for name in _names(member))
    return View(values, frozenset(hidden))


def _names(member: Member) -> tuple[str, ...]:
    """Return the names of a field's value in a view."""
    return (member.name, member.attribute) if isinstance(member, Value) else (member.name,)


def _value(member: Value, written: Any) -> Any:
    if written is None:
        return None
    return member.kind.read(written)


def _reference(reference: Reference, written: Any) -> View | None:
    if written is None:
        return None
    nested = {reference.parts[0].written: written} if reference.flat else written
    return _key_view(reference, nested)


def _key_view(reference: Reference, written: dict[str, Any]) -> View:
    own = recurring(reference.parts)
    view: View | None = None
    for level in reversed(levels_of(written, own)):
        values: dict[str, Any] = {}
        for part in reference.parts:
            part_value = level[part.written]
            if part is own:
                values[part.name] = view
            elif isinstance(part, Value):
                values[part.attribute] = values[part.name] = _value(part, part_value)
            else:
                values[part.name] = _reference(part, part_value)
        hidden = (name for part in reference.parts if hides(part) for name in _names(part))
        view = View(values, frozenset(hidden))
    assert view is not None
    return view


def canonical_record(rows: RowSet, loaded: Any) -> dict[str, Any]:
    """Return the canonical record of what ``schema.load`` returned.

    ``ValidationError`` says what it returned that no record can hold.
    """
    if not isinstance(loaded, dict):
        raise ma.ValidationError(
            Message(
                "schema-failed",
                f"load returned {shown(loaded)}; lading needs plain data, so post_load must "
                "return it",
            )
        )
    record: dict[str, Any] = {}
    discriminator = rows.discriminator
    of_class = (
        rows.members if discriminator is None else rows.members_of(_loaded(discriminator, loaded))
    )
    for member in of_class:
        if not (isinstance(member, Value) and not member.writable):
            record |= _loaded(member, loaded)
    return record


def _loaded(member: Member, loaded: dict[str, Any]) -> dict[str, Any]:
    """Return a member's canonical form by its written name."""
    name = member.field.attribute or member.name
    if name not in loaded and member.name not in loaded:
        raise ma.ValidationError({member.written: ["Missing data for required field."]})
    value = loaded[name] if name in loaded else loaded[member.name]
    try:
        return {member.written: canonical_value(member, value)}
    except ValueError as error:
        text = f"{error}. Correct the record, or what its schema loads"
        message = Message("value-malformed", text)
        raise ma.ValidationError({member.written: [message]}) from error


def canonical_value(member: Any, value: Any) -> Any:
    """Return the canonical form of what a field's ``deserialize`` returned."""
    if value is None:
        return None
    if isinstance(member, Value):
        return member.kind.write(value)
    if isinstance(member, Reference):
        written = _canonical_key(member, value)
        return next(iter(written.values())) if member.flat else written
    if isinstance(member, Links):
        return [_canonical_key(member.reference, element) for element in value]
    return [canonical_record(member.rows, element) for element in value]


def _canonical_key(reference: Reference, value: dict[str, Any]) -> dict[str, Any]:
    own = recurring(reference.parts)
    written: dict[str, Any] | None = None
    for level in reversed(levels_of(value, own, loaded=True)):
        written = {
            part.written: written if part is own else canonical_value(part, level[part.name])
            for part in reference.parts
        }
    assert written is not None
    return written
