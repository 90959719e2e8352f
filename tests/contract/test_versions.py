"""Payloads of older versions: upgraded as they are read, or refused by what was found and needed."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Add,
    BundleError,
    Catalog,
    ChecksumError,
    Convert,
    Drop,
    Each,
    ImportFailed,
    Manifest,
    Move,
    Owned,
    Rename,
    VersionError,
    change,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.scratch.sort import CHUNK
from lading.version import __version__
from support.aged import changed, items, pantry, stall
from support.aged_more import notebook, workshop
from support.backends import Backend, SQLiteMemory
from support.declaring import new_base, schema_for
from support.packing import packed
from support.rewriting import entity_bytes, rewritten
from support.world import World, key, number, slug, text, to

Shop = Callable[[World], sa.Engine]


@pytest.fixture
def empty(sqlite_memory: Backend, request: pytest.FixtureRequest) -> Shop:
    """Return what makes an empty database with a world's tables."""

    def made(world: World) -> sa.Engine:
        engine = sqlite_memory.fresh()
        request.addfinalizer(lambda: sqlite_memory.drop(engine))
        world.metadata.create_all(engine)
        return engine

    return made


def held(engine: sa.Engine, world: World) -> dict[str, list[Any]]:
    """Return the records of a database, by entity."""
    document = export_document(engine, catalog=world.catalog)
    return {name: value for name, value in document.items() if isinstance(value, list)}


def held_after(path: Path, engine: sa.Engine, world: World) -> dict[str, list[Any]]:
    """Return the records of a database into which a bundle was imported."""
    import_all(engine, path, catalog=world.catalog)
    return held(engine, world)


def refused(engine: sa.Engine, world: World, path: Path, kind: type[Exception]) -> Any:
    """Return the error of an import, which wrote nothing."""
    with pytest.raises(kind) as caught:
        import_all(engine, path, catalog=world.catalog)
    with engine.connect() as connection:
        for table in world.metadata.sorted_tables:
            assert not connection.scalar(sa.select(sa.func.count()).select_from(table))
    return caught.value


# What an upgrade makes


@pytest.mark.parametrize("where", ["sqlite_memory", "postgresql"])
@pytest.mark.parametrize("name", ["old", "old.zip"])
def test_an_old_bundle_becomes_what_the_new_application_would_have_written(
    request: pytest.FixtureRequest, tmp_path: Path, where: str, name: str
) -> None:
    """References of every form follow; owned rows, links and classes are upgraded in place."""
    old, new = pantry(1), pantry(2)
    packed(old, tmp_path / name)
    expected = entity_bytes(packed(new, tmp_path / "new"))
    with request.getfixturevalue(where).database(new.metadata) as engine:
        report = import_all(engine, tmp_path / name, catalog=new.catalog)
        export_all(engine, tmp_path / "again", catalog=new.catalog)
    assert report.inserted == 72
    assert entity_bytes(tmp_path / "again") == expected
    assert b'"ingredient":{"slug":"flour"}' in expected["04_recipes.json"], "the look-alike stays"


def test_references_follow_through_owned_rows_other_fields_and_new_names(
    empty: Shop, tmp_path: Path
) -> None:
    """To owned rows, by another field, flat or under a name that stays: from either payload."""
    old, new = stall(1), stall(2)
    with SQLiteMemory().database() as source:
        document = export_document(old.filled(source), catalog=old.catalog)
    with SQLiteMemory().database() as source:
        expected = held(new.filled(source), new)
    assert expected["orders"] == [
        {
            "slug": "o",
            "use": {"recipe": {"code": "cake"}, "place": 2},
            "recipe_code": "tart",
            "named": {"title": "Cake"},
            "kept_slug": "cake",
            "extras": [],
        }
    ]
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert held(engine, new) == expected
    engine = empty(new)
    import_document(engine, document, catalog=new.catalog)
    assert held(engine, new) == expected


def test_an_old_document_is_upgraded_like_a_bundle(empty: Shop, tmp_path: Path) -> None:
    """Without a manifest the shapes are those that the changes lead back to."""
    old, new = pantry(1), pantry(2)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    before = copy.deepcopy(document)
    engine = empty(new)
    import_document(engine, document, catalog=new.catalog)
    assert document == before, "the caller's data is never changed"
    with SQLiteMemory().database() as engine_of_new:
        assert held(engine, new) == held(new.filled(engine_of_new), new)


def test_a_partial_bundle_says_of_which_version_its_references_are(
    empty: Shop, tmp_path: Path
) -> None:
    """Targets that are only in the database are referred to in the newer way, from either."""
    for version in (1, 2):
        world, new = pantry(version), pantry(2)
        path = packed(world, tmp_path / str(version), only=["orders"])
        whole = packed(world, tmp_path / f"whole{version}")
        shape = Manifest.from_bytes((path / "manifest.json").read_bytes())["orders"].shape
        assert shape["targets"] == {"recipes": version, "products": version, "ingredients": version}
        engine = empty(new)
        import_all(
            engine,
            whole,
            catalog=new.catalog,
            only=["ingredients", "categories", "products", "recipes"],
        )
        assert import_all(engine, path, catalog=new.catalog).inserted == 3


