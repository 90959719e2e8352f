"""The bakery's history: bundles and history files of every release become today's.

What an old release wrote comes from its own declarations over its own tables; what it must
become, from today's export of the same facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bakery import Base, bakery
from bakery.releases import FIRST, RELEASES, TODAY
from lading import (
    ImportFailed,
    Manifest,
    VersionError,
    export_all,
    export_document,
    import_all,
    import_document,
    upgrade,
)
from support.aged_bakery import OLDER, bundle_at, catalog_at, season, season_at
from support.backends import Backend, SQLiteMemory
from support.depth import IS_DEEP
from support.rewriting import entity_bytes

RUNS = ["production_runs", "assembly_runs"]
Document = dict[str, Any]


class Told:
    """What a release wrote of the season, and what today's application writes of the same."""

    def __init__(self, label: str, folder: Path) -> None:
        self.label = label
        self.old = bundle_at(label, folder / "old")
        engine = season(label)
        self.expected = export_all(engine, folder / "expected", catalog=bakery)
        self.runs = export_document(engine, catalog=bakery, only=RUNS)
        engine.dispose()
        former = season_at(label)
        self.document = export_document(former, catalog=catalog_at(label), only=RUNS)
        former.dispose()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """Each older release's season, written once."""
    made: dict[str, Told] = {}

    def of(label: str) -> Told:
        if label not in made:
            made[label] = Told(label, tmp_path_factory.mktemp("season"))
        return made[label]

    return of


def test_releases_are_those_of_the_declarations() -> None:
    """Today's versions are the catalog's, and the older ones those of the older declarations."""
    for label, versions in RELEASES.items():
        declared = {name: rows.version for name, rows in catalog_at(label).use().roots.items()}
        assert declared == versions
    assert bakery.unlabelled == FIRST


# Bundles


@pytest.mark.parametrize(
    "where", ["sqlite_memory", "postgresql", "mariadb"] if IS_DEEP else ["sqlite_memory"]
)
def test_the_oldest_bundle_becomes_what_today_says(
    request: pytest.FixtureRequest, told: Callable[[str], Told], tmp_path: Path, where: str
) -> None:
    """Every record, link and field, on every engine: byte for byte the export of the same facts."""
    first = told(FIRST)
    backend: Backend = request.getfixturevalue(where)
    with backend.database(Base.metadata) as engine:
        report = import_all(engine, first.old, catalog=bakery)
        again = export_all(engine, tmp_path / "again", catalog=bakery)
    assert report.committed
    assert report.total.inserted == sum(entry.record_count for entry in again.files)
    assert entity_bytes(tmp_path / "again") == entity_bytes(first.expected.path)
    assert again.files == first.expected.files


def test_no_record_or_link_of_the_oldest_is_lost(told: Callable[[str], Told]) -> None:
    """By the counts of the two manifests: what is new is what the changes say."""
    first = told(FIRST)
    old, new = Manifest.from_bytes((first.old / "manifest.json").read_bytes()), first.expected
    counts = {entry.entity_type: entry.record_count for entry in old.files}
    assert {entry.entity_type: entry.record_count for entry in new.files} == {
        **counts,
        "material_categories": 4,
    }
    links, now = links_in(old), links_in(new)
    assert now.items() >= links.items()
    made = {path for path in now if path not in links and now[path]}
    assert made == {
        ("material_subcategories", "category"),
        ("assembly_runs", "packaging_consumptions.product"),
        ("assembly_runs", "packaging_consumptions.material_unit"),
    }


def links_in(manifest: Manifest) -> dict[tuple[str, str], int]:
    """Count the links of each reference, be it flat or nested."""
    return {
        (entry.entity_type, re.sub("_(slug|name)$", "", path)): found.count
        for entry in manifest.files
        for path, found in entry.references.items()
    }


@pytest.mark.parametrize("label", OLDER)
def test_every_release_is_upgraded_without_a_database(
    told: Callable[[str], Told], tmp_path: Path, label: str
) -> None:
    """To the same bytes, and the same manifest, as today's export of the same facts."""
    release = told(label)
    manifest = upgrade(release.old, tmp_path / "new", catalog=bakery)
    assert entity_bytes(tmp_path / "new") == entity_bytes(release.expected.path)
    assert manifest.files == release.expected.files
    assert manifest.deferred == release.expected.deferred
    assert manifest.content_sha256 == release.expected.content_sha256


