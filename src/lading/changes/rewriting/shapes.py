"""The shapes of a payload's entities while changes run, and how references lead through them.

A shape is what the manifest says of an entity, in plain JSON values; see ``model.shape``.
Beyond that, a shape may be ``open``: nobody knows all of its fields any more.  A field
whose type nobody knows any more has the type ``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lading.messages import nearest
from lading.values.base import article

Shape = dict[str, Any]
#: What a reference is written by: the entity referred to, and the field that ``by`` names.
Written = tuple[str, str | None]

UNKNOWN = "unknown"
#: Marks the shape of an entity whose key nobody knows any more.
KEY_UNKNOWN = "key_unknown"
#: Marks a reference that a function made of something else, or of a reference of another form.
RECAST = "recast"


class StepMismatch(ValueError):
    """A step doesn't fit the shape that it meets; the text says why, and what to do."""


def unknown(shape: Shape | None = None) -> Shape:
    """Return the shape of a field that may hold anything, in the classes that have it."""
    classes = {name: shape[name] for name in ("classes",) if name in shape} if shape else {}
    return {"type": UNKNOWN, **classes}


def is_owned(shape: Shape) -> bool:
    """Tell whether a field is a list of owned records."""
    return shape.get("type") == "owned"


def is_link(shape: Shape) -> bool:
    """Tell whether a field holds references, one or a list of them."""
    return shape.get("type") in ("reference", "references")


def written_by(shape: Shape) -> Written:
    """Return what a reference is written by."""
    return str(shape.get("entity")), shape.get("by")


def open_shape() -> Shape:
    """Return the shape of records of which nobody knows anything any more."""
    return {"fields": {}, "key": [], "open": True}


