"""What every step of a change is, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.changes.rewriting.lookups import KeyLookup, MergedEntities, SplitPart
from lading.changes.rewriting.records import Refused, copied
from lading.changes.rewriting.rename_references import Action, FieldAt
from lading.changes.rewriting.shapes import Shape, Shapes, StepMismatch
from lading.messages import listed, nearest, shown

#: What a step does to records: to one at a time, or with all of an entity's.
Effect = Action | KeyLookup | SplitPart | MergedEntities


@dataclass(slots=True)
class Known:
    """What the newer shapes say of a step: the fields that it makes, and names that stay.

    ``targets`` are the owned tables that come with the fields, where references lead to them;
    ``root`` is the entity that the step makes, and ``class_names`` what gives classes the names by
    which the fields' newer shapes call them.
    """

    fields: dict[str, Shape] = field(default_factory=dict)
    kept: set[FieldAt] = field(default_factory=set)
    targets: dict[str, Shape] = field(default_factory=dict)
    root: Shape = field(default_factory=dict)
    class_names: tuple[Callable[[Any], Any], ...] = ()


class Step:
    """One step of a change, on the records that ``path`` leads to."""

    path: Any
    field: Any = None
    old: Any = None
    new: Any = None
    to: Any = None

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        if not (isinstance(self.path, str) and self.path):
            yield f"path = {shown(self.path)}; write an entity's name, or a path into owned records"

    def undo(self, shapes: Shapes) -> Known:
        """Turn the newer shapes into the older; ``StepMismatch`` if they can't be the outcome."""
        raise NotImplementedError

    def run(self, shapes: Shapes, known: Known) -> Sequence[Effect]:
        """Turn the older shapes into the newer, and return what does so to records, in order.

        Raises ``StepMismatch`` if the older aren't what the step is for.
        """
        raise NotImplementedError

    def alters(self, shapes: Shapes) -> str | None:
        """Name the entity or path whose references are written otherwise after this step."""
        return None

    @property
    def renames(self) -> tuple[str, str] | None:
        """The entity that gets another name, and that name."""
        return None

    @property
    def concerns(self) -> tuple[str, ...]:
        """The entities, or paths into them, that the step is for."""
        return (self.path,)

    @property
    def ends(self) -> tuple[str, ...]:
        """What no longer exists afterwards, where it is an entity."""
        return ()

    @property
    def begins(self) -> str | None:
        """The entity that the step makes, where it doesn't exist before."""
        return None

    def __repr__(self) -> str:
        arguments = [self.path, *(getattr(self, name) for name in ("field", "old", "new", "to"))]
        texts = [repr(argument) for argument in arguments if argument]
        return f"{type(self).__name__}({', '.join(texts)})"


class Copies:
    """Copies of records that functions get as parents, one for each."""

    def __init__(self) -> None:
        self.last: tuple[Any, Any] = (None, None)

    def of(self, record: dict[str, Any] | None) -> Any:
        """Return a record's copy; the records of one list share it."""
        if record is not self.last[0]:
            self.last = (record, copied(record))
        return self.last[1]


def altered(name: str, before: Any, after: Any, place: str) -> Refused:
    """Return the refusal of a step that makes another record of one.

    Args:
        name: the field.
        before: its value in the record of the version before.
        after: its value afterwards.
        place: what errors call the record that the field is of.
    """
    return Refused(
        f"turns {shown(before)} into {shown(after)}, and {name!r} is part of the natural key, "
        "which only Rekey may alter",
        place + name,
    )


def refuse_key(shapes: Shapes, path: str, name: str) -> None:
    """Raise ``StepMismatch`` where a field is part of a natural key."""
    if name in shapes.key_of(path):
        raise StepMismatch(
            f"{name!r} is part of the natural key of {path}, which this step may not alter; "
            "use Rename or Rekey"
        )


def without(shapes: Shapes, path: str, name: str) -> dict[str, Shape]:
    """Take a field out of a shape; return the targets of references that go with it."""
    shape = shapes.at(path)
    shape["fields"].pop(name, None)
    shape["key"] = [part for part in shape["key"] if part != name]
    return shapes.cut(f"{path}.{name}")


def is_within(shapes: Shapes, path: str) -> bool:
    """Tell whether a path leads into an entity's records."""
    try:
        return bool(shapes.split(path)[1])
    except StepMismatch:
        return False


def rename_entity(shapes: Shapes, old: str, new: str) -> None:
    """Give an entity another name, by which references name it from then on."""
    if old not in shapes.roots:
        raise StepMismatch(f"unknown entity {old!r} at that point")
    if new in shapes.roots:
        raise StepMismatch(f"the entity {new!r} already exists at that point; choose another name")
    shapes.roots = {new if name == old else name: shape for name, shape in shapes.roots.items()}
    shapes.move(old, new)


def name_faults(option: str, value: Any) -> Iterator[str]:
    """Yield what is wrong with a name."""
    if not isinstance(value, str) or not value:
        yield f"{option} = {shown(value)}; write a name"


def entity_of(shapes: Shapes, name: str) -> Shape:
    """Return an entity's shape; ``StepMismatch`` where there is none."""
    if name not in shapes.roots:
        raise StepMismatch(
            f"unknown entity {name!r} at that point; expected one of: {nearest(name, shapes.roots)}"
        )
    return shapes.roots[name]


def names_text(key: Iterable[str]) -> str:
    """Return the names of a key's fields, for messages."""
    return listed(map(repr, key), separator=" and ") or "unknown"


def key_faults(option: str, key: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the names of a key's fields."""
    if not key or len(set(key)) < len(key):
        yield f"{option} = {shown(key)}; name the fields of a natural key, each once"
    for name in key:
        yield from name_faults(option, name)
