"""A lock seals what schemas declare, and the check finds every difference since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from lading import (
    BundleError,
    Finding,
    check,
    export_all,
    export_document,
    import_document,
    lock,
)
from support.editions import NEW_ENTITY, counted, edition, run
from support.worlds import ALL
from support.zoo import WORLDS

Edits = tuple[tuple[str, str], ...]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the first edition's lock stands."""
    found = tmp_path / "lading.lock.json"
    lock(edition().shop, found)
    return found


def rules(findings: list[Finding]) -> dict[str, str]:
    """Return the findings' kinds by rule and path."""
    return {f"{one.rule} {one.path}": one.kind for one in findings}


def suggested(findings: list[Finding]) -> list[str]:
    return [one.suggestion for one in findings if one.suggestion is not None]


# Locking


@pytest.mark.parametrize("name", [*WORLDS, *ALL])
def test_a_lock_of_any_catalog_finds_nothing_at_once(name: str, tmp_path: Path) -> None:
    """Records are made up for whatever schemas there are, and what is sealed is what is declared."""
    catalog = (WORLDS[name]() if name in WORLDS else ALL[name][0]()).catalog
    assert lock(catalog, tmp_path / "l.json").changed
    assert check(catalog, tmp_path / "l.json") == []


def test_locking_twice_changes_nothing_and_says_so(path: Path) -> None:
    """Equal declarations give equal bytes, in another module as well."""
    before = path.read_bytes()
    found = lock(edition().shop, path)
    assert (found.changed, str(found)) == (False, f"{path}: nothing to seal; seal 1 stands")
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.rglob("*.json")) == ["1.json", path.name]


def test_a_lock_is_readable_and_says_what_it_sealed(tmp_path: Path) -> None:
    """One line a value, so that a diff of two seals shows what differs."""
    found = lock(edition().shop, tmp_path / "lading.lock.json")
    assert str(found).endswith("seal 1, of makers, items, kits, tools")
    text = (tmp_path / "lading.lock.json").read_text()
    held = json.loads(text)
    assert list(held) == ["version", "catalog", "seals", "waivers"]
    assert held["seals"][0]["versions"] == {"makers": 1, "items": 1, "kits": 1, "tools": 1}
    assert held["seals"][0]["shapes"]["items"]["fields"]["stock"] == {
        "type": "integer",
        "nullable": False,
        "constraints": {"bytes": 4},
        "default": {"column": {"value": 1}},
    }
    assert text == json.dumps(held, indent=2, ensure_ascii=False) + "\n"


def test_made_up_goldens_are_records_that_a_database_takes(path: Path) -> None:
    """Keys through keys, owned rows, classes and self references: all lead to what exists."""
    document = json.loads((path.parent / "goldens/1.json").read_text())
    app = edition()
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    app.Base.metadata.create_all(engine)
    assert import_document(engine, document, catalog=app.shop).inserted == 15
    again = export_document(engine, catalog=app.shop)
    engine.dispose()
    assert {name: again[name] for name in document} == document
    assert {one["kind"] for one in document["tools"]} == {"tool", "saw"}
    assert any(kit["parts"] == [] for kit in document["kits"])


def test_goldens_may_be_a_document_or_a_bundle(tmp_path: Path) -> None:
    """What a person gives is what is sealed."""
    app = edition()
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    app.Base.metadata.create_all(engine)
    document = {"makers": [{"slug": "mill"}], "items": [], "kits": [], "tools": []}
    import_document(engine, document, catalog=app.shop)
    export_all(engine, tmp_path / "bundle", catalog=app.shop)
    engine.dispose()
    for name, goldens in (("one", document), ("two", tmp_path / "bundle")):
        (tmp_path / name).mkdir()
        lock(app.shop, tmp_path / name / "l.json", goldens=goldens)
        held = json.loads((tmp_path / name / "goldens/1.json").read_text())
        assert held["makers"] == [{"slug": "mill"}]
        assert held["items"] == []


def test_goldens_that_do_not_load_are_refused(tmp_path: Path) -> None:
    """A golden record is one that the schema takes."""
    with pytest.raises(BundleError, match=r"makers record 1: can't be loaded"):
        lock(edition().shop, tmp_path / "l.json", goldens={"makers": [{"slug": None}]})


# Drift, and what is suggested

