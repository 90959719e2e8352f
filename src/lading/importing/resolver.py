"""Finds the rows that have given natural keys, in bulk.

Nested references are resolved first, from the inside out: one query per chunk, target and
pattern of nulls.  The rows that come back are matched again in Python by canonical key,
because a collation may treat different texts as equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import product
from typing import Any

import sqlalchemy as sa

from lading.database.dialects.base import Dialect, Row
from lading.database.live.base import Database
from lading.database.lookup import rows_among
from lading.exporting.query import having_row_in, with_extensions
from lading.exporting.reader import count_rows
from lading.importing.folding import folded
from lading.importing.resolved_keys import AMBIGUOUS, ITSELF, KeyResolver
from lading.messages import closest
from lading.model.recursive_keys import recurring
from lading.model.rowsets import Reference, RowSet, Value
from lading.records.layout import Key

#: Targets of at most this many rows are read whole, which is cheaper than lookups.
SMALL = 5_000
CANDIDATES = 20_000


class KeyQuery:
    """The SELECT of some rows' keys, and what reads and binds the parts of such a key.

    Args:
        dialect: whose SQL it is.
        target: whose rows have the keys.
        parts: what a key consists of.
        remote: the columns that are selected behind the key's.
    """

    def __init__(
        self,
        dialect: Dialect,
        target: RowSet,
        parts: tuple[Value | Reference, ...],
        remote: tuple[sa.Column[Any], ...],
    ) -> None:
        values = [part for part in parts if isinstance(part, Value)]
        self.binds = {part: dialect.binder(part.carrier, part.kind).function() for part in values}
        self.reads = {part: dialect.reader(part.carrier, part.kind).function() for part in values}
        columns: list[Any] = []
        for part in parts:
            if isinstance(part, Value):
                columns.append(dialect.selected(part.carrier, part.kind))
            else:
                columns += part.columns
        columns += remote
        own = [column for part in parts for column in part.columns]
        source = having_row_in(target, (*own, *remote))
        # The levels above a row of a subclass needn't be of that class.
        if recurring(parts) is not None:
            source = with_extensions(target)
        named = [column.label(f"c{place}") for place, column in enumerate(columns)]
        self.statement = sa.select(*named).select_from(source)
        self.sql = dialect.text_of(self.statement)


class Resolver:
    """Finds rows of one table by one key, and returns some of their columns.

    Of a recursive key it finds one level: the part that refers to the level above is then the
    foreign key's raw value.
    """

    def __init__(
        self,
        database: Database,
        target: RowSet,
        parts: tuple[Value | Reference, ...],
        remote: tuple[sa.Column[Any], ...],
        inner: Mapping[Reference, KeyResolver],
        *,
        condition: str = "",
    ) -> None:
        self.database = database
        self.target = target
        self.parts = parts
        self.remote = remote
        self.query = database.dialect.once(KeyQuery, target, parts, remote)
        self.own = recurring(parts)
        self.inner = inner
        #: SQL that a row must satisfy as well.
        self.condition = condition
        self.whole: dict[Key, Row] | None = None
        self.counted = False
        self.near: list[str] | None = None

    def find(self, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys that exist to the remote columns' values, as the driver gives them.

        Of a small target, keys that weren't asked for are in the answer as well.
        """
        whole = self.all_rows()
        if whole is not None:
            return whole
        wanted = {key for key in keys if key is not None}
        return self.lookup(wanted) if wanted else {}

    # Small targets, read once

    def all_rows(self) -> dict[Key, Row] | None:
        """Return all rows of a small target by key, or ``None`` for a large target."""
        if self.whole is None and not self.counted:
            self.counted = True
            if count_rows(self.database, self.target.table) <= SMALL:
                self.whole = self._read_whole()
        return self.whole

    def _read_whole(self) -> dict[Key, Row] | None:
        backwards: dict[Reference, dict[Row, Key]] = self._start()
        for part, inner in self.inner.items():
            rows = inner.all_rows()
            if rows is None:
                return None
            backwards[part] = {row: key for key, row in rows.items() if row is not AMBIGUOUS}
        where = f" WHERE {self.condition}" if self.condition else ""
        return self._matched(self.database.fetch(f"{self.query.sql}{where}"), backwards)

    def _start(self) -> dict[Reference, dict[Row, Key]]:
        return {} if self.own is None else {self.own: ITSELF}

    def forget(self, *, growing: bool = False) -> None:
        """Drop what was read: the table has new rows. While it grows, it isn't read as a whole."""
        self.whole, self.counted, self.near = None, growing, None

    # Large ones, by chunk

    def lookup(self, wanted: set[Key]) -> dict[Key, Row]:
        """Look keys up, by one query per pattern of nulls."""
        return {key: row for key, row in self._matching(wanted).items() if key in wanted}

    def _matching(self, wanted: Collection[Key]) -> dict[Key, Row]:
        """Look keys up; a collation may take others for equal."""
        forwards: dict[Reference, dict[Key, Row]] = self._start()
        backwards: dict[Reference, dict[Row, Key]] = self._start()
        for place, part in enumerate(self.parts):
            if part in self.inner:
                assert isinstance(part, Reference)
                inner_keys = {key[place] for key in wanted if key[place] is not None}
                forwards[part] = self.inner[part].find(inner_keys)
                backwards[part] = {row: key for key, row in forwards[part].items()}
        patterns: dict[tuple[bool, ...], list[Row]] = {}
        for key in wanted:
            pattern = tuple(part is None for part in key)
            patterns.setdefault(pattern, []).extend(self._parameters(key, forwards))
        rows_by_key: dict[Key, Row] = {}
        for pattern, rows in patterns.items():
            if rows:
                rows_by_key |= self._matched(self._ask(pattern, rows), backwards)
        return rows_by_key

    def _parameters(self, key: Key, forwards: dict[Reference, dict[Key, Row]]) -> Iterator[Row]:
        """Yield the driver values to look a key up by; none if no row can have it."""
        choices: list[Collection[Row]] = []
        for part, value in zip(self.parts, key, strict=True):
            if value is None:
                continue
            if isinstance(part, Reference):
                row = forwards[part].get(value)
                if row is None or row is AMBIGUOUS:
                    return
                choices.append([row])
                continue
            try:
                bound = self.query.binds[part](value)
            except (ValueError, TypeError):
                return
            choices.append([(form,) for form in self.database.dialect.forms(part.kind, bound)])
        for chosen in product(*choices):
            yield tuple(value for row in chosen for value in row)

    def _ask(self, pattern: tuple[bool, ...], rows: list[Row]) -> list[Row]:
        columns: list[sa.Column[Any]] = []
        nulls = [self.condition] if self.condition else []
        for part, is_null in zip(self.parts, pattern, strict=True):
            if is_null:
                nulls.append(self._null(part))
            else:
                columns += part.columns
        sql = self.query.sql
        if not columns:
            return self.database.fetch(f"{sql} WHERE {' AND '.join(nulls)}")
        names = self.database.dialect.qualified(columns)
        tail = "".join(f" AND {null}" for null in nulls)
        return rows_among(self.database, sql, columns, names, rows, tail=tail)

    def _null(self, part: Value | Reference) -> str:
        """Return the SQL condition that a part is null; a reference is null by its own columns."""
        if isinstance(part, Value):
            return f"{self.database.dialect.qualified([part.column])[0]} IS NULL"
        names = self.database.dialect.qualified(part.carried_columns or part.columns)
        nulls = [f"{name} IS NULL" for name in names]
        return f"({(' AND ' if part.carried_columns else ' OR ').join(nulls)})"

    def _matched(
        self, rows: list[Row], backwards: dict[Reference, dict[Row, Key]]
    ) -> dict[Key, Row]:
        """Map the keys of raw rows to their remote columns."""
        rows_by_key: dict[Key, Row] = {}
        width = len(self.remote)
        for row in rows:
            key = self._key(row, backwards)
            if key is None:
                continue
            remote = tuple(row[-width:])
            if key in rows_by_key and rows_by_key[key] != remote:
                remote = AMBIGUOUS
            rows_by_key[key] = remote
        return rows_by_key

    def _key(self, row: Row, backwards: dict[Reference, dict[Row, Key]]) -> Key | None:
        key: list[Any] = []
        place = 0
        for part in self.parts:
            if isinstance(part, Value):
                value = row[place]
                place += 1
                try:
                    key.append(None if value is None else self.query.reads[part](value))
                except Exception:  # a value that can't be read matches no record
                    return None
                continue
            foreign = tuple(row[place : place + len(part.columns)])
            place += len(part.columns)
            if None in foreign:
                key.append(None)
            elif foreign in backwards[part]:
                key.append(backwards[part][foreign])
            else:
                return None
        return tuple(key)

    # Help for errors

    def unclear(self, key: Key) -> Key:
        """Return the key itself: it is the one that several rows have."""
        return key

    def nearest(self, key: Key, others: Iterable[Key] = ()) -> str | None:
        """Describe the key most like this one, of existing and other ones, or return ``None``."""
        if len(self.parts) != 1 or not isinstance(self.parts[0], Value):
            return None
        if self.near is None:
            statement = self.query.statement.limit(CANDIDATES)
            with closing(self.database.stream(statement, CANDIDATES)) as stream:
                rows = next(stream, [])
            keys = [self._key(row, {}) for row in rows]
            self.near = [key[0] for key in keys if key is not None and isinstance(key[0], str)]
        texts = [*self.near, *(other for (other,) in others if isinstance(other, str))]
        # A plan may miss what is there, but won't be.
        near = closest(str(key[0]), texts)
        return None if near is None else repr(near)

    def alike(self, keys: Collection[Key]) -> dict[Key, tuple[Key, Row]]:
        """Map keys to another one that the database takes for it by a collation, and its row."""
        others = defaultdict(list)
        # Whatever is found for a single key is like it.
        text = folded if len(keys) > 1 else lambda _: ""
        for other, row in self._matching(keys).items():
            others[text(other)].append((other, row))
        pairs = ((key, pair) for key in keys for pair in others[text(key)] if pair[0] != key)
        return dict(pairs)
