"""Compares records with records: those of bundles, and those whose values are stored cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from lading.catalog import Catalog
from lading.model.entities import Entities
from lading.model.hidden import masked, masked_value
from lading.model.ordering import key_order
from lading.model.rowsets import Children, Links, Member, Reference, RowSet
from lading.planning.change_text import key_text as shown_key
from lading.planning.change_text import shown_pair
from lading.records.canonical import in_order
from lading.testing.compare.difference import NOTHING, DataDifference, Verbatim, varied
from lading.testing.compare.stored import Cell, Stored

Record = dict[str, Any]
Records = Mapping[str, Sequence[Any]]
#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]
#: The most records on each side of which each is tried against each.
MOST_TRIED = 100
#: Stands in an expected record where the database decides what it says.
ANYTHING = Verbatim("<made by the database>")
#: What is shown of a field that a record doesn't have, of null, and of lists that differ alone.
MISSING, NULL = Verbatim("no such field"), Verbatim("null")
ORDERS = Verbatim("in one order"), Verbatim("in another")
#: What is said of a row that is on one side alone, or more often there than on the other.
LOST, NEW = ("is missing", "is there once less"), ("appeared", "is there once more")


def same(value: Any, other: Any) -> bool:
    """Tell whether two written values are equal; 1, 1.0 and true aren't."""
    if value is other or value is ANYTHING or other is ANYTHING:
        return True
    if isinstance(value, dict) and isinstance(other, dict):
        return next(_differing(value, other), None) is None
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))
    if type(value) is type(other) and isinstance(value, str | int):
        return bool(value == other)
    return plain_text(value) == plain_text(other)


def plain_text(value: Any) -> str:
    """Return a written value as one text, whatever the order of its fields."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=repr)


def record_differences(
    entities: Entities, expected: Records, actual: Records, *, ordered: bool = False
) -> list[DataDifference]:
    """List how the records of each entity differ from those expected, one of each field first.

    What an import doesn't restore (computed and ``dump_only`` fields) isn't compared.

    Args:
        entities: What the catalog declares; each of its entities is compared.
        expected: The records of each entity as they should be.
        actual: The records of each entity as they are.
        ordered: Whether these must stand in canonical order as well.
    """
    differing: list[DataDifference] = []
    for name, root in entities.roots.items():
        sides = [restorable(root, records.get(name, ())) for records in (expected, actual)]
        differing += list_differences(root, "", *sides)
    return varied(differing) or (list(_out_of_order(entities, actual)) if ordered else [])


def cell_differences(catalog: Catalog, before: Stored, after: Stored) -> list[DataDifference]:
    """Compare the values that records carry of two databases; one of each field comes first.

    What no import sets (made up, left out, or computed) isn't compared.  Rows are matched by the
    values of their natural key, and by how much of them is alike; two databases that hold the
    same give an empty list.
    """
    differing: list[DataDifference] = []
    for rows in catalog.use().plain.values():
        place = ", ".join(rows.name.split(".")[1:])
        for table in rows.tables:
            names = {v.written: v.column.name for v in rows.values if v.column.table is table}
            sides = [
                restorable(rows, ({n: cells[c] for n, c in names.items()} for cells in side))
                for side in (stored.get(table.fullname, ()) for stored in (before, after))
            ]
            differing += list_differences(rows, place, *sides)
    return varied(differing)


def at_each_level(
    rows: RowSet, record: Record, change: Callable[[RowSet, Record], Record]
) -> Record:
    """Return a record that is changed, once each record that it owns is."""
    nested = {
        children.written: [at_each_level(children.rows, owned, change) for owned in several]
        for children in rows.children
        if isinstance(several := record.get(children.written), list)
    }
    return change(rows, record | nested)


def restorable(rows: RowSet, records: Iterable[Record]) -> list[Record]:
    """Return records without what no import restores."""

    def without(within: RowSet, record: Record) -> Record:
        left_out = {value.written for value in within.values if not value.writable}
        return {name: value for name, value in record.items() if name not in left_out}

    return [at_each_level(rows, record, without) for record in records]


def list_differences(
    rows: RowSet, place: str, before: Sequence[Any], after: Sequence[Any]
) -> Iterator[DataDifference]:
    """Match the records of one list with those of another, and compare them.

    Args:
        rows: What the records are of.
        place: Where in its record the list stands; empty for the entity's own records.
        before: The records that are expected.
        after: The records that are there.
    """
    if same(before, after):
        return
    keys = [{key_text(rows, record) for record in side if rows.key} for side in (before, after)]
    for was, now in matched(rows, before, after):
        if was is not None and now is not None:
            yield from _field_differences(rows, _named(rows, place, before, was), was, now)
            continue
        side, record, texts = (before, was, LOST) if now is None else (after, now, NEW)
        is_on_both = all(key_text(rows, record) in side_keys for side_keys in keys)
        key = _named(rows, place, side, record)
        yield DataDifference(rows.entity, key, None, "", texts[is_on_both])


def _field_differences(
    rows: RowSet, key: str, old: Record, new: Record
) -> Iterator[DataDifference]:
    members = {member.written: member for member in rows.members}
    for name in _differing(old, new):
        member, was, now = members.get(name), old.get(name, MISSING), new.get(name, MISSING)
        pairs = [(_displayed(member, was), _displayed(member, now))]
        if isinstance(was, list) and isinstance(now, list):
            if isinstance(member, Children):
                nested = list(list_differences(member.rows, f"{key}, {name}", was, now))
                yield from nested
                pairs = [ORDERS] if member.sequence and not nested else []
            elif isinstance(member, Links):
                pairs = _unlike_links(member.reference, was, now)
        for pair in pairs:
            yield DataDifference(rows.entity, key, name, *shown_pair(*pair))


def _unlike_links(reference: Reference, was: list[Any], now: list[Any]) -> list[tuple[Any, Any]]:
    """Pair the keys that a list of references lost with those that it got."""
    counts = [Counter(_displayed(reference, key) for key in keys) for keys in (was, now)]
    lost, new = counts[0] - counts[1], counts[1] - counts[0]
    return [*zip_longest(lost.elements(), new.elements(), fillvalue=NOTHING)]


def _displayed(member: Member | None, value: Any) -> Any:
    """Return what a field holds as it may be shown, a key in words."""
    if value is None:
        return NULL
    if member is not None:
        value = masked_value(member, value)
    return Verbatim(shown_key(value)) if isinstance(member, Reference) else value


def _named(rows: RowSet, place: str, records: Sequence[Any], record: Record) -> str:
    """Return where a record stands: its natural key, or its number in a list without keys."""
    values = {name: record[name] for name in rows.key_names if name in record}
    plain = {n: Verbatim(v.text) if isinstance(v, Cell) else v for n, v in values.items()}
    key = shown_key(masked(rows.key, plain))
    number = next(n for n, other in enumerate(records, 1) if other is record)
    return f"{place} {key or f'row {number}'}".strip()


# Which record is which


def matched(rows: RowSet, before: Sequence[Any], after: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return pairs of records that differ; ``None`` where one has no partner.

    Equal records belong together, then those with one natural key, then those most alike: of
    records with a key, half of the fields must be equal, or all but one.
    """
    lost, new = [], list(after)
    for record in before:
        place = next((n for n, other in enumerate(new) if same(record, other)), None)
        if place is None:
            lost.append(record)
        else:
            new.pop(place)
    distances = sorted(
        (_distance(rows, old, other), n, m)
        for n, old in enumerate(lost[:MOST_TRIED])
        for m, other in enumerate(new[:MOST_TRIED])
    )
    partners: dict[int, int] = {}
    for (has_other_key, count), n, m in distances:
        is_alike = not has_other_key or 2 * count <= max(2, len(lost[n]))
        if is_alike and n not in partners and m not in partners.values():
            partners[n] = m
    pairs = [(old, new[partners[n]] if n in partners else None) for n, old in enumerate(lost)]
    return pairs + [(None, other) for m, other in enumerate(new) if m not in partners.values()]


