"""Documents: the records of a bundle as one dictionary, such as a production history."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bakery import (
    Base,
    Ingredient,
    ProductionConsumption,
    ProductionRun,
    Recipe,
    bakery,
    fill,
)
from lading import (
    ArgumentError,
    BundleError,
    ImportFailed,
    VersionError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.report import Counts
from support.backends import ON_SQLITE, Backend, SQLiteMemory
from support.packing import stored
from support.rewriting import entity_bytes
from support.zoo import World, cycle, shop

RECIPE = "gingersnaps"
FROM, UNTIL = datetime(2024, 10, 1), datetime(2024, 12, 24)
MONEY = re.compile(r"[0-9]+\.[0-9]{4}")


@pytest.fixture(scope="module")
def season() -> Iterator[sa.Engine]:
    """A bakery's season, in memory."""
    with SQLiteMemory().database(Base.metadata) as engine:
        with Session(engine) as session:
            fill(session)
            session.commit()
        yield engine


@pytest.fixture(scope="module")
def bundle(season: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole season as a bundle."""
    path = tmp_path_factory.mktemp("season") / "all"
    export_all(season, path, catalog=bakery)
    return path


def production_history() -> Any:
    """The runs of one recipe between two days."""
    return sa.and_(
        ProductionRun.produced_at >= FROM,
        ProductionRun.produced_at < UNTIL,
        ProductionRun.recipe.has(Recipe.slug == RECIPE),
    )


@pytest.fixture(scope="module")
def history(season: sa.Engine) -> dict[str, Any]:
    """One recipe's production history, as a document."""
    return export_document(
        season,
        catalog=bakery,
        only=["production_runs"],
        where={"production_runs": production_history()},
    )


@pytest.fixture
def kitchen(backend: Backend, bundle: Path) -> Iterator[sa.Engine]:
    """A database that holds everything but production and what refers to it."""
    later = {"production_runs", "inventory_depletions", "assembly_runs"}
    names = [name for name in bakery.use().roots if name not in later]
    with backend.database(Base.metadata) as engine:
        import_all(engine, bundle, catalog=bakery, only=names)
        yield engine


def test_a_production_history_is_exported(season: sa.Engine, history: dict[str, Any]) -> None:
    """The runs asked for and no other, with their consumptions inside, keys by name, money as text."""
    with Session(season) as session:
        wanted = session.scalars(
            sa.select(ProductionRun)
            .join(ProductionRun.recipe)
            .where(Recipe.slug == RECIPE)
            .where(ProductionRun.produced_at.between(FROM, UNTIL))
            .order_by(ProductionRun.uuid)
        ).all()
        assert [str(run.uuid) for run in wanted] == [
            run["uuid"] for run in history["production_runs"]
        ]
        assert len(wanted) > 5
        for run, record in zip(wanted, history["production_runs"], strict=True):
            assert record["recipe"] == {"slug": RECIPE}
            assert record["event"] == (None if run.event is None else {"name": run.event.name})
            assert record["produced_at"] == run.produced_at.isoformat()
            assert record["total_ingredient_cost"] == str(run.total_ingredient_cost)
            assert MONEY.fullmatch(record["per_unit_cost"])
            assert len(record["consumptions"]) == len(run.consumptions) > 0
            for item in record["consumptions"]:
                assert set(item) == {"ingredient", "quantity", "unit", "total_cost"}
                assert set(item["ingredient"]) == {"slug"}
                assert MONEY.fullmatch(item["total_cost"])
                assert isinstance(item["quantity"], str)
            assert "id" not in record
            assert "recipe_id" not in record
    assert {run["event"] is None for run in history["production_runs"]} == {True, False}


def test_a_documents_head_says_what_it_is(history: dict[str, Any]) -> None:
    """Source, versions and time stand beside the records, and JSON holds all of it."""
    head = {name: value for name, value in history.items() if name != "production_runs"}
    assert list(history)[:4] == ["version", "schema_versions", "exported_at", "source"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", head.pop("exported_at"))
    assert head["source"] == bakery.source
    assert head["schema_versions"] == {"production_runs": bakery.use()["production_runs"].version}
    assert json.loads(json.dumps(history)) == history


def test_a_history_is_imported_where_its_recipe_is(
    kitchen: sa.Engine, history: dict[str, Any]
) -> None:
    """Runs come with their consumptions, and a null event means a run of its own."""
    report = import_document(kitchen, history, catalog=bakery)
    count = len(history["production_runs"])
    assert report.entities == {"production_runs": Counts(inserted=count)}
    assert report.committed
    with Session(kitchen) as session:
        runs = session.scalars(sa.select(ProductionRun)).all()
        assert {run.recipe.slug for run in runs} == {RECIPE}
        alone = [str(run.uuid) for run in runs if run.event is None]
        assert sorted(alone) == [
            run["uuid"] for run in history["production_runs"] if run["event"] is None
        ]
        held = session.scalar(sa.select(sa.func.count()).select_from(ProductionConsumption))
        assert held == sum(len(run["consumptions"]) for run in history["production_runs"])
    again = export_document(kitchen, catalog=bakery, only="production_runs")
    assert again["production_runs"] == history["production_runs"]


def test_a_run_that_is_there_already_is_skipped_or_reported(
    kitchen: sa.Engine, history: dict[str, Any]
) -> None:
    """Duplicates are told by uuid."""
    half = {**history, "production_runs": history["production_runs"][::2]}
    import_document(kitchen, half, catalog=bakery)
    there = len(half["production_runs"])
    count = len(history["production_runs"])
    changed = copy.deepcopy(history)
    changed["production_runs"][0]["notes"] = "changed"
    with pytest.raises(ImportFailed) as caught:
        import_document(kitchen, changed, catalog=bakery, on_conflict="error")
    assert caught.value.report.failed == there
    uuid = history["production_runs"][0]["uuid"]
    assert caught.value.report.problems[0].key == {"uuid": uuid}
    assert str(caught.value.report.problems[0]) == (
        f"production_runs record 1: uuid '{uuid}' is in the database already; on_conflict='skip' "
        "leaves such records alone."
    )
    report = import_document(kitchen, changed, catalog=bakery)
    assert report.entities == {
        "production_runs": Counts(inserted=count - there, skipped=there, differing=1)
    }
    with Session(kitchen) as session:
        assert (
            session.scalars(
                sa.select(ProductionRun.notes).where(ProductionRun.notes == "changed")
            ).all()
            == []
        )


def test_a_missing_recipe_is_reported_by_name(kitchen: sa.Engine, history: dict[str, Any]) -> None:
    """Good runs load under "continue"; a recipe that isn't there is never made up."""
    edited = copy.deepcopy(history)
    edited["production_runs"][2]["recipe"] = {"slug": "gingersnap"}
    edited["production_runs"][4]["event"] = {"name": "Nobody's wedding"}
    edited["production_runs"][5]["consumptions"][1]["ingredient"] = {"slug": "unicorn-dust"}
    with pytest.raises(ImportFailed) as caught:
        import_document(kitchen, edited, catalog=bakery)
    assert len(caught.value.report.problems) == 3
    with Session(kitchen) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ProductionRun)) == 0
        recipes = session.scalar(sa.select(sa.func.count()).select_from(Recipe))
        ingredients = session.scalar(sa.select(sa.func.count()).select_from(Ingredient))
    report = import_document(kitchen, edited, catalog=bakery, on_error="continue")
    count = len(history["production_runs"])
    assert report["production_runs"] == Counts(inserted=count - 3, failed=3)
    by_record = {item.record: str(item) for item in report.problems}
    assert by_record[3] == (
        "production_runs record 3, recipe: recipes: no record has slug 'gingersnap'; closest is "
        "'gingersnaps'. Add the record to recipes, or correct the key."
    )
    assert by_record[5].startswith(
        'production_runs record 5, event: events: no record has name "Nobody\'s wedding"'
    )
    assert by_record[6].startswith(
        "production_runs record 6, consumptions.2.ingredient: ingredients: no record has slug 'unicorn-dust'"
    )
    with Session(kitchen) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Recipe)) == recipes
        assert session.scalar(sa.select(sa.func.count()).select_from(Ingredient)) == ingredients


