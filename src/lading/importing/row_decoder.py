"""From typed structs to batches: generated checks and conversions, by row set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from lading.codegen import CodeBuilder, Expression
from lading.importing.batch import Batch, Nested
from lading.messages import Message
from lading.model.rowsets import Children, Column, Links, Reference, RowSet, Value
from lading.records.key_source import (
    order_source,
    own_key_source,
    reference_source,
    sorts_as_written,
)
from lading.records.layout import Key, KeyLayout, Part, RecordLayout
from lading.records.recursive_text import checked
from lading.values.base import CUSTOM, Kind
from lading.values.json_text import json_text, on_own_stack


class Binds(Protocol):
    """Says what becomes of a column's canonical written forms: driver values, by a dialect."""

    def binder(self, column: Column, kind: Kind) -> Expression:
        """Return the expression; it raises ``ValueError`` for what doesn't fit."""
        ...


class RowDecoder:
    """Turns decoded structs of a row set into batches."""

    def __init__(
        self,
        dialect: Binds,
        rows: RowSet,
        layout: RecordLayout,
        within: Children | None = None,
    ) -> None:
        self.rows = rows
        self.layout = layout
        self.writable = [value for value in rows.values if value.writable]
        source = CodeBuilder(f"{rows.name} decode")
        self.source = source
        self.checked = checked(source)
        binds = {value.name: self._bind(source, dialect, value) for value in self.writable}
        self.values = _each(source, f"({''.join(text + ', ' for text in binds.values())})")
        self.binds = {name: source.compile(f"lambda r: {text}") for name, text in binds.items()}
        self.keys = self._keys(within)
        self.references = {
            reference.name: _each(
                source,
                reference_source(reference, f"r.{layout.place[reference.name]}", self.checked),
            )
            for reference in rows.references
        }
        self.links = {links.name: _each(source, self._link_keys(links)) for links in rows.links}
        self.classes = self._classes()
        self.children = {
            child.name: RowDecoder(dialect, child.rows, layout.children[child.name], child)
            for child in rows.children
        }
        order = order_source(source, rows.key, "k") if rows.key else "()"
        self.order = source.compile(f"lambda keys: [{order} for k in keys]")
        self.plain_order = sorts_as_written(rows.key)

    def _bind(self, source: CodeBuilder, dialect: Binds, value: Value) -> str:
        x = f"r.{self.layout.place[value.name]}"
        text = self._bound(source, dialect, value, x)
        return text if value.classes is None else f"(None if {x} is UNSET else {text})"

    def _bound(self, source: CodeBuilder, dialect: Binds, value: Value, x: str) -> str:
        bind = dialect.binder(value.carrier, value.kind)
        if value.kind.is_json:
            text = source.use(bind, f"bytes({x})")
            refuse = Expression("null({x})", {"null": _no_null})
            null = "None" if value.nullable else source.use(refuse, x)
            return f"({null} if bytes({x}) == b'null' else {text})"
        text = source.use(bind, x)
        return f"(None if {x} is None else {text})" if value.nullable else text

    def _classes(self) -> Callable[[Sequence[Any]], list[Any]]:
        """Return what gives records' discriminators, once each has the fields of its class."""
        discriminator = self.rows.discriminator
        if discriminator is None:
            return lambda _: []
        known = self.rows.classes
        place = self.layout.place[discriminator.name]
        optional = [
            (member.written, self.layout.place[member.name], member.classes)
            for member in self.rows.members
            if member.classes is not None
            and not (isinstance(member, Value) and not member.writable)
        ]

        def class_of(record: Any) -> Any:
            class_ = getattr(record, place)
            if known is not None and class_ not in known:
                raise ValueError(
                    Message("class-unknown", f"{class_!r} isn't a class of this hierarchy")
                )
            for written, at, classes in optional:
                if (getattr(record, at) is not msgspec.UNSET) != (class_ in classes):
                    raise ValueError(
                        Message("field-of-class", f"{written}: isn't as the record's class has it")
                    )
            return class_

        return lambda records: [class_of(record) for record in records]

    def _keys(self, within: Children | None) -> Callable[..., list[Key]]:
        """Return what makes records' natural keys, given the keys of owned rows' parents."""
        parts = self.rows.whole_key or self.rows.key
        via = within.via if within is not None else None
        items = [self._key_part(part, via) for part in parts]
        keys: Callable[..., list[Key]] = self.source.compile(
            f"lambda records, above: [{own_key_source(parts, items)} for r, a in "
            f"{'zip(records, above)' if via is not None else '((r, None) for r in records)'}]"
        )
        return keys

    def _key_part(self, part: Part, via: Reference | None) -> str:
        if part is via and via.parts == via.target.key:
            return "a"
        if part not in self.rows.members:
            return "None"  # another parent's
        x = f"r.{self.layout.place[part.name]}"
        if isinstance(part, Reference):
            return reference_source(part, x, self.checked)
        return self.checked(part, x) if part.kind.name == CUSTOM and not part.nullable else x

    def _link_keys(self, links: Links) -> str:
        key = reference_source(links.reference, "k", self.checked)
        x = f"r.{self.layout.place[links.name]}"
        items = x if links.classes is None else f"({x} or ())"
        return f"[{key} for k in {items}]"

    def batch(
        self,
        records: Sequence[Any],
        numbers: list[int],
        lines: list[bytes],
        above: Sequence[Key] = (),
    ) -> Batch:
        """Check structs, and convert them to a batch of driver values.

        Args:
            records: the structs.
            numbers: the place of each struct's record in its file, counted from 1.
            lines: the text of each record; empty for owned rows.
            above: the keys of owned rows' parents.

        Raises:
            ValueError: a value doesn't fit its field or column.
        """
        keys = self.keys(records, above)
        nested_rows = {}
        for name, decoder in self.children.items():
            place = self.layout.place[name]
            lists = [getattr(record, place) or () for record in records]
            owners = [n for n, children in enumerate(lists) for _ in children]
            flat = [child for children in lists for child in children]
            above = [keys[n] for n in owners]
            nested = decoder.batch(flat, [numbers[n] for n in owners], [], above)
            nested_rows[name] = Nested(nested, owners)
        return Batch(
            numbers,
            keys,
            self.values(records),
            {name: make(records) for name, make in self.references.items()},
            {name: make(records) for name, make in self.links.items()},
            nested_rows,
            lines,
            self.classes(records),
        )

    def orders(self, keys: list[Key]) -> list[Any]:
        """Return what keys sort by."""
        return keys if self.plain_order else self.order(keys)

    def faults(self, record: Any, path: str = "") -> Iterator[tuple[str, str]]:
        """Yield each value of a struct that doesn't fit, with its path."""
        for value in self.writable:
            try:
                self.binds[value.name](record)
            except Exception as error:
                yield f"{path}{value.written}", str(error)
        for name, decoder in self.children.items():
            children = next(member for member in self.rows.children if member.name == name)
            for number, child in enumerate(getattr(record, self.layout.place[name]) or (), 1):
                yield from decoder.faults(child, f"{path}{children.written}.{number}.")

    def struct(self, record: dict[str, Any]) -> Any:
        """Build a decoded struct from a canonical record."""
        values = {}
        for member in self.rows.members_of(record):
            if isinstance(member, Value) and not member.writable:
                continue
            values[self.layout.place[member.name]] = self._member(member, record[member.written])
        return self.layout.decoded(**values)

    def _member(self, member: Any, written: Any) -> Any:
        if isinstance(member, Value):
            if member.kind.is_json:
                return msgspec.Raw(json_text(written))
            return written
        if isinstance(member, Links):
            layout = self.layout.keys.get(member.name)
            return [_key_struct(layout, key) for key in written]
        if isinstance(member, Children):
            return [self.children[member.name].struct(child) for child in written]
        if written is None or member.flat:
            return written
        return _key_struct(self.layout.keys.get(member.name), written)


def _each(source: CodeBuilder, text: str) -> Callable[[Sequence[Any]], list[Any]]:
    function: Callable[[Sequence[Any]], list[Any]] = source.compile(
        f"lambda records: [{text} for r in records]"
    )
    return function


def _key_struct(layout: KeyLayout | None, written: dict[str, Any]) -> Any:
    """Return a nested key as the decoder would; one that recurs has no layout, and is text."""
    if layout is None:
        return msgspec.Raw(on_own_stack(msgspec.json.encode, written))
    items = []
    for place, part in enumerate(layout.parts):
        value = written[part.written]
        is_plain = value is None or isinstance(part, Value) or part.flat
        items.append(value if is_plain else _key_struct(layout.nested.get(place), value))
    return layout.struct(*items)


def _no_null(_: Any) -> Any:
    raise ValueError(Message("value-null", "Field may not be null. Give it a value"))
