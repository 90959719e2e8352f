"""Whole documents of a sealed version: its golden records, and others drawn from its shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.records import each
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


@dataclass
class Past:
    """A catalog as it was at one seal: versions, shapes, and golden records."""

    number: int
    versions: Mapping[str, int]
    shapes: Shapes
    goldens: Records
    overrides: Mapping[str, SearchStrategy[Any]]

    def documents(self) -> SearchStrategy[Records]:
        """Draw records of all entities, which are consistent with the golden ones.

        References lead to some of both.  Entities that hooks or fields of the application's own
        write have golden records alone.
        """
        return st.composite(lambda draw: _DocumentDrawing(draw, self).records())()

    @cached_property
    def order(self) -> list[str]:
        """The entities that are drawn, each after those that its key is written by."""
        names = sorted(self.goldens, key=lambda name: -len(self.shapes.keyed_by(name)))
        return [name for name in names if not is_loose(self.shapes.roots[name])]

    @cached_property
    def values(self) -> dict[str, SearchStrategy[Any]]:
        """What draws the values of each field, by its path."""
        goldens = {name: self.goldens[name] for name in self.order}
        return {
            f"{path}.{name}": self._values(f"{path}.{name}", inner, [r.get(name) for r in records])
            for path, shape, records in levels(self.shapes, goldens)
            for name, inner in shape["fields"].items()
            if not (is_owned(inner) or is_link(inner) or inner.get("computed"))
        }

    def _values(self, place: str, inner: Shape, goldens: list[Any]) -> SearchStrategy[Any]:
        null = st.none() if inner.get("nullable") else None
        values = self.overrides.get(place, value_strategy(place, inner, goldens))
        if values is None and null is None:
            raise DeclarationError(
                "overrides-needed",
                f"assert_upgrades: nothing can be drawn for {place}, as it was at seal "
                f"{self.number}; give overrides={{{place!r}: a strategy of written values}}",
            )
        return joined(null, values)


def is_loose(shape: Shape) -> bool:
    """Tell whether the application's own code, or nobody, knows all fields of a shape."""
    return bool(shape.get("open") or shape.get("hooks") or shape.get("extra"))


class _DocumentDrawing:
    """One document on its way: first plain values and keys, then all other references."""

    def __init__(self, draw: Draw, past: Past) -> None:
        self.draw = draw
        self.past = past
        self.shapes = past.shapes
        self.known = {name: [*records] for name, records in past.goldens.items()}
        self.late: list[tuple[bool, Record, str, Shape]] = []

    def records(self) -> Records:
        """Return drawn records that differ from the golden ones and one another."""
        drawn = {name: self._more(name, self.known[name]) for name in self.past.order}
        for _, record, name, inner in sorted(self.late, key=lambda late: late[0]):  # keys first
            record[name] = self._reference(inner)
        return drawn

    def _more(self, path: str, known: list[Record]) -> list[Record]:
        """Add records to a list, as far as they differ in what is unique, and return them."""
        shape, count = self.shapes.at(path), len(known)
        least = int(path in self.shapes.roots and not known)  # others may have to refer to one
        claimed = set().union(*(self._identities(path, shape, record) for record in known))
        for _ in range(self.draw(st.integers(least, MOST))):
            record = self._record(path, shape)
            identities = self._identities(path, shape, record)
            if claimed.isdisjoint(identities):
                claimed |= identities
                known.append(record)
        return known[count:]

    def _identities(self, path: str, shape: Shape, record: Record) -> set[bytes]:
        """Return what no other may hold: a key, in which nulls are equal, and unique sets."""
        uniques = [[name for name in names if name != OWNER] for names in shape.get("unique", ())]
        sets = [names for names in uniques if all(record.get(name) is not None for name in names)]
        keys = [shape["key"]] if path in self.shapes.roots else []
        return {json_text({name: record.get(name) for name in names}) for names in [*sets, *keys]}

    def _record(self, path: str, shape: Shape) -> Record:
        """Draw a record of any class; what is no part of an entity's key leads nowhere yet."""
        record: Record = {}
        class_name = self.draw(st.sampled_from(shape.get("kinds") or [None]))
        for name, inner in shape["fields"].items():
            place = f"{path}.{name}"
            if inner.get("computed") or class_name not in inner.get("classes", [class_name]):
                continue
            if shape.get("kinds") and name == shape.get("discriminator"):
                record[name] = class_name
            elif is_owned(inner):
                record[name] = self._more(place, [])
            elif not is_link(inner):
                record[name] = self.draw(self.past.values[place])
            elif path in self.shapes.roots and name in shape["key"]:
                record[name] = self._reference(inner)
            else:
                record[name] = None
                self.late.append((name not in self.shapes.key_of(path), record, name, inner))
        return record

    def _reference(self, inner: Shape) -> Any:
        """Draw what a reference is; where it must lead somewhere and can't, no document."""
        targets = targets_of(self.shapes, self.known, inner)
        some = st.sampled_from(targets) if targets else st.nothing()
        if inner["type"] == "references":
            return self.draw(st.lists(some, max_size=MOST, unique_by=json_text))
        return self.draw(joined(st.none() if inner.get("nullable") else None, some))


def targets_of(shapes: Shapes, records: Records, inner: Shape) -> list[Any]:
    """Return all that references of a shape can be, to lead to one of some records."""
    target, by = written_by(inner)
    name, lists = shapes.split(target)
    keys: list[tuple[Record, Any]] = [(records, None)]
    path = ""
    for field in (name, *lists):
        path = f"{path}.{field}" if path else field
        parts = shapes.parts((path, None))
        keys = [
            (record, {part: record.get(part, above) for part in parts})
            for holder, above in keys
            for record, _, _ in each(holder, (field,))
        ]
    if by is not None:
        keys = [(record, {by: record[by]}) for record, _ in keys if record.get(by) is not None]
    return [next(iter(key.values())) if inner.get("flat") else key for _, key in keys]


def levels(shapes: Shapes, records: Records) -> Iterator[tuple[str, Shape, list[Record]]]:
    """Yield the records of each entity and of each owned list, with path and shape."""
    for name in records:
        for path, shape in shapes.tree(name):
            names = (name, *shapes.split(path)[1])  # a document holds lists, as records do
            yield path, shape, [record for record, _, _ in each(records, names)]
