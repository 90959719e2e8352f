"""Matches the owned rows of a record with those that the database has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from lading.mapping.natural_keys import covering
from lading.model.rowsets import Children, Reference, RowSet, Value
from lading.model.uniqueness import unique_columns
from lading.records.comparison import Content, RecordComparison
from lading.values.json_text import json_text

#: Types whose values have one text, which is made faster than their JSON.
PLAIN = frozenset((str, int))
#: For each row of a record, the place of the stored row that it is; ``None`` for a new one.
Matches = list[int | None]
#: Members that tell the rows of one owner apart.
Parts = tuple[Value | Reference, ...]


class OwnedMatcher:
    """Matches the rows of one owned list.

    They are matched by the primary key if records carry it, else by their natural key and by
    what is unique among them, else by what they say, at last without what they own.
    """

    def __init__(self, children: Children, comparison: RecordComparison) -> None:
        self.rows = children.rows
        self.comparison = comparison
        self.sets = matching_sets(self.rows)
        self.lists = {within.written for within in self.rows.children}
        #: Whether the list's order comes from generated ids, which no update changes.
        self.by_id = any(column is self.rows.surrogate for column, _ in children.sequence)

    def match(self, records: Sequence[Content], stored: Sequence[Content]) -> Matches:
        """Match the rows of one record with the stored ones, both in their lists' order."""
        matches: Matches = [None] * len(records)
        for parts in self.sets:
            self._match_by(
                [key_of(parts, record) for record in records],
                [key_of(parts, record) for record in stored],
                matches,
            )
        if self.rows.surrogate is not None:
            for content in (self._content, self._own_content)[: 2 if self.lists else 1]:
                if None in matches and len(stored) > len(matches) - matches.count(None):
                    self._match_by(list(map(content, records)), map(content, stored), matches)
            if self.by_id and not self._keeps_order(matches):
                matches = self._in_order(len(records), len(stored))
        return self._of_one_class(matches, records, stored)

    def _match_by(
        self, keys: Sequence[bytes | None], stored: Iterable[bytes | None], matches: Matches
    ) -> None:
        """Match rows that have none yet by one key; a missing key matches nothing."""
        matched = set(matches)
        places: dict[bytes, list[int]] = defaultdict(list)
        for place, key in reversed([*enumerate(stored)]):
            if key is not None and place not in matched:
                places[key].append(place)
        for n, key in enumerate(keys):
            if matches[n] is None and key is not None and places[key]:
                matches[n] = places[key].pop()

    def _content(self, record: Content) -> bytes:
        return self.comparison.content_key(self.rows, record)

    def _own_content(self, record: Content) -> bytes:
        """Return what a row itself says, whatever it owns."""
        return self._content({n: v for n, v in record.items() if n not in self.lists})

    def _keeps_order(self, matches: Matches) -> bool:
        """Tell whether the list comes out in its order, with new rows where new ids put them."""
        ordered = matches[::-1] if self.rows.newest_first else matches
        places = [place for place in ordered if place is not None]
        if self.rows.newest_first:
            places.reverse()
        return all(a < b for a, b in pairwise(places)) and None not in ordered[: len(places)]

    def _in_order(self, count: int, stored_count: int) -> Matches:
        """Match rows by their places, so that ids stay where they are and contents move."""
        shift = max(0, count - stored_count) if self.rows.newest_first else 0
        skipped = max(0, stored_count - count) if self.rows.newest_first else 0
        places = [n - shift + skipped for n in range(count)]
        return [place if 0 <= place < stored_count else None for place in places]

    def _of_one_class(
        self, matches: Matches, records: Sequence[Content], stored: Sequence[Content]
    ) -> Matches:
        """Unmatch rows whose class differs, for a row can't change its class."""
        if self.rows.discriminator is None:
            return matches
        name = self.rows.discriminator.written
        differ = [
            place is not None and records[n].get(name) != stored[place].get(name)
            for n, place in enumerate(matches)
        ]
        if self.by_id and any(differ):
            return [None] * len(matches)
        return [None if differs else p for p, differs in zip(matches, differ, strict=True)]


def matching_sets(rows: RowSet) -> list[Parts]:
    """Return the sets of members by which the rows of one owner are matched, best first.

    What is unique whoever owns a row identifies it better than a place in a list.  Where
    records carry the primary key, it alone identifies a row.
    """
    if rows.surrogate is None:
        parts = covering(rows, rows.identity, rows.owner_columns)
        is_owners = set(rows.identity) <= set(rows.owner_columns)
        return [parts] if parts or is_owners else []
    owned = set(rows.owner_columns)
    known = [g for g in unique_columns(rows.table) if set(rows.void_columns).isdisjoint(g)]
    by_scope = sorted(known, key=lambda group: not owned.isdisjoint(group))
    groups = [covering(rows, group, rows.owner_columns) for group in by_scope]
    sets = list(dict.fromkeys(parts for parts in (rows.key, *groups) if parts))
    has_one = any(owned.issuperset(group) for group in by_scope)
    return [*sets, ()] if has_one else sets  # an owner's only row is what it was


def key_of(parts: Iterable[Value | Reference], record: Content) -> bytes | None:
    """Return a record's values of some members as one text; ``None`` where one is null."""
    values = [record.get(part.written) for part in parts]
    if None in values:
        return None
    return repr(values).encode() if PLAIN.issuperset(map(type, values)) else json_text(values)


def moving_key(rows: RowSet) -> Parts:
    """Return the members by which a row is known whoever owns it; empty for all that it says."""
    if rows.surrogate is None:
        return covering(rows, rows.identity)
    groups = unique_columns(rows.table)
    owned = set(rows.owner_columns)
    sets = (covering(rows, group) for group in groups if owned.isdisjoint(group))
    return next(filter(None, sets), ())
