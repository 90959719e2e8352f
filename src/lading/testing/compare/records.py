"""Compares records with records: those of bundles, and those whose values are stored cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import gt
from typing import Any

from lading.messages import shown
from lading.model.entities import Entities
from lading.model.hidden import masked, masked_value
from lading.model.ordering import key_order
from lading.model.rowsets import Children, Links, Reference, RowSet
from lading.planning.change_text import key_text as shown_key
from lading.planning.change_text import shown_pair
from lading.records.canonical import in_order
from lading.testing.compare.difference import (
    LINK,
    LOST,
    NEW,
    NOTHING,
    VALUE,
    DataDifference,
    ranked,
)

Record = Mapping[str, Any]
Written = dict[str, Any]
Records = Mapping[str, Sequence[Any]]
#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]
#: The most records on each side of which each is tried against each.
MOST_TRIED = 100


class Anything:
    """Stands in an expected record where the database decides what it says."""

    def __repr__(self) -> str:
        return "<made by the database>"


ANYTHING = Anything()


class Missing(str):
    """What is shown of a field that a record doesn't have."""

    __slots__ = ()
    __repr__ = str.__str__


MISSING = Missing("no such field")


def same(value: Any, other: Any) -> bool:
    """Tell whether two written values are equal; 1, 1.0 and true aren't."""
    if value is other or value is ANYTHING or other is ANYTHING:
        return True
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        names = dict.fromkeys((*value, *other))
        return all(same(value.get(name, MISSING), other.get(name, MISSING)) for name in names)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))
    if type(value) is type(other) and isinstance(value, str | int):
        return bool(value == other)
    return json.dumps(value, default=repr) == json.dumps(other, default=repr)


