"""Whole documents of a sealed version: its golden records, and others drawn from its shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import networkx as nx
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.records import copied, each
from lading.changes.rewriting.shapes import Shape, Shapes, Written, is_link, is_owned, written_by
from lading.errors import DeclarationError
from lading.messages import shown
from lading.testing.old_versions.values import value_strategy
from lading.values.json_text import json_text

Record = dict[str, Any]
Records = dict[str, list[Record]]
Draw = Any
#: Records drawn of each entity, and owned ones of each list, at most.
MOST = 3
OWNER = ".."
#: Some names, and what a record holds in them, as text.
Identity = tuple[tuple[str, ...], bytes]
#: What makes a text that is nearly another, and as often leaves a drawn one alone.
NEARLY: list[Callable[[str], str]] = [str, str, str.swapcase, "{}x".format, " {}".format]


class Document:
    """Records by entity, of which golden ones aren't shown."""

    def __init__(self, records: Records, past: Past) -> None:
        self.records = records
        self.past = past

    def __repr__(self) -> str:
        drawn = {
            name: records[len(self.past.goldens.get(name, ())) :]
            for name, records in self.records.items()
        }
        return f"<golden records, and {shown({name: new for name, new in drawn.items() if new})}>"


@dataclass
class Past:
    """A catalog as it was at one seal: versions, shapes, and golden records."""

    number: int
    versions: Mapping[str, int]
    shapes: Shapes
    goldens: Records
    overrides: Mapping[str, SearchStrategy[Any]] = field(default_factory=dict)

    def documents(self) -> SearchStrategy[Document]:
        """Draw consistent records of all entities; references lead to some of them.

        Entities that hooks or fields of the application's own write have golden records alone.
        """

        @st.composite
        def document(draw: Draw) -> Document:
            return Document(_DocumentDrawing(draw, self).drawn(), self)

        return document()

    @cached_property
    def drawn_roots(self) -> list[str]:
        """The entities whose records are drawn, each after those that its key is written by."""
        keys = nx.DiGraph(
            {
                name: [
                    written_by(inner)[0].partition(".")[0]
                    for part, inner in shape["fields"].items()
                    if part in shape["key"] and is_link(inner)
                ]
                for name, shape in self.shapes.roots.items()
            }
        )
        return [
            name
            for name in nx.dfs_postorder_nodes(keys)
            if name in self.shapes.roots and not is_loose(self.shapes.roots[name])
        ]

    @cached_property
    def strategies(self) -> dict[str, SearchStrategy[Any] | None]:
        """How each plain field is drawn, by its path; ``None`` where nothing can be."""
        golden_values: dict[str, dict[bytes, Any]] = {}
        for path, _, record in every_record(self.shapes, self.goldens):
            for name, value in record.items():
                if value is not None:
                    golden_values.setdefault(f"{path}.{name}", {})[json_text(value)] = value
        fields = {
            f"{path}.{name}": (name, inner)
            for root in self.drawn_roots
            for path, shape in self.shapes.tree(root)
            for name, inner in shape["fields"].items()
            if not is_owned(inner) and not is_link(inner)
        }
        return {
            place: self.overrides[place]
            if place in self.overrides
            else value_strategy(name, inner, list(golden_values.get(place, {}).values()))
            for place, (name, inner) in fields.items()
        }


def is_loose(shape: Shape) -> bool:
    """Tell whether the application's own code, or nobody, knows all fields of a shape."""
    return bool(shape.get("open") or shape.get("hooks") or shape.get("extra"))


