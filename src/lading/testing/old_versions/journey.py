"""Documents on their way to today, one change at a time, and whether each loses anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import reject

from lading.changes.replay import Undone
from lading.changes.rewriting.records import Undecided, copied
from lading.changes.rewriting.shapes import Shapes, StepMismatch, is_link, is_owned
from lading.changes.run import Upgrade
from lading.changes.steps.base import Step
from lading.changes.steps.fields import Convert, Drop
from lading.changes.steps.records import Each
from lading.changes.streams import SIZE, Streams
from lading.changes.upgrade_plan import UpgradePlan
from lading.importing.document_payload import DocumentOrigin
from lading.report import Problem
from lading.testing.old_versions.documents import Records, is_loose, levels, targets_of
from lading.values.json_text import json_text, parse_json

#: What yields the texts of what is wrong, and returns records.
Journey = Generator[str, None, Records]


def step_by_step(records: Records, undone: Sequence[Undone], shapes: Shapes) -> Journey:
    """Return records as one change after the other makes them; yield what is wrong with each.

    ``shapes`` are those that the records have.
    """
    for undone_change in undone:
        change, after = undone_change.change, Shapes(copied(shapes.roots), copied(shapes.targets))
        outcome = yield from _upgraded(records, undone_change, after)
        before, now = (shapes, records), (after, outcome)
        for text in [*_misfits(*now), *_lost(change.steps, before, now)]:
            yield f"after {change.__name__}, {text}"
        shapes, records = now
    return records


def _upgraded(records: Records, undone: Undone, shapes: Shapes) -> Journey:
    """Return records as one change makes them, and turn their shapes into those of the outcome."""
    plan = UpgradePlan((undone,), shapes, dict.fromkeys(records, 1), frozenset())
    upgrade = Upgrade(plan, shapes.roots, "drawn records")
    problems: list[Problem] = []
    outcome: Records = {}
    with closing(Streams(DocumentOrigin(records), upgrade)) as streams:
        for name, flow in upgrade.flows.items():
            actions = [
                replace(action, act=partial(_decided, action.act)) for action in flow.actions
            ]
            decided = replace(flow, actions=tuple(actions))
            pieces = streams.pieces(decided, SIZE, problems.append)
            outcome[name] = [parse_json(line) for piece in pieces for line in piece.records]
            keys = {*map(json_text, targets_of(shapes, outcome, {"entity": name}))}
            if len(flow.names) > 1 and len(keys) < len(outcome[name]):
                reject()  # a record of each of two entities may have one key
    yield from map(str, problems)
    return outcome


def _decided(act: Callable[[Any], None], record: Any) -> None:
    """Let go of examples in which records differ, and only a person could say which counts."""
    try:
        act(record)
    except Undecided:
        reject()


def _misfits(shapes: Shapes, records: Records) -> Iterator[str]:
    """Yield values that their fields can't have; steps see to it that all fields are there."""
    for path, shape, several in levels(shapes, records):
        for name, inner in () if is_loose(shape) else shape["fields"].items():
            is_list = inner["type"] in ("owned", "references")
            is_needed = inner.get("nullable") is False and not inner.get("computed")
            for record in several:
                value = record.get(name, [])
                if (is_list and not isinstance(value, list)) or (is_needed and value is None):
                    yield f"{name!r} of {path} is {value!r}, which it may not be: {record!r}"


def _lost(
    steps: Sequence[Step], old: tuple[Shapes, Records], new: tuple[Shapes, Records]
) -> Iterator[str]:
    """Yield what became less than it was, or more than it may be, though no step says so."""
    were = Counter((what, _name_after(steps, name)) for what, name in _parts(*old))
    are = Counter(_parts(*new))
    may_drop = any(
        isinstance(step, Drop) or (isinstance(step, Each) and (step.drops or step.free))
        for step in steps
    )
    may_shorten = any(
        isinstance(step, Convert) and _is_list(shapes, step)
        for step in steps
        for shapes in (old[0], new[0])
    )
    for what, name in {**were, **are}:
        count, now = were[what, name], are[what, name]
        if what == "record" and name and count and now != count:
            yield f"{name}: there are {now} records, and there were {count}"
        elif what == "owned row" and name and now < count and not (may_drop or may_shorten):
            yield (
                f"{name}: its records own {now} rows, and they owned {count}; keep them, or let an "
                "Each name their list in drops and adds"
            )
        elif what == "link" and now < count and not may_drop:
            yield f"{now} links lead to {name}, and {count} did; Drop them, or keep them"
        elif what == "lost link" and now > count and not may_drop:
            yield f"{now} links to {name} lead to no record, and {count} did before"


def _parts(shapes: Shapes, records: Records) -> Iterator[tuple[str, str]]:
    """Yield what counts, and of which entity: records, owned rows, links, and links to nothing."""
    entities = {path: name for name in shapes.roots for path, _ in shapes.tree(name)}
    for path, shape, several in levels(shapes, records):
        what = "record" if path in shapes.roots else "owned row"
        yield from [(what, entities[path])] * len(several)
        for name, inner in shape["fields"].items():
            if is_link(inner) and inner["entity"] in entities:
                entity = entities[inner["entity"]]
                targets = {*map(json_text, targets_of(shapes, records, inner))}
                for record in several:
                    value = record.get(name)
                    links = value if isinstance(value, list) else [value]
                    for link in links if value is not None else ():
                        yield "link", entity
                        if json_text(link) not in targets:
                            yield "lost link", entity


def _is_list(shapes: Shapes, step: Step) -> bool:
    """Tell whether a step's field is a list of owned rows, or may be: its path leads nowhere."""
    try:
        return is_owned(shapes.field(step.path, step.field))
    except StepMismatch:
        return True


def _name_after(steps: Sequence[Step], name: str) -> str:
    """Return what an entity is called after some steps; nothing where it is dropped."""
    for step in steps:
        if step.renames is not None and step.renames[0] == name:
            name = step.renames[1]
        elif name in step.ends:
            name = str(getattr(step, "into", ""))
    return name
