"""The records of a payload as they flow through its upgrade, in blocks, as often as asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from lading.changes.replay import Flow, SplitSource
from lading.changes.rewriting.lookups import KeyLookup, SplitPart
from lading.changes.rewriting.records import Refused
from lading.changes.run import EntityUpgrade, Piece, RecordUpgrade, Upgrade, change_failed
from lading.errors import BundleError
from lading.messages import Message, shown
from lading.report import Problem
from lading.scratch.key_index import Entry, KeyIndex
from lading.scratch.spool import Spool
from lading.values.json_text import json_text, parse_json

#: Is told of each record that no change could upgrade.
Failed = Callable[[Problem], None]
SIZE = 2_000


class Origin(Protocol):
    """A payload's own records, by the entities' names there."""

    def file(self, name: str) -> str:
        """Return what messages call the place of an entity's records."""

    def total(self, name: str) -> int:
        """Return how many records an entity has."""

    def read(self, name: str, size: int) -> Iterator[Piece]:
        """Yield an entity's records as they are."""

    def has_ids(self, name: str) -> bool:
        """Tell whether records carry surrogate ids, for people who debug."""

    def links(self, name: str) -> Mapping[str, int]:
        """Return how many links each reference has, where the payload says so."""


class Streams:
    """Runs the flows of a payload's upgrade; looks among records are kept on disk."""

    def __init__(self, origin: Origin, upgrade: Upgrade) -> None:
        self.origin = origin
        self.upgrade = upgrade
        self.parts: dict[SplitPart, Parts] = {}
        for split in upgrade.pipeline.splits:
            split.part.find = partial(self._part, split)
        self.lookups = [
            LookupIndex(self, lookup, flow) for lookup, flow in upgrade.pipeline.lookups
        ]

    def close(self) -> None:
        """Give temporary files back."""
        for parts in self.parts.values():
            parts.close()
        for lookup in self.lookups:
            lookup.close()

    def pieces(self, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield the records of a flow; what can't be upgraded is left out, and told."""
        if not isinstance(flow.source, str):
            yield from self._derived(flow, size, failed)
        elif flow.actions:
            yield from self._upgraded(flow.source, flow, size, failed)
        else:
            yield from self.origin.read(flow.source, size)

    def _upgraded(self, name: str, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        upgrade = EntityUpgrade(
            lambda number: (self.origin.file(name), number),
            self.upgrade.before[name],
            flow.actions,
            ids=self.origin.has_ids(name),
        )
        yield from _run(upgrade, self.origin.read(name, size), failed)
        if upgrade.links.certain:
            refuse_links(self.origin.file(name), self.origin.links(name), upgrade.links.counts)

    def _derived(self, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield records that the payload doesn't hold as they are."""
        if isinstance(flow.source, SplitSource):
            pieces = self.parts_of(flow.source).pieces(size, failed)
        else:
            assert not isinstance(flow.source, str)
            pieces = self._joined(flow.source, size, failed)
        if not flow.actions:
            yield from pieces
            return
        upgrade = RecordUpgrade(lambda number: self.locate(flow, number), flow.actions)
        yield from _run(upgrade, pieces, failed)

    def _joined(self, flows: Sequence[Flow], size: int, failed: Failed) -> Iterator[Piece]:
        before = 0
        for flow in flows:
            for piece in self.pieces(flow, size, failed):
                yield Piece(before + piece.first, piece.records)
            before += self.total(flow)

    def parts_of(self, split: SplitSource) -> Parts:
        """Return the records that are parts of others, which are gathered once."""
        if split.part not in self.parts:
            self.parts[split.part] = Parts(self, split)
        return self.parts[split.part]

    def _part(self, split: SplitSource, key: Any) -> Any:
        """Return the part that stands for a key."""
        entry = self.parts_of(split).index.get(json_text(key))
        return None if entry is None else parse_json(entry[0])

    def total(self, flow: Flow) -> int:
        """Return how many records a flow has, with those that can't be upgraded."""
        if isinstance(flow.source, str):
            return self.origin.total(flow.source)
        if isinstance(flow.source, SplitSource):
            return len(self.parts_of(flow.source).index)
        return sum(self.total(part) for part in flow.source)

    def locate(self, flow: Flow, number: int) -> tuple[str, int]:
        """Return in which file, and as which record there, a flow's record stands."""
        if isinstance(flow.source, str):
            return self.origin.file(flow.source), number
        if isinstance(flow.source, SplitSource):
            parts = self.parts_of(flow.source)
            return self.locate(flow.source.flow, parts.index.origin(number))
        for part in flow.source:
            total = self.total(part)
            if number <= total:
                return self.locate(part, number)
            number -= total
        raise AssertionError("no flow has a record of that number")

    def files(self, flow: Flow) -> str:
        """Name the files that a flow's records come from."""
        return " and ".join(self.origin.file(name) for name in flow.names)


def _run(upgrade: RecordUpgrade, pieces: Iterator[Piece], failed: Failed) -> Iterator[Piece]:
    for block in pieces:
        upgraded, problems = upgrade.run(block.records, block.first)
        for problem in problems:
            failed(problem)
        yield from upgraded


def numbered(pieces: Iterator[Piece]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield records with their numbers; what isn't one is told elsewhere."""
    for piece in pieces:
        for number, line in enumerate(piece.records, piece.first):
            try:
                record = parse_json(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield number, record


class LookupIndex:
    """Finds an entity's newer keys by their former ones; reads its records when first asked.

    There is one index for each set of fields that references are written by: one, where the
    former key is known.
    """

    def __init__(self, streams: Streams, lookup: KeyLookup, flow: Flow | None) -> None:
        self.streams = streams
        self.lookup = lookup
        self.flow = flow
        self.indexes: dict[tuple[str, ...], KeyIndex] = {}
        lookup.find = self.find

    def find(self, key: dict[str, Any]) -> Any:
        """Return the newer key, or ``None``; ``Refused`` where several records have this one."""
        names = tuple(sorted(key))
        if names not in self.indexes:
            self.indexes[names] = self._index(names)
        entry = self.indexes[names].get(json_text(key))
        if entry is None:
            return None
        text, is_ambiguous = entry
        if is_ambiguous:
            raise Refused(f"{self.lookup.entity}: several records have the key {shown(key)}")
        return parse_json(text)

    def _index(self, names: Sequence[str]) -> KeyIndex:
        index = KeyIndex()
        if self.flow is not None:
            index.fill(self._entries(self.flow, names))
        return index

    def _entries(self, flow: Flow, names: Sequence[str]) -> Iterator[Entry]:
        for number, record in numbered(self.streams.pieces(flow, SIZE, lambda _: None)):
            try:
                pair = self.lookup.pair(record, names)
            except Refused:
                continue  # its own step will say so
            if pair is not None:
                yield json_text(pair[0]), json_text(pair[1]), number

    def close(self) -> None:
        """Give the files back."""
        for index in self.indexes.values():
            index.close()


class Parts:
    """Records that are parts of others, each key once; gathered when they are made."""

    def __init__(self, streams: Streams, split: SplitSource) -> None:
        self.streams = streams
        self.split = split
        self.index = KeyIndex()
        self.problems = Spool()
        self.index.fill(self._entries())
        for key, _, number in self.index.clashes():
            self.problems.append(self._clash(parse_json(key), number))

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)

    def _clash(self, key: Any, number: int) -> Problem:
        file, record = self.streams.locate(self.split.flow, number)
        text = Message(
            "split-differs",
            f"what becomes {self.split.part.into} {shown(key)} differs from an earlier record's; "
            "they must agree. Correct one of the two",
        )
        return Problem.of(text, file, record)

    def _entries(self) -> Iterator[Entry]:
        flow, part = self.split.flow, self.split.part.extract
        for number, record in numbered(self.streams.pieces(flow, SIZE, self._note)):
            try:
                pair = part(record)
            except Refused as error:
                file, record_number = self.streams.locate(flow, number)
                message = change_failed(self.split, error)
                self._note(Problem.of(message, file, record_number, field=error.field))
                continue
            if pair is not None:
                yield json_text(pair[0]), json_text(pair[1]), number

    def pieces(self, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield the records, numbered as they came first."""
        for problem in self.problems:
            failed(problem)
        first = 1
        for values in self.index.values(size):
            yield Piece(first, values)
            first += len(values)

    def close(self) -> None:
        """Give the files back."""
        self.index.close()
        self.problems.close()


def refuse_links(file: str, expected: Mapping[str, int], counts: Mapping[str, int]) -> None:
    """Raise ``BundleError`` where the links that were read aren't as many as the manifest says."""
    for path, count in expected.items():
        if counts.get(path, 0) != count:
            raise BundleError(
                Message(
                    "link-count",
                    f"{counts.get(path, 0)} links were read, the manifest says {count}",
                ),
                "Export again.",
                file=file,
                field=path,
            )
