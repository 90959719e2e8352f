"""What an import would do is compared with its plan, whatever the order of the changes."""

from __future__ import annotations

import tracemalloc
from unittest import mock

import pytest

from lading import PlanChanged
from lading.planning.differences import first_differences, require_expected
from lading.planning.record_change import RecordChange
from lading.scratch.sort import externally_sorted
from support.plans import delete, insert, log_of, plan_of, update


def test_the_same_changes_in_another_order_make_no_difference() -> None:
    """Nor do the same fields in another order."""
    changes = [insert("b", "x", a=1, c=2), delete("a", "y"), update("b", "z", p=(1, 2))]
    again = [*changes[:0:-1], insert("b", "x", c=2, a=1)]
    assert first_differences(plan_of(changes), log_of(again)) == []
    assert first_differences(plan_of([]), log_of([])) == []


def test_each_difference_is_told_by_entity_and_key() -> None:
    """What was planned, and what would happen instead."""
    plan = plan_of([update("p", "a", price=("1", "2")), delete("p", "b"), insert("p", "d")])
    actual = log_of([insert("p", "d"), update("p", "a", price=("3", "2")), insert("p", "c")])
    assert first_differences(plan, actual) == [
        "p slug 'a': the plan would update it (price '1' -> '2'); "
        "now an import would update it (price '3' -> '2')",
        "p slug 'b': the plan would delete it; now nothing would happen",
        "p slug 'c': the plan doesn't name it; now an import would insert it",
    ]


@pytest.mark.parametrize(
    ("catalog", "bundle", "text"),
    [
        ("shop", "0" * 64, "the plan is of catalog 'bakery', not of 'shop'"),
        ("bakery", "1" * 64, "the plan is of the bundle with content 0000"),
        ("bakery", None, "not of a document"),
    ],
)
def test_a_plan_is_of_one_catalog_and_one_bundle(
    catalog: str, bundle: str | None, text: str
) -> None:
    """Changes may be the same, and mean something else."""
    changes = [insert("p", "a")]
    require_expected(plan_of(changes), "bakery", "0" * 64, log_of(changes))
    with pytest.raises(PlanChanged) as caught:
        require_expected(plan_of(changes), catalog, bundle, log_of(changes))
    assert text in str(caught.value)


def test_records_that_share_a_masked_key_are_counted() -> None:
    """Two deletes aren't one."""
    change = RecordChange("p", {"pin": "<hidden>"}, "delete", {"pin": "<hidden>"}, None)
    text = "p pin <hidden>: the plan would delete it; now nothing would happen"
    assert first_differences(plan_of([change, change]), log_of([change])) == [text]
    assert first_differences(plan_of([change, change]), log_of([change, change])) == []


def test_differences_are_bounded() -> None:
    """A plan of another database differs in everything."""
    texts = first_differences(plan_of(delete("p", str(n)) for n in range(1_000)), log_of([]))
    assert len(texts) == 20


def test_memory_does_not_grow_with_the_changes() -> None:
    """Both are sorted on disk, by runs that are small here."""

    def peak(count: int) -> int:
        changes = [delete("p", f"{number:07}") for number in range(count)]
        plan, log = plan_of(changes), log_of(reversed(changes))
        del changes
        tracemalloc.start()
        try:
            with mock.patch.dict(externally_sorted.__kwdefaults__, run=2_000):
                assert first_differences(plan, log) == []
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8_800) < 1.3 * peak(4_400)
