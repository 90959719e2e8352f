"""Holds records against records, and says where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from operator import gt
from typing import Any

from lading.messages import shown
from lading.model.entities import Entities
from lading.model.hidden import told, told_value
from lading.model.ordering import order_of_key
from lading.model.rowsets import Children, Member, RowSet, Value
from lading.records.canonical import encoded
from lading.testing.compare.differences import Difference
from lading.testing.datasets.expected_records import ANYTHING

Records = Mapping[str, list[Any]]


def said_otherwise(
    entities: Entities, expected: Records, actual: Records, *, ordered: bool = False
) -> list[Difference]:
    """List how an export's records differ from those expected.

    What an import doesn't restore (computed and ``dump_only`` fields) isn't looked at.
    ``ordered`` compares the order of records as well.
    """
    found: list[Difference] = []
    for name, root in entities.roots.items():
        one, two = expected.get(name, []), actual.get(name, [])
        found += _entity(root, one, two)
        if ordered and not found:
            keys = [[_text(_key(root, item)) for item in records] for records in (one, two)]
            if keys[0] != keys[1]:
                found.append(Difference(name, None, None, "one order of records", "another"))
    return found


def out_of_order(entities: Entities, records: Records) -> list[Difference]:
    """List the places where a bundle isn't in its canonical order: by key, sets by their bytes."""
    found: list[Difference] = []
    for name, root in entities.roots.items():
        keys = [order_of_key(root.key, record) for record in records.get(name, ())]
        if any(map(gt, keys, keys[1:])):
            found.append(Difference(name, None, None, "records by key", "records out of key order"))
        for record in records.get(name, ()):
            found += _disordered(root, name, _who(root, record), record)
    return found


def _disordered(
    rows: RowSet, entity: str, who: str, record: Mapping[str, Any]
) -> Iterator[Difference]:
    for children in rows.children:
        held = record.get(children.written) or []
        for place, item in enumerate(held, 1):
            inner = f"{who}, {children.written} row {place}"
            yield from _disordered(children.rows, entity, inner, item)
        texts = [encoded(children.rows, item, omit=ANYTHING) for item in held]
        if not children.sequence and texts != sorted(texts):
            yield Difference(entity, who, children.written, "rows by their bytes", "another order")


def _entity(root: RowSet, one: list[Any], two: list[Any]) -> Iterator[Difference]:
    was = {_text(_key(root, record)): record for record in one}
    now = {_text(_key(root, record)): record for record in two}
    for key, record in was.items():
        who = _who(root, record)
        if key not in now:
            yield Difference(root.name, who, None, shown(told(root.members, record)), "missing")
        else:
            yield from _record(root, root.name, who, record, now[key])
    for key in now.keys() - was.keys():
        extra = shown(told(root.members, now[key]))
        yield Difference(root.name, _who(root, now[key]), None, "nothing", extra)
    if len(now) < len(two):
        yield Difference(root.name, None, None, f"{len(now)} keys", f"{len(two)} records of them")


def _key(root: RowSet, record: Mapping[str, Any]) -> Any:
    return [record.get(name) for name in root.key_names]


def _who(root: RowSet, record: Mapping[str, Any]) -> str:
    key = told(root.key, {name: record.get(name) for name in root.key_names})
    return " and ".join(f"{name} {shown(value)}" for name, value in key.items())


def _record(
    rows: RowSet, entity: str, who: str, one: Mapping[str, Any], two: Mapping[str, Any]
) -> Iterator[Difference]:
    for member in rows.members:
        if _is_made(member) or one.get(member.written) is ANYTHING:
            continue
        name = member.written
        was, now = one.get(name, ANYTHING), two.get(name, ANYTHING)
        if was is ANYTHING and now is ANYTHING:
            continue
        if isinstance(member, Children) and isinstance(was, list) and isinstance(now, list):
            yield from _children(member, entity, who, was, now)
        elif was is ANYTHING or now is ANYTHING or _text(was) != _text(now):
            yield Difference(entity, who, name, _said(was, member), _said(now, member))
    for name in two.keys() - one.keys() - {member.written for member in rows.members}:
        yield Difference(entity, who, name, _said(ANYTHING), _said(two[name]))


def _children(
    member: Children, entity: str, who: str, was: list[Any], now: list[Any]
) -> Iterator[Difference]:
    if len(was) != len(now):
        yield Difference(entity, who, member.written, f"{len(was)} rows", f"{len(now)} rows")
        return
    if not member.sequence:
        was, now = (
            sorted(items, key=lambda item: _text(_kept(member, item))) for items in (was, now)
        )
    for place, (one, two) in enumerate(zip(was, now, strict=True), 1):
        yield from _record(member.rows, entity, f"{who}, {member.written} row {place}", one, two)


def _kept(member: Children, record: Mapping[str, Any]) -> Any:
    """Return a nested record without what an import doesn't restore."""
    made = {item.written for item in member.rows.members if _is_made(item)}
    return {name: value for name, value in record.items() if name not in made}


def _is_made(member: Member) -> bool:
    return isinstance(member, Value) and not member.writable


def _said(value: Any, member: Member | None = None) -> str:
    if value is ANYTHING:
        return "no such field"
    return shown(value if member is None else told_value(member, value))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def has_unrestored(entities: Entities) -> bool:
    """Tell whether records say anything that no import restores."""
    rows: Iterable[RowSet] = entities.all_rows()
    return any(_is_made(member) for item in rows for member in item.members)
