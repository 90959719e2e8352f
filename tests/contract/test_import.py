"""Imports into databases that hold something already, and with records that can't go in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship, sessionmaker

from lading import (
    Catalog,
    ImportFailed,
    ImportReport,
    LadingError,
    Owned,
    TargetError,
    export_all,
    import_all,
    import_document,
)
from lading.report import Counts, Problem, Progress
from support.backends import ON_FILES_TOO, ON_SQLITE, Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.packing import adding, both, changing, packed, stored
from support.raw import raw_values
from support.zoo import (
    World,
    books,
    checked_tree,
    cycle,
    defaults,
    enrollments,
    family,
    flat,
    optional_keys,
    packages,
    recipes,
    shop,
    tags,
    teams,
    tree,
)

NO_STRING = "not a string. Write a text of whole characters, in quotes"


@pytest.fixture
def empty(engine: sa.Engine) -> Callable[[World], sa.Engine]:
    """Return what creates a world's tables, without rows, in the database under test."""

    def create(world: World) -> sa.Engine:
        world.metadata.create_all(engine)
        return engine

    return create


def slugs(engine: sa.Engine, model: Any) -> list[str]:
    """Return the slugs of a model's rows, sorted."""
    with Session(engine) as session:
        return sorted(session.scalars(sa.select(model.slug)))


def problems(report: ImportReport) -> list[tuple[str, int | None, str | None, str]]:
    """Return each problem without its key."""
    return [(item.file, item.record, item.field, item.message) for item in report.problems]


# Records that are there already