def test_release_by_release_is_as_all_at_once(told: Callable[[str], Told], tmp_path: Path) -> None:
    """Each release's own application upgrades what the one before has made."""
    first = told(FIRST)
    path = first.old
    for label in list(RELEASES)[1:]:
        upgrade(path, tmp_path / label, catalog=catalog_at(label))
        path = tmp_path / label
    assert entity_bytes(path) == entity_bytes(first.expected.path)


# History files


@pytest.fixture(scope="module")
def kitchen(told: Callable[[str], Told]) -> Iterator[sa.Engine]:
    """A database that holds all but the runs and what came of them."""
    names = [name for name in RELEASES[TODAY] if name not in (*RUNS, "inventory_depletions")]
    with SQLiteMemory().database(Base.metadata) as engine:
        import_all(engine, told("2.0").expected.path, catalog=bakery, only=names)
        yield engine


def taken(kitchen: sa.Engine, document: Document) -> Document:
    """Import a history file, say what was made of it, and leave the kitchen as it was."""
    with kitchen.connect() as connection:
        transaction = connection.begin()
        import_document(connection, document, catalog=bakery)
        made = export_document(connection, catalog=bakery, only=RUNS)
        transaction.rollback()
    return made


def history(release: Told, *, labelled: bool = True) -> Document:
    """Return a history file as its release wrote it, which knew no versions of entities."""
    document = {name: deepcopy(release.document[name]) for name in RUNS}
    return {"version": release.document["version"], **document} if labelled else document


@pytest.mark.parametrize("label", OLDER)
def test_a_history_file_says_its_release_alone(
    told: Callable[[str], Told], kitchen: sa.Engine, label: str
) -> None:
    """It becomes what today says, goes by its label, and stays the caller's as it was."""
    release = told(label)
    document = history(release)
    assert document["version"] == label
    before = deepcopy(document)
    made = taken(kitchen, document)
    assert {name: made[name] for name in RUNS} == {name: release.runs[name] for name in RUNS}
    assert document == before


def test_a_history_file_without_a_label_is_of_the_first_release(
    told: Callable[[str], Told], kitchen: sa.Engine
) -> None:
    """Its runs lost nothing, and get the defaults that say so; losses weren't known."""
    document = history(told(FIRST), labelled=False)
    for run in document["production_runs"]:
        assert not run.keys() & {"production_status", "loss_quantity", "losses"}
    made = taken(kitchen, document)
    assert {name: made[name] for name in RUNS} == {name: told(FIRST).runs[name] for name in RUNS}
    for run in made["production_runs"]:
        assert (run["production_status"], run["loss_quantity"], run["losses"]) == (
            "complete",
            0,
            [],
        )
    assert {run["packaging_bypassed"] for run in made["assembly_runs"]} == {False}


def test_older_history_files_are_flat(told: Callable[[str], Told]) -> None:
    """What is upgraded has flat references, money as text, times with a zone and no event alone."""
    document = history(told("1.1"))
    run = document["production_runs"][0]
    assert re.fullmatch(r"[0-9]+\.[0-9]{4}", run["per_unit_cost"])
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", run["produced_at"])
    flat = {"recipe_slug", "finished_unit_slug", "event_name"}
    assert flat <= run.keys()
    assert {type(run[name]) for run in document["production_runs"] for name in flat} == {
        str,
        type(None),
    }
    losses = [loss for run in document["production_runs"] for loss in run["losses"]]
    assert {loss["finished_unit_slug"] is None for loss in losses} == {True, False}
    packaging = [one for run in document["assembly_runs"] for one in run["packaging_consumptions"]]
    assert {one["ingredient_slug"] is None for one in packaging} == {True, False}


def test_what_a_spreadsheet_makes_of_a_history_file_is_read(
    told: Callable[[str], Told], kitchen: sa.Engine
) -> None:
    """Empty cells are no event and no unit, and those of the other packaging may be missing."""
    release = told("1.1")
    document = history(release)
    for run in [*document["production_runs"], *document["assembly_runs"]]:
        run["event_name"] = run["event_name"] or ""
    for number, run in enumerate(document["production_runs"]):
        for loss in run["losses"]:
            if loss["finished_unit_slug"] is None and number % 2:
                loss["finished_unit_slug"] = ""
            elif loss["finished_unit_slug"] is None:
                del loss["finished_unit_slug"]
    for run in document["assembly_runs"]:
        for one in run["packaging_consumptions"]:
            for name in [name for name, value in one.items() if value is None]:
                del one[name]
    made = taken(kitchen, document)
    assert {name: made[name] for name in RUNS} == {name: release.runs[name] for name in RUNS}


