"""What is shown of many changes, computed as they come, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lading.planning.change_text import change_text, key_text
from lading.planning.record_change import DELETE, INSERT, RecordChange

#: How many deleted records are named.
MOST_DELETES = 50
#: How many sets of fields are told apart.
MOST_GROUPS = 200


@dataclass(slots=True)
class ChangeGroup:
    """Changes of one entity that are alike: the text of the first, and their number."""

    example: str
    count: int


class ChangeGroups:
    """Groups changes: deletes by name, updates by entity and fields, inserts by entity."""

    def __init__(self) -> None:
        self.deletes: list[str] = []
        self.deleted = self.updated = self.inserted = 0
        self.updates: dict[tuple[str, tuple[str, ...]], ChangeGroup] = {}
        self.inserts: dict[str, ChangeGroup] = {}

    def add(self, change: RecordChange) -> None:
        """Put a change into its group."""
        if change.action == DELETE:
            self.deleted += 1
            if self.deleted <= MOST_DELETES:
                self.deletes.append(f"{change.entity} {key_text(change.key)}")
        elif change.action == INSERT:
            self.inserted += 1
            _add(self.inserts, change.entity, change)
        else:
            self.updated += 1
            _add(self.updates, (change.entity, tuple(sorted(change.after or ()))), change)

    def extend(self, other: ChangeGroups) -> None:
        """Put another log's changes into their groups."""
        self.deletes += other.deletes[: MOST_DELETES - len(self.deletes)]
        self.deleted += other.deleted
        self.updated += other.updated
        self.inserted += other.inserted
        _extend(self.updates, other.updates)
        _extend(self.inserts, other.inserts)


def _extend(groups: dict[Any, ChangeGroup], others: dict[Any, ChangeGroup]) -> None:
    for name, group in others.items():
        if name in groups:
            groups[name].count += group.count
        elif len(groups) < MOST_GROUPS:
            groups[name] = ChangeGroup(group.example, group.count)


def _add(groups: dict[Any, ChangeGroup], name: Any, change: RecordChange) -> None:
    """Count a change in its group, unless that is a new one beyond the most there may be."""
    group = groups.get(name)
    if group is not None:
        group.count += 1
    elif len(groups) < MOST_GROUPS:
        groups[name] = ChangeGroup(change_text(change), 1)