@ON_SQLITE
def test_a_document_is_not_changed_by_its_import(
    kitchen: sa.Engine, history: dict[str, Any]
) -> None:
    """The caller's dictionary is as it was, whether the import succeeds or not."""
    before = copy.deepcopy(history)
    import_document(kitchen, history, catalog=bakery)
    assert history == before
    broken = copy.deepcopy(history)
    broken["production_runs"][0]["batches"] = "many"
    broken["production_runs"].append(broken["production_runs"][1])
    before = copy.deepcopy(broken)
    with pytest.raises(ImportFailed):
        import_document(kitchen, broken, catalog=bakery)
    assert broken == before


def test_document_and_bundle_hold_the_same_records(season: sa.Engine, bundle: Path) -> None:
    """The same catalog gives the same records, in the same order."""
    document = export_document(season, catalog=bakery)
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    files = {}
    for text in entity_bytes(bundle).values():
        whole = json.loads(text)
        files[whole["entity_type"]] = whole["records"]
        assert document["schema_versions"][whole["entity_type"]] == whole["schema_version"]
    assert lists == files
    assert list(lists) == list(files)


def test_a_whole_document_makes_the_same_database_as_a_bundle(
    backend: Backend, season: sa.Engine, bundle: Path, tmp_path: Path
) -> None:
    """A document of everything, imported, exports to the bundle's bytes."""
    with backend.database(Base.metadata) as engine:
        report = import_document(engine, export_document(season, catalog=bakery), catalog=bakery)
        assert not report.problems
        export_all(engine, tmp_path / "b", catalog=bakery)
    assert entity_bytes(tmp_path / "b") == entity_bytes(bundle)


