"""Reports: what an import did, as numbers and as text that a person reads."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from lading.errors import ImportFailed
from lading.messages import Message
from lading.report import Counts, Finding, ImportReport, Problem, Problems, Progress

COUNTED = [item.name for item in fields(Counts)]


def report() -> ImportReport:
    """Make a report over two entities."""
    return ImportReport(
        entities={
            "suppliers": Counts(inserted=3, skipped=2, differing=1),
            "purchases": Counts(inserted=1, updated=4, unchanged=5, deleted=6, failed=1),
        },
        problems=[Problem("02_purchases.json", 12, {"uuid": "x"}, "price", "is no decimal", "odd")],
    )


def test_a_problem_reads_as_one_line() -> None:
    """A problem's text says where and what."""
    text = "02_purchases.json record 12, price: is no decimal."
    assert str(Problem("02_purchases.json", 12, None, "price", "is no decimal", "odd")) == text


def test_a_problem_may_have_no_record() -> None:
    """What is wrong with a whole file has no record's number."""
    assert str(Problem("tags.json", None, None, None, "is empty", "odd")) == "tags.json: is empty."


def test_problems_and_progress_are_frozen() -> None:
    """What was handed out can't change afterwards."""
    with pytest.raises(FrozenInstanceError):
        Problem("f", 1, None, None, "m", "odd").file = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Progress("export", "tags", 1, None).done = 2  # type: ignore[misc]


def test_counts_name_only_what_happened() -> None:
    """Zeros are noise."""
    assert str(Counts(inserted=10, failed=1)) == "10 inserted, 1 failed"
    assert str(Counts()) == "nothing to do"


def test_counts_of_ten_are_not_taken_for_none() -> None:
    """A count that begins with a digit 1 and ends in 0 is still shown."""
    assert str(Counts(inserted=100, updated=20)) == "100 inserted, 20 updated"


def test_imported_is_inserted_and_updated() -> None:
    """What the import wrote, deletions aside."""
    assert Counts(inserted=2, updated=3, deleted=9, skipped=1).imported == 5


def test_counts_add_up_field_by_field() -> None:
    """Every count takes part in the sum."""
    total = Counts(**{name: n for n, name in enumerate(COUNTED)})
    total.add(Counts(**dict.fromkeys(COUNTED, 10)))
    assert [getattr(total, name) for name in COUNTED] == [10 + n for n in range(len(COUNTED))]


@pytest.mark.parametrize("name", [*COUNTED, "imported"])
def test_a_report_totals_each_count(name: str) -> None:
    """A report has each count of its own, summed over the entities."""
    made = report()
    expected = sum(getattr(counts, name) for counts in made.entities.values())
    assert expected > 0
    assert getattr(made, name) == expected
    assert getattr(made.total, name) == expected


def test_a_report_is_indexed_by_entity() -> None:
    """Per entity, by its name."""
    assert report()["suppliers"].inserted == 3
    with pytest.raises(KeyError):
        report()["unheard-of"]


def test_errors_are_the_problems_texts() -> None:
    """``errors`` are for those who only print."""
    assert report().errors == ["02_purchases.json record 12, price: is no decimal."]


def test_a_report_reads_as_a_person_needs() -> None:
    """The whole text, pinned once."""
    made = report()
    made.committed = True
    assert str(made) == (
        "committed: 4 inserted, 4 updated, 5 unchanged, 2 skipped, 1 differing, 6 deleted, "
        "1 failed\n"
        "  suppliers  3 inserted, 2 skipped, 1 differing\n"
        "  purchases  1 inserted, 4 updated, 5 unchanged, 6 deleted, 1 failed\n"
        "  ! 02_purchases.json record 12, price: is no decimal."
    )


def test_an_empty_report_still_reads() -> None:
    """An import of nothing says so."""
    assert str(ImportReport(committed=True)) == "committed: nothing to do"


def test_a_callers_session_is_told_to_commit() -> None:
    """Who owns the session must commit, and is told so."""
    assert ImportReport(callers=True).headline() == (
        "not committed: this session is yours; commit it to keep what was written"
    )


def test_a_rolled_back_import_asks_for_no_commit() -> None:
    """After a rollback there is nothing that a commit would keep."""
    assert ImportReport(callers=True, rolled_back=True).headline() == (
        "not committed: nothing was written"
    )
    assert ImportReport().headline() == "not committed: nothing was written"


def test_a_report_becomes_plain_mappings() -> None:
    """Logs and JSON take dictionaries."""
    plain = report().as_mapping()
    assert list(plain) == ["suppliers", "purchases"]
    assert plain["suppliers"] == {
        "inserted": 3,
        "updated": 0,
        "unchanged": 0,
        "skipped": 2,
        "differing": 1,
        "deleted": 0,
        "failed": 0,
    }


def test_problems_are_counted_without_bound_and_kept_with_one() -> None:
    """The first thousand are kept, and the text tells how many there were."""
    problems = Problems()
    for number in range(1, 2501):
        problems.append(Problem("a.json", number, None, None, "is bad", "odd"))
    report = ImportReport(problems=list(problems), more_problems=problems.more, rolled_back=True)
    assert len(report.problems) == 1000
    assert report.problem_count == 2500
    assert str(report).endswith("\n  ! and 2495 more")
    error = str(ImportFailed(report))
    assert error.startswith("nothing was written; 2,500 problems:\n  a.json record 1: is bad.")
    assert error.endswith("\n  and 2495 more.")


def test_a_finding_has_its_rule_as_its_code() -> None:
    """In the form that codes have."""
    assert Finding("FIELD_REMOVED", "a.b", "safe", None, None, "is gone").code == "field-removed"


def test_a_problem_is_made_of_a_message() -> None:
    """It is a plain text again, beside its code."""
    problem = Problem.of(Message("odd", "is odd"), "a.json", 3, field="b")
    assert problem == Problem("a.json", 3, None, "b", "is odd", "odd")
    assert type(problem.message) is str
    assert problem.text.code == "odd"
