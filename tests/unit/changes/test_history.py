"""Which changes a payload needs, given its versions."""

from __future__ import annotations

from typing import Any

import pytest

from lading import Catalog, DeclarationError, Drop, Rename, VersionError
from lading.changes.history import History, history_of
from lading.changes.upgrade_plan import plan_upgrade
from support.aged import changed
from support.declaring import new_base, schema_for
from support.world import key, slug


def catalog_of(**versions: int) -> Catalog:
    """Declare entities of nothing but a slug, by their versions."""
    base, catalog = new_base(), Catalog("plans")
    for name, version in versions.items():
        model = type(name, (base,), {"__tablename__": name, "id": key(), "slug": slug()})
        schema_for(model, catalog, version=version)
    return catalog


def planned(history: History, found: Any, **options: Any) -> list[str]:
    """Name the changes that run, in order."""
    plan = plan_upgrade(history, found, file="file", **options)
    return [undone.change.__name__ for undone in plan.undone]


def test_what_runs_is_what_lies_between() -> None:
    """From each entity's version to the catalog's, in one order for all."""
    catalog = catalog_of(a=3, b=2)
    changed(catalog, {"a": (2, 3), "b": (1, 2)}, name="Both")
    changed(catalog, {"a": (1, 2)}, name="First")
    history = history_of(catalog)
    assert planned(history, {"a": 1, "b": 1}) == ["First", "Both"]
    assert planned(history, {"a": 2, "b": 1}) == ["Both"]
    assert planned(history, {"a": 3, "b": 2}) == []
    assert planned(history, {"b": 1}) == ["Both"]
    assert planned(history, {}) == []
    for found in ({"a": 1, "b": 2}, {"a": 3, "b": 1}):
        with pytest.raises(VersionError, match="its versions are mixed") as caught:
            plan_upgrade(history, found, file="file")
        assert caught.value.found == found


def test_names_follow_the_versions() -> None:
    """An entity may take a name that another gave up, if the versions tell them apart."""
    catalog = catalog_of(dishes=3, kept=1)
    changed(catalog, {"recipes": (1, 2)}, Rename("recipes", to="meals"), name="One")
    changed(catalog, {"meals": (2, 3)}, Rename("meals", to="dishes"), name="Two")
    history = history_of(catalog)
    assert planned(history, {"recipes": 1}) == ["One", "Two"]
    assert planned(history, {"meals": 2}) == ["Two"]
    with pytest.raises(VersionError) as caught:
        plan_upgrade(history, {"recipes": 2}, file="file")
    assert str(caught.value) == (
        "file: entity 'recipes' has version 2; this catalog knows versions up to 1. No change leads from "
        "one to the other."
    )
    with pytest.raises(VersionError, match="its versions are mixed"):
        plan_upgrade(history, {"recipes": 1, "dishes": 3}, file="file")


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", None, True, [], 10**30])
def test_odd_versions_are_refused(version: Any) -> None:
    """Documents may say anything."""
    catalog = catalog_of(a=2)
    changed(catalog, {"a": (1, 2)})
    with pytest.raises(VersionError, match="entity 'a' has version"):
        plan_upgrade(history_of(catalog), {"a": version}, file="file")


def test_a_change_whose_other_half_leads_nowhere_is_refused_when_it_is_needed() -> None:
    """A gap in one entity doesn't matter to those who never come there."""
    catalog = catalog_of(a=2, b=3)
    changed(catalog, {"a": (1, 2), "b": (1, 2)}, name="Both")
    history = history_of(catalog)
    assert planned(history, {"a": 2, "b": 3}) == []
    with pytest.raises(VersionError) as caught:
        plan_upgrade(history, {"a": 1}, file="file")
    assert str(caught.value) == (
        "file: Both must run, and leads to b 2, which this catalog doesn't have. Declare the changes "
        "that lead on from there."
    )


def test_what_began_or_ended_is_known() -> None:
    """A payload from before an entity began lacks it, one from after doesn't."""
    catalog = catalog_of(a=2, b=1)
    changed(catalog, {"a": (1, 2), "b": (None, 1), "c": (4, None)}, Drop("c"), name="Change")
    history = history_of(catalog)
    assert plan_upgrade(history, {"a": 1, "c": 4}, file="file", whole=True).begun == {"b"}
    assert plan_upgrade(history, {"a": 2}, file="file", whole=True).begun == frozenset()
    for found in ({"a": 1, "b": 1}, {"a": 2, "c": 4}):
        with pytest.raises(VersionError, match="its versions are mixed"):
            plan_upgrade(history, found, file="file")


def test_an_entity_that_is_dropped_can_have_had_a_history() -> None:
    """Steps on what nobody knows any more are taken as they are."""
    catalog = catalog_of(a=1)
    changed(catalog, {"c": (1, 2)}, Rename("c", "x", "y"), name="One")
    changed(catalog, {"c": (2, None)}, Drop("c"), name="Two")
    assert planned(history_of(catalog), {"c": 1, "a": 1}) == ["One", "Two"]


def test_a_rename_to_what_is_there_is_refused() -> None:
    """Two entities under one name can't be told apart."""
    catalog = catalog_of(a=2, b=1)
    changed(catalog, {"b": (1, 2)}, Rename("b", to="a"))
    with pytest.raises(DeclarationError) as caught:
        history_of(catalog)
    assert caught.value.mistakes == (
        "Some: upgrades b from 1, which its schema has; take a higher version for the schema",
    )


def test_a_plan_is_found_once_and_its_shapes_are_each_caller_s_own() -> None:
    """A second bundle of the same release undoes nothing again, and alters nothing for a third."""
    catalog = catalog_of(a=2)
    changed(catalog, {"a": (1, 2)}, Drop("a", "note"))
    history = history_of(catalog)
    assert history_of(catalog) is history
    plans = [plan_upgrade(history, {"a": 1}, file=file) for file in ("file", "another")]
    assert plans[0].undone is plans[1].undone
    plans[0].shapes.roots["a"]["fields"]["extra"] = {}
    assert "extra" not in plans[1].shapes.roots["a"]["fields"]
    changed(catalog, {"b": (1, None)}, Drop("b"))
    assert history_of(catalog) is not history


def test_plans_of_many_bundles_are_kept_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that reads documents of any versions doesn't fill its memory with them."""
    monkeypatch.setattr("lading.changes.upgrade_plan.KEPT_PLANS", 2)
    catalog = catalog_of(a=4)
    for version in (1, 2, 3):
        changed(catalog, {"a": (version, version + 1)}, name=f"To{version + 1}")
    history = history_of(catalog)
    for version in (1, 2, 3, 1):
        assert planned(history, {"a": version}) == [f"To{n}" for n in range(version + 1, 5)]
        assert len(history.plans) <= 2