def test_a_partial_document_says_it_too(empty: Shop) -> None:
    """A document's versions cover what it refers to, once a change has made a difference."""
    new = pantry(2)
    engine = empty(new)
    with SQLiteMemory().database() as source:
        world = pantry(1)
        world.filled(source)
        whole = export_document(source, catalog=world.catalog)
        part = export_document(source, catalog=world.catalog, only=["orders"])
    assert part["schema_versions"] == {"orders": 1}, "no change had made a difference yet"
    whole.pop("orders")
    import_document(engine, whole, catalog=new.catalog)
    assert import_document(engine, part, catalog=new.catalog).inserted == 3
    again = export_document(engine, catalog=new.catalog, only=["orders"])
    assert again["schema_versions"] == {"orders": 1, "recipes": 2, "products": 2, "ingredients": 2}
    assert import_document(engine, again, catalog=new.catalog).skipped == 3


def test_owned_rows_of_several_parents_and_fields_of_classes_are_upgraded(
    empty: Shop, tmp_path: Path
) -> None:
    """Each parent's by its own path, and only the classes that have a field."""
    old, new = notebook(1), notebook(2)
    with SQLiteMemory().database() as source:
        document = export_document(old.filled(source), catalog=old.catalog)
    with SQLiteMemory().database() as source:
        expected = held(new.filled(source), new)
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert held(engine, new) == expected
    engine = empty(new)
    import_document(engine, document, catalog=new.catalog)
    assert held(engine, new) == expected


def test_references_to_what_a_change_made_follow_a_later_one(empty: Shop, tmp_path: Path) -> None:
    """A list of owned rows that an earlier change began, and references into it."""
    path = packed(workshop(1), tmp_path / "old")
    oldest = path
    for version, code in ((2, "slug"), (3, "code")):
        new = workshop(version)
        engine = empty(new)
        import_all(engine, path, catalog=new.catalog)
        part = {code: "part of saw"}
        assert held(engine, new) == {
            "tools": [{"slug": "saw", "parts": [part]}],
            "jobs": [{"slug": "j", "tool": {"slug": "saw"}, "part": part}],
        }
        path = tmp_path / str(version)
        export_all(engine, path, catalog=new.catalog)
    assert held(engine, new) == held_after(oldest, empty(new), new)


def test_ids_for_people_who_debug_are_ignored(empty: Shop, tmp_path: Path) -> None:
    """They are no fields, whatever the fields are called by now."""
    old, new = pantry(1), pantry(2)
    path = packed(old, tmp_path / "old", include_ids=True)
    engine = empty(new)
    assert import_all(engine, path, catalog=new.catalog).inserted == 72
    with SQLiteMemory().database() as source:
        assert held(engine, new) == held(new.filled(source), new)


def test_equal_records_of_another_version_are_skipped_as_equal(empty: Shop, tmp_path: Path) -> None:
    """What is compared with the database is the upgraded record."""
    old, new = pantry(1), pantry(2)
    path = packed(old, tmp_path / "old")
    engine = empty(new)
    import_all(engine, path, catalog=new.catalog)
    report = import_all(engine, path, catalog=new.catalog)
    assert (report.inserted, report.skipped, report.differing) == (0, 72, 0)


def test_a_hand_formatted_file_of_any_order_is_upgraded(empty: Shop, tmp_path: Path) -> None:
    """Layout, order of fields and order of records don't matter."""
    old, new = pantry(1), pantry(2)

    def edit(name: str, records: list[Any]) -> list[Any]:
        return [dict(reversed(record.items())) for record in reversed(records)]

    path = rewritten(packed(old, tmp_path / "old"), edit, indent=2)
    engine = empty(new)
    assert import_all(engine, path, catalog=new.catalog).inserted == 72
    with SQLiteMemory().database() as source:
        assert held(engine, new) == held(new.filled(source), new)


def test_marshmallows_way_gets_upgraded_records(empty: Shop, tmp_path: Path) -> None:
    """Hooks see records of the newest version."""
    seen: list[Any] = []
    old = items(amount=number())
    base, catalog = new_base(), Catalog("items")

    class Item(base):
        __tablename__ = "items"
        id = key()
        slug = slug()
        grams = number()

    @ma.pre_load
    def look(self: Any, data: Any, **kwargs: Any) -> Any:
        seen.append(data)
        return data

    schema_for(Item, catalog, {"look": look}, version=2)
    changed(catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    new = World(base, catalog, None, lambda session: None)  # type: ignore[arg-type]
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=catalog)
    assert seen[0] == {"slug": "i1", "grams": 10}
    assert [record["grams"] for record in held(engine, new)["items"]] == [10, 20, 30]


