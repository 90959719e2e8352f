"""The page of an import plan or a diff: what would be deleted, altered and added."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from lading.errors import ArgumentError
from lading.html.document import asset, document
from lading.html.embedding import embedded
from lading.html.shares import fair_shares
from lading.options import check_text
from lading.planning.change_set import ChangeSet
from lading.planning.record_change import DELETE, INSERT, UPDATE, RecordChange
from lading.report import Counts

#: How many changes of each sort a page holds at most, deletes first, and how many bytes of them.
MOST = {DELETE: 2_000, UPDATE: 2_000, INSERT: 1_000}
MOST_BYTES = 1_500_000
HEADINGS = {DELETE: "Deleted", UPDATE: "Changed", INSERT: "Added"}
#: How many problems a page shows.
MOST_SHOWN_PROBLEMS = 500


def change_page(changes: ChangeSet, *, label: str | None = None) -> str:
    """Return the page of a plan or diff: deletes first, each with what it takes along.

    Args:
        changes: an ``ImportPlan`` or a ``Diff``, just made or read from its file.
        label: what the page is about, such as ``"backup/ into shop.db"``.

    Returns:
        One HTML document, which loads nothing.

    Raises:
        ArgumentError: an argument isn't of these forms.
    """
    if not isinstance(changes, ChangeSet):
        raise ArgumentError("changes", changes, "an ImportPlan or a Diff")
    check_text("label", label)
    return document(
        changes.title,
        asset("changes.html"),
        change_data(changes, label),
        script=asset("common.js", "changes.js"),
        style=asset("page.css"),
    )


def change_data(changes: ChangeSet, label: str | None = None) -> dict[str, Any]:
    """Return what the page of a plan or diff says, as the JSON that its script reads."""
    header = changes.header
    facts = {
        "of": label,
        "catalog": header.catalog,
        "bundle": header.bundle,
        "by": f"lading {header.lading_version}",
    }
    problems = [str(problem) for problem in changes.problems[:MOST_SHOWN_PROBLEMS]]
    total = len(changes.problems) + changes.more_problems
    return {
        "title": f"{changes.title}: {changes.total}",
        "facts": [[name, text] for name, text in facts.items() if text],
        "notes": [changes.problem_note] if total and changes.problem_note else [],
        "counts": [[name, _counts(counts)] for name, counts in changes.entities.items()],
        "parts": _parts(changes),
        "problems": problems,
        "problemTotal": total,
        "unchecked": list(changes.unchecked),
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {name: count for name, count in asdict(counts).items() if count}


def _parts(changes: ChangeSet) -> list[dict[str, Any]]:
    """Return the changes by sort and entity, of each at most its share."""
    totals = {
        action: {
            name: counts[action] for name, counts in changes.log.counts.items() if counts[action]
        }
        for action in MOST
    }
    shares = {action: fair_shares(totals[action], most) for action, most in MOST.items()}
    shown: dict[tuple[str, str], list[Any]] = {
        (action, name): [] for action in MOST for name in totals[action]
    }
    room = dict.fromkeys(MOST, MOST_BYTES)
    for change in changes.changes():
        group = shown[change.action, change.entity]
        if len(group) < shares[change.action][change.entity]:
            lines = _change(change)
            size = len(msgspec.json.encode(lines))
            if size <= room[change.action]:
                room[change.action] -= size
                group.append(lines)
    return [
        {
            "action": action,
            "heading": HEADINGS[action],
            "total": sum(totals[action].values()),
            "groups": [
                _group(changes, action, name, total, shown[action, name])
                for name, total in totals[action].items()
            ],
        }
        for action in MOST
    ]


def _group(
    changes: ChangeSet, action: str, name: str, total: int, lines: list[Any]
) -> dict[str, Any]:
    cascades = [cascade for cascade in changes.cascades if cascade.entity == name]
    along = [f"{c.relation}: {c.count:,} {c.effect}" for c in cascades if action == DELETE]
    return {"entity": name, "total": total, "along": along, "changes": lines}


def _change(change: RecordChange) -> list[Any]:
    """Return a change as its key, the record before, and after."""
    return [embedded(value) for value in (change.key, change.before, change.after)]
