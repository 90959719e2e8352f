"""Split: the step that makes an entity of some fields of another's records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lading.changes.rewriting.lookups import KeyLookup, Pair, Record, SplitPart
from lading.changes.rewriting.records import Refused, Undecided, copied, require
from lading.changes.rewriting.rekey_references import replacing, restate
from lading.changes.rewriting.shapes import (
    Shape,
    Shapes,
    StepMismatch,
    is_link,
    unknown,
    written_by,
)
from lading.changes.steps.base import (
    Effect,
    Known,
    Step,
    entity_of,
    key_faults,
    name_faults,
    names_text,
    without,
)
from lading.mapping.meta_options import names_in
from lading.messages import shown
from lading.values.json_text import json_text


class Split(Step):
    """Makes an entity of some fields of another's records, each distinct record once.

    Records with one key must agree on the other fields.  The change begins the new entity:
    ``(None, 1)``.

    Args:
        entity: The entity whose records lose the fields.
        into: The new entity.
        fields: The fields, or a mapping of each to its name in the new entity.
        key: The new entity's natural key, among the fields.
        ref: The reference that the records get in place of the fields.  It is null where all of
            them are.
    """

    def __init__(
        self,
        entity: str,
        into: str,
        *,
        fields: str | Iterable[str] | Mapping[str, str],
        key: str | Iterable[str],
        ref: str,
    ) -> None:
        self.path = entity
        self.into = into
        named = fields if isinstance(fields, Mapping) else {name: name for name in names_in(fields)}
        self.fields = dict(named)
        self.key = names_in(key)
        self.ref = ref

    def __repr__(self) -> str:
        return f"Split({self.path!r}, {self.into!r}, key={self.key!r}, ref={self.ref!r})"

    @property
    def concerns(self) -> tuple[str, ...]:
        """The entity, and the one that is made of it."""
        return (self.path, self.into)

    @property
    def begins(self) -> str | None:
        """The entity that is made."""
        return self.into

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from name_faults("into", self.into)
        yield from name_faults("ref", self.ref)
        if not self.fields:
            yield "fields is empty; name what the new entity takes"
        for old, new in self.fields.items():
            yield from name_faults("fields", old)
            yield from name_faults("fields", new)
        yield from key_faults("key", self.key)
        for name in self.key:
            if name not in self.fields.values():
                yield f"key names {name!r}, which is none of the new entity's fields"

    def alters(self, shapes: Shapes) -> str | None:
        """The entity, if what it is split by is part of its key."""
        shape = shapes.roots.get(self.path, {})
        return str(self.path) if self.ref in shape.get("key", ()) else None

    def undo(self, shapes: Shapes) -> Known:
        """Put the fields back, in place of the reference."""
        shape, new_shape = entity_of(shapes, self.path), entity_of(shapes, self.into)
        self._refuse_other(new_shape)
        link = shapes.field(self.path, self.ref)
        if not is_link(link) or link["type"] != "reference":
            raise StepMismatch(f"{self.ref!r} of {self.path} is not a reference after this step")
        if written_by(link) != (self.into, None):
            raise StepMismatch(f"{self.ref!r} of {self.path} refers to {link.get('entity')}")
        parts = {new: old for old, new in self.fields.items()}
        key = [
            part
            for name in shape["key"]
            for part in ([parts[new] for new in self.key] if name == self.ref else [name])
        ]
        known = Known(
            {self.ref: copied(link)}, root=copied(new_shape), targets=shapes.forget(self.into)
        )
        without(shapes, self.path, self.ref)
        null = {"nullable": True} if link.get("nullable") else {}
        for old, new in self.fields.items():
            if old in shape["fields"]:
                raise StepMismatch(f"the field {old!r} of {self.path} still exists after this step")
            shape["fields"][old] = {**copied(new_shape["fields"].get(new, unknown())), **null}
        shape["key"] = key
        return known

    def _refuse_other(self, shape: Shape) -> None:
        """Refuse an entity that isn't what the step makes."""
        if shape.get("open"):
            return
        more = [name for name in shape["fields"] if name not in self.fields.values()]
        if more:
            raise StepMismatch(
                f"nothing sets {more[0]!r} of {self.into}; name it in fields, or Add it after this "
                "step"
            )
        less = [name for name in self.fields.values() if name not in shape["fields"]]
        if less:
            raise StepMismatch(
                f"the field {less[0]!r} of {self.into} doesn't exist after this step"
            )
        if list(shape["key"]) != list(self.key):
            raise StepMismatch(
                f"the natural key of {self.into} is {names_text(shape['key'])}, not "
                f"{names_text(self.key)}"
            )

    def run(self, shapes: Shapes, known: Known) -> Sequence[Effect]:
        """Take the fields out, and refer to what is made of them."""
        shape = copied(entity_of(shapes, self.path))
        if self.into in shapes.roots:
            raise StepMismatch(f"the entity {self.into!r} already exists at that point")
        for old in self.fields:
            shapes.field(self.path, old)
        if self.ref not in self.fields:
            shapes.lacks(self.path, self.ref)
        part = SplitPart(self.path, self.into, self._part(shape))
        effects: list[Effect] = [
            part,
            (self.path, self._act(part, known.fields[self.ref])),
        ]
        old_key = list(shape["key"])
        key = list(dict.fromkeys(self.ref if name in self.fields else name for name in old_key))
        if not set(old_key).isdisjoint(self.fields):
            lookup = self._key_lookup(part, known.fields[self.ref], key)
            effects = [part, lookup, *effects[1:], *replacing(shapes, lookup, old_key)]
            effects += restate(shapes, self.path, old_key, key)
        for old in self.fields:
            without(shapes, self.path, old)
        shapes.roots[self.path]["key"] = key
        shapes.roots[self.path]["fields"][self.ref] = copied(known.fields[self.ref])
        shapes.roots[self.into] = copied(known.root)
        shapes.targets.update(copied(known.targets))
        return effects

    def _part(self, shape: Shape) -> Any:
        """Return what gives the part of a record that becomes one of its own."""
        has = {old: require(shape, old) for old in self.fields}

        def part(record: Record) -> Pair | None:
            # A record of another class of its hierarchy has none of them.
            present = [old for old in self.fields if has[old](record, "")]
            fields = {self.fields[old]: copied(record[old]) for old in present}
            key = {name: fields.get(name) for name in self.key}
            if all(value is None for value in key.values()):
                lost = [old for old in present if record[old] not in (None, [])]
                if lost:
                    raise Undecided(
                        f"has {lost[0]!r}, but nothing that becomes {names_text(self.key)} of "
                        f"{self.into}, whose key that is",
                        lost[0],
                    )
                return None
            return key, fields

        return part

    def _act(self, part: SplitPart, link: Shape) -> Any:
        names = list(self.fields)
        flat = bool(link.get("flat"))

        def act(record: Record) -> None:
            pair = part.extract(record)
            if pair is None and not any(name in record for name in names):
                return
            for name in names:
                record.pop(name, None)
            if self.ref in record:
                raise Refused(f"{self.ref!r} is there already, and isn't overwritten", self.ref)
            record[self.ref] = None
            if pair is not None:
                key, fields = pair
                _refuse_differing(self.into, key, fields, part.find(key), self.ref)
                record[self.ref] = next(iter(key.values())) if flat else key

        return act

    def _key_lookup(self, part: SplitPart, link: Shape, key: Sequence[str]) -> KeyLookup:
        """Return the keys of records in which a reference takes the place of fields."""
        act = self._act(SplitPart(part.entity, part.into, part.extract, lambda _: None), link)

        def pair(record: Record, names: Sequence[str]) -> Pair | None:
            if not record.keys() >= {*names}:
                return None
            old = {name: copied(record[name]) for name in names}
            act(record)
            return old, {name: record[name] for name in key}

        return KeyLookup(self.path, pair)


def _refuse_differing(into: str, key: Any, fields: Any, earlier: Any, ref: str) -> None:
    """Refuse a record whose part isn't that of the others with its key."""
    if earlier is None or json_text(earlier) == json_text(fields):
        return
    name = next(name for name in fields if json_text(fields[name]) != json_text(earlier.get(name)))
    raise Undecided(
        f"sets {name} of {into} {shown(key)} to {shown(fields[name])}, and an earlier record sets "
        f"it to {shown(earlier.get(name))}; they must agree",
        ref,
    )
