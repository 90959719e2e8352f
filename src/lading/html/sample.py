"""The records that a page shows: a bounded number of each entity, and what those refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lading.html.embedding import ABSENT, embedded
from lading.html.record_links import Index, Path, index_of, key_text, references_of_record, rows_in
from lading.html.shares import fair_shares
from lading.model.hidden import masked
from lading.model.rowsets import RowSet, references_of
from lading.values.json_text import on_own_stack

#: How many records a page holds at most, and how many bytes of them.
MOST_RECORDS, MOST_BYTES = 5_000, 4_000_000
#: How many of the records are the first by key; the others are what these refer to.
FIRST_RECORDS = 3_500
#: What stands between the parts of a path; no name is likely to hold it.
SEPARATOR = "\x1f"

Record = dict[str, Any]
Reader = Callable[[str], Generator[Record, None, None]]


@dataclass(frozen=True, slots=True)
class EntityTotal:
    """An entity to take records of, and their number.

    ``rows`` is its row set, where its references can be followed.  ``is_withheld`` says that no
    record may be shown, since nobody knows which values are hidden.
    """

    name: str
    rows: RowSet | None
    total: int
    is_withheld: bool = False


@dataclass(slots=True)
class EntitySample:
    """An entity's records in a page: the names of their fields, and a row of values for each.

    ``links`` say for each record where its references lead: path, place of the entity, and place of
    the record among those of that entity.
    """

    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    links: list[dict[str, tuple[int, int]]] = field(default_factory=list)


class Sampler:
    """Takes records of all entities, those that refer before those referred to."""

    def __init__(self, entities: Iterable[EntityTotal]) -> None:
        self.entities = list(entities)
        self.samples = [EntitySample() for _ in self.entities]
        shown = {e.name: e.total for e in self.entities if not e.is_withheld}
        is_bounded = sum(shown.values()) > MOST_RECORDS
        self._shares = fair_shares(shown, FIRST_RECORDS) if is_bounded else shown
        self._more = MOST_RECORDS - sum(self._shares.values())
        self._bytes = MOST_BYTES
        self._indexes: dict[int, set[Index]] = defaultdict(set)
        self._wanted: dict[Index, set[bytes]] = defaultdict(set)
        self._places: dict[tuple[Index, bytes], tuple[int, int] | None] = {}
        self._references: list[tuple[int, int, Path, Index, bytes]] = []
        for entity in self.entities:
            for _, _, reference in references_of(entity.rows) if entity.rows else ():
                index = index_of(reference)
                self._indexes[index[0]].add(index)

    def run(self, records: Reader) -> None:
        """Take the records, which are read from the last entity to the first."""
        for place in reversed(range(len(self.entities))):
            entity = self.entities[place]
            if not entity.is_withheld:
                with closing(records(entity.name)) as reader:
                    self._take(place, entity, reader)
        for place, number, path, index, text in self._references:
            target = self._places.get((index, text))
            if target is not None:
                self.samples[place].links[number][SEPARATOR.join(map(str, path))] = target

    def _take(self, place: int, entity: EntityTotal, records: Iterable[Record]) -> None:
        share = self._shares[entity.name]
        # Most entities are small: one may take thrice its part of what is left, up to half of it.
        room = min(self._bytes // 2, 3 * self._bytes // (place + 1)) if place else self._bytes
        for record in records:
            keys = list(self._keys(entity.rows, record))
            is_first = len(self.samples[place].rows) < share
            if not is_first and not self._is_wanted(entity.rows):
                return
            if is_first or (self._more > 0 and any(t in self._wanted[i] for i, t in keys)):
                size = self._keep(place, entity, record, keys, room)
                if not size:
                    return
                self._more -= not is_first
                self._bytes -= size
                room -= size

    def _keys(self, rows: RowSet | None, record: Record) -> Iterable[tuple[Index, bytes]]:
        """Yield what references may find a record, or an owned row in it, by."""
        for within, row in rows_in(rows, record) if rows else ():
            for index in sorted(self._indexes[id(within.table)]):
                yield index, key_text(index[1], row)

    def _is_wanted(self, rows: RowSet | None) -> bool:
        """Tell whether records that were taken refer to others of an entity."""
        if rows is None or self._more <= 0:
            return False
        indexes = [i for within in rows.tree() for i in self._indexes[id(within.table)]]
        return any(self._wanted[index] for index in indexes)

    def _keep(
        self,
        place: int,
        entity: EntityTotal,
        record: Record,
        keys: list[tuple[Index, bytes]],
        room: int,
    ) -> int:
        """Take a record, if there is room for it, and return its size."""
        sample = self.samples[place]
        rows = entity.rows
        shown = record if rows is None else on_own_stack(masked, rows.members, record)
        row = _row(sample.columns, shown)
        size = len(msgspec.json.encode(row))
        if size > room:
            return 0
        number = len(sample.rows)
        sample.rows.append(row)
        sample.links.append({})
        for key in keys:
            self._wanted[key[0]].discard(key[1])
            self._places[key] = None if key in self._places else (place, number)
        for path, reference, text in references_of_record(rows, record) if rows else ():
            index = index_of(reference)
            self._references.append((place, number, path, index, text))
            if (index, text) not in self._places:
                self._wanted[index].add(text)
        return size


def _row(columns: list[str], record: Mapping[str, Any]) -> list[Any]:
    """Return a record's values by column, and add the columns that are new."""
    columns += [name for name in record if name not in columns]
    return [embedded(record[name]) if name in record else {ABSENT: 1} for name in columns]
