"""Compares two logs of changes by entity and key, on disk, whatever their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any

from lading.errors import PlanChanged
from lading.messages import Message, counted
from lading.planning.change_log import ChangeLog, change_of
from lading.planning.change_set import ChangeSet
from lading.planning.change_text import fields_text, key_text
from lading.planning.record_change import Cascade, RecordChange
from lading.scratch.sort import externally_sorted
from lading.values.json_text import json_text

#: How many differences are told.
MOST_DIFFERENCES = 20

#: The entity and key of changes, and the changes that have them, in one form each.
Keyed = tuple[tuple[str, bytes], list[tuple[bytes, bytes]]]


def require_expected(
    plan: ChangeSet,
    catalog: str,
    bundle: str | None,
    actual: ChangeLog | None,
    cascades: Iterable[Cascade] = (),
) -> None:
    """Raise ``PlanChanged`` unless an import does exactly what a plan says.

    Args:
        plan: what was to happen.
        catalog: the name of the catalog that is imported with.
        bundle: the ``content_sha256`` of the bundle that is imported; ``None`` for a document.
        actual: the changes of the import.
        cascades: what the database deletes or alters along with them.
    """
    if plan.header.catalog != catalog:
        raise PlanChanged(
            [
                Message(
                    "plan-of-other",
                    f"the plan is of catalog {plan.header.catalog!r}, not of {catalog!r}",
                )
            ]
        )
    if plan.header.bundle != bundle:
        raise PlanChanged(
            [
                Message(
                    "plan-of-other",
                    f"the plan is of {_source(plan.header.bundle)}, not of {_source(bundle)}",
                )
            ]
        )
    actual = actual if actual is not None else ChangeLog()
    if plan and not len(actual):
        raise PlanChanged(
            [Message("plan-done", "nothing would change: the plan was carried out already")]
        )
    differences = [*first_differences(plan, actual), *_cascade_differences(plan, cascades)]
    if differences:
        raise PlanChanged(differences[:MOST_DIFFERENCES])


def _source(bundle: str | None) -> str:
    return "a document" if bundle is None else f"the bundle with content {bundle[:12]}"


def _cascade_differences(plan: ChangeSet, cascades: Iterable[Cascade]) -> Iterator[str]:
    """Say where other rows, or more or fewer of them, would go along than a plan names."""
    expected, actual = _rows_along(plan.cascades), _rows_along(cascades)
    for entity, relation, effect in sorted(expected.keys() | actual.keys()):
        planned, now = (counts[entity, relation, effect] for counts in (expected, actual))
        if planned != now:
            names = counted(planned, "row") if planned else "no row"
            diffs = "" if plan.cascades else ", as no diff does: only a dry run counts them"
            yield (
                f"{relation}: the plan names {names} {effect}, with {entity}{diffs}; "
                f"now it would be {now:,}"
            )


def _rows_along(cascades: Iterable[Cascade]) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for along in cascades:
        counts[along.entity, along.relation, along.effect] += along.count
    return counts


def first_differences(plan: ChangeSet, actual: ChangeLog) -> list[str]:
    """Say where the changes that would happen aren't those of a plan.

    Args:
        plan: what was to happen.
        actual: the changes that would happen.

    Returns:
        The first differences by entity and key, at most twenty; none if the changes are equal.
    """
    expected = plan.log
    if all(first == second for first, second in zip_longest(expected.lines(), actual.lines())):
        return []
    texts: list[str] = []
    for expected_lines, actual_lines in _aligned(_by_key(expected), _by_key(actual)):
        texts += _differences(expected_lines, actual_lines)
        if len(texts) >= MOST_DIFFERENCES:
            break
    return texts[:MOST_DIFFERENCES]


def _by_key(log: ChangeLog) -> Iterator[Keyed]:
    """Yield the changes of each key, in the order of entities and keys."""
    items = (((change.entity, json_text(change.key)), line) for change, line in _decoded(log))
    ordered = externally_sorted(items, size=lambda item: len(item[1]))
    for key, group in groupby(ordered, itemgetter(0)):
        yield key, sorted((_content(line), line) for _, line in group)


def _decoded(log: ChangeLog) -> Iterator[tuple[RecordChange, bytes]]:
    for line in log.lines():
        yield change_of(line), line


def _content(line: bytes) -> bytes:
    """Return what a change is compared by: the order of its fields doesn't count."""
    change = change_of(line)
    return json_text([change.action, change.before, change.after])


def _aligned(first: Iterator[Keyed], second: Iterator[Keyed]) -> Iterator[tuple[Any, Any]]:
    """Yield the changes of each key in both, an empty list where one has none."""
    left, right = next(first, None), next(second, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield left[1], []
            left = next(first, None)
        elif left is None or right[0] < left[0]:
            yield [], right[1]
            right = next(second, None)
        else:
            yield left[1], right[1]
            left, right = next(first, None), next(second, None)


def _differences(
    expected: list[tuple[bytes, bytes]], actual: list[tuple[bytes, bytes]]
) -> Iterator[str]:
    """Say how the changes of one key differ; several records may share a masked one."""
    missing = _without(expected, actual)
    unexpected = _without(actual, expected)
    for before, after in zip_longest(missing, unexpected):
        change = before or after
        assert change is not None
        plan = "doesn't name it" if before is None else f"would {_action_text(before)}"
        outcome = (
            "nothing would happen" if after is None else f"an import would {_action_text(after)}"
        )
        yield f"{change.entity} {key_text(change.key)}: the plan {plan}; now {outcome}"


def _without(
    changes: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]]
) -> list[RecordChange]:
    """Return the changes that the others lack, as often as they lack them."""
    contents = [content for content, _ in others]
    lacking = []
    for content, line in changes:
        if content in contents:
            contents.remove(content)
        else:
            lacking.append(change_of(line))
    return lacking


def _action_text(change: RecordChange) -> str:
    fields = fields_text(change)
    return f"{change.action} it ({fields})" if fields else f"{change.action} it"
