"""Replays changes on shapes: back from the newest to those of a payload, and on again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lading.changes.change import Change
from lading.changes.rewriting.lookups import KeyLookup, MergedEntities, SplitPart
from lading.changes.rewriting.records import copied
from lading.changes.rewriting.shapes import (
    KEY_UNKNOWN,
    RECAST,
    Shape,
    Shapes,
    StepMismatch,
    is_link,
)
from lading.changes.steps.base import Effect, Known, Step
from lading.model.entities import Entities
from lading.model.shape import shape_of


class ChangeMismatch(Exception):
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
    #: What isn't known of references that a step alters, without a manifest's shapes.
    doubts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StepAction:
    """What one step of a change does to a record, in place."""

    change: type[Change]
    step: Step
    act: Any


@dataclass(frozen=True, slots=True)
class Flow:
    """Where an entity's records come from, and what is done to each, in order.

    ``source`` is an entity of the payload's; or records of another flow, of which parts become
    records of their own; or those of several flows, one after the other.
    """

    source: str | SplitSource | tuple[Flow, ...]
    actions: tuple[StepAction, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The payload's entities that the records come from."""
        if isinstance(self.source, str):
            return (self.source,)
        flows = (self.source.flow,) if isinstance(self.source, SplitSource) else self.source
        return tuple(dict.fromkeys(name for flow in flows for name in flow.names))


@dataclass(frozen=True, slots=True)
class SplitSource:
    """Records that a step makes of parts of others: the other's flow as it is at that moment."""

    flow: Flow
    part: SplitPart
    change: type[Change]
    step: Step


@dataclass(slots=True)
class UpgradePipeline:
    """What becomes of a payload: the flow of each entity of today's, and what looks among others.

    ``lookups`` have each the flow in which their keys stand side by side; a payload that has no
    such records has no flow for them.  ``splits`` are the parts that become records.
    """

    flows: dict[str, Flow]
    lookups: list[tuple[KeyLookup, Flow | None]] = field(default_factory=list)
    splits: list[SplitSource] = field(default_factory=list)


def newest(entities: Entities) -> Shapes:
    """Return the shapes that the catalog declares."""
    roots = {name: copied(shape_of(rows)) for name, rows in entities.roots.items()}
    owned = {rows.name: copied(shape_of(rows)) for rows in entities.plain.values() if rows.is_owned}
    shapes = Shapes(roots, {})
    pending = [shape for _, shape in shapes.every()]
    while pending:
        for inner in pending.pop()["fields"].values():
            # The key of what nothing refers to identifies nothing, and may change freely.
            target = owned.pop(inner["entity"], None) if is_link(inner) else None
            if target is not None:
                shapes.targets[inner["entity"]] = target
                pending.append(target)
    return shapes


def undo(shapes: Shapes, changes: Sequence[type[Change]]) -> list[Undone]:
    """Turn shapes back to those from before some changes, which are given in order.

    Returns what is known of each, in the same order.  Raises ``ChangeMismatch``.
    """
    undone = [undo_one(shapes, change) for change in reversed(changes)]
    return undone[::-1]


def undo_one(shapes: Shapes, change: type[Change]) -> Undone:
    """Turn shapes back to those from before one change."""
    undone = Undone(change)
    for step in reversed(change.steps):
        try:
            target = step.alters(shapes)
            if target is not None:
                undone.altered.setdefault(target, set()).update(shapes.referrers(target))
                if step.renames is None:
                    undone.doubts += _doubts(shapes, target)
            undone.known.append(step.undo(shapes))
        except StepMismatch as error:
            raise ChangeMismatch(change, step, str(error)) from error
    undone.known.reverse()
    for name, (before, _) in change.upgrades.items():
        if before is None and name in shapes.roots:
            undone.begun[name] = (shapes.roots[name], shapes.forget(name))
    return undone


def _doubts(shapes: Shapes, target: str) -> list[str]:
    """Say which references that may be written by a target can't be told from the newer shapes."""
    reached = shapes.referrers(target) | {shapes.split(target)[0]}
    doubts = [
        f"the key that {name} had before Rekey isn't known; name its fields there by was"
        for name, shape in shapes.roots.items()
        if shape.get(KEY_UNKNOWN) and name in reached
    ]
    unsure = shapes.keyed_by(target) | {
        name for name in reached if shapes.roots[name].get(KEY_UNKNOWN)
    }
    for path, shape in shapes.every():
        doubts += [
            f"how {name!r} of {path} was written before Convert isn't known; use Each, which "
            "drops the field and adds another"
            for name, inner in shape["fields"].items()
            if inner.get(RECAST) and str(inner.get("entity")) in unsure
        ]
    return doubts


def redo(shapes: Shapes, undone: Sequence[Undone], names: Iterable[str]) -> UpgradePipeline:
    """Turn shapes on again; return what becomes of a payload that has entities of these names.

    Raises ``ChangeMismatch``.
    """
    pipeline = UpgradePipeline({name: Flow(name) for name in names})
    for undone_change in undone:
        for name, (shape, targets) in undone_change.begun.items():
            shapes.roots[name] = copied(shape)
            shapes.targets.update(copied(targets))
        for step, known in zip(undone_change.change.steps, undone_change.known, strict=True):
            for effect in _run(shapes, undone_change.change, step, known):
                _flow_on(pipeline, effect, undone_change.change, step)
            pipeline.flows = _renamed(pipeline.flows, step, shapes)
    return pipeline


def _run(shapes: Shapes, change: type[Change], step: Step, known: Known) -> Sequence[Effect]:
    try:
        return step.run(shapes, known)
    except StepMismatch as error:
        raise ChangeMismatch(change, step, str(error)) from error


def _flow_on(pipeline: UpgradePipeline, effect: Effect, change: type[Change], step: Step) -> None:
    """Let flows go on as an effect of a step says."""
    flows = pipeline.flows
    if isinstance(effect, KeyLookup):
        pipeline.lookups.append((effect, flows.get(effect.entity)))
    elif isinstance(effect, SplitPart):
        if effect.entity in flows:
            pipeline.splits.append(SplitSource(flows[effect.entity], effect, change, step))
            flows[effect.into] = Flow(pipeline.splits[-1])
    elif isinstance(effect, MergedEntities):
        parts = tuple(flows.pop(name) for name in effect.entities if name in flows)
        if parts:
            flows[effect.into] = parts[0] if len(parts) == 1 else Flow(parts)
    elif effect[0] in flows:
        flow = flows[effect[0]]
        flows[effect[0]] = Flow(flow.source, (*flow.actions, StepAction(change, step, effect[1])))


def _renamed(flows: Mapping[str, Flow], step: Step, shapes: Shapes) -> dict[str, Flow]:
    old, new = step.renames or (None, None)
    names = {str(new) if now == old else now: flow for now, flow in flows.items()}
    return {now: flow for now, flow in names.items() if now in shapes.roots}