def test_an_entity_gets_another_name(empty: Shop, tmp_path: Path) -> None:
    """Its file keeps the old one, its records and whoever refers to them are at home in the new."""

    def world(name: str, version: int) -> World:
        base, catalog = new_base(), Catalog("renamed")

        class Dish(base):
            __tablename__ = name
            id = key()
            slug = slug()

        class Menu(base):
            __tablename__ = "menus"
            id = key()
            slug = slug()
            dish_id = to(f"{name}.id")
            dish = relationship(Dish)

        schema_for(Dish, catalog, version=version)
        schema_for(Menu, catalog)
        if version > 1:
            changed(catalog, {"recipes": (1, 2)}, Rename("recipes", to="dishes"))

        def fill(session: Session) -> None:
            session.add(Menu(slug="m", dish=Dish(slug="d")))

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    old, new = world("recipes", 1), world("dishes", 2)
    path = packed(old, tmp_path / "old")
    engine = empty(new)
    report = import_all(engine, path, catalog=new.catalog)
    assert {name: counts.inserted for name, counts in report.entities.items()} == {
        "dishes": 1,
        "menus": 1,
    }
    with SQLiteMemory().database() as source:
        document = export_document(old.filled(source), catalog=old.catalog)
    assert import_document(empty(new), document, catalog=new.catalog).inserted == 2
    broken = rewritten(
        path, lambda name, records: [*records, {"slug": 5}] if name == "recipes" else records
    )
    error = refused(empty(new), new, broken, ImportFailed)
    assert error.report.problems[0].file == "01_recipes.json"


def test_entities_begin_and_end(empty: Shop, tmp_path: Path) -> None:
    """An older bundle lacks what began later, and what ended is read, checked and left."""

    def world(*names: str, version: int = 1) -> World:
        base, catalog = new_base(), Catalog("begun")
        for name in names:
            model = type(name, (base,), {"__tablename__": name, "id": key(), "slug": slug()})
            schema_for(model, catalog, version=version if name == "kept" else 1)
        models = {mapper.class_.__name__: mapper.class_ for mapper in base.registry.mappers}

        def fill(session: Session) -> None:
            session.add_all(model(slug=name) for name, model in models.items())

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    old, new = world("kept", "gone"), world("kept", "begun", version=2)
    changed(new.catalog, {"gone": (1, None), "kept": (1, 2), "begun": (None, 1)}, Drop("gone"))
    path = packed(old, tmp_path / "old")
    engine = empty(new)
    report = import_all(engine, path, catalog=new.catalog)
    assert {name: counts.inserted for name, counts in report.entities.items()} == {"kept": 1}
    fresh = packed(new, tmp_path / "new")
    assert import_all(empty(new), fresh, catalog=new.catalog).inserted == 2
    for file in (path / "manifest.json", fresh / "manifest.json"):
        manifest = Manifest.from_bytes(file.read_bytes())
        damaged = path if file.parent == path else fresh
        name = manifest.files[-1].filename
        (damaged / name).write_bytes((damaged / name).read_bytes().replace(b"slug", b"slog"))
        refused(empty(new), new, damaged, ChecksumError)
    part = packed(new, tmp_path / "part", only=["kept"])
    rewritten(part, partial=False)
    assert "holds no begun, though it isn't partial" in str(
        refused(empty(new), new, part, BundleError)
    )


def test_fields_move_between_levels(empty: Shop, tmp_path: Path) -> None:
    """Down each record gets the value, up all must agree; what would be lost is refused."""

    def world(version: int) -> World:
        base, catalog = new_base(), Catalog("moved")

        class Line(base):
            __tablename__ = "lines"
            id = key()
            bill_id = to("bills.id")
            position = number()
            locals()["currency" if version == 1 else "seller"] = text(20, null=True)

        class Bill(base):
            __tablename__ = "bills"
            id = key()
            slug = slug()
            locals()["seller" if version == 1 else "currency"] = text(20, null=True)
            lines = relationship(Line, order_by=Line.position)

        schema_for(Bill, catalog, {"lines": Owned(schema_for(Line, catalog))}, version=version)
        if version == 2:
            changed(
                catalog,
                {"bills": (1, 2)},
                Move("bills", "seller", "bills.lines"),
                Move("bills.lines", "currency", "bills"),
            )

        def fill(session: Session) -> None:
            lines = [Line(position=n, currency="EUR") for n in (1, 2)]
            session.add(Bill(slug="a", seller="Mill", lines=lines))
            session.add(Bill(slug="b"))

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    old, new = world(1), world(2)
    path = packed(old, tmp_path / "old")
    engine = empty(new)
    import_all(engine, path, catalog=new.catalog)
    line = {"seller": "Mill"}
    assert held(engine, new)["bills"] == [
        {
            "slug": "a",
            "currency": "EUR",
            "lines": [{"position": 1, **line}, {"position": 2, **line}],
        },
        {"slug": "b", "currency": None, "lines": []},
    ]

    def edit(name: str, records: list[Any]) -> list[Any]:
        records[0]["lines"][1]["currency"] = "USD"
        records[1]["seller"] = "Nobody"
        return records

    error = refused(empty(new), new, rewritten(path, edit), ImportFailed)
    assert [str(problem) for problem in error.report.problems] == [
        "01_bills.json record 1, currency: change Some, Move('bills.lines', 'currency', 'bills'): the "
        "records of bills.lines differ in it; use Each to choose. Correct the change, or the record.",
        "01_bills.json record 2, seller: change Some, Move('bills', 'seller', 'bills.lines'): "
        "bills.lines: there is no record to move 'Nobody' to. Correct the change, or the record.",
    ]