class _DocumentDrawing:
    """One document on its way: first plain values and keys, then all other references."""

    def __init__(self, draw: Draw, past: Past) -> None:
        self.draw = draw
        self.past = past
        self.shapes = past.shapes
        self.records: Records = {name: [] for name in past.shapes.roots}
        #: What references can be written by, each record once.
        self.keys: dict[Written, dict[bytes, Any]] = {}
        self.identities: dict[str, set[Identity]] = {name: set() for name in past.shapes.roots}
        self.texts: dict[str, list[str]] = {}
        self.later: list[tuple[Record, str, Shape]] = []

    def drawn(self) -> Records:
        """Return the records."""
        for name in self.shapes.roots:
            for record in self.past.goldens.get(name, ()):
                self._keep(name, copied(record))
        for name in self.past.drawn_roots:
            for _ in range(self.draw(st.integers(0, MOST))):
                self._root(name, self.shapes.roots[name])
        for record, name, inner in self.later:
            record[name] = self._reference(inner)
        return self.records

    def _root(self, name: str, shape: Shape) -> None:
        record = self._record(name, shape)
        if record is not None:
            identities = {_key_identity(shape, record), *_unique_identities(shape, record)}
            if identities.isdisjoint(self.identities[name]):
                self._keep(name, record)

    def _keep(self, name: str, record: Record) -> None:
        """Take a record in, so that others can refer to it and to what it owns."""
        self.records[name].append(record)
        shape = self.shapes.roots[name]
        self.identities[name].add(_key_identity(shape, record))
        self.identities[name] |= _unique_identities(shape, record)
        key = {part: record.get(part) for part in shape["key"]}
        self._named((name, None), key)
        for part, value in record.items():
            if not isinstance(value, dict | list) and value is not None:
                self._named((name, part), {part: value})
        self._owned_keys(name, shape, record, key)

    def _owned_keys(self, path: str, shape: Shape, record: Record, above: Any) -> None:
        for name, inner in shape["fields"].items():
            if not is_owned(inner):
                continue
            target = self.shapes.targets.get(f"{path}.{name}")
            for owned in record.get(name) or ():
                key = None
                if target is not None:
                    key = {part: owned.get(part, above) for part in target["key"]}
                    self._named((f"{path}.{name}", None), key)
                self._owned_keys(f"{path}.{name}", inner, owned, key)

    def _named(self, written: Written, key: Any) -> None:
        self.keys.setdefault(written, {}).setdefault(json_text(key), key)

    def _record(self, path: str, shape: Shape) -> Record | None:
        """Draw a record's fields; ``None`` where nothing can be drawn for one that must be there.

        References beyond the key are set when all keys are known.
        """
        kind = shape.get("discriminator")
        record: Record = {}
        chosen = self.draw(st.sampled_from(shape["kinds"])) if shape.get("kinds") else None
        for name, inner in shape["fields"].items():
            if inner.get("computed") or (
                inner.get("classes") is not None and chosen not in inner["classes"]
            ):
                continue
            if name == kind and chosen is not None:
                record[name] = chosen
            elif is_owned(inner):
                record[name] = self._owned(f"{path}.{name}", inner)
            elif is_link(inner) and (name not in shape["key"] or path not in self.shapes.roots):
                record[name] = None
                self.later.append((record, name, inner))
            else:
                value = self._value(path, name, inner)
                if value is None and not inner.get("nullable"):
                    return None
                record[name] = value
        return record

    def _value(self, path: str, name: str, inner: Shape) -> Any:
        if is_link(inner):
            return self._reference(inner)
        if inner.get("nullable") and self.draw(st.booleans()):
            return None
        place = f"{path}.{name}"
        drawn = self.past.strategies[place]
        if drawn is None and not inner.get("nullable"):
            raise DeclarationError(
                f"assert_upgrades: nothing can be drawn for {place}, as it was at seal "
                f"{self.past.number}; give overrides={{{place!r}: a strategy of written values}}"
            )
        if drawn is None:
            return None
        value = self.draw(drawn)
        return self._near(place, inner, value) if isinstance(value, str) else value

    def _near(self, place: str, inner: Shape, value: str) -> str:
        """Now and then, make a text nearly that of another record, for what folds or cuts."""
        before = self.texts.setdefault(place, [])
        limits = inner.get("constraints", {})
        is_free = inner["type"] == "string" and place not in self.past.overrides
        if is_free and before and not limits.keys() - {"longest", "shortest"}:
            make = self.draw(st.sampled_from(NEARLY))
            near = value if make is str else make(self.draw(st.sampled_from(before)))
            if limits.get("shortest", 0) <= len(near) <= limits.get("longest", len(near)):
                value = near
        before.append(value)
        return value

    def _owned(self, path: str, inner: Shape) -> list[Record]:
        records = []
        known: set[Identity] = set()
        for _ in range(self.draw(st.integers(0, MOST))):
            record = self._record(path, inner)
            if record is not None and known.isdisjoint(_unique_identities(inner, record)):
                known |= _unique_identities(inner, record)
                records.append(record)
        return records

    def _reference(self, inner: Shape) -> Any:
        keys = list(self.keys.get(written_by(inner), {}).values())
        if inner["type"] == "references":
            chosen = self.draw(st.lists(st.sampled_from(keys), max_size=MOST)) if keys else []
            return list({json_text(key): copied(key) for key in chosen}.values())
        if not keys or (inner.get("nullable") and self.draw(st.booleans())):
            return None
        key = copied(self.draw(st.sampled_from(keys)))
        return next(iter(key.values())) if inner.get("flat") else key


def _key_identity(shape: Shape, record: Record) -> Identity:
    """Return what no other record of an entity may have: its key, in which nulls are equal."""
    names = tuple(shape["key"])
    return names, json_text([record.get(name) for name in names])


def _unique_identities(shape: Shape, record: Record) -> set[Identity]:
    """Return what no other record of a list may have of what is unique, and not null."""
    sets = [tuple(n for n in names if n != OWNER) for names in shape.get("unique", ())]
    return {
        (names, json_text([record[name] for name in names]))
        for names in sets
        if names and all(record.get(name) is not None for name in names)
    }


def every_record(shapes: Shapes, records: Records) -> Iterator[tuple[str, Shape, Record]]:
    """Yield each record and each that it owns, with path and shape."""
    for name in [name for name in records if name in shapes.roots]:
        for path, shape in shapes.tree(name):
            lists = shapes.split(path)[1]
            for record in records[name]:
                yield from ((path, shape, inner) for inner, _, _ in each(record, lists))


def dangling(shapes: Shapes, records: Records) -> Iterator[tuple[str, str]]:
    """Yield the entity and the field of references that lead to no record."""
    keys: dict[str, set[bytes]] = {
        name: {
            json_text({part: record.get(part) for part in shapes.roots[name]["key"]})
            for record in of
        }
        for name, of in records.items()
        if name in shapes.roots
    }
    for path, name, inner, value in links_of(shapes, records):
        entity, by = written_by(inner)
        if by is None and entity in keys:
            part = shapes.roots[entity]["key"]
            key = {part[0]: value} if inner.get("flat") else value
            if json_text(key) not in keys[entity]:
                yield path, name


def links_of(shapes: Shapes, records: Records) -> Iterator[tuple[str, str, Shape, Any]]:
    """Yield every link of records: path, field, the field's shape, and what is referred to."""
    for path, shape, record in every_record(shapes, records):
        for name, inner in shape["fields"].items():
            value = record.get(name)
            if is_link(inner) and value is not None:
                values = value if inner["type"] == "references" else [value]
                yield from ((path, name, inner, reference) for reference in values)
