"""Records that the database has already: found by their keys, and decided on by a policy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lading.importing import conflicts
from lading.importing.batch import Batch
from lading.importing.conflicts import Conflicts, Decisions, ExistingRecords, RefuseExisting
from support.cookbook import rows
from support.fake_resolvers import AMBIGUOUS, FakeResolvers

AUTHORS = rows("authors")
BATCH = Batch([1, 2, 3], [("ann",), ("bob",), ("two",)], [()] * 3, lines=[b"1", b"2", b"3"])


class CountingPolicy:
    """Leaves everything alone, and says that as many differ."""

    def __init__(self) -> None:
        self.seen: list[ExistingRecords] = []

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Note what is asked."""
        self.seen.append(existing)
        return Decisions(leave=existing.places, differing={place: [] for place in existing.places})


def deciding(found: dict[Any, Any], *, is_empty: bool = False) -> tuple[Conflicts, CountingPolicy]:
    """Return the conflicts of authors, some of whom the database has, and their policy."""
    policy = CountingPolicy()
    context: Any = SimpleNamespace(
        database=None,
        tables=SimpleNamespace(is_empty=lambda _: is_empty),
        resolvers=FakeResolvers({"authors": found}),
    )
    return Conflicts(context, AUTHORS, lambda *_: policy), policy


def test_records_that_are_not_there_are_inserted() -> None:
    """Without asking the policy."""
    decider, policy = deciding({})
    assert decider.decide(BATCH) == Decisions(insert=[0, 1, 2])
    assert policy.seen == []


def test_an_empty_table_is_not_asked() -> None:
    """It has no conflicts."""
    decider, policy = deciding({("ann",): (7,)}, is_empty=True)
    assert list(decider.decide(BATCH).insert) == [0, 1, 2]
    assert policy.seen == []


def test_each_record_has_one_decision() -> None:
    """New ones are inserted, existing ones are the policy's, and ambiguous ones refused."""
    decider, policy = deciding({("two",): AMBIGUOUS, ("bob",): (7,)})
    decisions = decider.decide(BATCH)
    assert (decisions.insert, decisions.leave, decisions.differing) == ([0], [1], {1: []})
    assert decisions.refuse == {
        2: "authors: several records in the database have slug 'two'; make it unique there"
    }
    (existing,) = policy.seen
    assert (existing.places, existing.identities) == ([1], [(7,)])


def test_existing_records_may_be_refused() -> None:
    """Each with its key and with what leaves it alone."""
    policy = RefuseExisting(None, AUTHORS)  # type: ignore[arg-type]
    decisions = policy.decide(ExistingRecords(BATCH, [0, 2], [(7,), (8,)]))
    assert decisions == Decisions(
        refuse={
            0: "slug 'ann' is in the database already; on_conflict='skip' leaves such records alone",
            2: "slug 'two' is in the database already; on_conflict='skip' leaves such records alone",
        }
    )


def test_there_is_a_policy_for_each_mode() -> None:
    """Made only when a record conflicts."""
    assert set(conflicts.POLICIES) == {"skip", "error"}
