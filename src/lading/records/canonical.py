"""Records in canonical form without a database: loaded by their schema, and written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import marshmallow as ma
import msgspec

from lading.errors import LadingError
from lading.mapping.fields import schema_of
from lading.messages import Message
from lading.model.hidden import masked_fault
from lading.model.ordering import as_listed, key_order, reference_order
from lading.model.rowsets import Children, Links, RowSet, Value
from lading.records.faults import failed_load, faults_of, unfit
from lading.records.layout import RecordLayout
from lading.records.lines import portable_key, without_ids
from lading.records.marshmallow_path import canonical_record, dumped, needs_marshmallow
from lading.report import Problem
from lading.values.json_text import json_text, on_own_stack, parse_json


@dataclass(frozen=True, slots=True)
class Canonical:
    """A record in canonical form: what it sorts by, its key, its fields and its text."""

    order: Any
    key: Any
    record: dict[str, Any]
    text: bytes


class Canonicaliser:
    """Gives an entity's records the form that an export would give them.

    What the database computes stays as the record says it.
    """

    def __init__(self, rows: RowSet) -> None:
        self.rows = rows
        self.schema = schema_of(rows)
        self.layout = RecordLayout(rows, ids=True)
        self.custom = needs_marshmallow(rows)

    def make(self, line: bytes, file: str, number: int) -> Canonical | list[Problem]:
        """Return a record's canonical form, or what is wrong with it."""
        try:
            data = parse_json(line)
        except ValueError as error:
            text = "isn't valid JSON: " + masked_fault(self.rows, "", str(error))
            return [Problem.of(Message("json-malformed", f"{text}. Correct it"), file, number)]
        key = portable_key(self.rows, data)
        try:
            return self._canonical(without_ids(self.layout, data))
        except ma.ValidationError as error:
            faults = faults_of(self.rows, data, error.messages)
        except LadingError as error:
            faults = unfit(self.rows, [("", Message(error.code, str(error)))])
        except Exception as error:
            faults = failed_load(self.rows, error)
        return [Problem.of(text, file, number, key, field or None) for field, text in faults]

    def _canonical(self, data: Any) -> Canonical:
        loaded = canonical_record(self.rows, self.schema.load(data))
        record = in_order(self.rows, _with_computed(self.rows, loaded, data))
        text = encoded(self.rows, record)
        if self.custom:
            text = dumped(self.rows, [text])[0]
        key = {part.written: record[part.written] for part in self.rows.key}
        return Canonical(key_order(self.rows.key, record), key, record, text)


def _with_computed(rows: RowSet, loaded: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Put back what the database computes."""
    record: dict[str, Any] = {}
    for member in rows.members_of(loaded):
        name = member.written
        if isinstance(member, Value) and not member.writable:
            if name in data:
                record[name] = data[name]
        elif isinstance(member, Children):
            record[name] = [
                _with_computed(member.rows, child, data_of_child)
                for child, data_of_child in zip(loaded[name], data[name], strict=True)
            ]
        else:
            record[name] = loaded[name]
    return record


def in_order(rows: RowSet, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a canonical record, or some fields of one, with its lists sorted as exports do."""
    ordered = dict(record)
    for links in rows.links:
        if keys := record.get(links.written):
            ordered[links.written] = sorted(keys, key=partial(reference_order, links.reference))
    for children in rows.children:
        if records := record.get(children.written):
            inner = [in_order(children.rows, child) for child in records]
            ordered[children.written] = as_listed(children, inner, partial(encoded, children.rows))
    return ordered


def encoded(rows: RowSet, record: Mapping[str, Any], *, omit: object = None) -> bytes:
    """Return the text of a record whose values are canonical, without the fields that it lacks.

    If ``omit`` is given, it stands for a field that isn't written.
    """
    prepared: dict[str, Any] = {}
    for member in rows.members:
        value = record.get(member.written, omit)
        if value is omit and (omit is not None or member.written not in record):
            continue
        if isinstance(member, Children):
            value = [msgspec.Raw(encoded(member.rows, child, omit=omit)) for child in value]
        elif isinstance(member, Value) and member.kind.is_json:
            value = msgspec.Raw(json_text(value))
        prepared[member.written] = value
    return on_own_stack(msgspec.json.encode, prepared)


def links_in(rows: RowSet, record: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each reference that a record holds, by its dotted path."""
    for member in rows.members_of(record):
        value = record.get(member.written)
        name = f"{path}{member.written}"
        if isinstance(member, Value) or value is None:
            continue
        if isinstance(member, Children):
            for element in value:
                yield from links_in(member.rows, element, f"{name}.")
        elif isinstance(member, Links):
            yield from ((name, key) for key in value)
        else:
            yield name, value