@ON_SQLITE
def test_a_closure_brings_what_records_need(
    backend: Backend, season: sa.Engine, history: dict[str, Any]
) -> None:
    """With closure=True a history loads into an empty database."""
    document = export_document(
        season,
        catalog=bakery,
        only=["production_runs"],
        where={"production_runs": production_history()},
        closure=True,
    )
    assert document["production_runs"] == history["production_runs"]
    with backend.database(Base.metadata) as engine:
        report = import_document(engine, document, catalog=bakery)
        assert report["production_runs"].inserted == len(history["production_runs"])
        assert report["recipes"].inserted < 28


@pytest.fixture
def empty(sqlite_memory: Backend) -> Iterator[Callable[[World], sa.Engine]]:
    """Return what creates a world's tables in an empty database."""
    with sqlite_memory.database() as engine:

        def create(world: World) -> sa.Engine:
            world.metadata.create_all(engine)
            return engine

        yield create


def document_of(world: World) -> dict[str, Any]:
    """Return a filled world's document."""
    with SQLiteMemory().database() as engine:
        return export_document(world.filled(engine), catalog=world.catalog)


def test_a_document_needs_no_head(empty: Callable[[World], sa.Engine]) -> None:
    """A dictionary of lists is a document of the current versions, of any mapping type."""
    world = shop()
    whole = document_of(world)
    lists = {name: whole[name] for name in ("categories", "suppliers", "products")}
    report = import_document(empty(world), MappingProxyType(lists), catalog=world.catalog)
    assert report.inserted == 13


def test_the_order_of_a_documents_lists_does_not_matter(
    empty: Callable[[World], sa.Engine],
) -> None:
    """Order follows from the declarations, in the file and among the records."""
    world = cycle()
    whole = document_of(world)
    engine = empty(world)
    turned = {
        name: value[::-1] if isinstance(value, list) else value
        for name, value in reversed(whole.items())
    }
    import_document(engine, turned, catalog=world.catalog)
    again = export_document(engine, catalog=world.catalog)
    assert {**again, "exported_at": 0} == {**whole, "exported_at": 0}


