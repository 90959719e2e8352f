"""The records of a payload as they flow through its upgrade, in blocks, as often as asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from lading.changes.replay import Flow, Taken
from lading.changes.rewriting.lookups import Apart, Book
from lading.changes.rewriting.records import Refused
from lading.changes.run import EntityUpgrade, Piece, RecordUpgrade, Upgrade
from lading.errors import BundleError
from lading.messages import shown
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
        self.parts: dict[Apart, Parts] = {}
        for taken in upgrade.course.taken:
            taken.apart.find = partial(self._part, taken)
        self.books = [Lookup(self, book, flow) for book, flow in upgrade.course.books]

    def close(self) -> None:
        """Give temporary files back."""
        for parts in self.parts.values():
            parts.close()
        for book in self.books:
            book.close()

    def pieces(self, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield the records of a flow; what can't be upgraded is left out, and told."""
        if not isinstance(flow.source, str):
            yield from self._made(flow, size, failed)
        elif flow.deeds:
            yield from self._upgraded(flow.source, flow, size, failed)
        else:
            yield from self.origin.read(flow.source, size)

    def _upgraded(self, name: str, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        upgrade = EntityUpgrade(
            lambda number: (self.origin.file(name), number),
            self.upgrade.before[name],
            flow.deeds,
            ids=self.origin.has_ids(name),
        )
        yield from _run(upgrade, self.origin.read(name, size), failed)
        if upgrade.links.certain:
            refuse_links(self.origin.file(name), self.origin.links(name), upgrade.links.counts)

    def _made(self, flow: Flow, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield records that the payload doesn't hold as they are."""
        if isinstance(flow.source, Taken):
            pieces = self.parts_of(flow.source).pieces(size, failed)
        else:
            assert not isinstance(flow.source, str)
            pieces = self._joined(flow.source, size, failed)
        if not flow.deeds:
            yield from pieces
            return
        upgrade = RecordUpgrade(lambda number: self.locate(flow, number), flow.deeds)
        yield from _run(upgrade, pieces, failed)

    def _joined(self, flows: Sequence[Flow], size: int, failed: Failed) -> Iterator[Piece]:
        before = 0
        for flow in flows:
            for piece in self.pieces(flow, size, failed):
                yield Piece(before + piece.first, piece.records)
            before += self.total(flow)

    def parts_of(self, taken: Taken) -> Parts:
        """Return the records that are parts of others, which are gathered once."""
        if taken.apart not in self.parts:
            self.parts[taken.apart] = Parts(self, taken)
        return self.parts[taken.apart]

    def _part(self, taken: Taken, key: Any) -> Any:
        """Return the part that stands for a key."""
        found = self.parts_of(taken).index.get(json_text(key))
        return None if found is None else parse_json(found[0])

    def total(self, flow: Flow) -> int:
        """Return how many records a flow has, with those that can't be upgraded."""
        if isinstance(flow.source, str):
            return self.origin.total(flow.source)
        if isinstance(flow.source, Taken):
            return len(self.parts_of(flow.source).index)
        return sum(self.total(part) for part in flow.source)

    def locate(self, flow: Flow, number: int) -> tuple[str, int]:
        """Return in which file, and as which record there, a flow's record stands."""
        if isinstance(flow.source, str):
            return self.origin.file(flow.source), number
        if isinstance(flow.source, Taken):
            held = self.parts_of(flow.source)
            return self.locate(flow.source.flow, held.index.origin(number))
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
        made, problems = upgrade.run(block.records, block.first)
        for problem in problems:
            failed(problem)
        yield from made


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


class Lookup:
    """Finds an entity's newer keys by their former ones; reads its records when first asked.

    There is one index for each set of fields that references are written by: one, where the
    former key is known.
    """

    def __init__(self, streams: Streams, book: Book, flow: Flow | None) -> None:
        self.streams = streams
        self.book = book
        self.flow = flow
        self.indexes: dict[tuple[str, ...], KeyIndex] = {}
        book.find = self.find

    def find(self, key: dict[str, Any]) -> Any:
        """Return the newer key, or ``None``; ``Refused`` where several records have this one."""
        names = tuple(sorted(key))
        if names not in self.indexes:
            self.indexes[names] = self._index(names)
        found = self.indexes[names].get(json_text(key))
        if found is None:
            return None
        text, is_ambiguous = found
        if is_ambiguous:
            raise Refused(f"several records of {self.book.entity} have the key {shown(key)}")
        return parse_json(text)

    def _index(self, names: Sequence[str]) -> KeyIndex:
        index = KeyIndex()
        if self.flow is not None:
            index.fill(self._entries(self.flow, names))
        return index

    def _entries(self, flow: Flow, names: Sequence[str]) -> Iterator[Entry]:
        for number, record in numbered(self.streams.pieces(flow, SIZE, lambda _: None)):
            try:
                pair = self.book.pair(record, names)
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

    def __init__(self, streams: Streams, taken: Taken) -> None:
        self.streams = streams
        self.taken = taken
        self.index = KeyIndex()
        self.problems = Spool()
        self.index.fill(self._entries())
        for key, number in self.index.clashes():
            self.problems.append(self._clash(parse_json(key), number))

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)

    def _clash(self, key: Any, number: int) -> Problem:
        file, record = self.streams.locate(self.taken.flow, number)
        text = (
            f"what becomes {self.taken.apart.into} {shown(key)} differs from an earlier record's; "
            "they must agree"
        )
        return Problem(file, record, None, None, text)

    def _entries(self) -> Iterator[Entry]:
        flow, part = self.taken.flow, self.taken.apart.part
        for number, record in numbered(self.streams.pieces(flow, SIZE, self._note)):
            try:
                found = part(record)
            except Refused as error:
                file, record_number = self.streams.locate(flow, number)
                self.problems.append(Problem(file, record_number, None, error.field, error.problem))
                continue
            if found is not None:
                yield json_text(found[0]), json_text(found[1]), number

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


def refuse_links(file: str, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Raise ``BundleError`` where the links that were read aren't as many as the manifest says."""
    for path, count in expected.items():
        if found.get(path, 0) != count:
            raise BundleError(
                f"{found.get(path, 0)} links were read, the manifest says {count}",
                "Export again.",
                file=file,
                field=path,
            )