def plain_text(value: Any) -> str:
    """Return a written value as one text, whatever the order of its fields."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)


def record_differences(
    entities: Entities, expected: Records, actual: Records, *, ordered: bool = False
) -> list[DataDifference]:
    """List how records differ from those expected, the most telling differences first.

    What an import doesn't restore (computed and ``dump_only`` fields) isn't compared.

    Args:
        entities: What the catalog declares; each of its entities is compared.
        expected: The records of each entity as they should be.
        actual: The records of each entity as they are.
        ordered: Whether the order of an entity's records counts as well.
    """
    comparison = Comparison()
    for name, root in entities.roots.items():
        lists = [restorable(root, records.get(name, ())) for records in (expected, actual)]
        comparison.compare_lists(root, name, "", *lists)
        if ordered and not comparison.differences and not same(*lists):
            order = DataDifference(
                name, None, None, "one order of records", "another order of records"
            )
            comparison.differences.append((NEW, order))
    return ranked(comparison.differences)


def at_each_level(
    rows: RowSet, record: Written, change: Callable[[RowSet, Written], Written]
) -> Written:
    """Return a record that is changed, once each record that it owns is."""
    nested = {
        children.written: [at_each_level(children.rows, owned, change) for owned in several]
        for children in rows.children
        if isinstance(several := record.get(children.written), list)
    }
    return change(rows, record | nested)


def restorable(rows: RowSet, records: Iterable[Written]) -> list[Written]:
    """Return records without what no import restores."""

    def without(within: RowSet, record: Written) -> Written:
        left_out = {value.written for value in within.values if not value.writable}
        return {name: value for name, value in record.items() if name not in left_out}

    return [at_each_level(rows, record, without) for record in records]


class Comparison:
    """Collects what differs, each with how telling it is."""

    def __init__(self) -> None:
        self.differences: list[tuple[int, DataDifference]] = []

    def compare_lists(
        self, rows: RowSet, entity: str, place: str, before: list[Any], after: list[Any]
    ) -> None:
        """Match the records of one list with those of another, and compare them.

        Args:
            rows: What the records are of.
            entity: The entity whose records hold the lists.
            place: Where in its record the list stands; empty for the entity's own records.
            before: The records that are expected.
            after: The records that are there.
        """
        if same(before, after):
            return
        pairs, lost, new = matched(rows, before, after)
        for was, now in pairs:
            self._compare(rows, entity, _named(rows, place, before, was), was, now)
        keys = [{key_text(rows, record) for record in records} for records in (before, after)]
        for rank, records, unmatched, words in (
            (LOST, before, lost, ("is there once less", "is missing")),
            (NEW, after, new, ("is there once more", "appeared")),
        ):
            for record in unmatched:
                is_known = all(key_text(rows, record) in known for known in keys) and rows.key
                key = _named(rows, place, records, record)
                text = words[0] if is_known else words[1]
                self.differences.append((rank, DataDifference(entity, key, None, "", text)))

    def _compare(self, rows: RowSet, entity: str, key: str, old: Record, new: Record) -> None:
        members = {member.written: member for member in rows.members}
        for name in dict.fromkeys((*old, *new)):
            member = members.get(name)
            was, now = old.get(name, MISSING), new.get(name, MISSING)
            if same(was, now):
                continue
            if isinstance(member, Children) and isinstance(was, list) and isinstance(now, list):
                self._children(member, entity, key, was, now)
            elif isinstance(member, Links) and isinstance(was, list) and isinstance(now, list):
                self._links(member, entity, key, was, now)
            else:
                is_key = isinstance(member, Reference)
                was, now = (v if member is None else masked_value(member, v) for v in (was, now))
                is_plain = not is_key and None not in (was, now)
                texts = (
                    shown_pair(was, now) if is_plain else [_shown(v, is_key) for v in (was, now)]
                )
                self._add(LINK if is_key else VALUE, entity, key, name, texts)

    def _add(self, rank: int, entity: str, key: str, field: str, texts: Sequence[str]) -> None:
        self.differences.append((rank, DataDifference(entity, key, field, *texts)))

    def _children(
        self, member: Children, entity: str, key: str, was: list[Any], now: list[Any]
    ) -> None:
        count = len(self.differences)
        self.compare_lists(member.rows, entity, f"{key}, {member.written}", was, now)
        if len(self.differences) == count and member.sequence:
            self._add(LINK, entity, key, member.written, ("in one order", "in another"))

    def _links(self, member: Links, entity: str, key: str, was: list[Any], now: list[Any]) -> None:
        counts = [
            Counter(_shown(masked_value(member.reference, far), True) for far in far_keys)
            for far_keys in (was, now)
        ]
        lost = list((counts[0] - counts[1]).elements())
        new = list((counts[1] - counts[0]).elements())
        for n in range(max(len(lost), len(new))):
            texts = [items[n] if n < len(items) else NOTHING for items in (lost, new)]
            self._add(LINK, entity, key, member.written, texts)


# Which record is which


def matched(
    rows: RowSet, before: Sequence[Any], after: Sequence[Any]
) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
    """Return pairs of records that differ, and the records without a partner on each side.

    Equal records belong together, then those with one natural key, then those most alike: half
    of their fields must be equal; of two that are left alone, any.
    """
    lost, new = [], list(after)
    for record in before:
        place = next((n for n, other in enumerate(new) if same(record, other)), None)
        if place is None:
            lost.append(record)
        else:
            new.pop(place)
    keys = [[key_text(rows, record) for record in records[:MOST_TRIED]] for records in (lost, new)]
    scores = []
    for n, key in enumerate(keys[0]):
        for m, other in enumerate(keys[1]):
            old = lost[n]
            equal = [name for name in old if same(new[m].get(name, MISSING), old[name])]
            solid = sum(old[name] not in (None, []) for name in equal)
            has_key = bool(rows.key) and key == other
            is_alike = 2 * len(equal) >= len(old) or (len(lost) == len(new) == 1 and solid > 0)
            if has_key or is_alike or len(old) == 1:
                scores.append((not has_key, -solid, -len(equal), n, m))
    partners: dict[int, int] = {}
    for *_, n, m in sorted(scores):
        if n not in partners and m not in partners.values():
            partners[n] = m
    pairs = [(lost[n], new[m]) for n, m in partners.items()]
    lost = [record for n, record in enumerate(lost) if n not in partners]
    return pairs, lost, [record for m, record in enumerate(new) if m not in partners.values()]


def key_text(rows: RowSet, record: Record) -> str:
    """Return what a record holds in its natural key as one text; equal keys, equal texts."""
    return plain_text({name: record.get(name) for name in rows.key_names})


def by_key(entities: Entities, records: Records) -> dict[Who, Written]:
    """Return the records of all entities by these and their keys."""
    return {
        (name, key_text(root, record)): record
        for name, root in entities.roots.items()
        for record in records.get(name, ())
    }


def _named(rows: RowSet, place: str, records: Sequence[Any], record: Record) -> str:
    """Return where a record stands: its natural key, or its number in a list without keys."""
    values = {name: record[name] for name in rows.key_names if name in record}
    key = masked(rows.key, {name: getattr(value, "bare", value) for name, value in values.items()})
    text = (
        shown_key(key) or f"row {next(n for n, other in enumerate(records, 1) if other is record)}"
    )
    return f"{place} {text}".strip()


def _shown(value: Any, is_key: bool) -> str:
    if value is None:
        return "null"
    return shown_key(value) if is_key else shown(value)


# The order of a bundle


def out_of_order(entities: Entities, records: Records) -> list[DataDifference]:
    """List the places where a bundle isn't in its canonical order: records by key, and lists."""
    disorders: list[DataDifference] = []
    for name, root in entities.roots.items():
        keys = [key_order(root.key, record) for record in records.get(name, ())]
        if any(map(gt, keys, keys[1:])):
            disorders.append(
                DataDifference(name, None, None, "records by key", "records out of key order")
            )
        for record in records.get(name, ()):
            key = _named(root, "", records[name], record)
            disorders += [
                DataDifference(name, key, field, "rows in their order", "another order")
                for field, value in in_order(root, record).items()
                if not same(value, record[field])
            ]
    return disorders


def has_unrestored(entities: Entities) -> bool:
    """Tell whether records say anything that no import restores."""
    return any(not value.writable for rows in entities.all_rows() for value in rows.values)
