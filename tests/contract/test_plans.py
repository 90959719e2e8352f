"""Dry runs: what an import would do, found by reading alone, and imports held to their plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column

from lading import Catalog, ImportFailed, PlanChanged, diff, export_document, import_document
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.dishes import CATALOG, Dish, Label, Step, change, content, filled
from support.statements import statements


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    """Return a database of dishes."""
    with filled(backend) as made:
        yield made


def planned(engine: sa.Engine, document: dict[str, Any], mode: str, **options: Any) -> Any:
    """Return the plan of an import; nothing is written."""
    before = content(engine)
    plan = import_document(
        engine, document, catalog=CATALOG, on_conflict=mode, dry_run=True, **options
    )
    assert content(engine) == before
    return plan


@pytest.mark.parametrize("mode", ["update", "mirror", "skip"])
def test_a_plan_is_what_the_import_does(engine: sa.Engine, mode: str) -> None:
    """Change by change what a diff of the database before and after finds."""
    free = 4 if mode == "mirror" else 9  # a mirror deletes what has it
    document = export_document(engine, catalog=CATALOG)
    change(engine)
    with Session(engine) as session:
        session.delete(session.scalars(sa.select(Dish).where(Dish.slug == "d3")).one())
        session.flush()
        session.add_all(
            [Label(name="zz"), Dish(slug="x", number=free, steps=[Step(position=1, text="t")])]
        )
        session.commit()
    if mode == "skip":
        document["dishes"] = [dish for dish in document["dishes"] if dish["slug"] == "d1"]
        document["dishes"].append({**document["dishes"][0], "slug": "n", "number": 10, "steps": []})
    before = export_document(engine, catalog=CATALOG)
    plan = planned(engine, document, mode)
    report = import_document(engine, document, catalog=CATALOG, on_conflict=mode, expect=plan)
    after = export_document(engine, catalog=CATALOG)
    assert by_key(plan) == by_key(diff(before, after, catalog=CATALOG))
    assert plan.entities == report.entities
    with pytest.raises(PlanChanged, match="carried out already"):
        import_document(engine, document, catalog=CATALOG, on_conflict=mode, expect=plan)


def by_key(changes: Any) -> list[Any]:
    """Return changes in one order, without the versions that only an import counts."""
    listed = []
    for listed_change in changes.changes():
        sides = [
            side and {name: value for name, value in side.items() if name != "edition"}
            for side in (listed_change.before, listed_change.after)
        ]
        named = (listed_change.entity, str(listed_change.key), listed_change.action)
        listed.append((*named, *sides))
    return sorted(listed, key=str)


def test_a_dry_run_only_reads(engine: sa.Engine) -> None:
    """It takes no lock and allocates no id."""
    document = export_document(engine, catalog=CATALOG)
    change(engine)
    with statements(engine) as run:
        import_document(engine, document, catalog=CATALOG, on_conflict="mirror", dry_run=True)
    verbs = {text.split()[0].upper() for text in run}
    assert verbs <= {"SELECT", "WITH", "SET", "START", "BEGIN", "PRAGMA", "SHOW"}


def test_a_plan_finds_the_problems_of_the_import(engine: sa.Engine) -> None:
    """References that lead nowhere, and unique values that others keep."""
    document = export_document(engine, catalog=CATALOG)
    first, second = document["dishes"][:2]
    first["parent"] = {"slug": "nowhere"}
    second["number"] = 5
    document["dishes"].append({**second, "slug": "new", "number": 77, "parent": {"slug": "new2"}})
    document["dishes"].append({**second, "slug": "new2", "number": 78, "steps": []})
    document["dishes"][-2]["steps"] = []
    document["dishes"] = [d for d in document["dishes"] if d["slug"] != "d5"]
    plan = planned(engine, document, "update")
    assert [(problem.key, problem.field) for problem in plan.problems] == [
        ({"slug": "d0"}, "parent"),
        ({"slug": "d1"}, "number"),
    ]
    assert (plan.total.failed, plan.total.inserted) == (2, 2)


@pytest.mark.parametrize("keys", [["a"], ["a", None]], ids=["plain", "recurring"])
def test_a_plan_names_the_key_that_the_same_bundle_would_insert(
    backend: Backend, keys: list[str | None]
) -> None:
    """As the import does, which has inserted it by then: a parent, or the level above."""
    base = new_base()
    columns = {"slug": None} if None in keys else {}
    above = mapped_column(sa.ForeignKey("boxes.id"), nullable=True)
    name = mapped_column(sa.String(9), nullable=False)
    box = table(base, "boxes", above_id=above, **columns, **({"name": name} if columns else {}))
    lid = table(base, "lids", box_id=mapped_column(sa.ForeignKey("boxes.id"), nullable=False))
    catalog = Catalog("boxes")
    schema_for(box, catalog, **({"natural_key": ("above", "name")} if columns else {}))
    schema_for(lid, catalog)
    if columns:
        boxes = [{"above": None, "name": "oak"}, {"above": None, "name": "elm"}]
        missing: dict[str, Any] = {"above": {"above": None, "name": "elm"}, "name": "x"}
    else:
        boxes = [{"slug": "oak", "above": None}, {"slug": "elm", "above": None}]
        missing = {"slug": "elmm"}
    document = {"boxes": boxes, "lids": [{"slug": "l", "box": missing}]}
    with backend.database(base.metadata) as engine:
        plan = import_document(engine, document, catalog=catalog, dry_run=True)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document, catalog=catalog)
    (problem,) = plan.problems
    assert [problem] == caught.value.report.problems
    assert "closest is" in problem.message
    assert "elm" in problem.message.partition("closest is")[2]


@pytest.mark.parametrize(
    ("fault", "is_known"),
    [
        pytest.param({"number": "x"}, True, id="a value that can't be read"),
        pytest.param({"parent": {"slug": "nowhere"}}, True, id="a reference that leads nowhere"),
        pytest.param({"slug": "d1"}, True, id="the key of another record"),
        pytest.param({"slug": 7}, False, id="a key that can't be read"),
        pytest.param({"slug": None}, False, id="no key"),
    ],
)
def test_a_mirrors_plan_deletes_no_record_that_the_bundle_has(
    engine: sa.Engine, fault: dict[str, Any], is_known: bool
) -> None:
    """Be it bad; where its key can't be read, no record is known to be lacking, which it says."""
    document = export_document(engine, catalog=CATALOG)
    dishes = document["dishes"]
    dishes[2].update(fault)
    del dishes[5]
    plan = planned(engine, document, "mirror")
    gone = [change.key["slug"] for change in plan.changes("dishes") if change.action == "delete"]
    assert gone == (["d2", "d5"] if "slug" in fault else ["d5"]) * is_known
    assert ("aren't known" in str(plan)) is not is_known
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, document, catalog=CATALOG, on_conflict="mirror")
    assert list(map(str, plan.problems)) == list(map(str, caught.value.report.problems))