def _distance(rows: RowSet, old: Record, new: Record) -> tuple[bool, int]:
    """Return how unlike two records are: whether their keys differ, and how many fields do."""
    names = [*_differing(old, new)]
    return not set(rows.key_names).isdisjoint(names), len(names)


def _differing(old: Record, new: Record) -> Iterator[str]:
    """Yield the fields in which two records differ."""
    for name in dict.fromkeys((*old, *new)):
        if not same(old.get(name, MISSING), new.get(name, MISSING)):
            yield name


def key_text(rows: RowSet, record: Record) -> str:
    """Return what a record holds in its natural key as one text; equal keys, equal texts."""
    return plain_text({name: record.get(name) for name in rows.key_names})


def by_key(entities: Entities, records: Records) -> dict[Who, Record]:
    """Return the records of all entities by these and their keys."""
    return {
        (name, key_text(root, record)): record
        for name, root in entities.roots.items()
        for record in records.get(name, ())
    }


# The order of a bundle


def _out_of_order(entities: Entities, records: Records) -> Iterator[DataDifference]:
    """Yield the places where a bundle isn't in its canonical order: records by key, and lists."""
    for name, root in entities.roots.items():
        keys = [key_order(root.key, record) for record in records.get(name, ())]
        if keys != sorted(keys):
            yield DataDifference(name, None, None, "records by key", "records out of key order")
        for record in records.get(name, ()):
            ordered = in_order(root, record)
            for field in _differing(record, ordered):
                key = _named(root, "", records[name], record)
                yield DataDifference(name, key, field, "rows in their order", "another order")


def has_unrestored(entities: Entities) -> bool:
    """Tell whether records say anything that no import restores."""
    return any(not value.writable for rows in entities.all_rows() for value in rows.values)
