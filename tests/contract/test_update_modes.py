"""Imports that update: what differs is written, rows stay themselves, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading import (
    ArgumentError,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from support.backends import Backend
from support.dishes import CATALOG, Dish, Label, Step, change, content, filled


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    """Return a database of dishes."""
    with filled(backend) as made:
        yield made


def ids(engine: sa.Engine) -> dict[Any, int]:
    """Return the primary keys of dishes and steps."""
    with Session(engine) as session:
        dishes: dict[Any, int] = {d.slug: d.id for d in session.scalars(sa.select(Dish))}
        return dishes | {step.code: step.id for step in session.scalars(sa.select(Step))}


def test_an_update_brings_everything_back(engine: sa.Engine) -> None:
    """Swapped numbers and positions, dropped and moved steps, labels and parents; ids stay."""
    before, known = export_document(engine, catalog=CATALOG), ids(engine)
    expected = content(engine)
    change(engine)
    report = import_document(engine, before, catalog=CATALOG, on_conflict="update")
    assert content(engine) == expected
    assert (report.updated, report.unchanged, report.inserted) == (6, 3, 0)
    now = ids(engine)
    # Within a dish a step is known by its position, elsewhere by its code.
    assert {key for key in known if known[key] != now[key]} == {"0.1", "5.0", "5.1"}
    again = import_document(engine, before, catalog=CATALOG, on_conflict="update")
    assert (again.updated, again.unchanged) == (0, 9)


def test_a_mirror_leaves_exactly_the_bundle(engine: sa.Engine) -> None:
    """A new record may have a unique value of one that goes."""
    before, expected = export_document(engine, catalog=CATALOG), content(engine)
    with Session(engine) as session:
        session.delete(session.scalars(sa.select(Dish).where(Dish.slug == "d3")).one())
        session.flush()
        labels = list(session.scalars(sa.select(Label)))
        new = Dish(slug="new", number=3, labels=labels, steps=[Step(position=0, text="x")])
        session.add_all([new, Dish(slug="kid", number=77, parent=new), Label(name="zz")])
        session.commit()
    report = import_document(engine, before, catalog=CATALOG, on_conflict="mirror")
    assert content(engine) == expected
    assert (report.inserted, report.deleted, report.updated) == (1, 3, 0)


def test_an_update_keeps_what_the_bundle_lacks(engine: sa.Engine) -> None:
    """Only a mirror deletes."""
    before = export_document(engine, catalog=CATALOG)
    before["dishes"] = before["dishes"][:1]
    import_document(engine, before, catalog=CATALOG, on_conflict={"dishes": "update"})
    assert len(content(engine)["dishes"]) == 6


def test_volatile_fields_are_written_only_with_others(engine: sa.Engine) -> None:
    """Their difference alone is none; the version is raised by each update."""
    document = export_document(engine, catalog=CATALOG)
    first, second = document["dishes"][:2]
    first["seen"] = second["seen"] = 5
    second["steps"][0]["text"] = "another"
    report = import_document(engine, document, catalog=CATALOG, on_conflict="update")
    assert report.updated == 1
    with Session(engine) as session:
        rows = session.scalars(sa.select(Dish).order_by(Dish.slug).limit(2)).all()
        assert [(dish.seen, dish.edition) for dish in rows] == [(0, 1), (5, 2)]


def test_a_partial_bundle_is_no_mirror(engine: sa.Engine, tmp_path: Any) -> None:
    """It would delete what was left out."""
    export_all(engine, tmp_path / "part", catalog=CATALOG, where={"dishes": Dish.number > 2})
    with pytest.raises(ArgumentError, match="the bundle is partial") as caught:
        import_all(engine, tmp_path / "part", catalog=CATALOG, on_conflict="mirror")
    assert "\n" not in str(caught.value)


def test_a_mirror_takes_no_problems(engine: sa.Engine) -> None:
    """What a problem leaves out would be deleted."""
    document = export_document(engine, catalog=CATALOG)
    with pytest.raises(ArgumentError, match="'rollback'"):
        import_document(
            engine, document, catalog=CATALOG, on_conflict="mirror", on_error="continue"
        )


def test_a_mirror_fills_an_empty_table(engine: sa.Engine) -> None:
    """The records that it inserts itself aren't among those that the bundle lacks."""
    before, expected = export_document(engine, catalog=CATALOG), content(engine)
    with Session(engine) as session:
        for dish in session.scalars(sa.select(Dish)):
            dish.parent = None
            session.delete(dish)
        session.commit()
    report = import_document(engine, before, catalog=CATALOG, on_conflict="mirror")
    assert (report.inserted, report.deleted) == (6, 0)
    assert content(engine) == expected


def test_an_update_goes_on_without_bad_records(engine: sa.Engine) -> None:
    """Whether they can't be read, refer to nothing, or take what another record keeps."""
    document = export_document(engine, catalog=CATALOG)
    dishes = document["dishes"]
    dishes[0]["number"] = "x"
    dishes[1]["parent"] = {"slug": "nowhere"}
    dishes[2]["seen"], dishes[2]["steps"] = 7, []
    dishes[3]["number"] = 5
    report = import_document(
        engine, document, catalog=CATALOG, on_conflict="update", on_error="continue"
    )
    assert (report.updated, report.unchanged, report.failed) == (1, 5, 3)
    assert sorted(problem.record or 0 for problem in report.problems) == [1, 2, 4]
    assert [dish["steps"] for dish in content(engine)["dishes"]][2] == []


@pytest.mark.parametrize("backend", ["postgresql", "mariadb"], indirect=True)
def test_a_record_that_changes_meanwhile_is_not_overwritten(engine: sa.Engine) -> None:
    """What was compared is what is updated, or nothing is."""
    document = export_document(engine, catalog=CATALOG)
    document["dishes"][1]["number"] = 50
    others = sa.create_engine(engine.url)
    written: list[str] = []

    def write(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE") and "dishes" in statement and not written:
            written.append(statement)
            with others.begin() as connection:
                update = sa.update(Dish).where(Dish.slug == "d1").values(seen=9)
                connection.execute(update)

    sa.event.listen(engine, "before_cursor_execute", write)
    with pytest.raises(TargetError):
        import_document(engine, document, catalog=CATALOG, on_conflict="update")
    others.dispose()
    assert written
    dish = content(engine)["dishes"][1]
    assert (dish["number"], dish["seen"]) == (1, 9)
