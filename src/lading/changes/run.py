"""Runs a payload's upgrade: over records one at a time, on their way into the decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lading.bundle.shape_format import is_shape
from lading.changes.replay import (
    ChangeMismatch,
    Flow,
    SplitSource,
    StepAction,
    UpgradePipeline,
    redo,
)
from lading.changes.rewriting.records import Refused, copied, each
from lading.changes.rewriting.shapes import Shape, is_link, is_owned
from lading.changes.upgrade_plan import UpgradePlan
from lading.errors import BundleError, VersionError
from lading.messages import Message
from lading.report import Problem
from lading.values.json_text import parse_json, plain_json_text

#: The file and the number of a record, by its number in a flow.
Place = Callable[[int], tuple[str, int]]


def change_failed(at: StepAction | SplitSource, refusal: Refused) -> Message:
    """Return what is said of a record that a step of a change can't be taken with."""
    return Message(
        "change-failed",
        f"change {at.change.__name__}, {at.step!r}: {refusal.problem}. Correct the change, or the "
        "record",
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """Upgraded records without a gap between their numbers, of which ``first`` is the lowest."""

    first: int
    records: list[bytes]


class Upgrade:
    """The upgrade of one payload.

    ``shapes`` are those that the payload's manifest gives, by its own names; ``file`` is the
    manifest's.  ``flows`` are those of today's entities, by name; ``before`` are the shapes of
    the payload's.  Raises ``VersionError`` where a change doesn't fit the shapes,
    ``BundleError`` for what is no shape.
    """

    def __init__(self, plan: UpgradePlan, shapes: Mapping[str, Any], file: str) -> None:
        self.plan = plan
        self.before: dict[str, Shape] = {}
        self.pipeline = UpgradePipeline({name: Flow(name) for name in plan.versions})
        #: The shapes of the records that flow out of it, as far as somebody says them.
        self.after: Mapping[str, Shape] = {n: s for n, s in shapes.items() if is_shape(s)}
        if not plan.undone:
            return
        if not shapes:
            self._refuse_doubts(file)
        for name, shape in shapes.items():
            if not is_shape(shape):
                raise BundleError(
                    Message(
                        "shape-malformed",
                        "has no valid shape, and its records can't be upgraded without one",
                    ),
                    "Export it again with the application that wrote it.",
                    file=file,
                    entity=name,
                )
            plan.shapes.roots[name] = copied(shape)
        self.before = {name: copied(plan.shapes.roots[name]) for name in plan.versions}
        try:
            self.pipeline = redo(plan.shapes, plan.undone, plan.versions)
            self.after = plan.shapes.roots if shapes else {}
        except ChangeMismatch as error:
            raise VersionError(
                Message("change-mismatch", f"it isn't what its versions say: {error}"),
                "Correct the change, or export again with the application that wrote the bundle.",
                file=file,
                found=dict(plan.versions),
            ) from error

    def _refuse_doubts(self, file: str) -> None:
        """A payload that doesn't say its shapes may refer in a way that changes can't tell."""
        for undone in self.plan.undone:
            for doubt in undone.doubts:
                raise VersionError(
                    Message(
                        "change-mismatch",
                        f"{undone.change.__name__} changes what references are written by, and "
                        f"{doubt}",
                    ),
                    "Or give a bundle, whose manifest says it.",
                    file=file,
                    found=dict(self.plan.versions),
                )

    @property
    def flows(self) -> dict[str, Flow]:
        """Where the records of each of today's entities come from, by its name."""
        return self.pipeline.flows

    def note(self, name: str, needed: int) -> str:
        """Say what became of an entity's records, for messages about them; empty for nothing."""
        flow = self.flows[name]
        if not isinstance(flow.source, str):
            return f"The record was made of {' and '.join(flow.names)}, which were upgraded."
        version = self.plan.versions[flow.source]
        if version != needed:
            return f"The record was upgraded from version {version} to {needed}."
        return "What the record refers to was upgraded." if flow.actions else ""


class RecordUpgrade:
    """What is done to the records of a flow, one at a time."""

    def __init__(self, place: Place, actions: Sequence[StepAction]) -> None:
        self.place = place
        self.actions = actions

    def run(self, lines: Sequence[bytes], first: int) -> tuple[list[Piece], list[Problem]]:
        """Upgrade a block of records; those that can't be are problems, and left out.

        The pieces reach to the end of the block, so that the last may be empty.
        """
        pieces: list[Piece] = [Piece(first, [])]
        problems: list[Problem] = []
        for number, line in enumerate(lines, first):
            upgraded = self._upgraded(line, number)
            if isinstance(upgraded, Problem):
                problems.append(upgraded)
                pieces.append(Piece(number + 1, []))
            else:
                pieces[-1].records.append(upgraded)
        return [piece for piece in pieces[:-1] if piece.records] + pieces[-1:], problems

    def _upgraded(self, line: bytes, number: int) -> bytes | Problem:
        try:
            record = parse_json(line)
        except ValueError as error:
            self.unread()
            text = f"isn't valid JSON: {error}. Correct it"
            return Problem.of(Message("json-malformed", text), *self.place(number))
        if not isinstance(record, dict):
            self.unread()
            return line  # no record at all, which the decoder says
        key = self.begin(record)
        for action in self.actions:
            try:
                action.act(record)
            except Refused as error:
                text = change_failed(action, error)
                return Problem.of(text, *self.place(number), key, error.field or None)
        try:
            return plain_json_text(record)
        except ValueError as error:
            text = f"what changes made of it can't be written: {error}. Correct them, or the record"
            return Problem.of(Message("change-failed", text), *self.place(number), key)

    def begin(self, record: dict[str, Any]) -> Any:
        """Return the key by which messages name a record."""
        return None

    def unread(self) -> None:
        """A record couldn't be read."""


class EntityUpgrade(RecordUpgrade):
    """The upgrade of records as the payload holds them; counts their links as they are read."""

    def __init__(
        self, place: Place, shape: Shape, actions: Sequence[StepAction], *, ids: bool
    ) -> None:
        super().__init__(place, actions)
        self.shape = shape
        self.ids = ids
        self.links = LinkCounts(shape)

    def begin(self, record: dict[str, Any]) -> Any:
        """Count the record's links, and take out ids, which are no fields."""
        self.links.count(record)
        if self.ids:
            without_unknown(self.shape, record)
        return {name: copied(record[name]) for name in self.shape["key"] if name in record} or None

    def unread(self) -> None:
        """The links of the payload can't be told any more."""
        self.links.certain = False


class LinkCounts:
    """Counts the references of records, as their manifest does.

    ``certain`` turns false where a record is not what its shape says, so that its links
    can't be told.
    """

    def __init__(self, shape: Shape) -> None:
        self.counts: dict[str, int] = {}
        self.certain = True
        self.spots = list(_spots(shape))

    def count(self, record: dict[str, Any]) -> None:
        """Add a record's links."""
        for names, shape, field, inner in self.spots:
            path = ".".join((*names, field))
            for inner_record, _, _ in each(record, names):
                self._add(path, inner_record, shape, field, inner)

    def _add(
        self, path: str, record: dict[str, Any], shape: Shape, field: str, inner: Shape
    ) -> None:
        value = record.get(field)
        if inner["type"] == "references" and isinstance(value, list):
            links = len(value)
        elif inner["type"] == "reference" and not isinstance(value, list) and field in record:
            links = int(value is not None)
        else:
            classes = inner.get("classes")
            kind: Any = shape.get("discriminator")
            elsewhere = classes is not None and record.get(kind) not in classes
            self.certain &= field not in record and elsewhere
            links = 0
        self.counts[path] = self.counts.get(path, 0) + links


def _spots(
    shape: Shape, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Shape, str, Shape]]:
    for field, inner in shape["fields"].items():
        if is_link(inner):
            yield names, shape, field, inner
        elif is_owned(inner):
            yield from _spots(inner, (*names, field))


def without_unknown(shape: Shape, record: dict[str, Any]) -> None:
    """Take out what a record has beside its shape's fields: ids, written for people who debug."""
    if shape.get("open"):
        return
    for name in record.keys() - shape["fields"].keys():
        if not isinstance(record[name], dict | list):
            del record[name]
    for field, inner in shape["fields"].items():
        if is_owned(inner):
            for child, _, _ in each(record, (field,)):
                without_unknown(inner, child)
