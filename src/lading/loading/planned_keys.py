"""The keys of records that an import would write, by which others may refer to them."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.resolver import CANDIDATES
from lading.importing.resolvers import Resolvers
from lading.importing.row_marks import RowMarks
from lading.loading.reference_keys import ReferenceKeys
from lading.loading.shared_values import (
    Origin,
    ValueOfTarget,
    compared_columns,
    origins,
    packed,
    unpacked,
)
from lading.mapping.load_order import LoadOrder
from lading.model.entities import Entities
from lading.model.rowsets import Column, Reference, RowSet
from lading.records.comparison import Content
from lading.records.layout import Key
from lading.scratch.key_index import KeyIndex
from lading.values.json_text import json_text, parse_json

#: Stands for what a planned row will hold in a column that nothing is compared with.
PLANNED = "planned"


class PlannedKeys:
    """The keys of planned rows, on disk: natural keys, and those that references go ``by``.

    With each is where the row's values come from in the columns that references share.
    """

    def __init__(self, entities: Entities) -> None:
        self.index = KeyIndex()
        self.entities = entities
        self.compared = compared_columns(entities)
        #: The owned rows that go, by table and primary key: no reference finds them.
        self.going = RowMarks()
        #: The rows that go with doomed records, likewise: no record that is written may need them.
        self.doomed = RowMarks()
        #: The members that references find a table's rows by, beside natural keys.
        self.others: dict[Any, set[Any]] = {}
        for rows in entities.all_rows():
            for reference in (*rows.references, *(links.reference for links in rows.links)):
                if reference.by is not None:
                    self.others.setdefault(reference.target.table, set()).add(reference.parts)

    def add(
        self, rows: RowSet, batch: Batch, records: Callable[[], Iterable[Content]], *, are_new: bool
    ) -> None:
        """Add the keys of rows, and of all that they nest.

        Args:
            rows: the row set.
            batch: its rows.
            records: returns what these say.
            are_new: whether the database lacks their natural keys.
        """
        if are_new or rows.children or rows.table in self.others:
            self.index.fill(self._entries(rows, batch, records, are_new=are_new))

    def _entries(
        self,
        rows: RowSet,
        batch: Batch,
        records: Callable[[], Iterable[Content]],
        above: Sequence[dict[Column, Origin]] = (),
        *,
        are_new: bool,
    ) -> Iterator[tuple[bytes, bytes, int]]:
        columns = self.compared.get(rows.name, ())
        values = list(origins(rows, columns, batch, above, are_new=are_new)) if columns else []
        contents = [packed(row) for row in values] or [b""] * len(batch)
        entries = list(zip(batch.keys, contents, batch.numbers, strict=True))
        for key, content, number in entries if are_new else ():
            yield _text(rows.table, None, key), content, number
        for parts in self.others.get(rows.table, ()):
            for record, (_, content, number) in zip(records(), entries, strict=True):
                key = tuple(record.get(part.written) for part in parts)
                yield _text(rows.table, parts, key), content, number
        for children in rows.children:
            nested = batch.children[children.name]

            def owned(written: str = children.written) -> Iterator[Content]:
                return (inner for record in records() for inner in record.get(written) or ())

            owners = [values[owner] for owner in nested.owners] if values else ()
            yield from self._entries(children.rows, nested.batch, owned, owners, are_new=True)

    def add_going(
        self, left: Iterable[DoomedTree], doomed: Iterable[DoomedTree], tables: Iterable[Any]
    ) -> None:
        """Add the rows of trees, which go: owned rows that left their records, and records.

        Plain fields lead to the ``tables``.
        """
        referred = {
            reference.target.table
            for rows in self.entities.all_rows()
            for reference in (*rows.references, *(links.reference for links in rows.links))
        }
        self._mark(self.going, left, referred)
        self._mark(self.doomed, doomed, referred.union(tables))

    def _mark(self, marks: RowMarks, trees: Iterable[DoomedTree], referred: set[Any]) -> None:
        for tree in trees:
            for rows in tree.spools:
                for chunk in tree.chunks(rows) if rows.table in referred else ():
                    identities = tree.columns(rows).identities(chunk.rows)
                    marks.add((rows.table.fullname, *row) for row in identities)

    def content(self, reference: Reference, key: Key) -> bytes | None:
        """Return what is kept with the key by which a reference finds a planned row, if any."""
        parts = None if reference.by is None else reference.parts
        entry = self.index.get(_text(reference.target.table, parts, key))
        return None if entry is None else entry[0]

    def like(self, reference: Reference) -> Iterator[Key]:
        """Yield keys by which a reference would find planned rows, not more than are compared."""
        parts = None if reference.by is None else reference.parts
        start = _start(reference.target.table, parts)
        for text in self.index.beginning(start, CANDIDATES):
            with suppress(ValueError, SyntaxError):  # a key of other values than plain ones
                yield literal_eval(parse_json(text)[-1])

    def close(self) -> None:
        """Give the files back."""
        self.index.close()
        self.going.close()
        self.doomed.close()


def _text(table: Any, parts: Any, key: Key) -> bytes:
    return _start(table, parts) + json_text(repr(key)) + b"]"


def _start(table: Any, parts: Any) -> bytes:
    """Return what the texts of a table's keys of some members begin with."""
    names = None if parts is None else [part.name for part in parts]
    return json_text([table.fullname, names])[:-1] + b","