def test_the_short_form_is_a_function(empty: Shop, tmp_path: Path) -> None:
    """Several changes of one entity run one after the other, whatever order they stand in."""
    old, new = items(amount=number()), items(3, grams=number(), unit=text(5))

    @change("items", to=3, catalog=new.catalog)
    def units(record: Any, parent: Any) -> Any:
        """Amounts have units."""
        assert parent is None
        return {**record, "unit": f"g{record['grams']}"}

    @change("items", to=2, catalog=new.catalog)
    def renamed(record: Any) -> Any:
        """Amounts are grams."""
        record["grams"] = record.pop("amount")
        return record

    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert held(engine, new)["items"][1] == {"slug": "i2", "grams": 20, "unit": "g20"}


# Documents by their label


def test_a_label_says_the_versions(empty: Shop) -> None:
    """An application's own label upgrades what carries nothing else; a missing one means another."""
    new = items(3, grams=number())
    new.catalog.releases = {"1.0": {"items": 1}, "1.1": {"items": 2}, "2.0": {"items": 3}}
    new.catalog.unlabelled = "1.0"
    changed(new.catalog, {"items": (1, 2)}, Convert("items", "amount", lambda n: n * 2), name="One")
    changed(new.catalog, {"items": (2, 3)}, Rename("items", "amount", "grams"), name="Two")
    cases: list[tuple[Any, int]] = [
        ({"version": "1.0", "items": [{"slug": "a", "amount": 1}]}, 2),
        ({"items": [{"slug": "a", "amount": 1}]}, 2),
        ({"version": None, "items": [{"slug": "a", "amount": 1}]}, 2),
        ({"version": "1.1", "items": [{"slug": "a", "amount": 1}]}, 1),
        ({"version": "2.0", "items": [{"slug": "a", "grams": 1}]}, 1),
        (
            {
                "version": "x",
                "schema_versions": {"items": 2},
                "items": [{"slug": "a", "amount": 1}],
            },
            1,
        ),
        ({"schema_versions": {}, "items": [{"slug": "a", "amount": 1}]}, 2),
    ]
    for document, grams in cases:
        engine = empty(new)
        import_document(engine, document, catalog=new.catalog)
        assert held(engine, new) == {"items": [{"slug": "a", "grams": grams}]}, document
    assert export_document(engine, catalog=new.catalog)["version"] == "2.0"
    with pytest.raises(VersionError) as caught:
        import_document(empty(new), {"version": "9", "items": []}, catalog=new.catalog)
    assert str(caught.value) == (
        "the document is of version '9', which isn't a release of catalog 'items' (its releases: 1.0, "
        "1.1, 2.0). Name its versions in Catalog(releases=...), or add schema_versions to it."
    )


@pytest.mark.parametrize("label", [1.0, 1, True, ["1.0"]])
def test_a_label_that_is_no_text_is_told_to_be_one(empty: Shop, label: Any) -> None:
    """What looks like a release, and isn't quoted, is told apart from a release that is lacking."""
    new = items(1, grams=number())
    new.catalog.releases = {"1.0": {"items": 1}}
    with pytest.raises(VersionError) as caught:
        import_document(empty(new), {"version": label, "items": []}, catalog=new.catalog)
    assert str(caught.value).startswith(
        f"the document is of version {label!r}, which isn't a release"
    )
    assert caught.value.remedy == 'A label is a string: write "version": "1.0", with quotes.'


