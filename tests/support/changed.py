"""What two documents differ in, compared by hand, and what a diff says of it."""

from __future__ import annotations

import json
from typing import Any

from lading import Catalog, Diff, ImportPlan
from lading.model.rowsets import RowSet

Changed = set[tuple[str, str, str]]


def by_hand(catalog: Catalog, before: dict[str, Any], after: dict[str, Any]) -> Changed:
    """Entity, key and action of what two exported documents differ in."""
    changed: Changed = set()
    for name, rows in catalog.use().roots.items():
        left, right = (
            {json.dumps({part: r[part] for part in rows.key_names}): r for r in document[name]}
            for document in (before, after)
        )
        for identity in left.keys() | right.keys():
            if identity not in right:
                changed.add((name, identity, "delete"))
            elif identity not in left:
                changed.add((name, identity, "insert"))
            elif counted(rows, left[identity]) != counted(rows, right[identity]):
                changed.add((name, identity, "update"))
    return changed


def counted(rows: RowSet, record: dict[str, Any]) -> str:
    """The fields of a record that make a difference, as a text."""
    ignored = {m.written for m in rows.members if m.name in rows.volatile}
    ignored |= {value.written for value in rows.values if not value.writable}
    fields: dict[str, Any] = {k: v for k, v in record.items() if k not in ignored}
    for children in rows.children:
        if children.written in fields:
            texts = [counted(children.rows, child) for child in fields[children.written]]
            fields[children.written] = texts if children.sequence else sorted(texts)
    return json.dumps(fields, sort_keys=True)


def changes_of(changes: Diff | ImportPlan) -> Changed:
    """Entity, key and action of the changes in a diff or plan."""
    return {(one.entity, json.dumps(one.key), one.action) for one in changes.changes()}
