"""Reads keys that recur: the ancestors of a chunk's rows, in one statement, put together here.

No path is made in SQL, so neither depth nor the texts' lengths matter to a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.lookup import keys_at, rows_among
from lading.errors import TargetError
from lading.exporting.encode import RowEncoder
from lading.exporting.query import ReferenceSlot, Selection, identity_of
from lading.exporting.reading import Reading
from lading.messages import Message, listed
from lading.model.hidden import shown_foreign_key
from lading.model.recursive_keys import Parts, deepest, level_parts, recurring
from lading.model.rowsets import RowSet
from lading.records.describe import described, masked_key
from lading.records.layout import Key, RecordLayout, WrittenKey
from lading.records.lines import encode_lines

#: The keys of rows by their primary keys.
TargetKeys = dict[Row, WrittenKey]
#: Placeholder in the statement for each chunk's condition.
CHUNK_MARK = "_lading_of_this_chunk"


@dataclass(frozen=True, slots=True)
class Level:
    """One row's share of its descendants' keys, and the primary key of the row above it.

    ``before`` and ``after`` are the texts around what the key nests; ``depth`` is how deep
    other keys that recur nest within these.
    """

    above: Row | None
    parts: Key
    before: bytes
    after: bytes
    depth: int


class Ancestors:
    """Reads the keys that recur of the rows which one reference of a selection points to."""

    def __init__(self, dialect: Dialect, slot: ReferenceSlot) -> None:
        self.slot = slot
        self.most = deepest(slot.reference)
        parts = slot.reference.parts
        own = recurring(parts)
        assert own is not None
        self.own = own
        self.rows = own.target
        table: Any = self.rows.table
        selection = self.selection = Selection(dialect, table)
        place = parts.index(own)
        self.before = self._encoder(selection, parts[:place])
        self.after = self._encoder(selection, parts[place + 1 :])
        above = selection.join(own, table)
        self.identity = identity_of(selection, self.rows)
        self.foreign = [selection.raw(table.c[column.key]) for column in own.columns]
        self.above = [selection.raw(above.c[column.key]) for column in self.rows.identity]
        for encoder in (self.before, self.after):
            encoder.ready(len(selection.columns))
        self.nested = ancestors_of(selection)
        self.sql = dialect.text_of(self._statement(selection))
        name = dialect.table(self.rows.table)
        self.names = [f"{name}.{dialect.name(column)}" for column in self.rows.identity]

    def _encoder(self, selection: Selection, parts: Parts) -> RowEncoder:
        """Return what writes some parts of a level as a record of their own."""
        level: RowSet = replace(
            self.rows, members=list(parts), key=parts, discriminator=None, extensions=()
        )
        return RowEncoder(level, selection, RecordLayout(level), ids=False)

    def _statement(self, selection: Selection) -> sa.Select[Any]:
        """Return the SELECT of a chunk's rows and all of their ancestors, each once."""
        table: Any = self.rows.table
        above: Any = table.alias("_lading_above")
        start = sa.select(*self._edge(table)).where(sa.literal_column(CHUNK_MARK))
        reached: Any = start.cte("_lading_reached", recursive=True)
        far: Any = above
        extension = self.rows.extension_of(self.own.remote[0].table)
        if extension is not None:  # the reference leads to rows of a subclass, by its own table
            far = extension.table.alias("_lading_above_own")
        climbs = [
            far.c[column.key] == reached.c[f"u{n}"] for n, column in enumerate(self.own.remote)
        ]
        climbed = reached.join(far, sa.and_(*climbs))
        if extension is not None:
            up = [far.c[own.key] == above.c[base.key] for own, base in extension.pairs]
            climbed = climbed.join(above, sa.and_(*up))
        # UNION and not UNION ALL, so that rows which are their own ancestors end it as well.
        reached = reached.union(sa.select(*self._edge(above)).select_from(climbed))
        match = [table.c[c.key] == reached.c[f"i{n}"] for n, c in enumerate(self.rows.identity)]
        joined = selection.joined.join(reached, sa.and_(*match))
        return selection.statement(joined)

    def _edge(self, source: Any) -> list[sa.ColumnElement[Any]]:
        """Select a row's primary key, and the foreign key that leads up from it."""
        return [
            *(source.c[column.key].label(f"i{n}") for n, column in enumerate(self.rows.identity)),
            *(source.c[column.key].label(f"u{n}") for n, column in enumerate(self.own.columns)),
        ]

    def fetch(self, reading: Reading, rows: Sequence[Row]) -> TargetKeys:
        """Return the keys of the targets of some rows, by the targets' primary keys."""
        identities = dict.fromkeys(keys_at(rows, self.slot.identity))
        wanted = [identity for identity in identities if None not in identity]
        levels = self._levels(reading, wanted)
        return {identity: self._written(identity, levels) for identity in wanted}

    def _levels(self, reading: Reading, wanted: Sequence[Row]) -> dict[Row, Level]:
        columns = self.rows.identity
        rows = rows_among(reading.database, self.sql, columns, self.names, wanted, mark=CHUNK_MARK)
        rows = self.selection.completed(reading.database, rows)
        nested = [ancestors.fetch(reading, rows) for ancestors in self.nested]
        rounded = reading.tally.rounded
        before = self.before.records(rows, [], nested, rounded)
        after = self.after.records(rows, [], nested, rounded)
        parts = zip(self.before.keys(before), self.after.keys(after), strict=True)
        name = msgspec.json.encode(self.own.written)
        opened = [_opened(line, name) for line in encode_lines(before)]
        closed = [_closed(line) for line in encode_lines(after)]
        above = [
            self._up(row, identity)
            for row, identity in zip(rows, keys_at(rows, self.above), strict=True)
        ]
        keys = [(*first, *last) for first, last in parts]
        below = list(zip(self.nested, nested, strict=True))
        depths = [max((a.depth_of(row, keys) for a, keys in below), default=0) for row in rows]
        levels = map(Level, above, keys, opened, closed, depths)
        return dict(zip(keys_at(rows, self.identity), levels, strict=True))

    def depth_of(self, row: Row, keys: TargetKeys) -> int:
        """Return how deep the key nests that a row refers to."""
        identity = tuple(row[place] for place in self.slot.identity)
        return 0 if None in identity else keys[identity].depth

    def _up(self, row: Row, above: Row) -> Row | None:
        """Return the primary key of the row above; a set foreign key without one is an error."""
        if None not in above:
            return above
        foreign = [row[place] for place in self.foreign]
        own = [
            value
            for value, column in zip(foreign, self.own.columns, strict=True)
            if column in self.own.carried_columns
        ]
        if all(value is None for value in own or foreign):
            return None
        columns = ", ".join(column.name for column in self.own.columns)
        value = shown_foreign_key(self.own, foreign)
        raise TargetError(
            Message(
                "foreign-key-dangling",
                f"{columns} = {value} refers to no row of {self.rows.table.fullname}",
            ),
            "Add the missing row, or set the foreign key to one that exists.",
            entity=self.rows.name,
            field=self.own.written,
        )

    def _written(self, identity: Row, levels: dict[Row, Level]) -> WrittenKey:
        """Climb from a row to its root, and build its key."""
        climbed: list[Level] = []
        depth = 0
        at: Row | None = identity
        while at is not None:
            level = levels[at]
            climbed.append(level)
            at = level.above
            depth = max(depth, len(climbed) + level.depth)
            if depth > self.most:
                raise self._endless(identity, levels, depth)
        text = [level.before for level in climbed]
        climbed.reverse()
        text += [b"null", *(level.after for level in climbed)]
        key = tuple(level.parts for level in climbed)
        return WrittenKey(key, msgspec.Raw(b"".join(text)), depth)

    def _endless(self, identity: Row, levels: dict[Row, Level], depth: int) -> TargetError:
        """Return the error for a row that is its own ancestor or lies too deep."""
        visited: dict[Row, None] = {}
        at: Row | None = identity
        while at in levels and at not in visited:  # an engine may give up on a path of thousands
            visited[at] = None
            at = levels[at].above
        level = levels[at if at in visited else identity]
        key_text = self._described(level)
        key = masked_key(level_parts(self.own.parts), level.parts)
        where: dict[str, Any] = {"entity": self.rows.name, "field": self.own.written, "key": key}
        if at in visited:
            names = list(visited)
            circle = names[names.index(at) :]
            rows = listed((self._described(levels[name]) for name in circle), separator="; ")
            return TargetError(
                Message(
                    "key-endless",
                    f"the row with {key_text} is among its own ancestors, so its natural key has "
                    f"no end; the rows of this circle have {rows}",
                ),
                f"Break the circle: set {self.own.written} of one of its rows to null.",
                **where,
            )
        return TargetError(
            Message(
                "key-too-deep",
                f"the row with {key_text} lies {max(depth, len(visited))} levels deep, and a key "
                f"may have at most {self.most}: JSON that nests deeper can't be read",
            ),
            "Make the tree less deep, or declare a natural_key that doesn't recur.",
            **where,
        )

    def _described(self, level: Level) -> str:
        """Describe a row by what its own level adds to its key."""
        return described(level_parts(self.own.parts), level.parts)


def _opened(line: bytes, name: bytes) -> bytes:
    """Return the text of a level up to what it nests under ``name``."""
    return line[:-1] + (b"," if len(line) > 2 else b"") + name + b":"


def _closed(line: bytes) -> bytes:
    """Return the text of a level from behind what it nests."""
    return b"," + line[1:] if len(line) > 2 else line[1:]


def ancestors_of(selection: Selection) -> list[Ancestors]:
    """Return what reads the keys that recur, of each reference that a selection has of them."""
    return [Ancestors(selection.dialect, slot) for slot in selection.recurring]
