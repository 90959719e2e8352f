"""Whole documents of a sealed version: its golden records, and others drawn from its shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.records import copied, each
from lading.changes.rewriting.shapes import Shape, Shapes, is_link, is_owned, written_by
from lading.errors import DeclarationError
from lading.locking.sealed_shape import OWNER
from lading.testing.cell_values.drawn import joined
from lading.testing.datasets.references import Draw
from lading.testing.old_versions.values import value_strategy
from lading.values.json_text import json_text

Record = dict[str, Any]
Records = dict[str, list[Record]]
#: Records drawn of each entity, and owned ones of each list, at most.
MOST = 3
#: Some names, and what a record holds in them, as text.
Identity = tuple[tuple[str, ...], bytes]


@dataclass
class Past:
    """A catalog as it was at one seal: versions, shapes, and golden records."""

    number: int
    versions: Mapping[str, int]
    shapes: Shapes
    goldens: Records
    overrides: Mapping[str, SearchStrategy[Any]] = field(default_factory=dict)

    def documents(self) -> SearchStrategy[Records]:
        """Draw records of all entities, which are consistent with the golden ones.

        References lead to some of both.  Entities that hooks or fields of the application's own
        write have golden records alone.
        """
        return st.composite(lambda draw: _DocumentDrawing(draw, self).records())()

    @cached_property
    def strategies(self) -> dict[str, SearchStrategy[list[Record]]]:
        """How records of each entity are drawn, but for what they refer to.

        Each entity stands after those that its key is written by.
        """
        shapes = self.shapes
        names = sorted(shapes.roots, key=lambda name: -len(shapes.keyed_by(name)))
        roots = [(name, shapes.roots[name]) for name in names]
        return {name: self._records(name, shape) for name, shape in roots if not is_loose(shape)}

    def _records(self, path: str, shape: Shape) -> SearchStrategy[list[Record]]:
        kinds = shape.get("kinds") or [None]
        by_class = {kind: st.fixed_dictionaries(self._fields(path, shape, kind)) for kind in kinds}
        lists = st.lists(st.sampled_from(kinds).flatmap(by_class.__getitem__), max_size=MOST)

        def apart(records: list[Record]) -> list[Record]:
            known: set[Identity] = set()
            return [record for record in records if _is_apart(known, shape, record)]

        return lists.map(apart)

    def _fields(self, path: str, shape: Shape, kind: Any) -> dict[str, SearchStrategy[Any]]:
        """Return how each field of a class's records is drawn; references are set later."""
        fields: dict[str, SearchStrategy[Any]] = {}
        for name, inner in shape["fields"].items():
            classes = inner.get("classes")
            if inner.get("computed") or (classes is not None and kind not in classes):
                continue
            if name == shape.get("discriminator") and shape.get("kinds"):
                fields[name] = st.just(kind)
            elif is_owned(inner):
                fields[name] = self._records(f"{path}.{name}", inner)
            elif is_link(inner):
                fields[name] = st.none()
            else:
                fields[name] = self._values(f"{path}.{name}", name, inner)
        return fields

    def _values(self, place: str, name: str, inner: Shape) -> SearchStrategy[Any]:
        values = self.overrides.get(place)
        if values is None:
            values = value_strategy(name, inner, self._golden_values.get(place, {}).values())
        if values is None and not inner.get("nullable"):
            raise DeclarationError(
                "overrides-needed",
                f"assert_upgrades: nothing can be drawn for {place}, as it was at seal "
                f"{self.number}; give overrides={{{place!r}: a strategy of written values}}",
            )
        return joined(st.none() if inner.get("nullable") else None, values)

    @cached_property
    def _golden_values(self) -> dict[str, dict[bytes, Any]]:
        """The values that golden records have in each field, by its path, each once."""
        values: dict[str, dict[bytes, Any]] = {}
        for path, _, record in every_record(self.shapes, self.goldens):
            for name, value in record.items():
                if value is not None:
                    values.setdefault(f"{path}.{name}", {})[json_text(value)] = value
        return values


def is_loose(shape: Shape) -> bool:
    """Tell whether the application's own code, or nobody, knows all fields of a shape."""
    return bool(shape.get("open") or shape.get("hooks") or shape.get("extra"))


