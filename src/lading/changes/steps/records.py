"""Steps that look at more than one field: Move, between levels of a record, and Each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lading.changes.rewriting.records import (
    Function,
    Refused,
    Undecided,
    copied,
    each,
    function_faults,
    require,
)
from lading.changes.rewriting.rename_references import Action
from lading.changes.rewriting.shapes import Shape, Shapes, is_owned, unknown
from lading.changes.steps.base import (
    Copies,
    Known,
    Step,
    altered,
    name_faults,
    refuse_key,
    without,
)
from lading.mapping.meta_options import names_in
from lading.messages import shown
from lading.values.json_text import json_text


class Move(Step):
    """Moves a field to another level of the record: up from owned records, or down into them.

    On its way up, all records of the list must agree on it (it is null, or an empty list, where
    there are none); on its way down, each gets it, and a value that none would get is refused.

    Args:
        path: The records that have the field.
        field: The field.
        to: The records that get it: a path within ``path``, or one that ``path`` is in.
    """

    def __init__(self, path: str, field: str, to: str) -> None:
        self.path = path
        self.field = field
        self.to = to

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from name_faults("field", self.field)
        yield from name_faults("to", self.to)
        texts = [f"{self.path}.", f"{self.to}."]
        if self.path == self.to or not (
            texts[0].startswith(texts[1]) or texts[1].startswith(texts[0])
        ):
            yield f"to = {shown(self.to)}; write a path that {self.path} is in, or one within it"

    def undo(self, shapes: Shapes) -> Known:
        """Move the field back."""
        shapes.gone(self.path, self.field)
        inner = self._shift(shapes, self.to, self.path)
        return Known({self.field: inner})

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Move the field."""
        has = require(copied(shapes.at(self.path)), self.field)
        entity, names = shapes.split(self.path)
        self._shift(shapes, self.path, self.to)
        moved = shapes.field(self.to, self.field)
        if known.fields[self.field].get("nullable") and self.path.startswith(f"{self.to}."):
            moved["nullable"] = True  # where the list was empty
        nothing: Any = [] if is_owned(moved) or moved.get("type") == "references" else None
        _, there = shapes.split(self.to)
        above = min(names, there, key=len)

        def act(record: dict[str, Any]) -> None:
            for top, _, place in each(record, above):
                values = []
                for inner_record, _, inner in each(top, names[len(above) :]):
                    if has(inner_record, place + inner):
                        values.append(inner_record.pop(self.field))
                value = self._agreed(values, nothing, place)
                self._put(value, nothing, each(top, there[len(above) :]), place)

        return [(entity, act)]

    def _agreed(self, values: list[Any], nothing: Any, place: str) -> Any:
        if len({json_text(value) for value in values}) > 1:
            text = f"the records of {self.path} differ in it; use Each to choose"
            raise Undecided(text, place + self.field)
        return values[0] if values else nothing

    def _put(self, value: Any, nothing: Any, targets: list[Any], place: str) -> None:
        if not targets and value != nothing:
            text = f"{self.to}: there is no record to move {shown(value)} to"
            raise Undecided(text, place + self.field)
        for target, _, inner in targets:
            if self.field in target:
                raise Refused(f"{self.field!r} is there already", place + inner + self.field)
            target[self.field] = copied(value)

    def _shift(self, shapes: Shapes, source: str, target: str) -> Shape:
        inner = copied(shapes.field(source, self.field))
        shapes.lacks(target, self.field)
        for path in (source, target):
            refuse_key(shapes, path, self.field)
        moved = without(shapes, source, self.field)
        shapes.at(target)["fields"][self.field] = inner
        shapes.targets.update(moved)
        shapes.move(f"{source}.{self.field}", f"{target}.{self.field}")
        return copied(inner)  # type: ignore[no-any-return]


class Each(Step):
    """Replaces each record by what a function of ``(record, parent)`` or ``(record)`` returns.

    Args:
        path: The records.
        fn: The function.  It gets copies.
        adds: The fields that the function adds; any other is refused.
        drops: The fields that the function drops; any other is refused.
    """

    def __init__(
        self,
        path: str,
        fn: Callable[..., Any],
        *,
        adds: str | Iterable[str] | None = (),
        drops: str | Iterable[str] | None = (),
    ) -> None:
        self.path = path
        self.fn = fn
        #: Whether nothing is said of what the function adds and drops.
        self.free = adds is None and drops is None
        self.adds = names_in(adds)
        self.drops = names_in(drops)

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the arguments."""
        yield from super().faults()
        yield from function_faults(self.fn, 2, "fn")
        for option in ("adds", "drops"):
            for name in getattr(self, option):
                yield from name_faults(option, name)

    def undo(self, shapes: Shapes) -> Known:
        """Take out what was added, and put back what was dropped."""
        shape = shapes.at(self.path)
        if self.free:
            known = Known(copied(shape["fields"]))
            shape["open"] = True
            return known
        known = Known()
        for name in self.adds:
            known.fields[name] = shapes.field(self.path, name)
            refuse_key(shapes, self.path, name)
            known.targets.update(without(shapes, self.path, name))
        for name in self.drops:
            shapes.gone(self.path, name)
            shape["fields"][name] = unknown()
        return known

    def run(self, shapes: Shapes, known: Known) -> list[Action]:
        """Call the function with each record."""
        entity, names = shapes.split(self.path)
        shape = shapes.at(self.path)
        key = shapes.key_of(self.path)
        for name in self.drops:
            shapes.field(self.path, name)
            refuse_key(shapes, self.path, name)
            without(shapes, self.path, name)
        for name in self.adds:
            shapes.lacks(self.path, name)
        shape["fields"] = {**copied(known.fields), **shape["fields"]}
        shapes.targets.update(copied(known.targets))
        if self.free:
            shape["open"] = True
        function = Function(self.fn, 2)
        has_classes = shape.get("discriminator") is not None

        def act(record: dict[str, Any]) -> None:
            parents = Copies()
            for inner_record, parent, place in each(record, names):
                result = function(place.rstrip(".") or "", copied(inner_record), parents.of(parent))
                self._check(inner_record, result, place, lenient=has_classes)
                for name in key:
                    if json_text(inner_record.get(name)) != json_text(result.get(name)):
                        raise altered(name, inner_record.get(name), result.get(name), place)
                inner_record.clear()
                inner_record.update(result)

        return [(entity, act)]

    def _check(self, before: dict[str, Any], after: Any, place: str, *, lenient: bool) -> None:
        where = place.rstrip(".")
        if not isinstance(after, dict):
            what = "nothing" if after is None else shown(after)
            raise Refused(f"its function returned {what}; it must return the record", where)
        if self.free:
            return
        wrong = [name for name in after if name not in before and name not in self.adds]
        if wrong:
            raise Refused(f"its function added {wrong[0]!r}, which adds doesn't name", where)
        wrong = [name for name in before if name not in after and name not in self.drops]
        if wrong:
            raise Refused(f"its function dropped {wrong[0]!r}, which drops doesn't name", where)
        wrong = [name for name in self.adds if name not in after and not lenient]
        wrong += [name for name in self.drops if name in after and name not in self.adds]
        if wrong:
            raise Refused(
                f"its function didn't do with {wrong[0]!r} what adds and drops say", where
            )
