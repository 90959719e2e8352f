"""How references follow when records get another key: each is written by the newer one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from lading.changes.rewriting.lookups import KeyLookup
from lading.changes.rewriting.records import Refused, each
from lading.changes.rewriting.rename_references import Action, FieldAt, Ways, rename
from lading.changes.rewriting.shapes import Shape, Shapes, Written, is_link, written_by
from lading.messages import listed, shown

#: The deepest that keys may refer to each other while they are rewritten.
DEEPEST = 10_000


def restate(
    shapes: Shapes,
    target: str,
    old: Sequence[str],
    new: Sequence[str],
    kept: AbstractSet[FieldAt] = frozenset(),
) -> list[Action]:
    """Give an entity another key in the shapes; return what renames flat references to it.

    Flat references are named after the key; to a key of several fields they become nested.

    Args:
        shapes: The shapes, which are altered.
        target: The entity.
        old: The names of the former key's fields.
        new: The names of the new key's fields.
        kept: The flat references (path and field) that keep their names.

    Returns:
        What renames each flat reference in records.
    """
    flat = flat_links(shapes, target)
    shapes.roots[target]["key"] = list(new)
    actions: list[Action] = []
    for path, field in sorted(flat):
        if len(new) > 1:
            _nest(shapes, target, field)
        name = _flat_name(field, old, new) if (path, field) not in kept else field
        if name != field:
            actions += rename(shapes, path, field, name, set(kept))
    return actions


def flat_links(shapes: Shapes, target: str) -> set[FieldAt]:
    """Return the fields that are flat references to an entity, by its natural key."""
    return {
        (path, field)
        for path, shape in shapes.every()
        for field, inner in shape["fields"].items()
        if is_link(inner) and inner.get("flat") and written_by(inner) == (target, None)
    }


def _nest(shapes: Shapes, target: str, field: str) -> None:
    for _, shape in shapes.every():
        inner = shape["fields"].get(field, {})
        if is_link(inner) and written_by(inner) == (target, None):
            inner.pop("flat", None)


def _flat_name(field: str, old: Sequence[str], new: Sequence[str]) -> str:
    """Return what a flat reference is called by the newer key."""
    stem = field.removesuffix(f"_{old[0]}") if len(old) == 1 else field
    if stem in {field, ""}:
        return field
    return f"{stem}_{new[0]}" if len(new) == 1 else stem


def replacing(shapes: Shapes, lookup: KeyLookup, old: Sequence[str] | None) -> list[Action]:
    """Return what writes every reference to an entity by its newer key, at any depth.

    The shapes are those before; ``old`` are the fields of the former key, or ``None`` where
    only the references themselves say them.
    """
    keys = _Keys(shapes, lookup, old)
    actions: list[Action] = []
    for entity in shapes.roots:
        spots = []
        for path, shape in shapes.tree(entity):
            _, names = shapes.split(path)
            spots += [
                (names, field, inner)
                for field, inner in shape["fields"].items()
                if is_link(inner) and keys.lead(inner)
            ]
        if spots:
            actions.append((entity, _rewriting(keys, spots)))
    return actions


def _rewriting(
    keys: _Keys, spots: list[tuple[tuple[str, ...], str, Shape]]
) -> Callable[[dict[str, Any]], None]:
    copies = [(names, field, dict(inner)) for names, field, inner in spots]

    def act(record: dict[str, Any]) -> None:
        for names, field, inner in copies:
            for inner_record, _, place in each(record, names):
                value = inner_record.get(field)
                if isinstance(value, list):
                    for n in range(len(value)):
                        keys.replace(value, n, inner, place + field)
                elif value is not None:
                    keys.replace(inner_record, field, inner, place + field)

    return act


class _Keys:
    """Replaces an entity's former keys, wherever they stand within other keys."""

    def __init__(self, shapes: Shapes, lookup: KeyLookup, old: Sequence[str] | None) -> None:
        self.lookup = lookup
        self.old = old
        self.goal: Written = (lookup.entity, None)
        self.ways = Ways(shapes)
        self.own = {
            name: dict(inner)
            for name, inner in shapes.roots[lookup.entity]["fields"].items()
            if is_link(inner) and self.lead(inner)
        }

    def lead(self, inner: Shape) -> bool:
        """Tell whether a reference is to the entity, or written by keys that are."""
        return self.ways.lead(written_by(inner), {self.goal})

    def replace(self, holder: Any, at: Any, inner: Shape, place: str) -> None:
        """Replace every key of the entity's in a reference, which a record holds.

        Args:
            holder: the record, or the part of one, that the reference stands in.
            at: where in it.
            inner: the reference's shape.
            place: what errors call that place.
        """
        pending = [(holder, at, written_by(inner), bool(inner.get("flat")))]
        for _ in range(DEEPEST):
            if not pending:
                return
            holder, at, written, flat = pending.pop()
            if written == self.goal:
                replacement = self._newer_key(holder[at], place, flat=flat)
                holder[at] = replacement
                inside = self.own if isinstance(replacement, dict) else {}
            else:
                inside = self.ways.nested[written]
                if flat:  # its value is that of the one field of its key
                    pending += [(holder, at, written_by(part), True) for part in inside.values()]
                    continue
            pending += [
                (holder[at], name, written_by(part), bool(part.get("flat")))
                for name, part in inside.items()
                if isinstance(holder[at], dict) and holder[at].get(name) is not None
            ]
        raise Refused(f"the keys of {self.lookup.entity} refer to each other in a circle", place)

    def _newer_key(self, value: Any, place: str, *, flat: bool) -> Any:
        key = {self.old[0]: value} if flat and self.old else value
        if not isinstance(key, dict):
            return value  # nothing that this reference is: the decoder will say so
        if self.old is not None and set(key) != set(self.old):
            raise Refused(
                f"{shown(key)} is not a key of {self.lookup.entity}, which was "
                + listed(self.old, separator=" and "),
                place,
            )
        newer = self.lookup.find(key)
        if newer is None:
            raise Refused(
                f"refers to {self.lookup.entity} {shown(key)}, and without that record its newer "
                "key isn't known; give both together (closure=True adds it to a partial bundle)",
                place,
            )
        return next(iter(newer.values())) if flat and len(newer) == 1 else newer