def test_a_loss_keeps_the_unit_that_it_says(
    told: Callable[[str], Told], kitchen: sa.Engine
) -> None:
    """Only one that says none takes its run's."""
    document = history(told("1.1"))
    runs = [run for run in document["production_runs"] if run["losses"]]
    run = runs[0]
    other = next(
        one["finished_unit_slug"] for one in runs if one["recipe_slug"] != run["recipe_slug"]
    )
    run["losses"][0]["finished_unit_slug"] = other
    made = taken(kitchen, {**document, "production_runs": [run]})
    (loss, *_) = (
        loss
        for loss in made["production_runs"][0]["losses"]
        if loss["finished_unit"] != {"slug": run["finished_unit_slug"]}
    )
    assert loss["finished_unit"] == {"slug": other}


def first_with(document: Document, name: str, owned: str) -> Document:
    """Return the first run that owns something, alone in its document."""
    document[name] = [next(run for run in document[name] if run[owned])]
    return document[name][0]  # type: ignore[no-any-return]


def without_uuid(document: Document) -> None:
    del document["production_runs"][0]["uuid"]


def without_recipe(document: Document) -> None:
    del document["production_runs"][0]["recipe_slug"]


def unknown_event(document: Document) -> None:
    document["assembly_runs"][0]["event_name"] = "Chrismas gift boxes"


def unknown_unit(document: Document) -> None:
    run = first_with(document, "production_runs", "losses")
    run["losses"][0]["finished_unit_slug"] = f"{run['finished_unit_slug']}s"


def unknown_product(document: Document) -> None:
    run = first_with(document, "assembly_runs", "packaging_consumptions")
    for one in run["packaging_consumptions"]:
        if one["ingredient_slug"]:
            one["package_size"] = "a heap"


def other_zone(document: Document) -> None:
    document["production_runs"][0]["produced_at"] = "2024-11-01T10:00:00+02:00"


UPGRADED = "The record was upgraded from version 2 to 3."
MISTAKES: dict[str, tuple[Callable[[Document], None], str]] = {
    "no key": (
        without_uuid,
        f"production_runs record 1, uuid: Missing data for required field. Add it. {UPGRADED}",
    ),
    "no recipe": (
        without_recipe,
        "production_runs record 1, recipe_slug: change NestProduction, Convert('production_runs', 'recipe_slug'): "
        "the field 'recipe_slug' is missing; each record of that version has it. Correct the change, or the record.",
    ),
    "unknown event": (
        unknown_event,
        "assembly_runs record 1, event: events: no record has name 'Chrismas gift boxes'; closest is "
        f"'Christmas gift boxes'. Add the record to events, or correct the key. {UPGRADED}",
    ),
    "unknown unit": (
        unknown_unit,
        "production_runs record 1, losses.1.finished_unit: finished_units: no record has slug 'gingersnaps'; closest is "
        f"'gingersnap'. Add the record to finished_units, or correct the key. {UPGRADED}",
    ),
    "unknown product": (
        unknown_product,
        "assembly_runs record 1, packaging_consumptions.1.product: products: no record has ingredient.slug 'cello-bag' "
        "and brand 'Tin and Box' and product_name 'Gusseted' and package_size 'a heap'. Add the record to "
        f"products, or correct the key. {UPGRADED}",
    ),
    "other zone": (
        other_zone,
        "production_runs record 1, produced_at: '2024-11-01T10:00:00+02:00' is not a datetime "
        f'(YYYY-MM-DDTHH:MM:SS, no zone). Write a moment as "2025-12-24T08:30:00". {UPGRADED}',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_history_files_are_located(
    told: Callable[[str], Told], kitchen: sa.Engine, mistake: str
) -> None:
    """By list, record and field, as they are in the file or would be today."""
    edit, text = MISTAKES[mistake]
    document = history(told("1.1"))
    edit(document)
    with pytest.raises(ImportFailed) as caught:
        taken(kitchen, document)
    assert caught.value.report.errors == [text]


def test_a_label_that_nobody_gave_is_refused(
    told: Callable[[str], Told], kitchen: sa.Engine
) -> None:
    """With those that there are."""
    with pytest.raises(VersionError, match=r"1\.1, 1\.0, 2\.0, 3\.0") as caught:
        taken(kitchen, {**history(told("1.1")), "version": "1.2"})
    assert caught.value.found == "1.2"