DRIFTS: dict[str, tuple[Edits, str, dict[str, str], tuple[tuple[str, int], ...]]] = {
    "removal": (
        (("    note = mapped_column(sa.String(40))\n", ""),),
        "",
        {"FIELD_REMOVED items.note": "needs a change"},
        (("Item", 2),),
    ),
    "addition": (
        (
            (
                "    stock = mapped",
                "    shelf = mapped_column(sa.Date, nullable=False)\n    stock = mapped",
            ),
        ),
        "",
        {"FIELD_ADDED items.shelf": "needs a change"},
        (("Item", 2),),
    ),
    "nullable addition": (
        (("    stock = mapped", "    shelf = mapped_column(sa.Date)\n    stock = mapped"),),
        "",
        {"FIELD_ADDED items.shelf": "needs a change"},
        (("Item", 2),),
    ),
    "renaming": (
        (("    note = mapped", "    remark = mapped"),),
        "",
        {"FIELD_RENAMED items.remark": "needs a change"},
        (("Item", 2),),
    ),
    "key's renaming": (
        (
            (
                "slug = mapped_column(sa.String(20), unique=True, nullable=False)\n\nclass Item",
                "code = mapped_column(sa.String(20), unique=True, nullable=False)\n\nclass Item",
            ),
            ("= Maker, shop, 1", '= Maker, shop, 1\n        natural_key = "code"'),
        ),
        "",
        {"FIELD_RENAMED makers.code": "needs a change"},
        (("Maker", 2),),
    ),
    "removal in owned records": (
        (("    weight = mapped_column(sa.Integer)\n", ""),),
        "",
        {"FIELD_REMOVED kits.parts.weight": "needs a change"},
        (("Kit", 2),),
    ),
    "addition in owned records of owned records": (
        (
            (
                "    text = mapped",
                "    words = mapped_column(sa.String(9), nullable=False)\n    text = mapped",
            ),
        ),
        "",
        {"FIELD_ADDED kits.parts.steps.words": "needs a change"},
        (("Kit", 2),),
    ),
    "renaming in owned records": (
        (("    text = mapped", "    words = mapped"),),
        "",
        {"FIELD_RENAMED kits.parts.steps.words": "needs a change"},
        (("Kit", 2),),
    ),
    "removal of an owned list": (
        (
            ("    steps = Owned(StepSchema)\n", ""),
            (
                "class StepSchema(EntitySchema):\n    class Meta:\n        model, catalog = Step, shop\n",
                "",
            ),
            ('shop = Catalog("shop")', 'shop = Catalog("shop", leaves_out={"steps": "gone"})'),
        ),
        "",
        {"FIELD_REMOVED kits.parts.steps": "needs a change"},
        (("Kit", 2),),
    ),
    "another type": (
        (
            (
                "stock = mapped_column(sa.Integer, nullable=False, default=1)",
                "stock = mapped_column(sa.Numeric(12, 1), nullable=False, default=1)",
            ),
        ),
        "",
        {"TYPE_CHANGED items.stock": "needs a change"},
        (("Item", 2),),
    ),
    "fewer nulls": (
        (
            (
                "weight = mapped_column(sa.Integer)",
                "weight = mapped_column(sa.Integer, nullable=False)",
            ),
        ),
        "",
        {"NULLABILITY_NARROWED kits.parts.weight": "needs a change"},
        (("Kit", 2),),
    ),
    "a class's field": (
        (("    teeth = mapped_column(sa.Integer)\n", ""),),
        "",
        {"FIELD_REMOVED tools.teeth": "needs a change"},
        (("Tool", 2),),
    ),
    "new entity": ((), NEW_ENTITY, {"ENTITY_ADDED labels": "needs a change"}, ()),
    "entity's renaming": (
        (('"tools"', '"devices"'),),
        "",
        {"ENTITY_RENAMED devices": "needs a change"},
        (("Tool", 2),),
    ),
    "renaming of an entity that others refer to": (
        (('"makers"', '"brands"'), ('"makers.id"', '"brands.id"')),
        "",
        {"ENTITY_RENAMED brands": "needs a change"},
        (("Maker", 2),),
    ),
    "entity's removal": (
        (
            (
                "class ToolSchema(EntitySchema):\n    class Meta:\n        model, catalog, version = Tool, shop, 1\n",
                "",
            ),
            ('shop = Catalog("shop")', 'shop = Catalog("shop", leaves_out={"tools": "gone"})'),
        ),
        "",
        {"ENTITY_REMOVED tools": "needs a change"},
        (),
    ),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_is_found_and_its_suggestion_mends_it(name: str, path: Path) -> None:
    """Run in the schema's module, with the version counted up, the suggestion covers it all."""
    edits, more, expected, versions = DRIFTS[name]
    findings = check(edition(*edits, more=more).shop, path)
    heads = {
        f"VERSION_NOT_COUNTED_UP {one.path}" for one in findings if one.rule.startswith("VERSION_")
    }
    assert rules(findings).items() >= expected.items()
    assert rules(findings).keys() - heads == expected.keys()
    (source,) = suggested(findings)
    counts = tuple(counted(model, version) for model, version in versions)
    app = edition(*edits, *counts, more=more)
    assert ("VERSION_GAP" in str(rules(check(app.shop, path)))) == bool(versions)
    run(app, source)
    assert check(app.shop, path) == []
    assert lock(app.shop, path).number == 2
    assert check(app.shop, path) == []
    assert lock(app.shop, path).changed is False
