"""Rows that refer to rows of their own table: in what order they load, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    Owned,
    Ref,
    export_document,
    import_document,
)
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.restoring import restored
from support.statements import statements

Above = dict[str, str | None]


def pages(*, null: bool = True) -> Any:
    """Map pages that refer to the page above them."""
    above = mapped_column(sa.ForeignKey("pages.id"), nullable=null)
    return table(new_base(), "pages", above_id=above)


def document(above: Above) -> dict[str, Any]:
    """Return pages in key order, each with the page above it."""
    return {
        "pages": [
            {"slug": slug, "above": parent and {"slug": parent}}
            for slug, parent in sorted(above.items())
        ]
    }


def tree(count: int) -> Above:
    """Return a tree whose keys say nothing of how deep a page is."""
    slugs = [f"p{n * 7919 % 10_007:05}" for n in range(count)]
    return {slug: slugs[(n - 1) // 2] if n else None for n, slug in enumerate(slugs)}


def chain(count: int) -> Above:
    """Return pages of which each hangs below another, in no order of their keys."""
    slugs = [f"p{n * 7919 % 10_007:05}" for n in range(count)]
    return dict(zip(slugs, [None, *slugs], strict=False))


CIRCLES: Above = {"a": "b", "b": "c", "c": "a", "d": "d", "e": "c"}


@pytest.mark.parametrize(
    ("chunk", "above", "least", "most"),
    [(300, tree(300), 0, 0), (50, tree(220), 0, 0), (50, tree(220) | CIRCLES, 1, 1)],
    ids=["a tree in one chunk", "many chunks", "many chunks and circles"],
)
def test_only_what_refers_in_a_circle_is_updated(
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    above: Above,
    least: int,
    most: int,
) -> None:
    """Rows are inserted parents first, whatever chunks they are in; a circle needs an update."""
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", chunk)
    model, records = pages(), document(above)
    with backend.database(model.metadata) as engine:
        with statements(engine) as seen:
            import_document(engine, records, catalog=catalog_of(model))
        assert least <= len([sql for sql in seen if sql.startswith("UPDATE")]) <= most
        assert export_document(engine, catalog=catalog_of(model))["pages"] == records["pages"]
        again = import_document(engine, records, catalog=catalog_of(model))
        assert (again.skipped, again.differing) == (len(above), 0)


@pytest.mark.parametrize("shape", [tree, chain], ids=["tree", "chain"])
def test_parents_that_were_just_inserted_are_not_looked_up(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, shape: Any
) -> None:
    """So however rows hang together, a chunk of them costs as much as of rows without parents."""
    for module in ("entity_reader", "waiting"):
        monkeypatch.setattr(f"lading.importing.{module}.CHUNK", 50)
    monkeypatch.setattr("lading.importing.resolver.SMALL", 0)

    def counted(above: Above) -> int:
        model = pages()
        with backend.database(model.metadata) as engine, statements(engine) as seen:
            import_document(engine, document(above), catalog=catalog_of(model))
        return len(seen)

    roots = counted(dict.fromkeys(shape(400))) - counted(dict.fromkeys(shape(200)))
    assert 0 < counted(shape(400)) - counted(shape(200)) <= roots + 1


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
def test_what_is_below_a_bad_record_falls_with_it(
    sqlite_memory: Backend, monkeypatch: pytest.MonkeyPatch, on_error: Any
) -> None:
    """Whichever chunks the two are in."""
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", 3)
    records = document({f"p{n}": f"p{n - 1}" if n else None for n in range(9)} | {"z": "p1"})
    records["pages"][2]["above"] = "yesterday"
    model = pages()
    with sqlite_memory.database(model.metadata) as engine:
        try:
            report = import_document(engine, records, catalog=catalog_of(model), on_error=on_error)
        except ImportFailed as error:
            report = error.report
    fallen = sorted(problem.key["slug"] for problem in report.problems if problem.key)
    assert fallen == [f"p{n}" for n in range(2, 9)]
    assert report.committed is (on_error == "continue")
    assert report.inserted == (3 if report.committed else 0)


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
def test_what_waits_for_a_refused_record_is_told_so(backend: Backend, on_error: str) -> None:
    """The database alone would speak of ids that it never got."""
    model: Any = type(
        "Page",
        (new_base(),),
        {
            "__tablename__": "pages",
            "__table_args__": (sa.CheckConstraint("n < 100"),),
            "id": mapped_column(sa.Integer, primary_key=True),
            "slug": mapped_column(sa.String(9), unique=True, nullable=False),
            "n": mapped_column(sa.Integer, nullable=False),
            "above_id": mapped_column(sa.ForeignKey("pages.id"), nullable=False),
        },
    )
    above = {"a": "a", "b": "a", "c": "b", "d": "a"}
    records = {
        "pages": [
            {"slug": slug, "n": 500 if slug == "b" else 1, "above": {"slug": parent}}
            for slug, parent in above.items()
        ]
    }
    with backend.database(model.metadata) as engine:
        catalog = catalog_of(model)
        if on_error == "rollback":
            with pytest.raises(ImportFailed) as caught:
                import_document(engine, records, catalog=catalog)
            report = caught.value.report
        else:
            report = import_document(engine, records, catalog=catalog, on_error=on_error)
        problems = {problem.key["slug"]: problem for problem in report.problems}
        assert "the database refused it" in problems["b"].message
        assert (problems["c"].field, problems["c"].message) == (
            "above",
            "pages: the record with slug 'b' has a problem of its own. Mend that one",
        )
        kept = export_document(engine, catalog=catalog)["pages"]
        assert [record["slug"] for record in kept] == ([] if on_error == "rollback" else ["a", "d"])


def test_roots_of_a_tree_may_be_unique_by_a_partial_index(backend: Backend) -> None:
    """Rows whose parent is null for a time would collide, so parents are inserted first."""
    model = pages()
    base = model.__mro__[1]
    model.name = mapped_column(sa.String(10))
    is_root = model.above_id.is_(None)
    index = sa.Index(
        "one_root", model.name, unique=True, sqlite_where=is_root, postgresql_where=is_root
    )
    index.ddl_if(dialect=("sqlite", "postgresql"))  # MariaDB has none that are partial
    catalog = Catalog("test")
    schema_for(model, catalog, natural_key="slug")
    root = {"id": 1, "slug": "z", "name": "same", "above_id": None}
    below = [{**root, "id": id_, "slug": slug, "above_id": 1} for id_, slug in ((2, "a"), (3, "b"))]
    exported = restored(backend, base, catalog, pages=[root, *below])
    assert [record["above"] for record in exported["pages"]] == [{"slug": "z"}] * 2 + [None]


def test_a_required_self_reference_by_another_field_loads(sqlite_memory: Backend) -> None:
    """Rows that refer to themselves or to others of their batch are found by that field too."""
    base, catalog = new_base(), Catalog("test")
    boss = mapped_column(sa.ForeignKey("people.id"), nullable=False)
    number = mapped_column(sa.Integer, nullable=False)
    person = table(base, "people", number=number, boss_id=boss)
    schema_for(person, catalog, {"boss": Ref(by="number")})
    rows = [
        {"id": n, "slug": f"s{9 - n}", "number": n, "boss_id": max(1, n - 1)} for n in range(1, 6)
    ]
    exported = restored(sqlite_memory, base, catalog, people=rows)
    assert exported["people"][0]["boss"] == {"number": 4}


def test_a_self_reference_to_a_key_that_is_a_reference_loads(sqlite_memory: Backend) -> None:
    """What another reference holds is known before the row is inserted."""
    base = new_base()
    ticket = table(
        base,
        "tickets",
        id=None,
        slug=None,
        job_id=mapped_column(sa.ForeignKey("jobs.id"), primary_key=True),
        main_id=mapped_column(sa.ForeignKey("tickets.job_id"), nullable=False),
    )
    exported = restored(
        sqlite_memory,
        base,
        catalog_of(table(base, "jobs"), ticket),
        jobs=[{"id": 7, "slug": "a"}, {"id": 5, "slug": "b"}],
        tickets=[{"job_id": 7, "main_id": 7}, {"job_id": 5, "main_id": 7}],
    )
    assert exported["tickets"][1] == {"job": {"slug": "b"}, "main": {"job": {"slug": "a"}}}


def test_padded_keys_are_found_again(backend: Backend) -> None:
    """As text, a CHAR key would lose the blanks that pad it, and match nothing."""
    base, catalog = new_base(), Catalog("test")
    part = table(base, "parts", team_code=mapped_column(sa.ForeignKey("teams.code")))
    team = table(
        base,
        "teams",
        id=None,
        slug=None,
        code=mapped_column(sa.CHAR(6), primary_key=True),
        boss_code=mapped_column(sa.ForeignKey("teams.code")),
        parts=relationship(part),
    )
    schema_for(team, catalog, {"parts": Owned(schema_for(part, catalog))})
    teams = [{"code": "a", "boss_code": None}, {"code": "b", "boss_code": "a"}]
    parts = [{"slug": "x", "team_code": "a"}, {"slug": "y", "team_code": "b"}]
    exported = restored(backend, base, catalog, teams=teams, parts=parts)
    assert [len(record["parts"]) for record in exported["teams"]] == [1, 1]


@pytest.mark.parametrize("field", ["slug", "phone"])
def test_a_circle_of_required_references_is_called_one(sqlite_memory: Backend, field: str) -> None:
    """Its records are in the file, and adding them is no help."""
    base, catalog = new_base(), Catalog("test")
    boss = mapped_column(sa.ForeignKey("people.id"), nullable=False)
    person = table(base, "people", phone=mapped_column(sa.String(9)), boss_id=boss)
    schema_for(person, catalog, {"boss": Ref(by=field)})
    bosses = {"a": "b", "b": "a", "c": "gone", "d": "c", "e": "e"}
    people = [
        {"slug": slug, "phone": slug, "boss": {field: other}} for slug, other in bosses.items()
    ]
    with sqlite_memory.database(base.metadata) as engine:
        report = import_document(engine, {"people": people}, catalog=catalog, on_error="continue")
    waits = "can't be placed before it: what that one refers to is missing, or refers back to it."
    assert report.inserted == 1
    problems = {problem.record: problem for problem in report.problems}
    assert [problem.field for problem in report.problems] == ["boss"] * 4
    for number, expected in enumerate(
        [
            f"the record with {field} 'b' {waits}",
            f"the record with {field} 'a' {waits}",
            f"people: no record has {field} 'gone'",
            f"the record with {field} 'c' {waits}",
        ],
        1,
    ):
        assert problems[number].message.startswith(expected)
