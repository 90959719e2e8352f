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
#: How many rows of an owned list are spelt out, and among how many their likes are sought.
ROWS, LIKELY = 2, 100
#: How much of values that begin alike is shown, and how much of that before they differ.
EXCERPT, CONTEXT = 70, 20


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
        return f"{name} {' -> '.join(shown_pair(before, after))}"
    removed, added = _without(before, after), _without(after, before)
    return f"{name} {_rows_text(removed, added) or _elements_text(removed, added)}"


def _elements_text(removed: list[Any], added: list[Any]) -> str:
    """Describe what a list loses and gains."""
    if not removed and not added:
        return "in another order"
    lost, gained = shown_pair(removed, added)
    return " ".join(filter(None, [f"-{lost}" if removed else "", f"+{gained}" if added else ""]))


def _rows_text(removed: list[Any], added: list[Any]) -> str:
    """Describe rows that all stay and differ, a few of them; nothing for other elements."""
    is_long = _is_cut(removed) or _is_cut(added)
    if len(removed) != len(added) or not (len(removed) == 1 or is_long):
        return ""
    others, texts = added[:LIKELY], []
    for before in removed[:ROWS]:
        after = min(others, key=lambda other: _distance(before, other))
        others.remove(after)
        texts.append(_row_text(before, after, is_long=is_long))
    return listed(texts, separator="; ", limit=ROWS, total=len(removed)) if all(texts) else ""


def _distance(before: Any, after: Any) -> tuple[bool, int]:
    """Return how unlike two owned rows are: first by the field that leads, as a key does."""
    differing = _differing(before, after)
    return bool(differing) and differing[0] == next(iter(after)), len(differing)


def _differing(before: Any, after: Any) -> list[str]:
    """Return the names of the fields in which two owned rows differ."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    return [name for name in after if json_text(before.get(name)) != json_text(after[name])]


def _row_text(before: Any, after: Any, *, is_long: bool) -> str:
    """Describe an owned row by its fields that differ, unless it is short; nothing for others.

    One that differs in its own lists alone is long whatever it says.
    """
    if not (isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys()):
        return ""
    names = _differing(before, after)
    same = {n: v for n, v in after.items() if n not in names and not isinstance(v, list)}
    pairs = [(name, before[name], after[name]) for name in names]
    is_nested = all(isinstance(value, list) for pair in pairs for value in pair[1:])
    if not same or not (is_nested or is_long):
        return ""
    texts = [_field_text(*pair) for pair in pairs[:FIELDS]]
    return f"{_shown(same)}: {listed(texts, separator=', ', limit=FIELDS, total=len(names))}"


def _is_cut(value: Any) -> bool:
    return shown(value).endswith("...")


def shown_pair(before: Any, after: Any) -> tuple[str, str]:
    """Show two values on one line each; those that begin alike from shortly before they differ."""
    texts = _shown(before), _shown(after)
    if texts[0] != texts[1] or not _is_cut(before):
        return texts
    whole = repr(before), repr(after)
    same = next((n for n, (a, b) in enumerate(zip(*whole, strict=False)) if a != b), None)
    start = (min(map(len, whole)) if same is None else same) - CONTEXT
    first, second = (f"...{text[start : start + EXCERPT]}" for text in whole)
    ends = [len(text) > start + EXCERPT for text in whole]
    return first + "..." * ends[0], second + "..." * ends[1]


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
