"""A plan or diff as text: bounded in lines, whatever the number of changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

from lading.messages import listed
from lading.planning.change_groups import ChangeGroup, ChangeGroups
from lading.planning.file_format import PlanSummary
from lading.report import Counts, total_of

#: How many lines a part has at most, but for deletes.
LINES = 20


def summary_text(
    title: str, summary: PlanSummary, groups: ChangeGroups, *, problem_note: str | None = None
) -> str:
    """Say what would happen: totals, deletes, updates, inserts, problems, and totals again.

    Args:
        title: what the text begins with.
        summary: the counts, and all else than changes.
        groups: the changes.
        problem_note: what is said below problems.
    """
    total = total_of(summary.entities.values())
    headline = f"{title}: {total}"
    problem_count = len(summary.problems) + summary.more_problems
    updates = sorted(groups.updates.values(), key=attrgetter("count"), reverse=True)
    difference_count = len(summary.differences) + summary.more_differences
    body = [
        *_part("deleted", "-", groups.deletes, groups.deleted, limit=groups.deleted),
        *_part("deleted or altered along with them", "-", map(str, summary.cascades)),
        *_grouped("updated", "~", updates, groups.updated),
        *_grouped("inserted", "+", list(groups.inserts.values()), groups.inserted),
        *_part("differing", "=", map(str, summary.differences), difference_count),
        *_part("problems", "!", map(str, summary.problems), problem_count),
        *([f"  ({problem_note})"] if problem_count and problem_note else []),
        *_part("not checked", "?", summary.unchecked),
    ]
    return "\n".join([headline, *_entities(summary.entities), *body, *([headline] if body else [])])


def _entities(entities: Mapping[str, Counts]) -> Iterator[str]:
    nothing = Counts()
    names = [name for name, counts in entities.items() if counts != nothing]
    width = max(map(len, names), default=0)
    for name in names:
        yield f"  {name:<{width}}  {entities[name]}"


def _grouped(heading: str, mark: str, groups: list[ChangeGroup], total: int) -> Iterator[str]:
    """Yield the first groups, an example of each, and the number of all other changes."""
    if not total:
        return
    yield f"{heading}: {total:,}"
    for group in groups[:LINES]:
        alike = f" (and {group.count - 1:,} alike)" if group.count > 1 else ""
        yield f"  {mark} {group.example}{alike}"
        total -= group.count
    if total:
        yield f"  {mark} and {total:,} others"


def _part(
    heading: str, mark: str, texts: Iterable[str], total: int | None = None, limit: int = LINES
) -> Iterator[str]:
    """Yield a heading, and some texts below it."""
    lines = list(texts)
    total = len(lines) if total is None else total
    if total:
        yield f"{heading}: {total:,}"
        separator, limit = f"\n  {mark} ", min(limit, len(lines))
        yield f"  {mark} {listed(lines, separator=separator, limit=limit, total=total)}"
