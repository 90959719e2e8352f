"""Steps of one field: Add, Drop, Rename, Convert; on a shape, there and back, and on a record.

A path is an entity's name, or leads on into owned records: ``production_runs.losses``.
Functions are pure: what they get are copies, and what they return is plain JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lading.changes.rewriting.records import (
    Function,
    Refused,
    copied,
    each,
    function_faults,
    of_class,
    require,
    require_plain,
)
from lading.changes.rewriting.rename_references import Action, flat_fields, rename
from lading.changes.rewriting.shapes import (
    RECAST,
    UNKNOWN,
    Shape,
    Shapes,
    StepMismatch,
    is_link,
    is_owned,
    open_shape,
    unknown,
)
from lading.changes.steps.base import (
    Copies,
    Known,
    Step,
    altered,
    is_within,
    name_faults,
    refuse_key,
    rename_entity,
    without,
)
from lading.changes.steps.records import Each, Move
from lading.values.json_text import json_text

__all__ = ["Add", "Convert", "Drop", "Each", "Known", "Move", "Rename", "Step"]


class Add(Step):
    """Adds a field, which must not be there yet.

    In a hierarchy the records of those classes get it that have the field.

    Args:
        path: The records.
        field: The field.
        value: A plain JSON value, or a function of ``(record, parent)`` or ``(record)`` that
            returns one.
    """

    def __init__(self, path: str, field: str, value: Any) -> None:
        self.path = path
        self.field = field
        self.value = value

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from name_faults("field", self.field)
        if callable(self.value):
            yield from function_faults(self.value, 2, "value")
            return
        try:
            require_plain(self.value)
        except (TypeError, ValueError) as error:
            yield f"value isn't plain JSON: {error}"

    def undo(self, shapes: Shapes) -> Known:
        """Take the field out again."""
        inner = shapes.field(self.path, self.field)
        refuse_key(shapes, self.path, self.field)
        targets = without(shapes, self.path, self.field)
        names = shapes.class_names.get(self.path, ())
        return Known({self.field: inner}, targets=targets, class_names=names)

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Put the field in."""
        shapes.lacks(self.path, self.field)
        entity, names = shapes.split(self.path)
        shape = shapes.at(self.path)
        inner = known.fields[self.field]
        shape["fields"][self.field] = copied(inner)
        shapes.targets.update(copied(known.targets))
        has_it = of_class(shape, inner, known.class_names)
        function = Function(self.value, 2) if callable(self.value) else None

        def act(record: dict[str, Any]) -> None:
            parents = Copies()
            for inner_record, parent, place in each(record, names):
                if not has_it(inner_record):
                    continue
                where = place + self.field
                if self.field in inner_record:
                    raise Refused(f"{self.field!r} is there already, and isn't overwritten", where)
                if function is None:
                    inner_record[self.field] = copied(self.value)
                else:
                    inner_record[self.field] = function(
                        where, copied(inner_record), parents.of(parent)
                    )

        return [(entity, act)]


