"""Replays changes on shapes: back from the newest to those of a payload, and on again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.declare.changes import Change
from lading.declare.derivation import Entities
from lading.declare.following import Action
from lading.declare.records import copied
from lading.declare.shapes import Mismatch, Shape, Shapes
from lading.declare.step import Known, Step
from lading.derive.shape import shape_of


class Misfit(Exception):
    """A change doesn't fit the shapes that it meets; ``step`` is the one that doesn't, if any."""

    def __init__(self, change: type[Change], step: Step | None, problem: str) -> None:
        self.change = change
        self.problem = problem
        at = f"{change.__name__}, {step!r}" if step is not None else change.__name__
        super().__init__(f"{at}: {problem}")


@dataclass(slots=True)
class Undone:
    """One change as it was undone: what is known of its steps, and the entities that it began.

    ``altered`` are the entities or paths to which references are written otherwise since, each
    with the entities whose records have such references.
    """

    change: type[Change]
    known: list[Known] = field(default_factory=list)
    begun: dict[str, tuple[Shape, dict[str, Shape]]] = field(default_factory=dict)
    altered: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deed:
    """What one step of a change does to a record, in place."""

    change: type[Change]
    step: Step
    act: Any


def newest(entities: Entities) -> Shapes:
    """Return the shapes that the catalog declares."""
    roots = {name: copied(shape_of(rows)) for name, rows in entities.roots.items()}
    targets = {
        rows.name: copied(shape_of(rows)) for rows in entities.plain.values() if rows.is_owned
    }
    return Shapes(roots, targets)


def undo(shapes: Shapes, changes: Sequence[type[Change]]) -> list[Undone]:
    """Turn shapes back to those from before some changes, which are given in order.

    Returns what is known of each, in the same order.  Raises ``Misfit``.
    """
    found = [undo_one(shapes, change) for change in reversed(changes)]
    return found[::-1]


def undo_one(shapes: Shapes, change: type[Change]) -> Undone:
    """Turn shapes back to those from before one change."""
    undone = Undone(change)
    for step in reversed(change.steps):
        try:
            target = step.alters(shapes)
            if target is not None:
                undone.altered.setdefault(target, set()).update(shapes.referrers(target))
            undone.known.append(step.undo(shapes))
        except Mismatch as error:
            raise Misfit(change, step, str(error)) from error
    undone.known.reverse()
    for name, (before, _) in change.upgrades.items():
        if before is None and name in shapes.roots:
            undone.begun[name] = (shapes.roots[name], shapes.forget(name))
    return undone


def redo(shapes: Shapes, undone: Sequence[Undone]) -> tuple[dict[str, list[Deed]], dict[str, str]]:
    """Turn shapes on again; return what happens to each entity's records, and what it is then.

    Entities are named as they are before.  Raises ``Misfit``.
    """
    deeds: dict[str, list[Deed]] = {name: [] for name in shapes.roots}
    first = {name: name for name in shapes.roots}
    for one in undone:
        for name, (shape, targets) in one.begun.items():
            shapes.roots[name] = copied(shape)
            shapes.targets.update(copied(targets))
        for step, known in zip(one.change.steps, one.known, strict=True):
            for entity, act in _run(shapes, one.change, step, known):
                if entity in first:
                    deeds[first[entity]].append(Deed(one.change, step, act))
            first = _renamed(first, step, shapes)
    return deeds, {before: now for now, before in first.items()}


def _run(shapes: Shapes, change: type[Change], step: Step, known: Known) -> list[Action]:
    try:
        return step.run(shapes, known)
    except Mismatch as error:
        raise Misfit(change, step, str(error)) from error


def _renamed(first: Mapping[str, str], step: Step, shapes: Shapes) -> dict[str, str]:
    old, new = step.renames or (None, None)
    names = {new if now == old else now: before for now, before in first.items()}
    return {str(now): before for now, before in names.items() if now in shapes.roots}