class PlannedReferences(ReferenceResolver):
    """Resolves references to rows that are there, and to those that the import would write."""

    def __init__(
        self,
        resolvers: Resolvers,
        order: LoadOrder,
        outcome: EntityOutcome,
        keys: PlannedKeys,
        sharing: Mapping[str, ReferenceKeys],
    ) -> None:
        super().__init__(resolvers, order, outcome)
        self.keys = keys
        #: Knows the records that will share what references find them by, by entity.
        self.sharing = sharing

    def further_keys(self, reference: Reference) -> Iterable[Key]:
        """Return keys of rows that the import would write."""
        return self.keys.like(reference)

    def find(self, reference: Reference, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys of a reference's targets that exist, or would, to rows."""
        wanted = {key for key in keys if key is not None}
        stored = self._stored(reference, wanted)
        contents = {
            key: content
            for key in wanted
            if key not in stored
            and not self.has_failed(reference, key)
            and (content := self.keys.content(reference, key)) is not None
        }
        return stored | self._planned(reference, contents) if contents else stored

    def _stored(self, reference: Reference, wanted: set[Key]) -> dict[Key, Row]:
        """Map keys to the rows that will still have them; those that several will are ambiguous."""
        stored = super().find(reference, wanted)
        target = reference.target
        if target.is_owned and self.keys.going and reference.remote == target.identity:
            chosen = [(key, stored[key]) for key in wanted if key in stored]
            marks = [(target.table.fullname, *(row or ())) for _, row in chosen]
            stored = dict(chosen[n] for n in self.keys.going.without(marks))
        sharing = None if reference.by is None else self.sharing.get(reference.target.entity)
        value = sharing.field_of(reference) if sharing is not None else None
        if sharing is None or value is None:
            return stored
        counts = sharing.count(value, (key[0] for key in wanted))
        kept = {key: row for key, row in stored.items() if counts.get(repr(key[0]))}
        several = (key for key in wanted if counts.get(repr(key[0]), 0) > 1)
        return kept | dict.fromkeys(several, AMBIGUOUS)

    def _planned(self, reference: Reference, contents: Mapping[Key, bytes]) -> dict[Key, Row]:
        """Return what a foreign key will hold of planned rows, in the columns that are compared."""
        rows: dict[Key, list[Any]] = {}
        targets: dict[tuple[str, str | None], list[tuple[list[Any], int, ValueOfTarget]]] = {}
        for key, content in contents.items():
            values = unpacked(content)
            rows[key] = [PLANNED] * len(reference.remote)
            for place, column in enumerate(reference.remote):
                origin = values.get(str(reference.target.in_base(column)), PLANNED)
                if isinstance(origin, ValueOfTarget):
                    way = (origin.rows, origin.reference)
                    targets.setdefault(way, []).append((rows[key], place, origin))
                else:
                    rows[key][place] = origin
        for way, listed in targets.items():
            inner = self._targets(*way, {origin.key for _, _, origin in listed})
            for row, place, origin in listed:
                target = inner.get(origin.key) if origin.key is not None else None
                row[place] = None if target is None or target is AMBIGUOUS else target[origin.place]
        return {key: tuple(row) for key, row in rows.items()}

    def _targets(self, name: str, member: str | None, keys: set[Key | None]) -> dict[Key, Row]:
        """Find the targets of a row set's reference, or its own rows by their natural keys."""
        rows = self.keys.entities[name]
        if member is None:
            return self.resolvers.by_key(rows).find(keys)
        return self.find(next(r for r in rows.references if r.name == member), keys)