class Drop(Step):
    """Drops a field; or, without one, a list of owned records, or an entity with its records.

    Args:
        path: The records, the list or the entity.
        field: The field.
    """

    def __init__(self, path: str, field: str | None = None) -> None:
        self.path = path
        self.field = field

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        if self.field is not None:
            yield from name_faults("field", self.field)

    @property
    def ends(self) -> tuple[str, ...]:
        """The path, where no field is named: an entity, unless it leads into one."""
        return (str(self.path),) if self.field is None else ()

    def undo(self, shapes: Shapes) -> Known:
        """Put back a field of which nothing is known, or an entity."""
        path, name = self._place(shapes)
        if name is None:
            if path in shapes.roots:
                raise StepMismatch(
                    f"entity {path!r} still exists after this step; remove its schema"
                )
            shapes.roots[path] = open_shape()
            return Known()
        shapes.gone(path, name)
        shapes.at(path)["fields"][name] = unknown()
        return Known()

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Take the field out, or forget the entity."""
        path, name = self._place(shapes)
        if name is None:
            shapes.forget(path)
            return []
        shapes.field(path, name)
        refuse_key(shapes, path, name)
        entity, names = shapes.split(path)
        has = require(shapes.at(path), name)
        without(shapes, path, name)

        def act(record: dict[str, Any]) -> None:
            for inner_record, _, place in each(record, names):
                if has(inner_record, place):
                    del inner_record[name]

        return [(entity, act)]

    def _place(self, shapes: Shapes) -> tuple[str, str | None]:
        """Return the path and the field that are meant; no field for an entity."""
        if self.field is not None:
            return self.path, self.field
        if self.path in shapes.roots or not is_within(shapes, self.path):
            return self.path, None
        path, _, name = self.path.rpartition(".")
        return path, name


class Rename(Step):
    """Renames a field (or an owned list), or with ``to`` an entity; references follow.

    Every nested reference that is written by the field is rewritten, at any depth, in every
    entity; and a flat one is renamed where its name ends in the field's.

    Args:
        path: The records, or the entity that gets another name.
        old: The field as it was called.
        new: The field as it is called now.
        to: The entity's new name.
    """

    def __init__(
        self, path: str, old: str | None = None, new: str | None = None, *, to: str | None = None
    ) -> None:
        self.path = path
        self.old = old
        self.new = new
        self.to = to

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        if self.to is not None:
            yield from name_faults("to", self.to)
            if self.old is not None or self.new is not None:
                yield "names both fields and to; write one Rename for each"
            return
        yield from name_faults("old", self.old)
        yield from name_faults("new", self.new)
        if self.old == self.new:
            yield f"renames {self.old!r} to itself; remove it"

    @property
    def renames(self) -> tuple[str, str] | None:
        """The entity that gets another name, and that name."""
        return None if self.to is None else (self.path, self.to)

    def alters(self, shapes: Shapes) -> str | None:
        """A key's field, one that ``by`` names, or the entity itself; in the newer shapes."""
        if self.to is not None:
            return str(self.to)
        if self.new in shapes.key_of(self.path):
            return str(self.path)
        by = [
            inner
            for _, shape in shapes.every()
            for inner in shape["fields"].values()
            if is_link(inner) and (inner.get("entity"), inner.get("by")) == (self.path, self.new)
        ]
        return str(self.path) if by else None

    def undo(self, shapes: Shapes) -> Known:
        """Give the field, or the entity, its former name."""
        if self.to is not None:
            rename_entity(shapes, self.to, self.path)
            return Known()
        shapes.field(self.path, self.new)
        shapes.gone(self.path, self.old)
        flat = flat_fields(shapes, self.old)
        rename(shapes, self.path, self.new, self.old)
        return Known(kept=flat)

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Rename, and let references follow."""
        if self.to is not None:
            rename_entity(shapes, self.path, self.to)
            return []
        shapes.field(self.path, self.old)
        shapes.lacks(self.path, self.new)
        return rename(shapes, self.path, self.old, self.new, known.kept)


class Convert(Step):
    """Replaces a field's value by what a function of that value returns.

    Args:
        path: The records.
        field: The field.
        fn: The function.
    """

    def __init__(self, path: str, field: str, fn: Callable[[Any], Any]) -> None:
        self.path = path
        self.field = field
        self.fn = fn

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from name_faults("field", self.field)
        yield from function_faults(self.fn, 1, "fn")

    def undo(self, shapes: Shapes) -> Known:
        """Forget the field's type, unless it is a reference, which only a few functions make."""
        inner, shape = shapes.field(self.path, self.field), shapes.at(self.path)
        names_classes = shape.get("discriminator") == self.field
        known = Known(copied(shape["fields"] if names_classes else {self.field: inner}))
        if names_classes:
            later = shapes.class_names.get(self.path, ())
            shapes.class_names[self.path] = (self.fn, *later)
        if is_link(inner):
            inner[RECAST] = True
        elif not is_owned(inner):
            shape["fields"][self.field] = unknown(inner)
        return known

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Convert the field."""
        shapes.field(self.path, self.field)
        entity, names = shapes.split(self.path)
        shape = shapes.at(self.path)
        has = require(copied(shape), self.field)
        is_key = self.field in shapes.key_of(self.path)
        shape["fields"][self.field] = copied(known.fields[self.field])
        for name, newer in known.fields.items():  # of a discriminator: classes have other names
            if name in shape["fields"] and newer.get("type") != UNKNOWN:
                _take_classes(shape["fields"][name], newer)
        function = Function(self.fn, 1)

        def act(record: dict[str, Any]) -> None:
            for inner_record, _, place in each(record, names):
                if has(inner_record, place):
                    before = inner_record[self.field]
                    inner_record[self.field] = function(place + self.field, copied(before))
                    if is_key and json_text(before) != json_text(inner_record[self.field]):
                        raise altered(self.field, before, inner_record[self.field], place)

        return [(entity, act)]


def _take_classes(inner: Shape, newer: Shape) -> None:
    """Let a field belong to the classes of its newer shape."""
    inner.pop("classes", None)
    if "classes" in newer:
        inner["classes"] = copied(newer["classes"])
