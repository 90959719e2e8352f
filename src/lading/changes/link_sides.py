"""Moves many-to-many lists to the side that carries them today, as records flow in.

A bundle says by its shapes on which side its lists stand; since then the application may have
declared the other one.  Every link is a pair of keys, so the lists of one side are
turned into those of the other, on disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lading.changes.rewriting.shapes import Shape
from lading.changes.run import Piece
from lading.changes.streams import SIZE, Failed, Streams, numbered
from lading.messages import Message, shown
from lading.model.entities import Entities
from lading.model.rowsets import Links, RowSet
from lading.report import Problem
from lading.scratch.sort import chunked
from lading.values.json_text import json_text, parse_json, plain_json_text

SLICE = 2_000


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """A list that stands in ``field`` of the payload's ``source``, and in ``root`` today."""

    root: RowSet
    links: Links
    source: str
    field: str

    @property
    def holder(self) -> str:
        """The entity whose records hold the list today."""
        return self.root.name


def moved_lists(entities: Entities, shapes: Mapping[str, Shape]) -> list[Moved]:
    """Find the lists that a payload's records, of these shapes, hold on the other side."""
    lists = []
    for root in entities.roots.values():
        for links in root.links:
            other = entities.roots.get(links.reference.target.name)
            if other is None or links.written in _fields(shapes, root.name):
                continue
            fields = _candidates(root, links, other, _fields(shapes, other.name))
            if len(fields) == 1:
                lists.append(Moved(root, links, other.name, fields[0]))
    return lists


def _fields(shapes: Mapping[str, Shape], name: str) -> Mapping[str, Any]:
    fields = shapes.get(name, {}).get("fields", {})
    return fields if isinstance(fields, dict) else {}


def _candidates(root: RowSet, links: Links, other: RowSet, fields: Mapping[str, Any]) -> list[str]:
    """List the fields that may hold a link table's links: by its other relationship, or alone."""
    known = {member.written for member in other.members}
    lists = [
        name
        for name, shape in fields.items()
        if name not in known
        and shape.get("type") == "references"
        and shape.get("entity") == root.name
    ]
    named = {
        str(relationship.key)
        for mapper in other.mapper.self_and_descendants
        for relationship in mapper.relationships
        if relationship.secondary is links.table
    }
    return [name for name in lists if name in named] or lists


class LinkPairs:
    """The links of one moved list by the keys of its holders, in a temporary file."""

    def __init__(self) -> None:
        self.base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.base.execute("pragma journal_mode = off")
        self.base.execute("pragma synchronous = off")
        self.base.execute(
            "create table links (number integer primary key, holder blob not null, "
            "item blob not null, origin integer not null, taken integer not null default 0)"
        )
        self.names: list[tuple[str, ...]] = []

    def fill(self, links: Iterable[tuple[tuple[str, ...], bytes, bytes, int]]) -> None:
        """Add links: the names of the holder's key, that key, the item, and its record."""
        self.base.execute("begin")
        for part in chunked(links, SLICE):
            self.names = list(dict.fromkeys([*self.names, *(names for names, *_ in part)]))
            self.base.executemany(
                "insert into links (holder, item, origin) values (?, ?, ?)",
                [row for _, *row in part],
            )
        self.base.execute("commit")
        self.base.execute("create index holders on links (holder)")

    def again(self) -> None:
        """Begin to take from the beginning."""
        self.base.execute("update links set taken = 0")

    def take(self, holder: bytes) -> list[bytes]:
        """Return the items of a holder, in the order in which they came."""
        rows = self.base.execute(
            "select number, item from links where holder = ? order by number", (holder,)
        ).fetchall()
        self.base.execute("update links set taken = 1 where holder = ?", (holder,))
        return [text for _, text in rows]

    def unmatched(self) -> list[tuple[bytes, int]]:
        """List the links that nobody took: the holder's key, and the record of the item."""
        return self.base.execute(
            "select holder, origin from links where taken = 0 order by number"
        ).fetchall()

    def close(self) -> None:
        """Give the file back."""
        self.base.close()


