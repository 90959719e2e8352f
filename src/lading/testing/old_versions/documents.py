"""Whole documents of a sealed version: its golden records, and others drawn from its shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.changes.rewriting.records import copied
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
        golden_values = {path: _golden_values(self, path) for path in _paths(self.shapes)}

        @st.composite
        def document(draw: Draw) -> Document:
            return Document(_DocumentDrawing(draw, self, golden_values).drawn(), self)

        return document()


def _paths(shapes: Shapes) -> list[str]:
    return [path for name in shapes.roots for path, _ in shapes.tree(name)]


def _golden_values(past: Past, path: str) -> dict[str, list[Any]]:
    """Return the values that golden records have in each field of a path."""
    entity, names = past.shapes.split(path)
    values_by_name: dict[str, dict[bytes, Any]] = {}
    pending = [(record, names) for record in past.goldens.get(entity, ())]
    for record, rest in pending:
        if rest:
            pending += [(owned, rest[1:]) for owned in record.get(rest[0]) or ()]
            continue
        for name, value in record.items():
            if value is not None:
                values_by_name.setdefault(name, {})[json_text(value)] = value
    return {name: list(values.values()) for name, values in values_by_name.items()}


class _DocumentDrawing:
    """One document on its way: first plain values and keys, then all other references."""

    def __init__(
        self, draw: Draw, past: Past, golden_values: dict[str, dict[str, list[Any]]]
    ) -> None:
        self.draw = draw
        self.past = past
        self.shapes = past.shapes
        self.golden_values = golden_values
        self.records: Records = {name: [] for name in past.shapes.roots}
        #: What references can be written by, each record once.
        self.keys: dict[Written, dict[bytes, Any]] = {}
        self.known_texts: dict[tuple[str, int], set[bytes]] = {}
        self.texts: dict[str, list[str]] = {}
        self.later: list[tuple[Record, str, Shape]] = []

    def drawn(self) -> Records:
        """Return the records."""
        for name in self.shapes.roots:
            for record in self.past.goldens.get(name, ()):
                self._keep(name, copied(record))
        for name in self._by_keys():
            shape = self.shapes.roots[name]
            if not (shape.get("hooks") or shape.get("extra") or shape.get("open")):
                for _ in range(self.draw(st.integers(0, MOST))):
                    self._root(name, shape)
        for record, name, inner in self.later:
            record[name] = self._reference(inner)
        return self.records

    def _by_keys(self) -> list[str]:
        """List the entities, each after those that its key is written by."""
        ordered_names: list[str] = []

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in ordered_names or name in above or name not in self.shapes.roots:
                return
            shape = self.shapes.roots[name]
            for part in shape["key"]:
                inner = shape["fields"].get(part, {})
                if is_link(inner):
                    visit(str(inner.get("entity")).split(".", maxsplit=1)[0], (*above, name))
            ordered_names.append(name)

        for name in self.shapes.roots:
            visit(name, ())
        return ordered_names

    def _root(self, name: str, shape: Shape) -> None:
        record = self._record(name, shape)
        if record is not None and self._is_new(name, shape, record):
            self._keep(name, record)

    def _keep(self, name: str, record: Record) -> None:
        """Take a record in, so that others can refer to it and to what it owns."""
        self.records[name].append(record)
        shape = self.shapes.roots[name]
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
        drawn = self.past.overrides.get(place)
        if drawn is None:
            drawn = value_strategy(name, inner, self.golden_values[path].get(name, ()))
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
        is_free = inner["type"] == "string" and place not in self.past.overrides
        if is_free and not inner.get("constraints", {}).keys() - {"longest", "shortest"} and before:
            make = self.draw(st.sampled_from([str, str, str.swapcase, "{}x".format, " {}".format]))
            if make is not str:
                near = make(self.draw(st.sampled_from(before)))
                constraints = inner.get("constraints", {})
                if (
                    int(constraints.get("shortest", 0))
                    <= len(near)
                    <= int(constraints.get("longest", len(near)))
                ):
                    value = near
        before.append(value)
        return value

    def _owned(self, path: str, inner: Shape) -> list[Record]:
        records = []
        self.known_texts = {
            place: texts for place, texts in self.known_texts.items() if place[0] != path
        }
        for _ in range(self.draw(st.integers(0, MOST))):
            record = self._record(path, inner)
            if record is not None and self._is_new(path, inner, record):
                records.append(record)
        return records

    def _is_new(self, path: str, shape: Shape, record: Record) -> bool:
        """Tell whether a record agrees with no other on its key, or on what is unique."""
        sets = [list(shape["key"])] if path in self.shapes.roots else []
        sets += [[name for name in names if name != OWNER] for names in shape.get("unique", [])]
        keys = 1 if path in self.shapes.roots else 0  # of which nulls are equal
        texts = [
            json_text([record.get(name) for name in names])
            if names and (n < keys or not any(record.get(name) is None for name in names))
            else None
            for n, names in enumerate(sets)
        ]
        texts_by_set = [
            self.known_texts.setdefault((path, n), self._texts(path, names))
            for n, names in enumerate(sets)
        ]
        if any(text in known_texts for text, known_texts in zip(texts, texts_by_set, strict=True)):
            return False
        for text, known_texts in zip(texts, texts_by_set, strict=True):
            if text is not None:
                known_texts.add(text)
        return True

    def _texts(self, path: str, names: list[str]) -> set[bytes]:
        """Return what golden records hold already."""
        known = self.records.get(path, [])
        return {json_text([record.get(name) for name in names]) for record in known}

    def _reference(self, inner: Shape) -> Any:
        keys = list(self.keys.get(written_by(inner), {}).values())
        if inner["type"] == "references":
            chosen = self.draw(st.lists(st.sampled_from(keys), max_size=MOST)) if keys else []
            return list({json_text(key): copied(key) for key in chosen}.values())
        if not keys or (inner.get("nullable") and self.draw(st.booleans())):
            return None
        key = copied(self.draw(st.sampled_from(keys)))
        return next(iter(key.values())) if inner.get("flat") else key


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
    for entity, records_of_entity in records.items():
        pending: list[tuple[str, Shape, Any]] = [
            (entity, shapes.roots[entity], record)
            for record in records_of_entity
            if entity in shapes.roots
        ]
        while pending:
            path, shape, record = pending.pop()
            for name, inner in shape["fields"].items():
                value = record.get(name)
                if is_owned(inner):
                    pending += [(f"{path}.{name}", inner, owned) for owned in value or ()]
                elif is_link(inner) and value is not None:
                    values = value if inner["type"] == "references" else [value]
                    yield from ((path, name, inner, reference) for reference in values)
