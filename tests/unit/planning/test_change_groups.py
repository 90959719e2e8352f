"""Changes that look alike are counted together, however many logs they come from."""

from __future__ import annotations

import pytest

from lading.planning import change_groups
from lading.planning.change_groups import ChangeGroups
from support.plans import delete, insert, update


def groups_of(*changes: object) -> ChangeGroups:
    """Put changes into groups."""
    groups = ChangeGroups()
    for change in changes:
        groups.add(change)  # type: ignore[arg-type]
    return groups


def test_groups_of_two_logs_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alike ones are added up, and no more groups are kept than one log may have."""
    monkeypatch.setattr(change_groups, "MOST_GROUPS", 2)
    groups = groups_of(insert("a", "x"), update("a", "y", n=(1, 2)), delete("a", "z"))
    groups.extend(groups_of(*(insert(entity, "x") for entity in "abc"), update("a", "q", n=(1, 2))))
    assert (groups.inserted, groups.updated, groups.deleted) == (4, 2, 1)
    assert [group.count for group in groups.inserts.values()] == [2, 1]
    assert [group.count for group in groups.updates.values()] == [2]