def test_an_import_that_differs_from_its_plan_writes_nothing(engine: sa.Engine) -> None:
    """The first differences are named."""
    document = export_document(engine, catalog=CATALOG)
    change(engine)
    plan = planned(engine, document, "update")
    with Session(engine) as session:
        session.scalars(sa.select(Dish).where(Dish.slug == "d2")).one().seen = 9
        session.scalars(sa.select(Dish).where(Dish.slug == "d2")).one().parent_id = 1
        session.commit()
    before = content(engine)
    with pytest.raises(PlanChanged) as caught:
        import_document(engine, document, catalog=CATALOG, on_conflict="update", expect=plan)
    assert "d2" in str(caught.value)
    assert content(engine) == before


def test_a_plan_knows_that_a_new_record_takes_the_id_of_one_that_goes(backend: Backend) -> None:
    """An id that the application gives passes on with its row, and frees no other value too late."""
    base = new_base()
    things = table(base, "things", id=mapped_column(sa.Uuid(), primary_key=True))
    catalog = catalog_of(things)
    ids = [str(UUID(int=n)) for n in (1, 2)]
    new = {"things": [{"slug": "b", "id": ids[0]}, {"slug": "c", "id": ids[1]}]}
    with backend.database(base.metadata) as engine:
        import_document(engine, {"things": [{"id": ids[0], "slug": "a"}]}, catalog=catalog)
        plan = import_document(engine, new, catalog=catalog, on_conflict="mirror", dry_run=True)
        import_document(engine, new, catalog=catalog, on_conflict="mirror", expect=plan)
        assert export_document(engine, catalog=catalog)["things"] == new["things"]


def test_a_plan_leaves_out_what_refers_to_bad_records(engine: sa.Engine) -> None:
    """As the import does that keeps good ones, whatever comes first; all are reported anyway."""
    document = export_document(engine, catalog=CATALOG)
    dishes = document["dishes"]
    dishes.append({**dishes[0], "slug": "aa", "number": 60, "steps": [], "parent": {"slug": "zz"}})
    dishes[1]["seen"], dishes[1]["steps"] = 3, []
    dishes.append({**dishes[2], "slug": "zz", "steps": []})  # with a number that d2 keeps
    refused = planned(engine, document, "update")
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, document, catalog=CATALOG, on_conflict="update")
    assert sorted(map(str, refused.problems)) == sorted(map(str, caught.value.report.problems))
    options: dict[str, Any] = {"catalog": CATALOG, "on_conflict": "update", "on_error": "continue"}
    plan = import_document(engine, document, dry_run=True, **options)
    report = import_document(engine, document, expect=plan, **options)
    assert plan.entities == report.entities
    assert (report.updated, report.failed) == (1, 2)
