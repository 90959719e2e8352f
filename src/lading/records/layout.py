"""The typed structs that records of a row set are encoded from and decoded into.

A struct's attributes hold written forms, in the members' order; a nested natural
key is a struct of its own.  From structs, *keys* are made: nested tuples of
written forms, by which records are matched, resolved and sorted.  A key that recurs
is a flat tuple of its levels, the root's first, each a tuple of the other parts:
nothing that hashes, compares or pickles keys may depend on their depth.  In structs
it stands as text that is read level by level, or as a ``WrittenKey``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lading.mapping.checks import UNWRITABLE
from lading.model.recursive_keys import recurring, recurs
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.values.base import CUSTOM, Kind
from lading.values.scalars import Boolean, Float, Integer

Key = tuple[Any, ...]
Part = Value | Reference


def attribute(place: int) -> str:
    """Name the attribute of the member at a place."""
    return f"f{place}"


class WrittenKey:
    """A key that recurs, on its way out: the key itself, its text, and how deep that nests."""

    __slots__ = ("depth", "key", "text")

    def __init__(self, key: Key, text: msgspec.Raw, depth: int) -> None:
        self.key = key
        self.text = text
        self.depth = depth


class KeyLayout:
    """The struct of a nested natural key; a struct that recurs nests itself."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        self.nested = {
            place: KeyLayout(part.parts)
            for place, part in enumerate(parts)
            if isinstance(part, Reference) and not (part.flat or recurs(part))
        }
        names = [(attribute(place), self._type(place)) for place in range(len(parts))]
        rename = {attribute(place): part.written for place, part in enumerate(parts)}
        self.struct = msgspec.defstruct(
            "Key", names, rename=rename, forbid_unknown_fields=True, gc=False
        )
        own = recurring(parts)
        if own is not None:
            self.struct.__annotations__[attribute(parts.index(own))] = self.struct | None

    def _type(self, place: int) -> Any:
        part = self.parts[place]
        if isinstance(part, Value):
            return wire_type(part.kind, nullable=part.nullable)
        if recurs(part):
            return msgspec.Raw
        if part.flat:
            return flat_type(part)
        struct = self.nested[place].struct
        return struct | None if part.nullable else struct


class RecordLayout:
    """The structs of a row set's records: one to encode, one to decode.

    ``ids`` are the names of the surrogate ids that records made for debugging carry
    beside their fields; an import ignores them.
    """

    def __init__(self, rows: RowSet, *, ids: bool = False) -> None:
        self.rows = rows
        self.place = {member.name: attribute(n) for n, member in enumerate(rows.members)}
        self.keys = {
            member.name: KeyLayout(_reference(member).parts)
            for member in rows.members
            if isinstance(member, Reference | Links) and not recurs(_reference(member))
        }
        self.ids = id_names(rows) if ids else []
        self.children = {child.name: RecordLayout(child.rows, ids=ids) for child in rows.children}
        self.encoded = self._encoded()
        self.decoded = self._decoded()

    def _encoded(self) -> type[msgspec.Struct]:
        names = [(self.place[member.name], Any) for member in self.rows.members]
        rename = {self.place[member.name]: member.written for member in self.rows.members}
        for number, written in enumerate(self.ids):
            rename[f"id{number}"] = written
            names.append((f"id{number}", Any))
        return msgspec.defstruct("Record", names, rename=rename, gc=False)

    def _decoded(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        rename = {}
        for member in self.rows.members:
            name = self.place[member.name]
            rename[name] = member.written
            if isinstance(member, Value) and not member.writable:
                fields.append((name, Any, msgspec.UNSET))
            elif member.classes is not None:
                fields.append((name, self._wire(member) | msgspec.UnsetType, msgspec.UNSET))
            else:
                fields.append((name, self._wire(member)))
        for number, written in enumerate(self.ids):
            rename[f"id{number}"] = written
            fields.append((f"id{number}", Any, msgspec.UNSET))
        return msgspec.defstruct(
            "Record", fields, rename=rename, kw_only=True, forbid_unknown_fields=True, gc=False
        )

    def _wire(self, member: Member) -> Any:
        if isinstance(member, Value):
            return wire_type(member.kind, nullable=member.nullable)
        if isinstance(member, Children):
            return list[self.children[member.name].decoded]  # type: ignore[misc]
        layout = self.keys.get(member.name)
        struct: Any = msgspec.Raw if layout is None else layout.struct
        if isinstance(member, Links):
            return list[struct]
        assert isinstance(member, Reference)
        if layout is None:
            return struct
        if member.flat:
            return flat_type(member)
        return struct | None if member.nullable else struct


def _reference(member: Reference | Links) -> Reference:
    return member.reference if isinstance(member, Links) else member


def id_names(rows: RowSet) -> list[str]:
    """Name the ids that ``include_ids`` adds, own one first.

    Those whose name something else has, or no field may have, are left out.
    """
    used_names = {member.written for member in rows.members}
    names = [str(rows.surrogate.name)] if rows.surrogate is not None else []
    names += [f"{reference.name}_id" for reference in rows.references]
    fine = [name for name in dict.fromkeys(names) if not UNWRITABLE.search(name)]
    return [name for name in fine if name not in used_names]


def wire_type(kind: Kind, *, nullable: bool) -> Any:
    """Return what JSON type a kind's written form is decoded as."""
    if kind.is_json:
        return msgspec.Raw
    if kind.name == CUSTOM:
        return Any
    wire: Any = str
    if isinstance(kind, Integer):
        wire = int
    elif isinstance(kind, Boolean):
        wire = bool
    elif isinstance(kind, Float):
        wire = float | int | str
    return wire | None if nullable else wire


def flat_type(reference: Reference) -> Any:
    """Return what a flat reference is decoded as: the one value of its key."""
    (part,) = reference.parts
    assert isinstance(part, Value)
    return wire_type(part.kind, nullable=reference.nullable)


# Source text that makes keys from structs