class Shapes:
    """The shapes of all entities at one moment between changes.

    ``roots`` are the entities' by name.  ``targets`` are the owned tables that references
    lead to, by path, with their whole natural keys: within their records they lack what leads
    to the parent.  ``class_names`` are, by path, the functions that have given classes of a
    hierarchy other names since, in order.
    """

    def __init__(self, roots: dict[str, Shape], targets: dict[str, Shape]) -> None:
        self.roots = roots
        self.targets = targets
        self.class_names: dict[str, tuple[Callable[[Any], Any], ...]] = {}

    def split(self, path: str) -> tuple[str, tuple[str, ...]]:
        """Return a path's entity and the owned lists that it leads through.

        Raises ``StepMismatch`` where there is no such entity.
        """
        entities = [name for name in self.roots if f"{path}.".startswith(f"{name}.")]
        if not entities:
            name = path.split(".", maxsplit=1)[0]
            known = nearest(name, self.roots)
            raise StepMismatch(f"unknown entity {name!r} at that point; expected one of: {known}")
        entity = max(entities, key=len)
        rest = path[len(entity) + 1 :]
        return entity, tuple(rest.split(".")) if rest else ()

    def at(self, path: str) -> Shape:
        """Return the shape of an entity, or of the owned records that a path leads to.

        Raises ``StepMismatch`` where it leads nowhere.
        """
        entity, names = self.split(path)
        shape = self.roots[entity]
        for name in names:
            inner = shape["fields"].get(name)
            if inner is None and not shape.get("open"):
                raise StepMismatch(_no_field(path, name, shape, "owned list"))
            if inner is None or inner.get("type") == UNKNOWN:
                return open_shape()
            if not is_owned(inner):
                what = article(str(inner.get("type")))
                raise StepMismatch(f"{name!r} in {path!r} is not an owned list but {what}")
            shape = inner
        return shape

    def field(self, path: str, name: str) -> Shape:
        """Return a field's shape; ``StepMismatch`` where there is no such field."""
        shape = self.at(path)
        if name not in shape["fields"]:
            if not shape.get("open"):
                raise StepMismatch(_no_field(path, name, shape, "field"))
            return unknown()
        inner: Shape = shape["fields"][name]
        return inner

    def lacks(self, path: str, name: str) -> None:
        """Raise ``StepMismatch`` where there is such a field already."""
        if name in self.at(path)["fields"]:
            raise StepMismatch(
                f"the field {name!r} of {path} already exists at that point; choose another name"
            )

    def gone(self, path: str, name: str) -> None:
        """Raise ``StepMismatch`` where there still is such a field, of newer shapes."""
        if name in self.at(path)["fields"]:
            raise StepMismatch(
                f"the field {name!r} of {path} still exists after this step; remove it from the "
                "schema"
            )

    def key_of(self, path: str) -> list[str]:
        """Return the key's fields, by which records are matched or referred to.

        That of owned records which nothing refers to identifies nothing, and is empty.
        """
        is_target = path in self.roots or path in self.targets
        return list(self.at(path)["key"]) if is_target else []

    def tree(self, name: str) -> Iterator[tuple[str, Shape]]:
        """Yield an entity's shape and those of its owned records, with their paths."""
        pending = [(name, self.roots[name])]
        while pending:
            path, shape = pending.pop(0)
            yield path, shape
            pending += [
                (f"{path}.{field}", inner)
                for field, inner in shape["fields"].items()
                if is_owned(inner)
            ]

    def every(self) -> list[tuple[str, Shape]]:
        """List every shape: entities, what they own, and the targets among that."""
        shapes = [pair for name in self.roots for pair in self.tree(name)]
        return [*shapes, *self.targets.items()]

    def parts(self, written: Written) -> dict[str, Shape]:
        """Return the fields that a reference is written by."""
        entity, by = written
        shape = self.targets.get(entity) or self.roots.get(entity)
        if shape is None:
            return {}
        names = shape["key"] if by is None else [by]
        return {name: shape["fields"].get(name, unknown()) for name in names}

    def referrers(self, target: str) -> set[str]:
        """Name the entities whose references lead to a target, themselves or through keys."""
        keyed = self.keyed_by(target)
        return {
            self.split(path)[0]
            for path, shape in self.every()
            for inner in shape["fields"].values()
            if is_link(inner) and written_by(inner)[0] in keyed
        }

    def keyed_by(self, target: str) -> set[str]:
        """Name a target, and the paths whose keys are written by it, themselves or through keys."""
        reached, before = {target}, set[str]()
        while reached != before:
            before = set(reached)
            reached |= {
                path
                for path, shape in self.every()
                for field, inner in shape["fields"].items()
                if field in shape["key"] and is_link(inner) and written_by(inner)[0] in before
            }
        return reached

    def cut(self, path: str) -> dict[str, Shape]:
        """Forget the targets at a path and below it, and return them."""
        gone = {name for name in self.targets if f"{name}.".startswith(f"{path}.")}
        return {name: self.targets.pop(name) for name in gone}

    def forget(self, entity: str) -> dict[str, Shape]:
        """Forget an entity, and the targets among what it owns, which are returned."""
        self.roots.pop(entity, None)
        return self.cut(entity)

    def move(self, old: str, new: str) -> None:
        """Let references lead to a path's new name, and to all that is below it."""
        for _, shape in self.every():
            for inner in shape["fields"].values():
                if is_link(inner):
                    inner["entity"] = _moved(str(inner.get("entity")), old, new)
        self.targets = {_moved(path, old, new): shape for path, shape in self.targets.items()}
        self.class_names = {_moved(path, old, new): fns for path, fns in self.class_names.items()}


def _moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if f"{path}.".startswith(f"{old}.") else path


def renamed(fields: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return a mapping in which one name is another, at the same place."""
    return {new if name == old else name: value for name, value in fields.items()}


def rename_field(shape: Shape, old: str, new: str) -> None:
    """Rename a field of a shape, wherever the shape names it."""
    shape["fields"] = renamed(shape["fields"], old, new)
    shape["key"] = [new if name == old else name for name in shape["key"]]
    if shape.get("discriminator") == old:
        shape["discriminator"] = new


def _no_field(path: str, name: str, shape: Shape, what: str) -> str:
    known = nearest(name, shape["fields"])
    return f"{path}: unknown {what} {name!r} at that point; expected one of: {known}"