def test_existing_records_are_skipped_and_differing_ones_counted(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Skip leaves what is there alone, and says how much of it the bundle contradicts."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        world.fill(session)
        session.flush()
        session.execute(
            sa.update(world.models.Product)
            .where(world.models.Product.slug == "p1")
            .values(price=99)
        )
        session.execute(
            sa.update(world.models.Supplier)
            .where(world.models.Supplier.slug == "sup0")
            .values(city="Graz")
        )
        for name in ("p5", "p6"):
            session.execute(
                sa.delete(world.models.Order).where(
                    world.models.Order.product_id.in_(
                        sa.select(world.models.Product.id).where(world.models.Product.slug == name)
                    )
                )
            )
            session.execute(
                sa.delete(world.models.Product).where(world.models.Product.slug == name)
            )
        session.commit()
    report = import_all(engine, packed(world, tmp_path / "b"), catalog=world.catalog)
    assert report.entities == {
        "categories": Counts(skipped=3),
        "suppliers": Counts(skipped=3, differing=1),
        "products": Counts(inserted=2, skipped=5, differing=1),
        "order": Counts(inserted=5, skipped=15),
    }
    assert (report.imported, report.skipped, report.differing) == (7, 26, 2)
    assert [str(difference) for difference in report.differences] == [
        "02_suppliers.json record 1, city: is None here and 'Graz' in the database.",
        "03_products.json record 2, price: is '0.25' here and '99.00' in the database.",
    ]
    assert str(report).splitlines()[-1].endswith(str(report.differences[-1]))
    with Session(engine) as session:
        found = session.scalars(
            sa.select(world.models.Product).where(world.models.Product.slug == "p1")
        )
        assert found.one().price == 99
        assert session.scalar(sa.select(sa.func.count()).select_from(world.models.Order)) == 20


@ON_SQLITE
def test_a_volatile_field_alone_is_no_difference(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Meta.volatile is carried, but when only it differs the records agree."""
    world = defaults()
    bundle = packed(world, tmp_path / "b")
    engine = empty(world)
    import_all(engine, bundle, catalog=world.catalog)
    users = world.models.User.__table__
    with engine.begin() as connection:
        connection.execute(sa.update(users).values(updated=sa.text("'2030-01-01 00:00:00.000000'")))
        connection.execute(
            sa.update(users).where(users.c.slug == "c").values(logins=8, updated=users.c.updated)
        )
    report = import_all(engine, bundle, catalog=world.catalog)
    assert report.entities == {"users": Counts(skipped=3, differing=1)}


@ON_SQLITE
def test_a_changed_child_makes_its_record_differ(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Owned rows and links are part of what a record says."""
    world = tags()
    bundle = packed(world, tmp_path / "b")
    engine = empty(world)
    import_all(engine, bundle, catalog=world.catalog)
    with Session(engine) as session:
        session.execute(
            sa.update(world.models.Part)
            .values(words="changed")
            .where(world.models.Part.words == "w1")
        )
        Post = world.models.Post
        post = session.scalars(sa.select(Post).where(Post.slug == "p3")).one()
        post.tags.pop()
        session.commit()
    report = import_all(engine, bundle, catalog=world.catalog)
    assert report["posts"] == Counts(skipped=8, differing=3)  # p2 and p5 by a part, p3 by a tag
    assert report["tags"] == Counts(skipped=12)


def test_existing_records_can_be_problems(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """on_conflict='error' reports each record that is there, and writes nothing."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        session.add_all([world.models.Category(slug="cat1"), world.models.Supplier(slug="sup2")])
        session.commit()
    before = stored(engine, world)
    bundle = packed(world, tmp_path / "b")
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog, on_conflict="error")
    text = "is in the database already; on_conflict='skip' leaves such records alone"
    found = caught.value.report.problems
    assert [(p.file, p.record, p.key, p.field, p.message) for p in found[:2]] == [
        ("01_categories.json", 2, {"slug": "cat1"}, None, f"slug 'cat1' {text}"),
        ("02_suppliers.json", 3, {"slug": "sup2"}, None, f"slug 'sup2' {text}"),
    ]
    assert stored(engine, world) == before


@ON_SQLITE
def test_conflicts_are_settled_per_entity(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A mapping names entities, and "*" the rest; without "*" the rest is skipped."""
    world = shop()
    bundle = packed(world, tmp_path / "b")
    engine = empty(world)
    import_all(engine, bundle, catalog=world.catalog, only=["categories"])
    modes = {"categories": "skip", "*": "error"}
    report = import_all(engine, bundle, catalog=world.catalog, on_conflict=modes)
    assert report["categories"] == Counts(skipped=3)
    assert report.inserted == 30
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog, on_conflict={"categories": "error"})
    assert caught.value.report["categories"].failed == 3
    assert caught.value.report["suppliers"] == Counts(skipped=3)
    with pytest.raises(ImportFailed):
        import_all(engine, bundle, catalog=world.catalog, on_conflict=modes)


@ON_SQLITE
def test_parents_may_live_in_the_target_alone(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A partial bundle's references are resolved against what the database has."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        session.add_all(world.models.Category(slug=f"cat{n}", id=n + 50) for n in range(3))
        session.add_all(world.models.Supplier(slug=f"sup{n}", id=n + 70) for n in (2, 1, 0))
        session.commit()
    bundle = packed(world, tmp_path / "b", only=["products"])
    report = import_all(engine, bundle, catalog=world.catalog)
    assert report.entities == {"products": Counts(inserted=7)}
    with Session(engine) as session:
        product = session.scalars(
            sa.select(world.models.Product).where(world.models.Product.slug == "p5")
        )
        found = product.one()
        assert (found.category.slug, found.supplier.slug, found.fallback.slug) == (
            "cat2",
            "sup2",
            "sup0",
        )


def test_a_key_is_matched_exactly(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """Case, blanks, and composed accents make other keys."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        session.add_all(world.models.Category(slug=s) for s in ("CAT0", "cat0 ", "cat\u0301"))
        session.commit()
    report = import_all(engine, packed(world, tmp_path / "b"), catalog=world.catalog)
    assert report["categories"] == Counts(inserted=3)
    assert slugs(engine, world.models.Category) == [
        "CAT0",
        "cat\u0301",
        "cat0",
        "cat0 ",
        "cat1",
        "cat2",
    ] or sorted(slugs(engine, world.models.Category)) == sorted(
        ["CAT0", "cat\u0301", "cat0", "cat0 ", "cat1", "cat2"]
    )


def test_a_reference_to_twins_in_the_target_is_a_problem(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Where several rows answer to a key, none is picked."""
    world = flat()
    bundle = packed(world, tmp_path / "b", only=["readings"])
    engine = empty(world)
    with Session(engine) as session:
        names = ("Unit 9", "Unit 8", "Unit 7", "Unit 6", "Unit 6")
        session.add_all(world.models.Unit(slug=f"u{n}", name=name) for n, name in enumerate(names))
        session.commit()
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    texts = {item.message for item in caught.value.report.problems}
    assert texts == {
        "units: several records have name 'Unit 6'; make it unique, or refer to them by another key"
    }
    assert {item.field for item in caught.value.report.problems} == {"other", "third_name"}


def test_twins_with_null_keys_in_the_target_are_a_problem(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """The database lets two rows have the same key with a null in it; an import doesn't guess."""
    world = optional_keys()
    bundle = packed(world, tmp_path / "b", only=["items"])
    engine = empty(world)
    with Session(engine) as session:
        session.add_all(
            world.models.Shelf(room=r, level=n) for r in "ab" for n in (None, 10, 9, -1)
        )
        session.add(world.models.Shelf(room="a", level=None))
        session.commit()
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    assert {item.message for item in caught.value.report.problems} == {
        "shelves: several records have room 'a' and level null; make it unique, or refer to them by another key"
    }


def test_null_keys_match_in_large_targets_too(empty: Callable[[World], sa.Engine]) -> None:
    """A table too large to be read whole is asked by the chunk, nulls apart."""
    world = optional_keys()
    engine = empty(world)
    shelves = [{"room": f"r{n}", "level": n if n % 2 else None} for n in range(6_000)]
    items = [{"shelf": shelf, "name": None, "note": None} for shelf in shelves[::10]]
    document = {"shelves": shelves, "items": items}
    first = import_document(engine, document, catalog=world.catalog)
    assert first.inserted == 6_600
    again = import_document(engine, document, catalog=world.catalog)
    assert (again.inserted, again.skipped, again.differing) == (0, first.inserted, 0)


def test_parents_are_found_across_chunks(empty: Callable[[World], sa.Engine]) -> None:
    """Rows whose parents come thousands of records later wait for them."""
    world = tree()
    engine = empty(world)
    rows = [
        {"slug": f"m{n:05}", "parent": {"slug": f"m{n + 1_700:05}" if n < 4_300 else "z-root"}}
        for n in range(6_000)
    ]
    rows.append({"slug": "z-root", "parent": {"slug": "z-root"}})
    assert import_document(engine, {"nodes": rows}, catalog=world.catalog).inserted == 6_001
    Node = world.models.Node
    above = sa.orm.aliased(Node)
    with Session(engine) as session:
        found = session.execute(
            sa.select(Node.slug, above.slug).join(above, Node.parent_id == above.id)
        )
        wanted = {row["slug"]: row["parent"]["slug"] for row in rows}  # type: ignore[index]
        assert dict(found.all()) == wanted


@ON_FILES_TOO
def test_pending_objects_may_be_parents(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """What a session holds and hasn't flushed counts as there."""
    world = shop()
    bundle = packed(world, tmp_path / "b", only=["products"])
    with Session(empty(world), autoflush=False) as session:
        session.add_all(world.models.Category(slug=f"cat{n}") for n in range(3))
        session.add_all(world.models.Supplier(slug=f"sup{n}") for n in range(3))
        assert import_all(session, bundle, catalog=world.catalog).inserted == 7
        session.commit()


# Bad records


def broken_shop(path: Path, world: World) -> Path:
    """A bundle with a problem of each sort, in three entities."""
    edit = both(
        changing("suppliers", sup1={"slug": "sup1", "city": 5}),
        changing("products", p2={"category": {"slug": "cot2"}}, p3={"price": "1.234"}),
    )
    return packed(world, path, edit)


def test_nothing_is_written_when_anything_is_wrong(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """on_error='rollback' finds every problem, then leaves the database as it was."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        session.add(world.models.Category(slug="cat0"))
        session.commit()
    before = stored(engine, world)
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, broken_shop(tmp_path / "b", world), catalog=world.catalog)
    report = caught.value.report
    assert stored(engine, world) == before
    assert (report.inserted, report.imported, report.committed) == (0, 0, False)
    assert {name: counts.failed for name, counts in report.entities.items()} == {
        "suppliers": 1,
        "categories": 0,
        "products": 3,  # two of their own, one by its supplier
        "order": 9,
    }


def test_good_records_are_kept_when_asked(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """on_error='continue' keeps the good; a bad parent takes its children with it, by name."""
    world = shop()
    engine = empty(world)
    report = import_all(
        engine, broken_shop(tmp_path / "b", world), catalog=world.catalog, on_error="continue"
    )
    assert report.committed
    assert slugs(engine, world.models.Supplier) == ["sup0", "sup2"]
    kept = slugs(engine, world.models.Product)
    assert report["products"].inserted == len(kept)
    found = problems(report)
    assert found[0] == ("02_suppliers.json", 2, "city", f"5 is {NO_STRING}")
    of_p2 = next(item for item in report.problems if item.key == {"slug": "p2"})
    assert (of_p2.field, of_p2.message) == (
        "category",
        "categories: no record has slug 'cot2'; closest is 'cat2'. Add the record to categories, or "
        "correct the key",
    )
    children = [item for item in report.problems if item.field == "product"]
    assert children
    assert all(item.code == "target-refused" for item in children)
    assert report.failed == len({(item.file, item.record) for item in report.problems})
    with Session(engine) as session:
        assert (
            session.scalar(sa.select(sa.func.count()).select_from(world.models.Order))
            == report["order"].inserted
        )


@ON_SQLITE
def test_twins_are_both_refused(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """Of two records with one key none is better; both are reported, the others load."""
    world = shop()
    engine = empty(world)
    edit = adding("categories", {"slug": "cat1"}, {"slug": "z"}, {"slug": "cat1"})
    bundle = packed(world, tmp_path / "b", edit)
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    found = [item for item in report.problems if "categories" in item.file]
    assert sorted((item.record, item.key) for item in found) == [
        (2, {"slug": "cat1"}),
        (4, {"slug": "cat1"}),
        (6, {"slug": "cat1"}),
    ]
    assert all("has the natural key of record" in item.message for item in found)
    assert slugs(engine, world.models.Category) == ["cat0", "cat2", "z"]
    assert report["categories"] == Counts(inserted=3, failed=3)


@ON_SQLITE
def test_twins_are_found_before_anything_is_skipped(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A record that is there already and twice in the file is wrong all the same."""
    world = shop()
    engine = empty(world)
    import_all(engine, packed(world, tmp_path / "a"), catalog=world.catalog)
    bundle = packed(world, tmp_path / "b", adding("categories", {"slug": "cat1"}))
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    assert {item.record for item in caught.value.report.problems} == {2, 4}


@ON_SQLITE
def test_twins_with_null_in_their_key_are_refused(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Null equals null in a key, whatever the database's unique constraint says."""
    world = optional_keys()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", adding("shelves", {"room": "a", "level": None}))
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert report["shelves"].failed == 2
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(world.models.Shelf)) == 7


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
def test_a_deferred_reference_that_dangles_is_reported(
    empty: Callable[[World], sa.Engine], tmp_path: Path, on_error: str
) -> None:
    """What is filled in last is checked like the rest, and takes its record back out."""
    world = cycle()
    engine = empty(world)
    before = stored(engine, world)
    bundle = packed(world, tmp_path / "b", changing("departments", d1={"head": {"slug": "nobody"}}))
    if on_error == "rollback":
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, bundle, catalog=world.catalog)
        report = caught.value.report
        assert stored(engine, world) == before
    else:
        report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
        assert slugs(engine, world.models.Department) == ["d0", "d2", "d3"]
        # Employees of d1 go with it, and d2's head was one of them.
        assert report.failed == len({(p.file, p.record) for p in report.problems})
    first = next(item for item in report.problems if item.field == "head")
    assert first.record == 2
    assert first.message.startswith("employees: no record has slug 'nobody'")
    if on_error == "continue":
        with Session(engine) as session:
            for department in session.scalars(sa.select(world.models.Department)):
                wanted = {"d0": "e8", "d2": "e6", "d3": None}[department.slug]
                assert (department.head.slug if department.head else None) == wanted


@ON_SQLITE
def test_a_chain_of_bad_records_is_followed_to_its_end(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Head of a bad department, employee of a department whose head is bad, and so on."""
    world = cycle()
    engine = empty(world)
    edit = both(
        changing("departments", d0={"head": {"slug": "e1"}}, d1={"head": {"slug": "e2"}}),
        changing("departments", d2={"head": {"slug": "nobody"}}),
    )
    report = import_all(
        engine, packed(world, tmp_path / "b", edit), catalog=world.catalog, on_error="continue"
    )
    # e2 is in d2, e1 in d1: so d2 takes e2, e2 takes d1, d1 takes e1, e1 takes d0.
    assert slugs(engine, world.models.Department) == ["d3"]
    assert slugs(engine, world.models.Employee) == ["e3", "e7"]
    assert report.failed == 10
    assert report.inserted == 3


def test_late_owned_rows_that_dangle_take_their_record_along(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A child that is inserted in a second pass belongs to its parent's record."""
    world = teams()
    engine = empty(world)

    shift = {"captain": {"slug": "nobody"}, "second": None, "words": "", "helpers": []}
    edit = adding(
        "teams",
        {"slug": "t8", "shifts": [{**shift, "captain": {"slug": "p1"}, "breaks": []}]},
        {"slug": "t9", "shifts": [{**shift, "breaks": [{"minute": 1, "cover": None}]}]},
    )
    bundle = packed(world, tmp_path / "b", edit)
    before = stored(engine, world)
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    assert stored(engine, world) == before
    message = "players: no record has slug 'nobody'. Add the record to players, or correct the key"
    wanted = [("01_teams.json", 5, "shifts.captain", message)]
    assert problems(caught.value.report) == wanted
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert problems(report) == wanted
    assert report.problems[0].key == {"slug": "t9"}
    assert slugs(engine, world.models.Team) == ["t0", "t1", "t2", "t8"]
    assert report["teams"] == Counts(inserted=4, failed=1)
    with Session(engine) as session:
        for shift in session.scalars(sa.select(world.models.Shift)):
            assert shift.captain is not None
        assert session.scalar(sa.select(sa.func.count()).select_from(world.models.Shift)) == 7
        assert session.scalar(sa.select(sa.func.count()).select_from(world.models.Break)) == 4


@ON_SQLITE
def test_late_links_that_dangle_take_their_record_along(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A link from an entity to itself is written when all its records are there."""
    world = tags()
    engine = empty(world)

    def edit(name: str, records: list[Any]) -> list[Any]:
        if name == "posts":
            records[0]["related"] = [{"slug": "nothing"}]
            records[1]["tags"] = [{"slug": "t1"}, {"slug": "t1"}]
            records[2]["related"] = [{"slug": "p7"}, {"slug": "p7"}]
        return records

    bundle = packed(world, tmp_path / "b", edit)
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    by_record = {item.record: item for item in reversed(report.problems)}
    assert by_record[1].message.startswith("posts: no record has slug 'nothing'")
    assert by_record[2].message == "holds slug 't1' twice; remove one"
    assert by_record[3].message == "holds slug 'p7' twice; remove one"
    assert by_record[1].field == by_record[3].field == "related"
    assert not {"p0", "p1", "p2"} & set(slugs(engine, world.models.Post))
    assert report["posts"].inserted == len(slugs(engine, world.models.Post))


@ON_SQLITE
def test_a_bad_parent_in_a_self_reference_takes_its_descendants(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """References that are updated last dangle when their target was refused."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("people", p4={"parent": {"slug": "ghost"}}))
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    # p0's parent is p1, p1's is p2, and so on: p4 takes p0 to p3 with it.
    assert slugs(engine, world.models.Person) == ["alone", "me", *(f"p{n}" for n in range(5, 10))]
    assert report.failed == 5
    assert {item.field for item in report.problems} == {"parent"}


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
def test_what_only_the_database_refuses_is_pinned_on_its_record(
    empty: Callable[[World], sa.Engine], tmp_path: Path, on_error: str
) -> None:
    """One CHECK violation among thousands is found, and costs no other record."""
    world = packages()
    engine = empty(world)
    constraint = sa.CheckConstraint("length(slug) < 9", name="short")
    world.models.Thing.__table__.append_constraint(constraint)
    world.metadata.drop_all(engine)
    world.metadata.create_all(engine)
    many = [{"slug": f"v{n:05}"} for n in range(3000)]
    many[1234] = {"slug": "v01234-too-long"}
    bundle = packed(world, tmp_path / "b", adding("things", *many))
    if on_error == "rollback":
        before = stored(engine, world)
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, bundle, catalog=world.catalog)
        report = caught.value.report
        assert stored(engine, world) == before
    else:
        report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
        assert report["things"] == Counts(inserted=3002, failed=1)
    assert [(item.record, item.key) for item in report.problems] == [
        (1238, {"slug": "v01234-too-long"})
    ]
    assert "short" in report.problems[0].message
    assert report.problems[0].message.startswith("the database refused it: ")


def test_a_refused_row_in_waves_takes_its_descendants(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Rows that load parents first depend on each other, down to the last child."""
    world = checked_tree()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("folders", f5={"parent": None}))
    before = stored(engine, world)
    with pytest.raises(ImportFailed):
        import_all(engine, bundle, catalog=world.catalog)
    assert stored(engine, world) == before
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert slugs(engine, world.models.Folder) == ["f6", "f7", "f8", "lone", "z"]
    assert report["folders"] == Counts(inserted=5, failed=5)
    refused = next(item for item in report.problems if item.key == {"slug": "f5"})
    assert "rooted" in refused.message


def test_a_second_unique_column_is_the_databases_to_judge(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Rows that collide outside of their natural key are found one by one."""
    base, catalog = new_base(), Catalog("codes")

    class Code(base):  # type: ignore[misc, valid-type]
        __tablename__ = "codes"
        id = sa.orm.mapped_column(sa.Integer, primary_key=True)
        slug = sa.orm.mapped_column(sa.String(20), unique=True, nullable=False)
        number = sa.orm.mapped_column(sa.Integer, unique=True, nullable=False)

    schema_for(Code, catalog)
    world = World(
        base,
        catalog,
        type("Models", (), {"Code": Code}),  # type: ignore[arg-type]
        lambda session: session.add_all(Code(slug=f"c{n}", number=n) for n in range(5)),
    )
    engine = empty(world)
    with Session(engine) as session:
        session.add(Code(slug="there", number=3))
        session.commit()
    bundle = packed(world, tmp_path / "b")
    report = import_all(engine, bundle, catalog=catalog, on_error="continue")
    assert report["codes"] == Counts(inserted=4, failed=1)
    assert report.problems[0].key == {"slug": "c3"}


def test_a_bad_owned_row_takes_its_record_along(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A problem in a child is one of its record, with the path that leads to it."""
    world = books()
    engine = empty(world)

    def edit(name: str, records: list[Any]) -> list[Any]:
        records[3]["chapters"][0]["sections"][1]["notes"][0]["words"] = 7
        records[2]["chapters"][0]["title"] = None
        return records

    report = import_all(
        engine, packed(world, tmp_path / "b", edit), catalog=world.catalog, on_error="continue"
    )
    assert problems(report) == [
        ("01_books.json", 3, "chapters.1.title", "Field may not be null. Give it a value"),
        ("01_books.json", 4, "chapters.1.sections.2.notes.1.words", f"7 is {NO_STRING}"),
    ]
    assert slugs(engine, world.models.Book) == ["b0", "b1", "b4", "b5"]
    assert report["books"] == Counts(inserted=4, failed=2)


def test_an_owned_row_that_dangles_takes_its_record_along(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """And whoever refers to that owned row fails for its record's sake."""
    world = recipes()
    engine = empty(world)

    def edit(name: str, records: list[Any]) -> list[Any]:
        if name == "recipes":
            records[5]["parts"][0]["part"] = {"slug": "gone"}
        return records

    bundle = packed(world, tmp_path / "b", edit)
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert "r5" not in slugs(engine, world.models.Recipe)
    # r3 and r4 have r5 as a part, and r2 has r4 and so on: whoever is left has whole parts.
    with Session(engine) as session:
        for part in session.scalars(sa.select(world.models.RecipePart)):
            assert part.part is not None
        count = session.scalar(sa.select(sa.func.count()).select_from(world.models.Recipe))
    assert count == report["recipes"].inserted
    assert report["recipes"].inserted + report["recipes"].failed == 6
    assert report["remarks"].inserted + report["remarks"].failed == 12


@ON_SQLITE
def test_an_association_with_a_bad_half_is_left_out(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A key made of references is as good as what it refers to."""
    world = enrollments()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("students", s1=None))
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert report["students"] == Counts(inserted=4)
    assert report["enrollments"].failed > 0
    assert report["exams"].failed == 2 * report["enrollments"].failed
    with Session(engine) as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(world.models.Enrollment))
        assert count == report["enrollments"].inserted


# The report


@ON_SQLITE
def test_the_report_says_what_happened(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """Figures, problems with their places, and one text that a person can read."""
    world = shop()
    engine = empty(world)
    with Session(engine) as session:
        session.add(world.models.Category(slug="cat0"))
        session.commit()
    edit = both(
        changing("products", p6={"category": {"slug": "cot2"}}),
        changing("suppliers", sup0={"city": "Graz"}),
    )
    bundle = packed(world, tmp_path / "b", edit)
    report = import_all(engine, bundle, catalog=world.catalog, on_error="continue")
    assert report.committed
    assert report.problems[0] == Problem(
        file="03_products.json",
        record=7,
        key={"slug": "p6"},
        field="category",
        message="categories: no record has slug 'cot2'; closest is 'cat2'. Add the record to categories, "
        "or correct the key",
        code="reference-missing",
    )
    assert report.errors == [str(item) for item in report.problems]
    assert str(report) == (
        "committed: 29 inserted, 1 skipped, 3 failed\n"
        "  categories  2 inserted, 1 skipped\n"
        "  suppliers   3 inserted\n"
        "  products    6 inserted, 1 failed\n"
        "  order       18 inserted, 2 failed\n"
        "  ! 03_products.json record 7, category: categories: no record has slug 'cot2'; closest is "
        "'cat2'. Add the record to categories, or correct the key.\n"
        "  ! 04_order.json record 7, product: products: the record with slug 'p6' has a problem "
        "of its own. Mend that one.\n"
        "  ! 04_order.json record 14, product: products: the record with slug 'p6' has a problem "
        "of its own. Mend that one."
    )
    assert (report.inserted, report.updated, report.unchanged, report.deleted) == (29, 0, 0, 0)
    assert (report.skipped, report.differing, report.failed, report.imported) == (1, 0, 3, 29)


@ON_SQLITE
def test_a_failed_import_says_why(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """The exception lists five problems and counts the others; its report holds them all."""
    world = shop()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("categories", cat0=None, cat1=None))
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    report = caught.value.report
    assert len(report.problems) == report.failed == 19
    assert str(caught.value) == (
        "nothing was written; 19 problems:\n"
        "  03_products.json record 1, category: categories: no record has slug 'cat0'; closest is 'cat2'. "
        "Add the record to categories, or correct the key.\n"
        "  03_products.json record 2, category: categories: no record has slug 'cat1'; closest is 'cat2'. "
        "Add the record to categories, or correct the key.\n"
        "  03_products.json record 4, category: categories: no record has slug 'cat0'; closest is 'cat2'. "
        "Add the record to categories, or correct the key.\n"
        "  03_products.json record 5, category: categories: no record has slug 'cat1'; closest is 'cat2'. "
        "Add the record to categories, or correct the key.\n"
        "  03_products.json record 7, category: categories: no record has slug 'cat0'; closest is 'cat2'. "
        "Add the record to categories, or correct the key.\n"
        "  and 14 more."
    )
    assert str(report).startswith("not committed: nothing was written: 19 failed\n")
    assert not report.committed


@ON_FILES_TOO
def test_the_report_of_a_callers_session_says_whose_turn_it_is(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """What isn't committed yet mustn't look as if it were."""
    world = family()
    with Session(empty(world)) as session:
        report = import_all(session, packed(world, tmp_path / "b"), catalog=world.catalog)
    assert not report.committed
    assert str(report) == (
        "not committed: this session is yours; commit it to keep what was written: 12 inserted\n"
        "  people  12 inserted"
    )


# Whose transaction


@ON_FILES_TOO
def test_a_callers_session_is_neither_committed_nor_rolled_back(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Pending objects are flushed with the import, and a rollback takes both away."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    with Session(engine) as session:
        session.add(world.models.Person(slug="mine"))
        report = import_all(session, bundle, catalog=world.catalog)
        assert report.inserted == 12
        assert len(session.scalars(sa.select(world.models.Person)).all()) == 13
        session.rollback()
    assert slugs(engine, world.models.Person) == []
    with Session(engine) as session:
        session.add(world.models.Person(slug="mine"))
        import_all(session, bundle, catalog=world.catalog)
        session.commit()
    assert len(slugs(engine, world.models.Person)) == 13


@ON_FILES_TOO
def test_a_fresh_sessions_rollback_undoes_an_import(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A savepoint without a transaction would have committed on SQLite."""
    world = family()
    engine = empty(world)
    with Session(engine) as session:
        import_all(session, packed(world, tmp_path / "b"), catalog=world.catalog)
        session.rollback()
    assert slugs(engine, world.models.Person) == []


@ON_FILES_TOO
def test_a_failed_import_rolls_back_no_further_than_its_own_work(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """What the caller did before stays, and can be committed."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("people", p4={"parent": {"slug": "ghost"}}))
    with Session(engine) as session:
        session.add(world.models.Person(slug="mine"))
        with pytest.raises(ImportFailed):
            import_all(session, bundle, catalog=world.catalog)
        session.add(world.models.Person(slug="mine too"))
        session.commit()
    assert slugs(engine, world.models.Person) == ["mine", "mine too"]


@ON_FILES_TOO
def test_a_session_sees_what_was_written(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Objects that a session holds are expired, for they may be older than the import."""
    world = family()
    with Session(empty(world), expire_on_commit=False) as session:
        person = world.models.Person(slug="p5")
        session.add(person)
        session.flush()
        import_all(session, packed(world, tmp_path / "b"), catalog=world.catalog)
        assert sa.inspect(person).expired
        session.commit()


@ON_FILES_TOO
def test_a_session_of_a_savepoint_stays_in_it(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Rolling back the caller's own savepoint takes the import with it, and no more."""
    world = family()
    engine = empty(world)
    with Session(engine) as session:
        session.add(world.models.Person(slug="mine"))
        session.flush()
        inner = session.begin_nested()
        import_all(session, packed(world, tmp_path / "b"), catalog=world.catalog)
        inner.rollback()
        session.commit()
    assert slugs(engine, world.models.Person) == ["mine"]


@ON_FILES_TOO
def test_a_connection_is_the_callers_as_well(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """A connection's transaction is joined and left open."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    with engine.connect() as connection:
        assert not import_all(connection, bundle, catalog=world.catalog).committed
        connection.rollback()
    assert slugs(engine, world.models.Person) == []
    with engine.begin() as connection:
        import_all(connection, bundle, catalog=world.catalog)
    assert len(slugs(engine, world.models.Person)) == 12


@ON_FILES_TOO
def test_factories_and_the_catalogs_bind_are_opened_and_committed(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """What we open we commit and close."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    assert import_all(sessionmaker(engine), bundle, catalog=world.catalog).inserted == 12
    world.catalog.bind = engine
    report = import_all(None, bundle, catalog=world.catalog)
    assert (report.committed, report.skipped) == (True, 12)


@ON_FILES_TOO
def test_asyncio_sessions_work_by_run_sync(backend: Backend, tmp_path: Path) -> None:
    """``await session.run_sync(import_all, path)`` is all that asyncio needs."""
    from sqlalchemy.ext.asyncio import async_sessionmaker

    world = shop()
    bundle = packed(world, tmp_path / "b")
    with backend.database(world.metadata) as engine:
        twin = backend.async_twin(engine)
        if twin is None:
            # A database in memory has one connection, and it is taken; on MariaDB lading knows
            # no driver for asyncio.
            assert backend.name in ("sqlite-memory", "mariadb")
            return

        async def run() -> ImportReport:
            async with async_sessionmaker(twin)() as session:
                report: ImportReport = await session.run_sync(
                    import_all, bundle, catalog=world.catalog
                )
                await session.commit()
            await twin.dispose()
            return report

        assert asyncio.run(run()).inserted == 33
        assert len(slugs(engine, world.models.Product)) == 7
        export_all(engine, tmp_path / "c", catalog=world.catalog)


@ON_FILES_TOO
def test_autocommit_is_refused(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """Where each statement commits, nothing could be taken back."""
    world = family()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        with pytest.raises(TargetError) as caught:
            import_all(connection, bundle, catalog=world.catalog)
    assert str(caught.value) == (
        "the connection is in AUTOCOMMIT, where nothing can be rolled back. Use another "
        "isolation level."
    )
    assert slugs(engine, world.models.Person) == []


@ON_FILES_TOO
def test_an_autocommit_engine_writes_nothing_by_halves(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """An engine's transaction is ours to begin, or else it is refused."""
    world = shop()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b", changing("products", p3={"category": {"slug": "x"}}))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    before = stored(engine, world)
    with pytest.raises((TargetError, ImportFailed)):
        import_all(autocommit, bundle, catalog=world.catalog)
    assert stored(engine, world) == before


# Parts of a bundle, and how far it is


@ON_SQLITE
def test_only_some_entities_are_loaded_when_asked(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """``only`` takes names; what they refer to must be there."""
    world = shop()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    report = import_all(engine, bundle, catalog=world.catalog, only=["suppliers", "categories"])
    assert set(report.entities) == {"suppliers", "categories"}
    assert import_all(engine, bundle, catalog=world.catalog, only="products").inserted == 7
    assert slugs(engine, world.models.Product) == [f"p{n}" for n in range(7)]
    with pytest.raises(LadingError) as caught:
        import_all(engine, bundle, catalog=world.catalog, only=["product"])
    assert str(caught.value) == (
        "only: unknown entity 'product'; expected one of: products, categories, order, suppliers."
    )


@ON_SQLITE
def test_deferred_rows_of_entities_left_out_are_left_alone(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Half of a cycle can be loaded if the other half's part of it is there."""
    world = cycle()
    engine = empty(world)
    bundle = packed(world, tmp_path / "b")
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, bundle, catalog=world.catalog, only=["departments"])
    assert {item.field for item in caught.value.report.problems} == {"head"}
    assert slugs(engine, world.models.Department) == []


@ON_SQLITE
def test_progress_is_told_by_the_chunk(empty: Callable[[World], sa.Engine], tmp_path: Path) -> None:
    """A watcher hears of every entity and of how many records it has."""
    world = shop()
    seen: list[Progress] = []
    import_all(
        empty(world), packed(world, tmp_path / "b"), catalog=world.catalog, progress=seen.append
    )
    assert [(item.step, item.entity, item.done, item.total) for item in seen] == [
        ("import", "categories", 3, 3),
        ("import", "suppliers", 3, 3),
        ("import", "products", 7, 7),
        ("import", "order", 20, 20),
    ]


@ON_FILES_TOO
def test_a_watcher_that_raises_undoes_the_import(
    empty: Callable[[World], sa.Engine], tmp_path: Path
) -> None:
    """Whatever stops an import leaves nothing behind."""
    world = shop()
    engine = empty(world)
    before = stored(engine, world)

    def stop(progress: Progress) -> None:
        if progress.entity == "products":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_all(engine, packed(world, tmp_path / "b"), catalog=world.catalog, progress=stop)
    assert stored(engine, world) == before


def test_another_spelling_is_no_difference(sqlite_memory: Backend) -> None:
    """Skipped records differ by their values, not by how a person wrote them."""
    base, catalog = new_base(), Catalog("test")
    line = table(
        base,
        "lines",
        order_id=mapped_column(sa.ForeignKey("orders.id"), nullable=False),
        price=mapped_column(sa.Numeric(8, 2)),
    )
    order = table(base, "orders", lines=relationship("Lines"))
    schema_for(order, catalog, {"lines": Owned(schema_for(line, catalog))})
    written = [{"slug": "b", "price": "0.5"}, {"slug": "a", "price": "1.00"}]
    with sqlite_memory.database(base.metadata) as engine:
        document = {"orders": [{"slug": "o", "lines": written}]}
        import_document(engine, document, catalog=catalog)
        again = import_document(engine, document, catalog=catalog)
        assert (again.skipped, again.differing) == (1, 0)
        written[0]["price"] = "0.51"
        assert import_document(engine, document, catalog=catalog).differing == 1


def test_a_bad_deferred_reference_is_reported_beside_an_empty_one(
    sqlite_memory: Backend,
) -> None:
    """Of two references that are set later, one has no target and the other is always null."""
    base = new_base()
    to_person, to_step = (sa.ForeignKey(f"{name}.id") for name in ("people", "steps"))
    next_id = mapped_column(sa.ForeignKey("steps.id"))
    step = table(base, "steps", person_id=mapped_column(to_person), next_id=next_id)
    person = table(base, "people", step_id=mapped_column(to_step))
    missing = {"slug": "gone"}
    document = {
        "people": [{"slug": "p", "step": missing}],
        "steps": [{"slug": "s", "person": missing, "next": None}],
    }
    with sqlite_memory.database(base.metadata) as engine:
        with pytest.raises(ImportFailed, match="people: no record has slug 'gone'"):
            import_document(engine, document, catalog=catalog_of(person, step))
        assert not any(raw_values(engine, base.metadata).values())