class Relinking:
    """Takes moved lists out of the records of one side, and gives them to those of the other."""

    def __init__(self, streams: Streams, moved: Sequence[Moved]) -> None:
        self.streams = streams
        self.moved = moved
        self.problems: dict[Moved, list[Problem]] = {}
        self.pairs: dict[Moved, LinkPairs] = {}

    def pieces(self, name: str, size: int, failed: Failed) -> Iterator[Piece]:
        """Yield an entity's records with the lists that they have today."""
        pieces = self.streams.pieces(self.streams.upgrade.flows[name], size, failed)
        gone = [moved.field for moved in self.moved if moved.source == name]
        additions = [moved for moved in self.moved if moved.holder == name]
        for moved in additions:
            self._pairs_of(moved).again()
        for piece in pieces:
            if gone or additions:
                yield Piece(
                    piece.first, [self._moved(line, gone, additions) for line in piece.records]
                )
            else:
                yield piece
        for moved in additions:
            for problem in [*self.problems[moved], *self._unmatched(moved)]:
                failed(problem)

    def links(self, name: str, counts: Mapping[str, int]) -> dict[str, int]:
        """Return how many links an entity's records have today, of those that a manifest tells."""
        gone = {moved.field for moved in self.moved if moved.source == name}
        return {path: count for path, count in counts.items() if path not in gone}

    def close(self) -> None:
        """Give temporary files back."""
        for pairs in self.pairs.values():
            pairs.close()

    def _moved(self, line: bytes, gone: Sequence[str], additions: Sequence[Moved]) -> bytes:
        try:
            record = parse_json(line)
        except ValueError:
            return line  # the decoder says what is wrong
        if not isinstance(record, dict):
            return line
        for field in gone:
            record.pop(field, None)
        for moved in additions:
            texts = self._matching_links(moved, record)
            if texts or self._has_list(moved, record):
                record[moved.links.written] = [parse_json(text) for text in texts]
        return plain_json_text(record)

    def _matching_links(self, moved: Moved, record: dict[str, Any]) -> list[bytes]:
        pairs = self._pairs_of(moved)
        texts: list[bytes] = []
        for names in pairs.names:
            if record.keys() >= set(names):
                texts += pairs.take(json_text({name: record[name] for name in names}))
        return texts

    def _has_list(self, moved: Moved, record: dict[str, Any]) -> bool:
        """Tell whether a record's class has the list at all."""
        return any(member is moved.links for member in moved.root.members_of(record))

    def _pairs_of(self, moved: Moved) -> LinkPairs:
        if moved not in self.pairs:
            self.pairs[moved], self.problems[moved] = LinkPairs(), []
            self.pairs[moved].fill(self._links(moved))
        return self.pairs[moved]

    def _links(self, moved: Moved) -> Iterator[tuple[tuple[str, ...], bytes, bytes, int]]:
        names = [part.written for part in moved.links.reference.parts]
        flow = self.streams.upgrade.flows[moved.source]
        for number, record in numbered(self.streams.pieces(flow, SIZE, lambda _: None)):
            items = record.get(moved.field)
            if not isinstance(items, list) or not all(isinstance(link, dict) for link in items):
                text = f"{shown(items)} is not a list of keys. Correct it"
                self._note(moved, number, Message("value-malformed", text))
                continue
            if record.keys() >= set(names):
                own = json_text({name: record[name] for name in names})
                for link in items:
                    yield tuple(sorted(link)), json_text(link), own, number

    def _note(self, moved: Moved, number: int, text: Message) -> None:
        file, record = self.streams.locate(self.streams.upgrade.flows[moved.source], number)
        self.problems[moved].append(Problem.of(text, file, record, field=moved.field))

    def _unmatched(self, moved: Moved) -> Iterator[Problem]:
        """Yield what is wrong with links whose holder has no record."""
        flow = self.streams.upgrade.flows[moved.source]
        for key, number in self.pairs[moved].unmatched():
            file, record = self.streams.locate(flow, number)
            text = Message(
                "reference-missing",
                f"holds {shown(parse_json(key))}, and links stand in the records of {moved.holder} "
                f"today, where none has this key. Add the record to {moved.holder}, or remove the "
                "link",
            )
            yield Problem.of(text, file, record, field=moved.field)
