"""Owned rows that an update deletes, and what would go along with them outside of the records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from lading import ImportFailed, PlanChanged, export_document, import_document
from lading.importing.deletions import cascade_walk
from support.backends import Backend
from support.dishes import CATALOG, Dish, filled

#: Tables that the catalog doesn't know, by what a deleted step does to their rows.
NOTES = {"CASCADE": "deleted", "SET NULL": "set to null", "RESTRICT": "held"}


@pytest.fixture(params=NOTES)
def noted(backend: Backend, request: pytest.FixtureRequest) -> Iterator[tuple[sa.Engine, str]]:
    """A database of dishes whose first steps have notes that no catalog knows."""
    with filled(backend) as engine:
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys = ON"))
            with engine.begin() as connection:
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        metadata = sa.MetaData()
        Dish.metadata.tables["dish_steps"].to_metadata(metadata)
        Dish.metadata.tables["dishes"].to_metadata(metadata)
        step = sa.ForeignKey("dish_steps.id", ondelete=request.param)
        notes = sa.Table("step_notes", metadata, sa.Column("id", sa.Integer, primary_key=True))
        notes.append_column(sa.Column("step_id", sa.Integer, step))
        notes.create(engine)
        with engine.begin() as connection:
            connection.execute(notes.insert(), [{"id": 1, "step_id": 1}])
        try:
            yield engine, NOTES[request.param]
        finally:
            notes.drop(engine)


def without_first_step(engine: sa.Engine) -> dict[str, Any]:
    """Return the records of the database without the step that has a note."""
    document = export_document(engine, catalog=CATALOG)
    del document["dishes"][0]["steps"][0]
    return document


def imported(engine: sa.Engine, document: dict[str, Any], **options: Any) -> Any:
    """Import a document by update."""
    return import_document(engine, document, catalog=CATALOG, on_conflict="update", **options)


def test_what_goes_along_is_told_before(noted: tuple[sa.Engine, str]) -> None:
    """By a plan and by the import, which then writes nothing."""
    engine, effect = noted
    document = without_first_step(engine)
    plan = imported(engine, document, dry_run=True)
    with pytest.raises(ImportFailed) as caught:
        imported(engine, document)
    problems = caught.value.report.problems
    assert list(map(str, plan.problems)) == list(map(str, problems))
    assert "step_notes" in str(caught.value)
    assert [cascade.count for cascade in plan.cascades] == ([] if effect == "held" else [1])
    assert export_document(engine, catalog=CATALOG)["dishes"][0]["steps"][0]["position"] == 0


def test_a_plan_tells_what_goes_along_with_bad_records_too(noted: tuple[sa.Engine, str]) -> None:
    """It lists every record that the import lists, and the problems of whole files."""
    engine, _ = noted
    document = without_first_step(engine)
    document["dishes"][0]["number"] = document["dishes"][1]["number"]
    document["dishes"] = document["dishes"][:1]
    plan = imported(engine, document, dry_run=True)
    with pytest.raises(ImportFailed) as caught:
        imported(engine, document)
    planned = [(problem.file, problem.record) for problem in plan.problems]
    assert planned
    for problem in caught.value.report.problems:
        assert (problem.file, problem.record) in planned


def test_what_may_go_along_goes(noted: tuple[sa.Engine, str]) -> None:
    """With ``cascade=True``; what the database refuses stays refused."""
    engine, effect = noted
    document = without_first_step(engine)
    if effect == "held":
        with pytest.raises(ImportFailed, match="step_notes"):
            imported(engine, document, cascade=True)
        return
    plan = imported(engine, document, cascade=True, dry_run=True)
    assert not plan.problems
    assert imported(engine, document, cascade=True, expect=plan).updated == 1
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT step_id FROM step_notes").all()
    assert [tuple(row) for row in rows] == ([] if effect == "deleted" else [(None,)])


def test_no_more_goes_along_than_the_expected_plan_names(noted: tuple[sa.Engine, str]) -> None:
    """Rows that came since are no part of what was signed."""
    engine, effect = noted
    if effect == "held":
        pytest.skip("nothing goes along")
    document = without_first_step(engine)
    plan = imported(engine, document, cascade=True, dry_run=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO step_notes VALUES (2, 1), (3, 1)")
    text = f"step_notes.step_id: the plan names 1 row {effect}, with dishes.steps; now .* 3"
    with pytest.raises(PlanChanged, match=text):
        imported(engine, document, cascade=True, expect=plan)
    again = imported(engine, document, cascade=True, dry_run=True)
    assert imported(engine, document, cascade=True, expect=again).updated == 1


def test_records_that_would_take_others_along_are_left_out(noted: tuple[sa.Engine, str]) -> None:
    """Where good records are kept, the others are written, and nothing goes along."""
    engine, _ = noted
    document = without_first_step(engine)
    document["dishes"][1]["number"] = 77
    plan = imported(engine, document, on_error="continue", dry_run=True)
    report = imported(engine, document, on_error="continue", expect=plan)
    (problem,) = report.problems
    assert (problem.record, problem.field, problem.key) == (1, "steps", {"slug": "d0"})
    assert "step_notes" in problem.message
    assert (report.updated, report.total.failed) == (1, 1)
    dishes = export_document(engine, catalog=CATALOG)["dishes"]
    assert (len(dishes[0]["steps"]), dishes[1]["number"]) == (3, 77)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT step_id FROM step_notes").scalar() == 1


def test_of_many_such_records_it_is_only_told_that_they_would(
    noted: tuple[sa.Engine, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory doesn't grow with them; they are left out all the same."""
    engine, effect = noted
    monkeypatch.setattr(cascade_walk, "MOST_PROBLEMS", 0)
    document = without_first_step(engine)
    plan = imported(engine, document, on_error="continue", dry_run=True)
    report = imported(engine, document, on_error="continue", expect=plan)
    (problem,) = report.problems
    assert (problem.record, problem.field) == (1, "steps")
    assert ("others along. Delete" in problem.message) == (effect != "held")


def test_a_step_that_moves_out_of_a_deleted_dish_takes_nothing_along(
    noted: tuple[sa.Engine, str],
) -> None:
    """By the plan and by the import: it stays, with its id."""
    engine, _ = noted
    document = export_document(engine, catalog=CATALOG)
    step = document["dishes"].pop(0)["steps"][0]
    document["dishes"][0]["steps"].append(step | {"position": 9})
    mirror: dict[str, Any] = {"catalog": CATALOG, "on_conflict": "mirror"}
    plan = import_document(engine, document, dry_run=True, **mirror)
    assert (plan.problems, plan.cascades) == ([], ())
    assert import_document(engine, document, expect=plan, **mirror).total.deleted == 1
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT step_id FROM step_notes").scalar() == 1
