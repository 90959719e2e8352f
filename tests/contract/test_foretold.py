"""What plans foretell where records depend on each other, and what the imports then do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from lading import Catalog, ImportFailed, diff, export_document, import_document
from lading.planning.differences import first_differences
from support.backends import Backend
from support.zoo import WORLDS

Document = dict[str, list[dict[str, Any]]]


def point(slug: str, above: str | None = None) -> dict[str, Any]:
    """Return an owned row of a paper, which may refer to another."""
    return {"slug": slug, "above": above and {"slug": above}, "see": None}


def papers(**points: list[dict[str, Any]]) -> Document:
    """Return papers by slug, with their points."""
    return {"papers": [{"slug": slug, "points": rows} for slug, rows in points.items()]}


def book(number: int, slug: str, *pages: int) -> dict[str, Any]:
    """Return a book with an id, whose pages have these ids."""
    rows = [{"id": str(UUID(int=n)), "words": f"w{n}"} for n in pages]
    return {"slug": slug, "id": str(UUID(int=number)), "author": {"slug": "a"}, "pages": rows}


def books(*rows: dict[str, Any]) -> Document:
    """Return books of one author."""
    return {"authors": [{"slug": "a", "id": str(UUID(int=1))}], "books": list(rows)}


def licence(slug: str, code: str) -> dict[str, Any]:
    """Return a record of a subclass with a unique column in its own table."""
    return {
        "slug": slug, "kind": "licence", "title": None, "code": code, "until": None, "oven": None,
    }  # fmt: skip


def readings(unit: str, **units: str) -> Document:
    """Return units by slug with their names, and a reading that refers to one by its name."""
    return {
        "units": [{"slug": slug, "name": name} for slug, name in units.items()],
        "readings": [
            {
                "uuid": str(UUID(int=1)), "unit_slug": "u", "other": {"name": unit},
                "third_name": None,
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("world", "before", "bundle", "mode"),
    [
        pytest.param(
            "outlines",
            papers(a=[point("x")], b=[point("y", above="x")]),
            papers(a=[]),
            "mirror",
            id="an owned row that only a deleted record holds",
        ),
        pytest.param(
            "outlines",
            papers(a=[point("x", above="y")], b=[point("y", above="x")]),
            papers(a=[], c=[point("z")]),
            "mirror",
            id="an owned row in a circle with a deleted record's",
        ),
        pytest.param(
            "uuids",
            books(book(1, "b", 5)),
            books(book(2, "c", 5, 6)),
            "mirror",
            id="a deleted record's owned row that a new one takes over by its id",
        ),
        pytest.param(
            "flat",
            readings("old", u="old"),
            readings("new", u="new"),
            "update",
            id="a reference by a field that the same import changes",
        ),
    ],
)
def test_a_plan_foretells_what_becomes_of_records_that_depend_on_each_other(
    backend: Backend, world: str, before: Document, bundle: Document, mode: str
) -> None:
    """The import does exactly that, and the records are the bundle's."""
    declared = WORLDS[world]()
    catalog = declared.catalog
    with backend.database(declared.base.metadata) as engine:
        import_document(engine, before, catalog=catalog)
        was = content(engine, catalog)
        options: dict[str, Any] = {"catalog": catalog, "on_conflict": mode}
        plan = import_document(engine, bundle, dry_run=True, **options)
        import_document(engine, bundle, expect=plan, **options)
        now = content(engine, catalog)
    assert {name: now[name] for name in bundle} == bundle
    assert not first_differences(plan, diff(was, now, catalog=catalog).log)


@pytest.mark.parametrize(
    ("world", "before", "bundle", "text"),
    [
        pytest.param(
            "outlines",
            papers(a=[point("x")], b=[point("y", above="x")]),
            papers(a=[], c=[point("z")]),
            "can't be deleted: .* points.above_id: 1 of papers, the one with slug 'b'",
            id="an owned row to which a record refers that stays",
        ),
        pytest.param(
            "joined_tables",
            {"assets": [licence("a", "x")]},
            {"assets": [licence("b", "x"), licence("c", "y")]},
            "code 'x' already belongs to assets {'slug': 'a'}",
            id="a unique value of a subclass",
        ),
    ],
)
def test_a_plan_finds_the_records_that_others_keep_out(
    backend: Backend, world: str, before: Document, bundle: Document, text: str
) -> None:
    """And the import has the same problems, be good records kept or none."""
    declared = WORLDS[world]()
    catalog = declared.catalog
    with backend.database(declared.base.metadata) as engine:
        import_document(engine, before, catalog=catalog)
        options: dict[str, Any] = {"catalog": catalog, "on_conflict": "update"}
        plan = import_document(engine, bundle, dry_run=True, **options)
        with pytest.raises(ImportFailed, match=text) as caught:
            import_document(engine, bundle, **options)
        options["on_error"] = "continue"
        again = import_document(engine, bundle, dry_run=True, **options)
        report = import_document(engine, bundle, expect=again, **options)
    problems = list(map(str, plan.problems))
    assert problems == list(map(str, caught.value.report.problems))
    assert problems == list(map(str, report.problems))
    assert (report.inserted, report.failed) == (1, 1)


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
@pytest.mark.parametrize(
    ("before", "bundle", "bad"),
    [
        pytest.param(
            papers(a=[point("s")], b=[]),
            papers(b=[point("v", above="v")], c=[point("s"), point("x", above="v")]),
            {2},
            id="a new row that refers to itself, beside one that is refused",
        ),
        pytest.param(
            papers(a=[point("s")]),
            papers(a=[point("x", above="s")]),
            {1},
            id="a row that the same record drops",
        ),
        pytest.param(
            papers(a=[point("s")]),
            papers(a=[], b=[point("x", above="s")]),
            {2},
            id="a row that another record drops",
        ),
        pytest.param(
            papers(a=[point("s")]),
            papers(a=[], b=[point("x", above="s")], c=[point("s")]),
            set(),
            id="a row that moves",
        ),
    ],
)
def test_references_lead_to_owned_rows_that_are_there_afterwards(
    backend: Backend, before: Document, bundle: Document, bad: set[int], on_error: str
) -> None:
    """A plan names the records of which one doesn't, and the import the same ones."""
    declared = WORLDS["outlines"]()
    options: dict[str, Any] = {"catalog": declared.catalog, "on_conflict": "update"}
    options["on_error"] = on_error
    with backend.database(declared.base.metadata) as engine:
        import_document(engine, before, catalog=declared.catalog)
        plan = import_document(engine, bundle, dry_run=True, **options)
        try:
            report = import_document(engine, bundle, **options)
        except ImportFailed as error:
            report = error.report
    assert {problem.record for problem in plan.problems} == bad
    assert {problem.record for problem in report.problems} == bad


