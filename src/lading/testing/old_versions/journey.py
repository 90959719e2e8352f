"""Documents on their way to today: one change at a time, and all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

from hypothesis import reject

from lading.changes.change import Change
from lading.changes.replay import Flow, SplitSource, StepAction, Undone
from lading.changes.rewriting.records import Undecided, copied, of_class
from lading.changes.rewriting.shapes import Shape, Shapes
from lading.changes.run import Upgrade
from lading.changes.steps.base import Step
from lading.changes.streams import Streams
from lading.changes.upgrade_plan import UpgradePlan
from lading.importing.document_payload import DocumentOrigin
from lading.report import Problem
from lading.testing.old_versions.documents import (
    Records,
    dangling,
    every_record,
    is_loose,
    links_of,
)
from lading.values.json_text import json_text, parse_json

SIZE = 100


class Faulty(Exception):
    """Something on the way isn't as it must be; the text says what and where."""


def upgraded(records: Records, plan: UpgradePlan, shapes: Mapping[str, Shape]) -> Records:
    """Return records as a plan makes them; raises ``Faulty`` where one can't be upgraded.

    The plan's shapes are those of the outcome then.
    """
    upgrade = Upgrade(plan, shapes, "drawn records")
    for name, flow in upgrade.pipeline.flows.items():
        decided = replace(flow, actions=tuple(map(_decided, flow.actions)))
        upgrade.pipeline.flows[name] = decided
    problems: list[Problem] = []
    with closing(Streams(DocumentOrigin(records), upgrade)) as streams:
        outcome = {
            name: [
                parse_json(line)
                for piece in streams.pieces(flow, SIZE, problems.append)
                for line in piece.records
            ]
            for name, flow in upgrade.flows.items()
        }
    if problems:
        raise Faulty(str(problems[0]))
    for name, flow in upgrade.pipeline.flows.items():
        if _is_merged(flow):
            key = plan.shapes.roots[name]["key"]
            texts = {json_text([record.get(part) for part in key]) for record in outcome[name]}
            if len(texts) < len(outcome[name]):
                reject()
    return outcome


def _is_merged(flow: Flow) -> bool:
    """Tell whether records are of several entities, of which two may have one key."""
    if isinstance(flow.source, SplitSource):
        return _is_merged(flow.source.flow)
    return not isinstance(flow.source, str)


def _decided(action: StepAction) -> StepAction:
    """Let go of examples in which records differ, and only a person could say which counts."""

    def act(record: Any) -> None:
        try:
            action.act(record)
        except Undecided:
            reject()

    return replace(action, act=act)


def step_by_step(records: Records, plan: UpgradePlan, shapes: Shapes) -> Records:
    """Return records as one change after the other makes them, each result looked at.

    ``shapes`` are those that the records have; ``plan`` is for them.  Raises ``Faulty``.
    """
    now = Shapes(copied(shapes.roots), copied(shapes.targets))
    for undone in plan.undone:
        before = Shapes(copied(now.roots), copied(now.targets))
        versions = dict.fromkeys(records, 1)
        step = UpgradePlan((undone,), now, versions, frozenset())
        outcome = upgraded(records, step, copied({name: now.roots[name] for name in records}))
        for text in chain(_misfits(now, outcome), _vanished(undone, before, records, now, outcome)):
            raise Faulty(f"after {undone.change.__name__}, {text}")
        records = outcome
    return records


def _misfits(shapes: Shapes, records: Records) -> Iterator[str]:
    """Yield values that their fields can't have; steps see to it that all fields are there."""
    for path, shape, record in every_record(shapes, records):
        for name, inner in () if is_loose(shape) else shape["fields"].items():
            value = record.get(name)
            if name not in record or inner.get("computed") or not of_class(shape, inner)(record):
                continue
            if inner["type"] in ("owned", "references") and not isinstance(value, list):
                yield f"{name!r} is {value!r}, and no list, in {path} {record!r}"
            elif value is None and inner.get("nullable") is False:
                yield f"{name!r} is null, and may not be in the next version, in {path} {record!r}"


# Whether anything went that no step drops


def _vanished(
    undone: Undone, before: Shapes, old: Records, after: Shapes, new: Records
) -> Iterator[str]:
    """Yield records and links that are fewer than they were, though no step says so."""
    were, are = _counts(undone.change, before, old), _counts(None, after, new)
    may_drop = any(map(_may_drop, undone.change.steps))
    for (what, target), count in were.items():
        now = are[what, target]
        if what == "records" and target in new and now != count:
            yield f"{target}: there are {now} records, and there were {count}"
        if what == "links" and target in after.roots and now < count and not may_drop:
            yield f"{now} links lead to {target}, and {count} did; Drop them, or keep them"
    lost = None if may_drop else next(dangling(after, new), None)
    if lost is not None and next(dangling(before, old), None) is None:
        yield f"a reference in {lost[1]!r} of {lost[0]} leads to no record any more"


def _counts(
    change: type[Change] | None, shapes: Shapes, records: Records
) -> Counter[tuple[str, str]]:
    """Count records by entity, and links by that which they lead to, as called after a change."""
    links = (str(inner["entity"]) for _, _, inner, _ in links_of(shapes, records))
    counts = Counter(("links", entity.split(".", maxsplit=1)[0]) for entity in links)
    counts.update({("records", name): len(records[name]) for name in records})
    renamed: Counter[tuple[str, str]] = Counter()
    for (what, name), count in counts.items():
        renamed[what, (change and _goes_to(change, name)) or name] += count
    return renamed


def _goes_to(change: type[Change], name: str) -> str | None:
    """Return what an entity is called after a change; ``None`` where it is dropped."""
    now: str | None = name
    for step in change.steps:
        if step.renames is not None and step.renames[0] == now:
            now = step.renames[1]
        elif now in step.ends:
            now = str(getattr(step, "into", "")) or None
    return now


def _may_drop(step: Step) -> bool:
    """Tell whether a step says that something goes, or says nothing of what it does."""
    return (
        type(step).__name__ == "Drop"
        or bool(getattr(step, "drops", ()))
        or bool(getattr(step, "free", False))
    )
