"""marshmallow's own way, for schemas with hooks, overridden methods or custom fields.

Records are the same; they only pass through ``schema.dump`` on their way out and
through ``schema.load`` on their way in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
import msgspec

from lading.declare.fields import Owned, Ref, RefList, ValueField
from lading.declare.recurring import levels_of, recurring
from lading.declare.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.declare.schema import EntitySchema
from lading.errors import TargetError, shown
from lading.jsontext import json_text, on_own_stack, parse_json

COMPILED_FIELDS = (ValueField, Ref, RefList, Owned)
_encoder = msgspec.json.Encoder()


def needs_marshmallow(root: RowSet) -> bool:
    """Tell whether any schema of an entity means more than what is compiled."""
    return any(_is_custom(rows) for rows in root.tree())


def _is_custom(rows: RowSet) -> bool:
    schema = rows.schema
    if any(schema._hooks.values()) or set(schema._declared_fields) != {
        member.name for member in rows.members
    } | _outside(rows):
        return True
    fields = schema._declared_fields.values()
    if any(type(field) not in COMPILED_FIELDS for field in fields):
        return True
    # A value's validators are ours, but whoever gives some to a reference or list means them.
    if any(field.validators for field in fields if not isinstance(field, ValueField)):
        return True
    own = {name for cls in schema.__mro__ if _is_application(cls) for name in vars(cls)}
    return bool(own & set(vars(ma.Schema)) - {"Meta", "__module__", "__doc__", "opts", *_MADE})


#: What class creation itself sets on every schema.
_MADE = {"_declared_fields", "_hooks", "__abstractmethods__", "_abc_impl", "__annotations__"}


def _outside(rows: RowSet) -> set[str]:
    """The fields that nesting leaves out: the ways to the rows' owners."""
    carried = {member.name for member in rows.members}
    return {
        name
        for name, field in rows.schema._declared_fields.items()
        if name not in carried and isinstance(field, Ref) and rows.parent is not None
    }


def _is_application(cls: type) -> bool:
    return issubclass(cls, EntitySchema) and cls is not EntitySchema


class View:
    """A record's Python values as attributes, as the model's object would have them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"<record {self.__dict__!r}>"


def dumped(rows: RowSet, lines: Sequence[bytes]) -> list[bytes]:
    """Pass canonical records through ``schema.dump``, and make sure that they load again.

    Whatever hooks and fields of the application's own do, a record that ``load`` doesn't
    turn back into what the database holds would be a backup that can't be restored.
    """
    schema = rows.schema()
    result = []
    for line in lines:
        record = parse_json(line)
        try:
            made = schema.dump(view_of(rows, record), many=False)
            text = on_own_stack(_encoder.encode, made)
            again = canonical_record(rows, schema.load(parse_json(text), many=False))
        except Exception as error:
            raise _unrestorable(rows, record, f"fails on it ({error!r})") from error
        held = writable_content(rows, record)
        for name, value in again.items():
            if json_text(value) != json_text(held[name]):
                change = f"turns {name} {shown(held[name])} into {shown(value)}"
                raise _unrestorable(rows, record, change, name)
        result.append(_with_ids(rows, record, made, text))
    return result


def writable_content(rows: RowSet, record: dict[str, Any]) -> dict[str, Any]:
    """Return what of a record an import writes: no ids, nothing computed."""
    held = {}
    for member in rows.members_of(record):
        value = record[member.written]
        if isinstance(member, Children):
            held[member.written] = [writable_content(member.rows, item) for item in value]
        elif not (isinstance(member, Value) and not member.writable):
            held[member.written] = value
    return held


def _unrestorable(
    rows: RowSet, record: dict[str, Any], what: str, field: str | None = None
) -> TargetError:
    key = {name: record.get(name) for name in rows.key_names}
    return TargetError(
        f"{rows.schema.__name__} {what}: {shown(key)} would not be restored as it is",
        "Correct the schema's hooks and fields: load must undo dump.",
        entity=rows.name,
        key=key,
        field=field,
    )


def _with_ids(rows: RowSet, record: dict[str, Any], made: Any, text: bytes) -> bytes:
    """Add the surrogate ids of records made for debugging, which no schema knows."""
    ids = record.keys() - {member.written for member in rows.members}
    if not ids or not isinstance(made, dict):
        return text
    return _encoder.encode({**made, **{name: record[name] for name in record if name in ids}})


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
            values[member.name] = [_key_view(member.reference, item) for item in written]
        elif isinstance(member, Children):
            values[member.name] = [view_of(member.rows, item) for item in written]
    return View(values)


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
            item = level[part.written]
            if part is own:
                values[part.name] = view
            elif isinstance(part, Value):
                values[part.attribute] = values[part.name] = _value(part, item)
            else:
                values[part.name] = _reference(part, item)
        view = View(values)
    assert view is not None
    return view


def canonical_record(rows: RowSet, loaded: Any) -> dict[str, Any]:
    """Return the canonical record of what ``schema.load`` returned.

    ``ValidationError`` says what it returned that no record can hold.
    """
    if not isinstance(loaded, dict):
        raise ma.ValidationError(
            f"load returned {shown(loaded)}; lading needs plain data, so post_load must return it"
        )
    record: dict[str, Any] = {}
    kind = rows.discriminator
    of_class = rows.members if kind is None else rows.members_of(_loaded(kind, loaded))
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
        return {member.written: _canonical(member, value)}
    except ValueError as error:
        raise ma.ValidationError({member.written: [str(error)]}) from error


def _canonical(member: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(member, Value):
        return member.kind.write(value)
    if isinstance(member, Reference):
        written = _canonical_key(member, value)
        return next(iter(written.values())) if member.flat else written
    if isinstance(member, Links):
        return [_canonical_key(member.reference, item) for item in value]
    return [canonical_record(member.rows, item) for item in value]


def _canonical_key(reference: Reference, value: dict[str, Any]) -> dict[str, Any]:
    own = recurring(reference.parts)
    written: dict[str, Any] | None = None
    for level in reversed(levels_of(value, own, loaded=True)):
        written = {
            part.written: written if part is own else _canonical(part, level[part.name])
            for part in reference.parts
        }
    assert written is not None
    return written