@pytest.mark.parametrize(
    ("document", "kind", "text"),
    [
        (None, ArgumentError, "document=None; expected a dictionary of lists of records."),
        ([], ArgumentError, "document=[]; expected a dictionary of lists of records."),
        ("{}", ArgumentError, "document='{}'; expected a dictionary of lists of records."),
        (
            {"customers": []},
            BundleError,
            "the document holds 'customers', which catalog 'shop' doesn't know; it knows "
            "categories, order, products, suppliers. Correct the name, or declare a schema.",
        ),
        (
            {"products": {"slug": "x"}},
            BundleError,
            "products: is {'slug': 'x'}; expected a list of records. Write its records in brackets.",
        ),
        (
            {"schema_versions": 1, "products": []},
            BundleError,
            "schema_versions is 1; expected an object of versions by entity. "
            'Write {"schema_versions":{"categories":1}}, or leave it out.',
        ),
        (
            {"schema_versions": {"products": 2}, "products": []},
            VersionError,
            "document: entity 'products' has version 2; this catalog needs version 1. Upgrade the application "
            "that reads it.",
        ),
        (
            {"schema_versions": {"products": "1"}, "products": []},
            VersionError,
            "document: entity 'products' has version '1'; this catalog needs version 1. No change leads from one "
            "to the other.",
        ),
        (
            {"version": "9.0", "products": []},
            VersionError,
            "the document is of version '9.0', which isn't a release of catalog 'shop' (its releases: "
            "none). Name its versions in Catalog(releases=...), or add schema_versions to it.",
        ),
        (
            {"version": [], "products": []},
            VersionError,
            None,
        ),
        (
            {"categories": [{"slug": object}]},
            BundleError,
            None,
        ),
        ({"categories": [{"slug": {1}}]}, BundleError, None),
        ({1: []}, BundleError, None),
    ],
)
def test_what_is_no_document_is_refused(
    empty: Callable[[World], sa.Engine], document: Any, kind: type[Exception], text: str | None
) -> None:
    """Each error says what was found and what was expected, and nothing is written."""
    world = shop()
    engine = empty(world)
    before = stored(engine, world)
    with pytest.raises(kind) as caught:
        import_document(engine, document, catalog=world.catalog)
    assert stored(engine, world) == before
    if text is not None:
        assert str(caught.value) == text


@pytest.mark.parametrize(
    "record", [None, 5, "x", [], {}, {"slug": None}, {"slug": 5}, {"slug": 1.5}]
)
def test_a_documents_bad_record_is_named(empty: Callable[[World], sa.Engine], record: Any) -> None:
    """A document's lists are checked as files are."""
    world = shop()
    engine = empty(world)
    with pytest.raises(ImportFailed) as caught:
        import_document(engine, {"categories": [{"slug": "a"}, record]}, catalog=world.catalog)
    [problem] = caught.value.report.problems
    assert (problem.file, problem.record) == ("categories", 2)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", 2**70, b"x", datetime(2025, 1, 1)]
)
def test_python_values_that_json_lacks_are_refused(
    empty: Callable[[World], sa.Engine], value: Any
) -> None:
    """A document holds plain JSON values; what isn't one is never guessed at."""
    world = shop()
    engine = empty(world)
    before = stored(engine, world)
    document = {"suppliers": [{"slug": "a", "city": value}]}
    with pytest.raises((ImportFailed, BundleError)) as caught:
        import_document(engine, document, catalog=world.catalog)
    assert "suppliers record 1" in str(caught.value)
    assert stored(engine, world) == before


def test_a_document_that_contains_itself_is_refused(
    empty: Callable[[World], sa.Engine],
) -> None:
    """A record without an end is no record."""
    world = shop()
    record: dict[str, Any] = {"slug": "a"}
    record["city"] = record
    with pytest.raises(BundleError, match="suppliers record 1: holds what JSON can't"):
        import_document(empty(world), {"suppliers": [record]}, catalog=world.catalog)
