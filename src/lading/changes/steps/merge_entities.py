"""Merge: the step that makes one entity of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lading.changes.rewriting.lookups import MergedEntities
from lading.changes.rewriting.records import copied
from lading.changes.rewriting.shapes import UNKNOWN, Shape, Shapes, StepMismatch
from lading.changes.steps.base import Effect, Known, Step, entity_of, name_faults, names_text
from lading.mapping.meta_options import names_in
from lading.messages import shown


class Merge(Step):
    """Makes one entity of several, whose records have the same fields and key by then.

    References to any of them then lead to the one.  Two records with one key are refused.

    Args:
        entities: At least two entities.
        into: One of them, or an entity that the change begins; the others end.
    """

    def __init__(self, entities: Iterable[str], into: str) -> None:
        self.entities = names_in(entities)
        self.into = into
        self.path = into

    def __repr__(self) -> str:
        return f"Merge({list(self.entities)!r}, {self.into!r})"

    @property
    def concerns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.entities, self.into)

    @property
    def ends(self) -> tuple[str, ...]:
        """Those that become the other."""
        return tuple(name for name in self.entities if name != self.into)

    @property
    def begins(self) -> str | None:
        """The entity that is made, unless it is one of those."""
        return None if self.into in self.entities else self.into

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from name_faults("into", self.into)
        for name in self.entities:
            yield from name_faults("entities", name)
        if len(set(self.entities)) < 2 or len(set(self.entities)) < len(self.entities):
            yield f"entities = {shown(self.entities)}; name at least two, each once"

    def alters(self, shapes: Shapes) -> str | None:
        """The entity that they become."""
        return self.into

    def undo(self, shapes: Shapes) -> Known:
        """Let there be each of them; whatever referred to the one now refers to the first."""
        merged = copied(entity_of(shapes, self.into))
        for name in self.ends:
            if name in shapes.roots:
                raise StepMismatch(
                    f"entity {name!r} still exists after this step; remove its schema"
                )
        first = self.into if self.into in self.entities else self.entities[0]
        shapes.roots[first] = shapes.roots.pop(self.into)
        shapes.move(self.into, first)
        for name in self.entities:
            if name != first:
                _take(shapes, first, name)
        return Known(root=merged)

    def run(self, shapes: Shapes, known: Known) -> Sequence[Effect]:
        """Let there be one of them, which references lead to."""
        first, *others = (entity_of(shapes, name) for name in self.entities)
        for name, other in zip(self.entities[1:], others, strict=True):
            _refuse_unlike(self.entities[0], first, name, other)
        if self.into not in self.entities and self.into in shapes.roots:
            raise StepMismatch(f"the entity {self.into!r} already exists at that point")
        merged = copied(first)
        targets = {path: copied(shape) for path, shape in shapes.targets.items()}
        for name in self.entities:
            shapes.roots.pop(name)
            shapes.cut(name)
        shapes.roots[self.into] = merged
        old = self.entities[0]
        shapes.targets |= {
            self.into + path[len(old) :]: shape
            for path, shape in targets.items()
            if f"{path}.".startswith(f"{old}.")
        }
        for name in self.entities:
            if name != self.into:
                shapes.move(name, self.into)
        if known.root.get("discriminator") is not None:
            shapes.roots[self.into] = copied(known.root)
        return [MergedEntities(tuple(self.entities), self.into)]


def _take(shapes: Shapes, source: str, name: str) -> None:
    """Give an entity the shape of another, as if it had been there beside it."""
    only = Shapes(
        {source: copied(shapes.roots[source])},
        {
            path: copied(shape)
            for path, shape in shapes.targets.items()
            if f"{path}.".startswith(f"{source}.")
        },
    )
    only.roots = {name: only.roots[source]}
    only.move(source, name)
    shapes.roots[name] = only.roots[name]
    shapes.targets.update(only.targets)


def _refuse_unlike(first_name: str, first: Shape, second_name: str, second: Shape) -> None:
    """Raise ``StepMismatch`` where two entities can't become one."""
    if first.get("open") or second.get("open"):
        return
    for here, there, a, b in (
        (first, second, first_name, second_name),
        (second, first, second_name, first_name),
    ):
        lacks = [name for name in there["fields"] if name not in here["fields"]]
        if lacks:
            raise StepMismatch(
                f"the field {lacks[0]!r} is in {b} but not in {a}; Add, Drop or Rename before "
                "they are merged"
            )
    for name, inner in first["fields"].items():
        types = {inner.get("type"), second["fields"][name].get("type")} - {UNKNOWN}
        if len(types) > 1:
            raise StepMismatch(
                f"{name!r} is of another type in {first_name} than in {second_name} "
                f"({' and '.join(sorted(types))}); Convert it before they are merged"
            )
    if list(first["key"]) != list(second["key"]):
        raise StepMismatch(
            f"the natural key of {first_name} is {names_text(first['key'])}, and that of "
            f"{second_name} is {names_text(second['key'])}; Rekey before they are merged"
        )