class _DocumentDrawing:
    """One document on its way: first plain values and keys, then all other references."""

    def __init__(self, draw: Draw, past: Past) -> None:
        self.draw = draw
        self.past = past
        self.shapes = past.shapes
        self.known: Records = {name: [] for name in past.shapes.roots}
        self.identities: dict[str, set[Identity]] = {name: set() for name in self.known}
        for name in self.known:
            for record in past.goldens.get(name, ()):
                self._keep(name, record)

    def records(self) -> Records:
        """Return drawn records that differ from the golden ones and one another."""
        drawn: Records = {}
        for name, strategy in self.past.strategies.items():
            drawn[name] = [record for record in self.draw(strategy) if self._is_new(name, record)]
        for path, shape, record in every_record(self.shapes, drawn):
            key = shape["key"] if path in self.shapes.roots else ()
            self._refer(shape, record, [part for part in shape["fields"] if part not in key])
        return drawn

    def _is_new(self, name: str, record: Record) -> bool:
        """Write what a record's key refers to; keep it if it can be there beside the others."""
        shape = self.shapes.roots[name]
        self._refer(shape, record, shape["key"])
        for part in shape["key"]:
            inner = shape["fields"].get(part, {})
            if is_link(inner) and record[part] is None and not inner.get("nullable"):
                return False
        return self._keep(name, record)

    def _keep(self, name: str, record: Record) -> bool:
        """Take a record in, so that others can refer to it and to what it owns, if it is new."""
        shape = self.shapes.roots[name]
        is_new = _is_apart(self.identities[name], shape, record, shape["key"])
        if is_new:
            self.known[name].append(record)
        return is_new

    def _refer(self, shape: Shape, record: Record, names: Iterable[str]) -> None:
        """Draw what some of a record's references lead to."""
        for name in names:
            inner = shape["fields"].get(name, {})
            if is_link(inner) and name in record:
                record[name] = copied(self._reference(inner))

    def _reference(self, inner: Shape) -> Any:
        keys = list(self._keys(*written_by(inner)))
        if inner["type"] == "references":
            chosen = self.draw(st.lists(st.sampled_from(keys), max_size=MOST)) if keys else []
            return list({json_text(key): key for key in chosen}.values())
        if not keys or (inner.get("nullable") and self.draw(st.booleans())):
            return None
        key = self.draw(st.sampled_from(keys))
        return next(iter(key.values())) if inner.get("flat") else key

    def _keys(self, path: str, by: str | None) -> Iterator[Record]:
        """Yield what references to an entity, or to owned records, can be written by."""
        name, lists = self.shapes.split(path)
        key = self.shapes.roots[name]["key"] if by is None else [by]
        for record in self.known[name]:
            values = {part: record.get(part) for part in key}
            if by is None or values[by] is not None:
                yield from self._owned_keys(name, lists, record, values)

    def _owned_keys(
        self, path: str, lists: Sequence[str], record: Record, key: Any
    ) -> Iterator[Record]:
        """Yield the keys of what a record owns by lists in lists: parts that it lacks are above."""
        if not lists:
            yield key
            return
        inner = f"{path}.{lists[0]}"
        target = self.shapes.targets.get(inner, {"key": ()})
        for owned in record.get(lists[0]) or ():
            own = {part: owned.get(part, key) for part in target["key"]}
            yield from self._owned_keys(inner, lists[1:], owned, own)


def _is_apart(known: set[Identity], shape: Shape, record: Record, key: Sequence[str] = ()) -> bool:
    """Claim what others may not hold: a key, in which nulls are equal, and what is unique.

    ``False`` where one of them has it already.
    """
    uniques = [[name for name in names if name != OWNER] for names in shape.get("unique", ())]
    sets = [names for names in uniques if all(record.get(name) is not None for name in names)]
    identities = {
        (tuple(names), json_text([record.get(name) for name in names]))
        for names in [*sets, key]
        if names
    }
    is_apart = known.isdisjoint(identities)
    known |= identities if is_apart else set()
    return is_apart


def every_record(shapes: Shapes, records: Records) -> Iterator[tuple[str, Shape, Record]]:
    """Yield each record and each that it owns, with path and shape."""
    for name in [name for name in records if name in shapes.roots]:
        for path, shape in shapes.tree(name):
            lists = shapes.split(path)[1]
            for record in records[name]:
                yield from ((path, shape, inner) for inner, _, _ in each(record, lists))


def dangling(shapes: Shapes, records: Records) -> Iterator[tuple[str, str]]:
    """Yield the entity and the field of references that lead to no record."""
    keys: dict[str, set[bytes]] = {}
    for path, shape, record in every_record(shapes, records):
        key = {part: record.get(part) for part in shape["key"]}
        keys.setdefault(path, set()).add(json_text(key))
    for path, name, inner, value in links_of(shapes, records):
        entity, by = written_by(inner)
        if by is None and entity in records and entity in shapes.roots:
            key = {shapes.roots[entity]["key"][0]: value} if inner.get("flat") else value
            if json_text(key) not in keys.get(entity, ()):
                yield path, name


def links_of(shapes: Shapes, records: Records) -> Iterator[tuple[str, str, Shape, Any]]:
    """Yield every link of records: path, field, the field's shape, and what is referred to."""
    for path, shape, record in every_record(shapes, records):
        for name, inner in shape["fields"].items():
            value = record.get(name)
            if is_link(inner) and value is not None:
                values = value if inner["type"] == "references" else [value]
                yield from ((path, name, inner, reference) for reference in values)