def reading(unit: str, other: str | None) -> Document:
    """Return a reading that refers to one unit by its slug, and to another by its name."""
    return readings("", u="")["readings"][0] | {
        "unit_slug": unit, "other": other and {"name": other},
    }  # fmt: skip


def units(**names: str) -> list[dict[str, Any]]:
    """Return units by slug."""
    return [{"slug": slug, "name": name} for slug, name in names.items()]


@pytest.mark.parametrize(
    ("stored", "written", "rows", "mode", "fault"),
    [
        pytest.param("A", units(b="A"), [], "update", "name: 'A' would be that", id="an update"),
        pytest.param("A", units(c="A"), [], "skip", "name: 'A' would be that", id="a new record"),
        pytest.param("A", units(c="A"), [reading("a", "A") | {"uuid": str(UUID(int=2))}], "update",
                     "name: 'A' would be that", id="a new record, and another that refers to it"),
        pytest.param(None, units(b="A"), [], "update", None, id="nothing refers to it"),
        pytest.param("A", units(a="B", b="A"), [], "update", None, id="a swap"),
        pytest.param("A", units(b="A"), [reading("a", None)], "update", None, id="no longer"),
        pytest.param("B", units(c="X", d="X"), [reading("a", "X")], "update",
                     "several records have name 'X'", id="a record of the bundle refers to it"),
        pytest.param("B", units(a="Z"), [reading("a", "A")], "update",
                     "no record has name 'A'. Add", id="a name that is given up"),
        pytest.param("A", units(b="B", c="A"), [reading("b", "A")], "mirror",
                     "several records have name 'A'", id="that of a doomed record"),
        pytest.param("B", units(b="B", c="A"), [reading("b", "B")], "mirror", None,
                     id="that of a doomed record, unused"),
    ],
)  # fmt: skip
def test_no_import_leaves_references_that_no_export_could_write(
    backend: Backend,
    stored: str | None,
    written: list[dict[str, Any]],
    rows: list[Any],
    mode: str,
    fault: str | None,
) -> None:
    """By a name that several records have; its plan knows that, and the database is exported."""
    world = WORLDS["flat"]()
    before: Any = {"units": units(a="A", b="B"), "readings": [reading("a", stored)]}
    bundle: Any = {"units": written, "readings": rows, "settings": []}
    on_error = "rollback" if mode == "mirror" else "continue"
    options: Any = {"catalog": world.catalog, "on_conflict": mode, "on_error": on_error}
    with backend.database(world.metadata) as engine:
        import_document(engine, before, catalog=world.catalog)
        plan = import_document(engine, bundle, dry_run=True, **options)
        try:
            report = import_document(engine, bundle, **options)
        except ImportFailed as error:
            report = error.report
        content(engine, world.catalog)
    problems = list(map(str, plan.problems))
    assert problems == list(map(str, report.problems))
    assert len(problems) == (fault is not None)
    assert (fault or "") in "".join(problems)


@pytest.mark.parametrize("is_plan", [True, False])
def test_a_record_that_cannot_be_read_is_reported_once(backend: Backend, is_plan: bool) -> None:
    """Though others refer to its entity's records by what they may share."""
    world = WORLDS["flat"]()
    rows = {"units": [*units(b="B"), {"slug": "a", "name": {}}], "readings": [], "settings": []}
    options: Any = {"catalog": world.catalog, "on_error": "continue", "dry_run": is_plan}
    with backend.database(world.metadata) as engine:
        report = import_document(engine, rows, **options)
    counts = report.entities["units"]
    assert (counts.inserted, counts.failed, len(report.problems)) == (1, 1, 1)


def content(engine: sa.Engine, catalog: Catalog) -> Mapping[str, Any]:
    """Return the records of a database."""
    document = export_document(engine, catalog=catalog)
    return {name: document[name] for name in catalog.use().roots}
