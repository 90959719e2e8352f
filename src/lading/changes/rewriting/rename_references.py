"""Renaming a field, and letting every reference that is written by it follow.

Where references stand is known from shapes alone, so that a JSON value which only looks
like a reference stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

from lading.changes.rewriting.records import Refused, copied, each, require
from lading.changes.rewriting.shapes import (
    Shape,
    Shapes,
    Written,
    is_link,
    is_owned,
    rename_field,
    renamed,
    written_by,
)

#: What a step does to an entity's records: the entity's name, and what changes one in place.
Action = tuple[str, Callable[[dict[str, Any]], None]]
#: A field of an entity, or of the owned records at a path.
FieldAt = tuple[str, str]


def flat_fields(shapes: Shapes, name: str) -> set[FieldAt]:
    """Return the fields that may be flat references named after a key's field."""
    return {
        (path, field)
        for path, shape in shapes.every()
        for field in shape["fields"]
        if field.endswith(f"_{name}")
    }


def rename(
    shapes: Shapes,
    path: str,
    old: str,
    new: str,
    kept: set[FieldAt] = frozenset(),  # type: ignore[assignment]
) -> list[Action]:
    """Rename a field in the shapes, and the flat references that are named after it.

    Args:
        shapes: The shapes, which are altered.
        path: The entity, or the path into its owned records.
        old: The field's name.
        new: Its new name.
        kept: The flat references (``ingredient_slug``) that keep their names: path and field.

    Returns:
        What does the same to records.
    """
    actions: list[Action] = []
    pending = [(path, old, new)]
    while pending:
        path, old, new = pending.pop(0)
        pending += [
            (where, field, field[: -len(old)] + new)
            for where, field in _named_after(shapes, path, old)
            if (where, field) not in kept
        ]
        actions += _rename_one(shapes, path, old, new)
    return actions


def _rename_one(shapes: Shapes, path: str, old: str, new: str) -> list[Action]:
    entity, names = shapes.split(path)
    shape = shapes.at(path)
    actions: list[Action] = []
    if old in shape["fields"] or shape.get("open"):
        actions.append((entity, _renaming(names, shape, old, new)))
    actions += _followers(shapes, path, old, new)
    for _, other in shapes.every():
        for inner in other["fields"].values():
            if is_link(inner) and written_by(inner) == (path, old):
                inner["by"] = new
    if is_owned(shape["fields"].get(old, {})):
        shapes.move(f"{path}.{old}", f"{path}.{new}")
    rename_field(shape, old, new)
    if path in shapes.targets:
        rename_field(shapes.targets[path], old, new)
    return actions


def _renaming(
    names: tuple[str, ...], shape: Shape, old: str, new: str
) -> Callable[[dict[str, Any]], None]:
    has = require(shape, old)

    def act(record: dict[str, Any]) -> None:
        for inner_record, _, place in each(record, names):
            if has(inner_record, place):
                if new in inner_record:
                    raise Refused(f"{new!r} is there already, beside {old!r}", place + new)
                fields = renamed(inner_record, old, new)
                inner_record.clear()
                inner_record.update(fields)

    return act


def _named_after(shapes: Shapes, path: str, old: str) -> Iterator[FieldAt]:
    """Yield the flat references that a key's field gives a part of their names."""
    for where, shape in shapes.every():
        for field, inner in shape["fields"].items():
            written = written_by(inner)
            if (
                inner.get("flat")
                and is_link(inner)
                and written[0] == path
                and field.endswith(f"_{old}")
                and list(shapes.parts(written)) == [old]
            ):
                yield where, field


def _followers(shapes: Shapes, target: str, old: str, new: str) -> list[Action]:
    """Return what renames a field of a target's key wherever records refer to it."""
    table = _Table(shapes, target, old)
    actions: list[Action] = []
    for entity in shapes.roots:
        spots = []
        for path, shape in shapes.tree(entity):
            _, names = shapes.split(path)
            spots += [
                (names, field, written_by(inner))
                for field, inner in shape["fields"].items()
                if is_link(inner) and not inner.get("flat") and table.leads(written_by(inner))
            ]
        if spots:
            actions.append((entity, _following(table, spots, new)))
    return actions


def _following(
    table: _Table, spots: list[tuple[tuple[str, ...], str, Written]], new: str
) -> Callable[[dict[str, Any]], None]:
    def act(record: dict[str, Any]) -> None:
        for names, field, written in spots:
            for inner_record, _, _ in each(record, names):
                value = inner_record.get(field)
                for key in value if isinstance(value, list) else [value]:
                    table.rename(key, written, new)

    return act


class Ways:
    """How keys nest in each other: from all that references are written by, to what is in them.

    ``nested`` maps each to the references among its fields, as they stand in the shapes now.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.nested: dict[Written, dict[str, Shape]] = {}
        pending = [
            written_by(inner)
            for _, shape in shapes.every()
            for inner in shape["fields"].values()
            if is_link(inner)
        ]
        while pending:
            written = pending.pop()
            if written not in self.nested:
                parts = shapes.parts(written)
                self.nested[written] = {
                    name: copied(inner) for name, inner in parts.items() if is_link(inner)
                }
                pending += map(written_by, self.nested[written].values())

    def lead(self, written: Written, goals: Container[Written], *, flat: bool = True) -> bool:
        """Tell whether a key is among the goals, or one that is nested in it.

        Without ``flat``, only through keys that are written as objects.
        """
        seen: set[Written] = set()
        pending = [written]
        while pending:
            target = pending.pop()
            if target in goals:
                return True
            if target not in seen:
                seen.add(target)
                inner = self.nested[target].values()
                pending += [written_by(link) for link in inner if flat or not link.get("flat")]
        return False


class _Table:
    """Which keys lead to a field of a target's, as it was before the field is renamed."""

    def __init__(self, shapes: Shapes, target: str, old: str) -> None:
        self.old = old
        self.ways = Ways(shapes)
        self.has_it = {
            written
            for written in self.ways.nested
            if written[0] == target and old in shapes.parts(written)
        }

    def leads(self, written: Written) -> bool:
        """Tell whether a key, or one that is nested in it, has the field."""
        return self.ways.lead(written, self.has_it, flat=False)

    def rename(self, key: Any, written: Written, new: str) -> None:
        """Rename the field in a key, and in those that are nested in it, at any depth."""
        pending = [(key, written)]
        while pending:
            value, table = pending.pop()
            if not isinstance(value, dict):
                continue  # null, or nothing that this reference is: the decoder will say so
            pending += [
                (value.get(name), written_by(inner))
                for name, inner in self.ways.nested[table].items()
                if not inner.get("flat")
            ]
            # A key that has both is none, which the decoder says.
            if table in self.has_it and self.old in value and new not in value:
                fields = renamed(value, self.old, new)
                value.clear()
                value.update(fields)
