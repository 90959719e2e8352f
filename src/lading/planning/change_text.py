"""How keys and changes are written for people, on one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lading.messages import listed, shown
from lading.model.hidden import HIDDEN
from lading.planning.record_change import DELETE, INSERT, RecordChange
from lading.values.json_text import json_text

#: How many parts of a key, and fields of a change, are spelt out.
PARTS = 6
FIELDS = 5


def key_text(key: Any) -> str:
    """Describe a key in portable form: ``product.slug 'flour' and brand 'X'``."""
    if not isinstance(key, Mapping):
        return _shown(key)
    return listed(_parts(key), separator=" and ", limit=PARTS)


def _parts(key: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a key, the lowest level first; keys may nest deeper than the stack."""
    levels = [("", key)]
    while levels:
        path, level = levels.pop(0)
        for name, value in level.items():
            if isinstance(value, Mapping):
                levels.append((f"{path}{name}.", value))
            else:
                yield f"{path}{name} {'null' if value is None else _shown(value)}"


def change_text(change: RecordChange) -> str:
    """Describe a change: its entity and key, and of an update each field, before and after."""
    record = f"{change.entity} {key_text(change.key)}"
    fields = fields_text(change)
    return f"{record}: {fields}" if fields else record


def fields_text(change: RecordChange) -> str:
    """Describe the fields of an update, before and after; nothing for other changes."""
    if change.action in (INSERT, DELETE):
        return ""
    before, after = change.before or {}, change.after or {}
    names = list(dict.fromkeys([*after, *before]))
    texts = [_field_text(name, before.get(name), after.get(name)) for name in names[:FIELDS]]
    return listed(texts, separator=", ", limit=FIELDS, total=len(names))


def _field_text(name: str, before: Any, after: Any) -> str:
    if not (isinstance(before, list) and isinstance(after, list)):
        return f"{name} {_shown(before)} -> {_shown(after)}"
    removed, added = _without(before, after), _without(after, before)
    row = _row_text(*removed, *added) if len(removed) == len(added) == 1 else ""
    return f"{name} {row or _elements_text(removed, added)}"


def _elements_text(removed: list[Any], added: list[Any]) -> str:
    """Describe what a list loses and gains."""
    if not removed and not added:
        return "in another order"
    parts = [f"-{_shown(removed)}" if removed else "", f"+{_shown(added)}" if added else ""]
    return " ".join(filter(None, parts))


def _row_text(before: Any, after: Any) -> str:
    """Describe an owned row that differs in its own lists alone; nothing for other elements."""
    if not (isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys()):
        return ""
    names = [name for name in after if json_text(before[name]) != json_text(after[name])]
    same = {n: v for n, v in after.items() if n not in names and not isinstance(v, list)}
    pairs = [(name, before[name], after[name]) for name in names]
    if not same or not all(isinstance(value, list) for pair in pairs for value in pair[1:]):
        return ""
    texts = [
        f"{name} {_elements_text(_without(old, new), _without(new, old))}"
        for name, old, new in pairs[:FIELDS]
    ]
    return f"{_shown(same)}: {listed(texts, separator=', ', limit=FIELDS, total=len(names))}"


def _without(elements: list[Any], others: list[Any]) -> list[Any]:
    """Return the elements of a list that another lacks, or has less often."""
    counts = Counter(map(json_text, others))
    lacking = []
    for element in elements:
        text = json_text(element)
        if counts[text]:
            counts[text] -= 1
        else:
            lacking.append(element)
    return lacking


def _shown(value: Any) -> str:
    return str(HIDDEN) if value == HIDDEN else shown(value)