def test_problems_of_a_document_that_says_no_version_tell_what_it_was_taken_for(
    empty: Shop,
) -> None:
    """Where a catalog has releases, a missing label may mean any; one that is there is believed."""
    new = items(2, grams=number())
    changed(new.catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    record = {"slug": "a", "amount": 1}
    hint = "The document says no version, and was taken for today's"
    told = []
    for releases, unlabelled, document in [
        ({"1.0": {"items": 1}, "2.0": {"items": 2}}, None, {}),
        ({"1.0": {"items": 1}, "2.0": {"items": 2}}, None, {"version": "2.0"}),
        ({"1.0": {"items": 1}, "2.0": {"items": 2}}, None, {"schema_versions": {"items": 2}}),
        ({"1.0": {"items": 1}, "2.0": {"items": 2}}, "2.0", {}),
        ({}, None, {}),
    ]:
        new.catalog.releases, new.catalog.unlabelled = releases, unlabelled
        with pytest.raises(ImportFailed) as caught:
            import_document(empty(new), {**document, "items": [record]}, catalog=new.catalog)
        told.append([hint in str(problem) for problem in caught.value.report.problems])
    assert [all(one) for one in told] == [True, False, False, False, False]
    assert not any(any(one) for one in told[1:])


# What is refused


def test_59_a_gap_is_named(empty: Shop, tmp_path: Path) -> None:
    """What was found, what is needed, and how far changes lead."""
    path = packed(items(amount=number()), tmp_path / "old")
    new = items(3, amount=number())
    changed(new.catalog, {"items": (2, 3)})
    error = refused(empty(new), new, path, VersionError)
    assert str(error) == (
        "manifest.json: entity 'items' has version 1; this catalog needs version 3. No change leads from one to "
        "the other."
    )
    new = items(3, amount=number())
    changed(new.catalog, {"items": (1, 2)})
    error = refused(empty(new), new, path, VersionError)
    assert str(error) == (
        "manifest.json: entity 'items' has version 1; this catalog needs version 3. Changes lead to items 2, and "
        'none from there; declare one with upgrades = {"items": (2, 3)}.'
    )
    assert (error.found, error.needed) == (1, 3)


def test_60_a_newer_bundle_is_named(empty: Shop, tmp_path: Path) -> None:
    """Changes lead up and never down."""
    path = packed(items(3, amount=number()), tmp_path / "new")
    new = items(2, amount=number())
    changed(new.catalog, {"items": (1, 2)})
    assert str(refused(empty(new), new, path, VersionError)) == (
        "manifest.json: entity 'items' has version 3; this catalog needs version 2. Upgrade the application that "
        "reads it."
    )


def test_a_bundle_of_a_newer_release_is_called_so(empty: Shop, tmp_path: Path) -> None:
    """Both releases are named; "declare a schema" alone would send people the wrong way."""
    newer, older = two((1, 1)), items()
    newer.catalog.name = older.catalog.name
    newer.catalog.source, older.catalog.source = "shop 2.0", "shop 1.0"
    error = refused(empty(older), older, packed(newer, tmp_path / "new"), BundleError)
    assert (
        "It may be of a newer release of the application: it was written by 'shop 2.0' with "
        f"lading {__version__}, and is read by 'shop 1.0' with lading {__version__}."
    ) in str(error)
    document = {"one": [], "source": "shop 2.0"}
    with pytest.raises(BundleError, match=r"newer release.*'shop 2.0'.*'shop 1.0'"):
        import_document(empty(older), document, catalog=older.catalog)


def test_releases_that_nothing_names_are_not_told_apart(empty: Shop, tmp_path: Path) -> None:
    """Two applications without a source, and one release of lading, tell a reader nothing."""
    newer, older = two((1, 1)), items()
    newer.catalog.name = older.catalog.name
    error = refused(empty(older), older, packed(newer, tmp_path / "new"), BundleError)
    assert "newer release of the application. Import it with the release that wrote" in str(error)


def test_a_newer_version_names_both_releases(empty: Shop, tmp_path: Path) -> None:
    """What to upgrade to is what wrote the bundle."""
    newer, older = items(2, amount=number()), items(1, amount=number())
    newer.catalog.source, older.catalog.source = "shop 2.0", "shop 1.0"
    error = refused(empty(older), older, packed(newer, tmp_path / "new"), VersionError)
    assert str(error) == (
        "manifest.json: entity 'items' has version 2; this catalog needs version 1. Upgrade the application that "
        f"reads it: it was written by 'shop 2.0' with lading {__version__}, and is read by "
        f"'shop 1.0' with lading {__version__}."
    )


def two(versions: tuple[int, int]) -> World:
    """Two entities that have nothing to do with each other."""
    base, catalog = new_base(), Catalog("two")
    for name, version in zip(("one", "other"), versions, strict=True):
        model = type(name, (base,), {"__tablename__": name, "id": key(), "slug": slug()})
        schema_for(model, catalog, version=version)
    return World(base, catalog, None, lambda session: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("together", [True, False])
def test_62_mixed_versions_that_no_application_wrote_are_refused(
    empty: Shop, tmp_path: Path, together: bool
) -> None:
    """A change that moves two entities has run for both, and one that follows another not alone."""
    new = two((2, 2))
    if together:
        changed(new.catalog, {"one": (1, 2), "other": (1, 2)}, name="First")
    else:
        first = changed(new.catalog, {"one": (1, 2)}, name="First")
        changed(new.catalog, {"other": (1, 2)}, after=[first], name="Second")
    good = [(1, 1), (2, 2)] if together else [(1, 1), (2, 1), (2, 2)]
    for versions in good:
        path = packed(two(versions), tmp_path / "-".join(map(str, versions)))
        import_all(empty(new), path, catalog=new.catalog)
    path = packed(two((1, 2)), tmp_path / "mixed")
    error = refused(empty(new), new, path, VersionError)
    assert str(error).startswith(
        "manifest.json: its versions are mixed (one 1, other 2): First upgrades one from 1 to 2"
    )


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (
            Convert("items", "amount", lambda value: 1 // 0),
            "amount: change Some, Convert('items', 'amount'): its function failed: "
            "ZeroDivisionError('integer division or modulo by zero'). Correct the change, or the "
            "record.",
        ),
        (
            Each("items", lambda record: None),
            ": change Some, Each('items'): its function returned nothing; it must return the record. "
            "Correct the change, or the record.",
        ),
        (
            Each("items", lambda record: {**record, "slug": "x"}),
            "slug: change Some, Each('items'): turns 'i1' into 'x', and 'slug' is part of the natural "
            "key, which only Rekey may alter. Correct the change, or the record.",
        ),
        (
            Convert("items", "slug", str.upper),
            "slug: change Some, Convert('items', 'slug'): turns 'i1' into 'I1', and 'slug' is part of "
            "the natural key, which only Rekey may alter. Correct the change, or the record.",
        ),
        (
            Each("items", lambda record: {"slug": record["slug"]}),
            ": change Some, Each('items'): its function dropped 'amount', which drops doesn't name. "
            "Correct the change, or the record.",
        ),
        (
            Each("items", lambda record: {**record, "x": 1}),
            ": change Some, Each('items'): its function added 'x', which adds doesn't name. Correct "
            "the change, or the record.",
        ),
        (
            Convert("items", "amount", lambda value: {1, 2}),
            "amount: change Some, Convert('items', 'amount'): its function returned what JSON can't "
            "hold: {1, 2} isn't a JSON value. Correct the change, or the record.",
        ),
        (
            Convert("items", "amount", lambda value: "\ud800"),
            "amount: change Some, Convert('items', 'amount'): its function returned what JSON can't "
            "hold: half a surrogate pair stands in a text. Correct the change, or the record.",
        ),
        (
            Convert("items", "amount", lambda value: "much"),
            "amount: Not a valid integer. The record was upgraded from version 1 to 2.",
        ),
    ],
)
def test_what_a_change_does_wrong_is_located(
    empty: Shop, tmp_path: Path, step: Any, text: str
) -> None:
    """The change, the step, the file, the record and its key; nothing is written."""
    path = packed(items(amount=number()), tmp_path / "old")
    new = items(2, amount=number())
    changed(new.catalog, {"items": (1, 2)}, step)
    report = refused(empty(new), new, path, ImportFailed).report
    assert len(report.problems) == 3
    first = report.problems[0]
    assert (first.file, first.record) == ("01_items.json", 1)
    if "Not a valid" not in text:
        assert str(first).removeprefix("01_items.json record 1").removeprefix(", ") == text
    else:
        assert str(first).endswith("The record was upgraded from version 1 to 2.")
    assert first.key == {"slug": "i1"}


def test_good_records_are_kept_where_that_is_asked(empty: Shop, tmp_path: Path) -> None:
    """A record that no change can upgrade fails alone, with what refers to it."""
    count = CHUNK + 5

    def world(version: int) -> World:
        base, catalog = new_base(), Catalog("many")

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            amount = number()

        schema_for(Item, catalog, version=version)

        def fill(session: Session) -> None:
            session.add_all(Item(slug=f"{n:05}", amount=n) for n in range(count))

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    def picky(value: int) -> int:
        if value in {0, 7, 8, count - 1}:
            raise ValueError(value)
        return value + 1

    old, new = world(1), world(2)
    changed(new.catalog, {"items": (1, 2)}, Convert("items", "amount", picky))
    seen: list[int] = []
    engine = empty(new)
    report = import_all(
        engine,
        packed(old, tmp_path / "old"),
        catalog=new.catalog,
        on_error="continue",
        progress=lambda progress: seen.append(progress.done),
    )
    assert (report.inserted, report.failed) == (count - 4, 4)
    assert [problem.record for problem in report.problems] == [1, 8, 9, count]
    assert seen[-1] == count
    assert [item["amount"] for item in held(engine, new)["items"]][:3] == [2, 3, 4]


def test_add_never_overwrites(empty: Shop, tmp_path: Path) -> None:
    """A bundle that has the field isn't of the version that it says; nor is such a record."""
    new = items(2, amount=number())
    changed(new.catalog, {"items": (1, 2)}, Add("items", "amount", 5))
    error = refused(empty(new), new, packed(items(amount=number()), tmp_path / "a"), VersionError)
    assert str(error) == (
        "manifest.json: it isn't what its versions say: Some, Add('items', 'amount'): the field "
        "'amount' of items already exists at that point; choose another name. Correct the change, or export again "
        "with the application that wrote the bundle."
    )
    document = {"schema_versions": {"items": 1}, "items": [{"slug": "a", "amount": 1}]}
    with pytest.raises(ImportFailed) as caught:
        import_document(empty(new), document, catalog=new.catalog)
    assert str(caught.value.report.problems[0]) == (
        "items record 1, amount: change Some, Add('items', 'amount'): 'amount' is there already, and "
        "isn't overwritten. Correct the change, or the record."
    )
    assert caught.value.report.problems[0].key == {"slug": "a"}


def test_a_record_that_lacks_what_is_renamed_is_named(empty: Shop) -> None:
    """Absent is not null, in any version."""
    new = items(2, grams=number())
    changed(new.catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    document = {"schema_versions": {"items": 1}, "items": [{"slug": "a"}, 5, [], {}]}
    with pytest.raises(ImportFailed) as caught:
        import_document(empty(new), document, catalog=new.catalog)
    problems = caught.value.report.problems
    assert sorted(str(problem.record) for problem in problems) == ["1", "2", "3", "4"]
    assert str(problems[0]) == (
        "items record 1, amount: change Some, Rename('items', 'amount', 'grams'): the "
        "field 'amount' is missing; each record of that version has it. Correct the change, or the record."
    )


SHARED = {"slug": "i1"}


def test_what_a_function_returns_stays_its_own(empty: Shop, tmp_path: Path) -> None:
    """Later steps write into records, and not into what a function keeps."""

    def world(name: str, version: int) -> World:
        base, catalog = new_base(), Catalog("shared")

        class Item(base):
            __tablename__ = "items"
            id = key()
            locals()[name] = slug()
            if version == 2:
                like_id = to("items.id", null=True)
                like = relationship("Item", remote_side=id)

        schema_for(Item, catalog, version=version)
        return World(base, catalog, None, lambda session: session.add(Item(**{name: "i1"})))  # type: ignore[arg-type]

    old, new = world("slug", 1), world("code", 2)
    new.catalog.schemas[0].Meta.natural_key = "code"
    changed(
        new.catalog,
        {"items": (1, 2)},
        Add("items", "like", lambda record: SHARED),
        Rename("items", "slug", "code"),
    )
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert held(engine, new)["items"] == [{"code": "i1", "like": {"code": "i1"}}]
    assert SHARED == {"slug": "i1"}


def test_a_rename_never_overwrites(empty: Shop) -> None:
    """Neither in records nor in the keys that they refer by; both names at once are refused."""
    new = items(2, grams=number())
    changed(new.catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    document: dict[str, Any] = {
        "schema_versions": {"items": 1},
        "items": [{"slug": "a", "amount": 1, "grams": 2}],
    }
    with pytest.raises(ImportFailed) as caught:
        import_document(empty(new), document, catalog=new.catalog)
    assert str(caught.value.report.problems[0]) == (
        "items record 1, grams: change Some, Rename('items', 'amount', 'grams'): 'grams' is there "
        "already, beside 'amount'. Correct the change, or the record."
    )
    new = pantry(2)
    product = {"ingredient": {"slug": "flour", "code": "rye"}, "brand": "Mill"}
    order = {"slug": "o", "product": product, "use": None, "ingredient": None}
    document = {"schema_versions": {"orders": 1, "ingredients": 1}, "orders": [order]}
    with pytest.raises(ImportFailed) as caught:
        import_document(empty(new), document, catalog=new.catalog)
    assert [str(problem) for problem in caught.value.report.problems] == [
        "orders record 1, product.ingredient.slug: Unknown field. Expected one of: code. Correct "
        "the name, or remove the field; if another version has it, declare a change. What the "
        "record refers to was upgraded."
    ]


def test_61_functions_get_copies(empty: Shop, tmp_path: Path) -> None:
    """A function that writes into what it gets changes nothing, neither records nor documents."""
    mischief: list[Any] = []

    def vandal(record: Any, parent: Any) -> int:
        mischief.append(dict(record))
        record.clear()
        return 1

    old, new = items(amount=number()), items(2, amount=number(), more=number())
    changed(new.catalog, {"items": (1, 2)}, Add("items", "more", vandal))
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert len(mischief) == 3
    assert held(engine, new)["items"][0] == {"slug": "i1", "amount": 10, "more": 1}


@pytest.mark.parametrize(
    "shape",
    [{}, {"fields": 1, "key": []}, {"fields": {"slug": 1}, "key": []}, {"fields": {}, "key": [1]}],
)
def test_a_manifest_whose_shapes_are_none_is_refused(
    empty: Shop, tmp_path: Path, shape: Any
) -> None:
    """No bundle is without them, and an upgrade guesses at none."""

    def entry(found: Any) -> Any:
        return replace(found, shape=shape)

    path = rewritten(packed(items(amount=number()), tmp_path / "old"), entry=entry)
    same = items(amount=number())
    text = str(refused(empty(same), same, path, BundleError))
    assert "manifest.json, files[0].shape: is {" in text
    new = items(2, amount=number())
    changed(new.catalog, {"items": (1, 2)}, Convert("items", "amount", lambda value: value))
    assert "has no valid shape, and its records" in str(refused(empty(new), new, path, BundleError))


def test_links_are_counted_as_they_were_read(empty: Shop, tmp_path: Path) -> None:
    """An upgrade doesn't hide that a bundle lost a link."""
    old, new = pantry(1), pantry(2)
    path = packed(old, tmp_path / "old")

    def entry(found: Any) -> Any:
        if found.entity_type != "recipes":
            return found
        links = {
            **found.references,
            "uses.swaps.instead": replace(found.references["uses.swaps.instead"], count=9),
        }
        return replace(found, references=links)

    error = refused(empty(new), new, rewritten(path, entry=entry), BundleError)
    assert str(error) == (
        "04_recipes.json, uses.swaps.instead: 3 links were read, the manifest says 9. Export again."
    )


def test_a_flipped_byte_is_found_before_anything_is_upgraded(empty: Shop, tmp_path: Path) -> None:
    """Checksums are of the bytes that were read."""
    new = pantry(2)
    path = packed(pantry(1), tmp_path / "old")
    file = path / "05_orders.json"
    file.write_bytes(file.read_bytes().replace(b"Mill", b"Mull"))
    refused(empty(new), new, path, ChecksumError)


def test_58_a_reference_that_a_change_renamed_is_named_in_the_new_way(
    empty: Shop, tmp_path: Path
) -> None:
    """A dangling key is told as it is written now, and that its record was upgraded."""
    new = pantry(2)

    def edit(name: str, records: list[Any]) -> list[Any]:
        if name == "orders":
            records[1]["product"]["ingredient"]["slug"] = "flowr"
        return records

    path = rewritten(packed(pantry(1), tmp_path / "old"), edit)
    error = refused(empty(new), new, path, ImportFailed)
    assert str(error.report.problems[0]).startswith(
        "05_orders.json record 2, product: products: no record has ingredient.code 'flowr'"
    )
    assert str(error.report.problems[0]).endswith("What the record refers to was upgraded.")


def test_a_key_hundreds_of_levels_deep_follows(empty: Shop, tmp_path: Path) -> None:
    """Renaming walks level by level, for Python's stack is short."""

    def world(label: str, version: int) -> World:
        base, catalog = new_base(), Catalog("deep")

        class Category(base):
            __tablename__ = "categories"
            id = key()
            parent_id = to("categories.id", null=True)
            locals()[label] = text()
            parent = relationship("Category", remote_side=id)

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            category_id = to("categories.id")
            category = relationship(Category)

        schema_for(Category, catalog, natural_key=("parent", label), version=version)
        schema_for(Item, catalog)
        if version == 2:
            changed(
                catalog,
                {"categories": (1, 2)},
                Rename("categories", "name", "label"),
                Each("categories", lambda record: record),
            )

        def fill(session: Session) -> None:
            above = None
            for n in range(480):
                above = Category(**{label: str(n), "parent": above})
            session.add(Item(slug="i", category=above))

        return World(base, catalog, None, fill)  # type: ignore[arg-type]

    old, new = world("name", 1), world("label", 2)
    engine = empty(new)
    report = import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert report.inserted == 481


def test_a_zip_of_an_old_version_reads_alike(empty: Shop, tmp_path: Path) -> None:
    """Where records come from makes no difference to changes."""
    old, new = items(amount=number()), items(2, grams=number())
    changed(new.catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    path = packed(old, tmp_path / "old.zip")
    assert zipfile.is_zipfile(path)
    engine = empty(new)
    import_all(engine, path, catalog=new.catalog)
    assert json.dumps(held(engine, new)["items"][0]) == '{"slug": "i1", "grams": 10}'


def test_computed_and_left_out_columns_dont_stand_in_the_way(empty: Shop, tmp_path: Path) -> None:
    """What a record says of a computed column is upgraded and not read back."""

    def world(name: str, version: int) -> World:
        base, catalog = new_base(), Catalog("computed")

        class Item(base):
            __tablename__ = "items"
            id = key()
            slug = slug()
            locals()[name] = number()
            double = mapped_column(sa.Integer, sa.Computed(f"{name} * 2"))

        schema_for(Item, catalog, version=version)
        return World(base, catalog, None, lambda session: session.add(Item(slug="a", **{name: 4})))  # type: ignore[arg-type]

    old, new = world("amount", 1), world("grams", 2)
    changed(new.catalog, {"items": (1, 2)}, Rename("items", "amount", "grams"))
    engine = empty(new)
    import_all(engine, packed(old, tmp_path / "old"), catalog=new.catalog)
    assert held(engine, new)["items"] == [{"slug": "a", "grams": 4, "double": 8}]
