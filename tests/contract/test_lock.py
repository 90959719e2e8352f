"""A lock seals what schemas declare, and the check finds every difference since."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import mapped_column

from lading import (
    BundleError,
    Catalog,
    ChecksumError,
    DeclarationError,
    Finding,
    VersionError,
    check,
    export_all,
    export_document,
    import_document,
    lock,
)
from lading.locking.lock_file import read_lock, sealed_by, write_lock
from support.aged import pantry, stall
from support.aged_more import notebook
from support.declaring import catalog_of, new_base, schema_for, table
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
    return {f"{one.rule} {one.path}": one.severity for one in findings}


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
    assert str(found).endswith("seal 1, of items, kits, makers, tools")
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


def test_a_lock_that_cannot_be_written_leaves_no_goldens(tmp_path: Path) -> None:
    """Neither is there without the other; what stood there before stays."""
    path = tmp_path / "l.json"
    with patch("lading.locker.write_lock", side_effect=OSError), pytest.raises(OSError):
        lock(edition().shop, path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "goldens").mkdir()
    (tmp_path / "goldens" / "9.json").touch()
    with patch("lading.locker.write_lock", side_effect=OSError), pytest.raises(OSError):
        lock(edition().shop, path)
    assert [file.name for file in (tmp_path / "goldens").iterdir()] == ["9.json"]


def test_goldens_are_joined_by_what_their_keys_are(path: Path) -> None:
    """A decimal with more digits behind the point is the same key."""

    def catalog(scale: int) -> Catalog:
        amount = mapped_column(sa.Numeric(4 + scale, scale), unique=True, nullable=False)
        catalog = Catalog("lab")
        schema_for(table(new_base(), "doses", amount=amount), catalog, natural_key="amount")
        return catalog

    place = path.parent / "doses" / "lading.lock.json"
    place.parent.mkdir()
    lock(catalog(2), place, goldens={"doses": [{"slug": "a", "amount": "0.50"}]})
    seal = lock(catalog(3), place, goldens={"doses": [{"slug": "a", "amount": "0.500"}]})
    assert (seal.number, check(catalog(3), place)) == (2, [])


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
                "    shelf = mapped_column(sa.String(9), nullable=False, default='top')\n"
                "    stock = mapped",
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
    "renaming of a flat reference": (
        (
            (
                "    maker = relationship(Maker)\n    parts",
                "    brand = relationship(Maker)\n    parts",
            ),
            ("    maker = Ref(flat=True)", "    brand = Ref(flat=True)"),
        ),
        "",
        {"FIELD_RENAMED kits.brand_slug": "needs a change"},
        (("Kit", 2),),
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
                "    words = mapped_column(sa.Integer, nullable=False, default=0)\n    text = mapped",
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
    "a field of all classes": (
        (
            ("class Saw(Tool):\n    teeth = mapped_column(sa.Integer)\n", "class Saw(Tool):\n"),
            (
                "    kind = mapped_column(sa.String(10), nullable=False)\n",
                "    kind = mapped_column(sa.String(10), nullable=False)\n    teeth = mapped_column(sa.Integer)\n",
            ),
        ),
        "",
        {"CLASSES_CHANGED tools.teeth": "needs a change"},
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


def test_drifts_whose_order_matters_are_suggested_in_order(path: Path) -> None:
    """What renames a key and what changes its referrers say which runs first."""
    edits = (
        *DRIFTS["key's renaming"][0],
        *DRIFTS["removal"][0],
        *DRIFTS["renaming in owned records"][0],
    )
    sources = suggested(check(edition(*edits).shop, path))
    assert len(sources) == 3
    app = edition(*edits, counted("Maker", 2), counted("Item", 2), counted("Kit", 2))
    for source in sources:
        run(app, source)
    assert check(app.shop, path) == []


def test_another_key_is_suggested_between_what_comes_and_what_goes(path: Path) -> None:
    """A field of the next key must be there by then, and one of the former may go after it."""
    edits = (
        ('("maker", "name")\n\nclass StepSchema', '("maker", "code")\n\nclass StepSchema'),
        ('sa.UniqueConstraint("maker_id", "name")', 'sa.UniqueConstraint("maker_id", "code")'),
        (
            "    name = mapped_column(sa.String(30), nullable=False)\n",
            "    code = mapped_column(sa.Integer, nullable=False)\n",
        ),
    )
    (source,) = suggested(check(edition(*edits).shop, path))
    steps = source.partition("steps = [\n")[2].split("\n")
    assert [step.strip() for step in steps[:3]] == [
        'Add("items", "code", lambda record: ...),  # fill in what older records get',
        'Rekey("items", ("maker", "code")),',
        'Drop("items", "name"),  # its values are dropped; if they moved or the field was '
        "renamed, use Move or Rename instead",
    ]


def test_a_flat_reference_in_a_key_follows_the_key_that_it_is_named_after(tmp_path: Path) -> None:
    """What was renamed is the target's field, though the reference is met first."""
    schema = """class MakerSchema(EntitySchema):
    class Meta:
        model, catalog, version = Maker, shop, 1
"""
    first = (
        (
            "class ItemSchema(EntitySchema):\n",
            "class ItemSchema(EntitySchema):\n    maker = Ref(flat=True)\n",
        ),
        (schema, ""),
    )
    lock(edition(*first, more=schema).shop, tmp_path / "l.json")
    renamed = DRIFTS["key's renaming"][0][0]
    later = schema + '        natural_key = "code"\n'
    findings = check(edition(*first, renamed, more=later).shop, tmp_path / "l.json")
    assert rules(findings) == {
        "FIELD_RENAMED makers.code": "needs a change",
        "VERSION_NOT_COUNTED_UP makers": "needs a change",
    }


def test_a_suggestion_says_what_nobody_can_guess(path: Path) -> None:
    """A required reference has no honest value: the golden records find the open place."""
    edits = (
        (
            "    price = mapped",
            "    rival_id = mapped_column(sa.ForeignKey('makers.id'), nullable=False)\n    price = mapped",
        ),
        (
            "    maker = relationship(Maker)\n    parent",
            "    maker = relationship(Maker, foreign_keys=maker_id)\n"
            "    rival = relationship(Maker, foreign_keys=rival_id)\n    parent",
        ),
    )
    (source,) = suggested(check(edition(*edits).shop, path))
    assert 'Add("items", "rival", lambda record: ...),  # fill in what older records get' in source
    app = edition(*edits, counted("Item", 2))
    run(app, source)
    assert rules(check(app.shop, path)) == {"GOLDEN_NOT_UPGRADED items": "needs a change"}


def test_a_suggestion_says_what_would_be_lost(path: Path) -> None:
    """A field that goes where others come may have moved, and an entity may be called otherwise."""
    moved = (
        ("    weight = mapped_column(sa.Integer)\n", ""),
        (
            "    parts = relationship",
            "    load = mapped_column(sa.Float)\n    parts = relationship",
        ),
    )
    (source,) = suggested(check(edition(*moved).shop, path))
    assert (
        'Drop("kits.parts", "weight"),  # its values are dropped; if they moved or the field was '
        "renamed, use Move or Rename instead\n" in source
    )
    (source,) = suggested(check(edition(*DRIFTS["entity's removal"][0]).shop, path))
    assert (
        'Drop("tools"),  # its records are dropped; if it was renamed, use Rename("tools", to=...) '
        "instead\n" in source
    )
    (source,) = suggested(check(edition(*NOTE_GONE).shop, path))
    assert 'Drop("items", "note"),\n' in source


def test_a_suggestion_says_where_a_conversion_must_be_filled_in(path: Path) -> None:
    """What looks like an open place or a comment, and is a default's text, is neither."""
    edits = (
        ("stock = mapped_column(sa.Integer", "stock = mapped_column(sa.Date"),
        ("default=1", "default=None"),
        (
            "    price = mapped",
            '    words = mapped_column(sa.String(20), nullable=False, default="a  # b...")\n'
            "    price = mapped",
        ),
    )
    (source,) = suggested(check(edition(*edits).shop, path))
    assert (
        'Convert("items", "stock", lambda value: ...),  # fill in what older values become\n'
        in source
    )
    assert """Add("items", "words", 'a  # b...'),\n""" in source


def test_a_catalog_that_no_variable_holds_is_left_to_the_reader(path: Path) -> None:
    """A suggestion never names what isn't there."""
    app = edition(*DRIFTS["removal"][0])
    shop = vars(app).pop("shop")
    (source,) = suggested(check(shop, path))
    assert "# catalog = the variable that holds the Catalog 'shop'" in source


# What is safe, and what needs a change

SAFE: dict[str, tuple[Edits, set[str]]] = {
    "a longer text": (
        (("note = mapped_column(sa.String(40))", "note = mapped_column(sa.String(50))"),),
        {"CONSTRAINT_WIDENED items.note"},
    ),
    "a wider integer": (
        (("weight = mapped_column(sa.Integer)", "weight = mapped_column(sa.BigInteger)"),),
        {"CONSTRAINT_WIDENED kits.parts.weight"},
    ),
    "more digits": (
        (("sa.Numeric(8, 2)", "sa.Numeric(10, 3)"),),
        {"TYPE_WIDENED items.price"},
    ),
    "one more choice": (
        (("    large = 2", "    large = 2\n    huge = 3"),),
        {"TYPE_WIDENED items.size"},
    ),
    "null": (
        (
            (
                "price = mapped_column(sa.Numeric(8, 2), nullable=False)",
                "price = mapped_column(sa.Numeric(8, 2))",
            ),
        ),
        {"NULLABILITY_WIDENED items.price"},
    ),
    "another default": ((("default=1", "default=2"),), {"DEFAULT_CHANGED items.stock"}),
    "a made-up default": ((("default=1", "default=lambda: 2"),), {"DEFAULT_CHANGED items.stock"}),
    "one unique set less": (
        (('(sa.UniqueConstraint("maker_id", "name"),)', "()"),),
        {"UNIQUE_REMOVED items"},
    ),
    "a class with a field of its own": (
        (
            (
                "class MakerSchema",
                "class Drill(Tool):\n    watts = mapped_column(sa.Integer)\n"
                '    __mapper_args__ = {"polymorphic_identity": "drill"}\n\nclass MakerSchema',
            ),
        ),
        {"CLASS_ADDED tools", "FIELD_ADDED tools.watts"},
    ),
    "a computed column": (
        (
            (
                "    stock = mapped",
                '    twice = mapped_column(sa.Integer, sa.Computed("stock * 2"))\n    stock = mapped',
            ),
        ),
        {"FIELD_ADDED items.twice"},
    ),
    "a field that records may lack": (
        (
            ("    stock = mapped", "    shelf = mapped_column(sa.Integer)\n    stock = mapped"),
            (
                "class ItemSchema(EntitySchema):\n",
                "class ItemSchema(EntitySchema):\n    shelf = ma.fields.Integer(load_default=None, allow_none=True)\n",
            ),
        ),
        {"FIELD_ADDED items.shelf"},
    ),
    "a unique set that the key makes so": (
        (
            (
                '(sa.UniqueConstraint("maker_id", "name"),)',
                '(sa.UniqueConstraint("maker_id", "name", "stock"),)',
            ),
        ),
        {"UNIQUE_REMOVED items"},
    ),
    "a list in another direction": (
        (("order_by=Step.place)", "order_by=Step.place.desc())"),),
        {"SEQUENCE_CHANGED kits.parts.steps"},
    ),
    "a list by another field": (
        (("order_by=Step.place)", "order_by=[Step.text, Step.place])"),),
        {"SEQUENCE_CHANGED kits.parts.steps"},
    ),
    "a list by ids": (
        (("order_by=Step.place)", "order_by=Step.id)"),),
        {"SEQUENCE_CHANGED kits.parts.steps"},
    ),
    "the key's order": (
        (('natural_key = ("maker", "name")', 'natural_key = ("name", "maker")'),),
        {"KEY_ORDER_CHANGED items"},
    ),
}


@pytest.mark.parametrize("name", SAFE)
def test_what_older_payloads_survive_is_safe_and_sealed_by_locking_again(
    name: str, path: Path
) -> None:
    """Golden records from before still load, and the version stays."""
    edits, expected = SAFE[name]
    app = edition(*edits)
    assert rules(check(app.shop, path)) == dict.fromkeys(expected, "safe")
    assert lock(app.shop, path).number == 2
    assert check(app.shop, path) == []
    seals = json.loads(path.read_text())["seals"]
    assert seals[1]["versions"] == seals[0]["versions"]
    assert list(seals[1]["shapes"]) == [next(iter(expected)).split()[1].split(".")[0]]


def test_the_sequence_of_a_list_is_sealed_and_told(path: Path) -> None:
    """By written names, at any depth, with the direction of each."""
    sealed = json.loads(path.read_text())["seals"][0]["shapes"]["kits"]["fields"]["parts"]
    assert "sequence" not in sealed
    assert sealed["fields"]["steps"]["sequence"] == [["place", "ascending"]]
    app = edition(("order_by=Step.place)", "order_by=[Step.text.desc(), Step.id])"))
    (finding,) = check(app.shop, path)
    assert finding.message == (
        "the list is now ordered by text descending, its generated ids ascending, formerly by place "
        "ascending. Lock again to seal it."
    )


def test_a_sequence_follows_what_changes_rename(path: Path) -> None:
    """The field and the list may have other names, and the direction is compared all the same."""
    edits = (
        ("    place = mapped", "    position = mapped"),
        ("    steps = relationship", "    tasks = relationship"),
        ("    steps = Owned", "    tasks = Owned"),
        counted("Kit", 2),
    )
    more = '''
from lading import Change, Rename
class Kits2(Change):
    """Kits call steps tasks, which have positions."""
    catalog = shop
    upgrades = {"kits": (1, 2)}
    steps = [Rename("kits.parts.steps", "place", "position"), Rename("kits.parts", "steps", "tasks")]
'''
    same, other = ("Step.place)", "Step.position)"), ("Step.place)", "Step.position.desc())")
    assert check(edition(*edits, same, more=more).shop, path) == []
    found = rules(check(edition(*edits, other, more=more).shop, path))
    assert found == {"SEQUENCE_CHANGED kits.parts.tasks": "safe"}
    found = rules(check(edition(edits[0], other).shop, path))
    assert found["FIELD_RENAMED kits.parts.steps.position"] == "needs a change"
    assert found["SEQUENCE_CHANGED kits.parts.steps"] == "safe"


def test_what_a_sequence_is_by_is_as_a_change_makes_it(path: Path) -> None:
    """A field that went, or was converted, orders nothing that could be compared."""
    edits = (
        ("    place = mapped_column(sa.Integer, nullable=False)\n", ""),
        ("order_by=Step.place)", "order_by=Step.text)"),
        counted("Kit", 2),
    )
    more = '''
from lading import Change, Drop
class Kits2(Change):
    """Kits' steps have no place."""
    catalog = shop
    upgrades = {"kits": (1, 2)}
    steps = [Drop("kits.parts.steps", "place")]
'''
    assert check(edition(*edits, more=more).shop, path) == []


def test_a_lock_from_before_sequences_were_sealed_finds_none(path: Path) -> None:
    """It says nothing of them, and the next seal does; renamed lists are told all the same."""
    held = read_lock(path)
    shapes = json.loads(json.dumps(held.last.shapes))
    del shapes["kits"]["fields"]["parts"]["fields"]["steps"]["sequence"]
    write_lock(path, sealed_by(None, held.catalog, replace(held.last, shapes=shapes)))
    other = ("order_by=Step.place)", "order_by=Step.place.desc())")
    assert check(edition().shop, path) == check(edition(other).shop, path) == []
    renamed = (
        ("    steps = relationship", "    tasks = relationship"),
        ("    steps = Owned", "    tasks = Owned"),
    )
    assert "FIELD_RENAMED kits.parts.tasks" in rules(check(edition(*renamed).shop, path))
    assert lock(edition(other).shop, path).sealed == ("kits",)
    assert rules(check(edition().shop, path)) == {"SEQUENCE_CHANGED kits.parts.steps": "safe"}


UNSAFE: dict[str, tuple[Edits, set[str]]] = {
    "a shorter text": (
        (("note = mapped_column(sa.String(40))", "note = mapped_column(sa.String(30))"),),
        {"CONSTRAINT_NARROWED items.note"},
    ),
    "fewer digits": ((("sa.Numeric(8, 2)", "sa.Numeric(7, 2)"),), {"TYPE_NARROWED items.price"}),
    "digits moved": (
        (("sa.Numeric(8, 2)", "sa.Numeric(8, 3)"),),
        {"TYPE_NARROWED items.price", "TYPE_WIDENED items.price"},
    ),
    "a choice less": ((("    large = 2\n", ""),), {"TYPE_NARROWED items.size"}),
    "a validator": (
        (
            (
                "class PartSchema(EntitySchema):\n",
                "class PartSchema(EntitySchema):\n    count = ma.fields.Integer(validate=validate.Range(min=1))\n",
            ),
        ),
        {"CONSTRAINT_NARROWED kits.parts.count"},
    ),
    "another key": ((('("maker", "name")', '("maker", "name", "price")'),), {"KEY_CHANGED items"}),
    "a unique set": (
        (
            (
                "note = mapped_column(sa.String(40))",
                "note = mapped_column(sa.String(40), unique=True)",
            ),
        ),
        {"UNIQUE_ADDED items"},
    ),
    "a list with an order": (
        (("parts = relationship(Part)", "parts = relationship(Part, order_by=Part.count)"),),
        {"OWNED_ORDER_CHANGED kits.parts"},
    ),
    "another target": (
        (
            (
                '    maker_id = mapped_column(sa.ForeignKey("makers.id"))\n    maker = relationship(Maker)',
                '    maker_id = mapped_column(sa.ForeignKey("tools.id"))\n    maker = relationship("Tool")',
            ),
        ),
        {"REFERENCE_CHANGED kits.maker_slug"},
    ),
    "a class less": (
        (
            (
                'class Saw(Tool):\n    teeth = mapped_column(sa.Integer)\n    __mapper_args__ = {"polymorphic_identity": "saw"}\n',
                "",
            ),
            (
                "class ToolSchema(EntitySchema):\n    class Meta:\n",
                "class ToolSchema(EntitySchema):\n    class Meta:\n",
            ),
        ),
        {"CLASS_REMOVED tools", "FIELD_REMOVED tools.teeth"},
    ),
    "a unique set in some rows": (
        (
            (
                '(sa.UniqueConstraint("maker_id", "name"),)',
                '(sa.UniqueConstraint("maker_id", "name"), sa.Index("few", "note", unique=True,'
                ' sqlite_where=sa.text("stock > 0"), postgresql_where=sa.text("stock > 0")))',
            ),
        ),
        {"UNIQUE_ADDED items"},
    ),
    "a unique set by an expression": (
        (
            (
                '(sa.UniqueConstraint("maker_id", "name"),)',
                '(sa.UniqueConstraint("maker_id", "name"),)\n    folded = lambda cls: '
                'sa.Index("folded", sa.func.lower(cls.note), unique=True)',
            ),
            ("class Step(Base):", "Item.folded(Item)\n\nclass Step(Base):"),
        ),
        {"UNIQUE_ADDED items"},
    ),
    "one owned row at most": (
        (
            (
                'kit_id = mapped_column(sa.ForeignKey("kits.id"), nullable=False)',
                'kit_id = mapped_column(sa.ForeignKey("kits.id"), nullable=False, unique=True)',
            ),
        ),
        {"CONSTRAINT_NARROWED kits.parts"},
    ),
    "a field of all classes": (
        (
            ("class Saw(Tool):\n    teeth = mapped_column(sa.Integer)\n", "class Saw(Tool):\n"),
            (
                "    kind = mapped_column(sa.String(10), nullable=False)\n",
                "    kind = mapped_column(sa.String(10), nullable=False)\n    teeth = mapped_column(sa.Integer)\n",
            ),
        ),
        {"CLASSES_CHANGED tools.teeth"},
    ),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_older_payloads_may_not_survive_needs_a_change(name: str, path: Path) -> None:
    """Whatever narrows what records may be isn't locked."""
    edits, expected = UNSAFE[name]
    app = edition(*edits)
    found = {one for one in rules(check(app.shop, path)) if "VERSION_" not in one}
    assert found == expected
    before = path.read_bytes()
    with pytest.raises(DeclarationError) as caught:
        lock(app.shop, path)
    text = str(caught.value)
    assert any(one.split()[0] in text for one in expected)
    assert path.read_bytes() == before


# Changes that claim what they don't do


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (sa.Double(), sa.REAL(), "it is now limited to bits 24, formerly nothing"),
        (
            sa.ARRAY(sa.Integer),
            sa.ARRAY(sa.SmallInteger),
            "it is now limited to item_bytes 2, formerly item_bytes 4",
        ),
        (sa.ARRAY(sa.Text), sa.ARRAY(sa.Date), "it is now array of date, formerly array of string"),
        (
            sa.Time(timezone=True),
            sa.Time(),
            "it is now time, formerly time with a zone",
        ),
    ],
)
def test_what_a_type_takes_less_is_told(
    before: Any, after: Any, expected: str, tmp_path: Path
) -> None:
    """Of arrays, what their items take less."""

    def catalog(type_: Any) -> Catalog:
        column = mapped_column(type_, nullable=False)
        return catalog_of(table(new_base(), "things", value=column))

    path = tmp_path / "lading.lock.json"
    lock(catalog(before), path)
    (message,) = [one.message for one in check(catalog(after), path) if one.path.endswith("value")]
    assert message.startswith(expected)


def changed(edits: Edits, steps: str, *, version: int = 2) -> ModuleType:
    """Return an edition whose items have a change from version 1."""
    source = f'''
from lading import Add, Change, Convert, Drop, Each, Move, Rename, change
class Items2(Change):
    """Items are other."""
    catalog = shop
    upgrades = {{"items": (1, 2)}}
    steps = [{steps}]
'''
    return edition(*edits, counted("Item", version), more=source)


NOTE_GONE = DRIFTS["removal"][0]


def test_a_change_that_does_not_deliver_is_found(path: Path) -> None:
    """Counting up the version with a change isn't enough: its steps must give the declared shape."""
    findings = check(changed(NOTE_GONE, "").shop, path)
    assert rules(findings) == {
        "CHANGE_NOT_DELIVERED items": "needs a change",
        "FIELD_REMOVED items.note": "needs a change",
    }
    assert (
        "the changes Items2 lead to version 2, but not to what is declared" in findings[0].message
    )


def test_a_step_that_does_not_fit_what_is_sealed_is_found(path: Path) -> None:
    """A field that never was can't be dropped."""
    (finding,) = check(changed((), 'Drop("items", "colour")').shop, path)
    assert (finding.rule, finding.path, finding.severity) == (
        "CHANGE_DOES_NOT_FIT",
        "Items2",
        "breaking",
    )
    assert "items: unknown field 'colour' at that point" in finding.message


def test_a_step_that_does_not_fit_what_is_declared_is_found(path: Path) -> None:
    """A field that is still there wasn't dropped."""
    (finding,) = check(changed((), 'Drop("items", "note")').shop, path)
    assert finding.rule == "CHANGE_DOES_NOT_FIT"
    assert "the field 'note' of items still exists after this step" in finding.message


def test_an_older_change_that_no_longer_fits_is_found(path: Path) -> None:
    """What is sealed doesn't need it, and older bundles do."""
    app = changed(NOTE_GONE, 'Drop("items", "note")')
    lock(app.shop, path)
    broken = changed(NOTE_GONE, 'Rename("items", "note", "nothing")').shop
    assert rules(check(broken, path)) == {"CHANGE_DOES_NOT_FIT Items2": "breaking"}


def test_what_functions_produce_is_taken_as_declared_and_tested_on_goldens(path: Path) -> None:
    """Each and Convert may make any type; records that they make wrong are found."""
    edits = (
        (
            "stock = mapped_column(sa.Integer, nullable=False, default=1)",
            "stock = mapped_column(sa.Date, nullable=False)",
        ),
    )
    for steps in (
        'Convert("items", "stock", lambda value: "2025-01-01")',
        'Each("items", lambda record: {**record, "stock": "2025-01-01"})',
        'Each("items", lambda record: {**record, "stock": "2025-01-01"}, adds=None, drops=None)',
    ):
        assert check(changed(edits, steps).shop, path) == []
        wrong = changed(edits, steps.replace("2025-01-01", "soon"))
        assert rules(check(wrong.shop, path)) == {"GOLDEN_NOT_LOADED items": "needs a change"}


@pytest.mark.parametrize(
    "steps",
    [
        'Each("kits.parts", weighed), Rename("kits", "parts", "pieces")',
        'Rename("kits", "parts", "pieces"), Each("kits.pieces", weighed)',
    ],
)
def test_what_a_function_alters_is_known_under_either_name(steps: str, path: Path) -> None:
    """Its records may be called otherwise before the change or after it."""
    app = edition(
        ("    weight = mapped_column(sa.Integer)", "    weight = mapped_column(sa.Text)"),
        ("    parts = ", "    pieces = "),
        counted("Kit", 2),
        more=f'''
from lading import Change, Each, Rename
def weighed(record):
    return {{**record, "weight": str(record["weight"])}}
class Kits2(Change):
    """Kits are in pieces, which are weighed in words."""
    catalog = shop
    upgrades = {{"kits": (1, 2)}}
    steps = [{steps}]
''',
    )
    assert check(app.shop, path) == []


def test_each_covers_no_field_that_it_does_not_name(path: Path) -> None:
    """What a function adds and drops must be declared, unless nothing is."""
    steps = 'Each("items", lambda record: record)'
    assert "FIELD_REMOVED items.note" in rules(check(changed(NOTE_GONE, steps).shop, path))


def test_a_change_that_was_edited_after_its_release_is_found(path: Path) -> None:
    """The older golden no longer becomes what the newer one holds of it."""
    steps = 'Convert("items", "price", lambda value: "2.00")'
    lock(changed((), steps).shop, path)
    assert check(changed((), steps).shop, path) == []
    (finding,) = check(changed((), steps.replace("2.00", "3.00")).shop, path)
    assert (finding.rule, finding.path, finding.severity) == ("GOLDEN_DRIFT", "items", "breaking")
    assert (
        "record 1 of goldens/1.json no longer upgrades to a record of goldens/2.json"
        in finding.message
    )
    with pytest.raises(DeclarationError, match="GOLDEN_DRIFT"):
        lock(changed((), steps.replace("2.00", "3.00")).shop, path)


def test_a_change_that_upgrades_more_than_it_did_is_found(path: Path) -> None:
    """A part of it has run for what is sealed, and a part hasn't."""
    lock(changed(NOTE_GONE, 'Drop("items", "note")').shop, path)
    app = edition(
        *NOTE_GONE,
        counted("Item", 2),
        counted("Maker", 2),
        more='''
from lading import Change, Drop
class Items2(Change):
    """Items and makers."""
    catalog = shop
    upgrades = {"items": (1, 2), "makers": (1, 2)}
    steps = [Drop("items", "note")]
''',
    )
    assert rules(check(app.shop, path)) == {"CHANGE_EDITED Items2": "breaking"}


SAWS_RENAMED = (('"polymorphic_identity": "saw"', '"polymorphic_identity": "blade"'),)


def test_a_class_s_other_name_is_delivered_by_a_conversion_of_the_discriminator(
    path: Path,
) -> None:
    """Fields of the class are those of its newer name then; the check suggests that step."""
    (source,) = suggested(check(edition(*SAWS_RENAMED).shop, path))
    step = 'Convert("tools", "kind", lambda value: ... if value == "saw" else value)'
    assert f"        {step},  # fill in" in source
    assert source.count("Convert(") == 1
    app = edition(*SAWS_RENAMED, counted("Tool", 2))
    run(app, source.replace("...", '"blade"'))
    assert check(app.shop, path) == []


# Versions


def test_versions_that_went_down_or_leave_a_gap_are_found(path: Path) -> None:
    """A version only counts up, by one, with a change."""
    assert rules(check(edition(counted("Item", 3)).shop, path)) == {
        "VERSION_GAP items": "needs a change"
    }
    lock(changed((), "").shop, path)
    (finding,) = check(edition().shop, path)
    assert (finding.rule, finding.severity) == ("VERSION_WENT_DOWN", "breaking")
    assert finding.message.startswith("its version is 1, below the sealed 2")


def test_the_second_golden_holds_the_first_as_upgraded_and_what_is_new(path: Path) -> None:
    """Former records go on; an entity that had none gets some."""
    steps = 'Convert("items", "price", lambda value: "2.00")'
    app = edition(
        counted("Item", 2),
        more=NEW_ENTITY
        + f'''
from lading import Change, Convert
class Items2(Change):
    """Items cost two."""
    catalog = shop
    upgrades = {{"items": (1, 2), "labels": (None, 1)}}
    steps = [{steps}]
''',
    )
    first = json.loads((path.parent / "goldens/1.json").read_text())
    assert lock(app.shop, path).sealed == ("labels",)
    second = json.loads((path.parent / "goldens/2.json").read_text())
    assert second["items"] == [{**item, "price": "2.00"} for item in first["items"]]
    assert len(second["labels"]) == 3
    assert second["kits"] == first["kits"]
    assert check(app.shop, path) == []


# Waivers


def waive(path: Path, *waivers: dict[str, Any]) -> None:
    """Write waivers into a lock, as a person would."""
    held = json.loads(path.read_text())
    held["waivers"] = list(waivers)
    path.write_text(json.dumps(held))


def test_a_waiver_accepts_a_finding_once(path: Path) -> None:
    """It is left out, sealed with its reason, and gone from the list; goldens know of it."""
    app = edition(*NOTE_GONE)
    reason = "no bundle has ever held a note"
    waive(path, {"rule": "FIELD_REMOVED", "path": "items.note", "reason": reason})
    assert check(app.shop, path) == []
    assert lock(app.shop, path).number == 2
    held = json.loads(path.read_text())
    assert held["waivers"] == []
    assert held["seals"][1]["waived"][0]["reason"] == reason
    assert check(app.shop, path) == []
    assert "VERSION_NOT_COUNTED_UP items" in rules(check(edition().shop, path))


def test_a_made_up_golden_that_no_real_record_is_like_can_be_waived(tmp_path: Path) -> None:
    """A change reads what people write; what was made up for a text needn't be that."""
    path = tmp_path / "lading.lock.json"
    lock(pantry(1).catalog, path)
    catalog = pantry(2).catalog
    (finding,) = check(catalog, path)
    assert (finding.rule, finding.path) == ("GOLDEN_NOT_UPGRADED", "recipes")
    assert finding.message.endswith("If no real record looks like this one, waive the finding.")
    waive(path, {"rule": finding.rule, "path": finding.path, "reason": "amounts are numbers"})
    assert lock(catalog, path).number == 2
    assert check(catalog, path) == []
    assert lock(catalog, path).changed is False


@pytest.mark.parametrize("world", [stall, notebook])
def test_changes_that_deliver_exactly_leave_nothing_to_find(world: Any, tmp_path: Path) -> None:
    """Renamed keys and lists, references of every form, classes, and owned rows within others."""
    lock(world(1).catalog, tmp_path / "l.json")
    assert check(world(2).catalog, tmp_path / "l.json") == []
    assert lock(world(2).catalog, tmp_path / "l.json").number == 2
    assert check(world(2).catalog, tmp_path / "l.json") == []


def test_a_hook_that_comes_or_goes_is_safe_and_tried_on_goldens(path: Path) -> None:
    """Nobody can tell what it does; whether older records load with it can be tried."""
    hook = """class MakerSchema(EntitySchema):
    @ma.validates_schema
    def refuse(self, data, **_):
        if data["slug"] in NEVER:
            raise ma.ValidationError("no")

"""
    edits = (("class MakerSchema(EntitySchema):\n", hook),)
    app = edition(*edits, ("import enum\n", "import enum\nNEVER = ()\n"))
    assert rules(check(app.shop, path)) == {"OWN_CODE_CHANGED makers": "safe"}
    golden = json.loads((path.parent / "goldens/1.json").read_bytes())
    never = f"import enum\nNEVER = ({golden['makers'][0]['slug']!r},)\n"
    app = edition(*edits, ("import enum\n", never))
    assert rules(check(app.shop, path))["GOLDEN_NOT_LOADED makers"] == "needs a change"
    assert (
        lock(edition(*edits, ("import enum\n", "import enum\nNEVER = ()\n")).shop, path).number == 2
    )


def test_a_lock_is_the_same_in_every_process(path: Path) -> None:
    """Neither hashes nor addresses get into it."""
    script = (
        "import sys; from support.editions import edition; from lading import lock;"
        "lock(edition().shop, sys.argv[1])"
    )
    other = path.parent / "other"
    other.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(other / path.name)]
    subprocess.run(command, check=True, env=environment)
    for name in (path.name, "goldens/1.json"):
        assert (other / name).read_bytes() == (path.parent / name).read_bytes()


def test_a_waiver_for_nothing_or_without_a_reason_is_found(path: Path) -> None:
    """Neither hides anything, and both are told."""
    waive(path, {"rule": "FIELD_REMOVED", "path": "items.note"})
    found = rules(check(edition(*NOTE_GONE).shop, path))
    assert found["FIELD_REMOVED items.note"] == "needs a change"
    assert found["WAIVER_WITHOUT_REASON items.note"] == "safe"
    waive(path, {"rule": "FIELD_REMOVED", "path": "items.note", "reason": "gone"})
    assert rules(check(edition().shop, path)) == {"WAIVER_UNUSED items.note": "safe"}
    assert lock(edition().shop, path).number == 1
    assert check(edition().shop, path) == []


@pytest.mark.parametrize(
    ("waivers", "text"),
    [
        ([{"rule": "UNIQUE_ADDED"}], "waivers[0].path: is missing"),
        ([{"path": "items"}], "waivers[0].rule: is missing"),
        ([{"rule": "X", "path": "items", "why": "y"}], "waivers[0].why: is not a field"),
        ([{"rule": "X", "path": 1}], "waivers[0].path: is 1; expected a string"),
        (["UNIQUE_ADDED"], "waivers[0]: is 'UNIQUE_ADDED'; expected an object"),
        ({"rule": "X", "path": "items"}, "waivers: is {'rule': 'X', 'path': 'items'}; expected"),
    ],
)
def test_a_waiver_that_is_none_says_what_one_needs(waivers: Any, text: str, path: Path) -> None:
    """People write them, so there is nothing to restore."""
    edited(path, lambda held: held.update(waivers=waivers))
    with pytest.raises(BundleError) as caught:
        check(edition().shop, path)
    assert text in str(caught.value)
    assert '{"rule": "UNIQUE_ADDED", "path": "items", "reason": "..."}' in caught.value.remedy
    edited(path, lambda held: held.update(waivers=[], seals=[]))
    with pytest.raises(BundleError, match="expected at least one seal") as caught:
        check(edition().shop, path)
    assert caught.value.remedy == "Restore the file from version control."


# Files


def test_a_lock_that_is_missing_says_how_to_write_one(tmp_path: Path) -> None:
    """Nothing is compared with nothing."""
    with pytest.raises(BundleError) as caught:
        check(edition().shop, tmp_path / "lading.lock.json")
    assert (caught.value.file, caught.value.problem) == ("lading.lock.json", "is missing")
    assert "lading.lock(catalog)" in caught.value.remedy


def edited(path: Path, edit: Any) -> None:
    held = json.loads(path.read_text())
    edit(held)
    path.write_text(json.dumps(held, indent=2))


BROKEN: dict[str, tuple[Any, type[Exception], str]] = {
    "another format": (
        lambda held: held.update(version="2.0"),
        VersionError,
        "the lock's format is '2.0'",
    ),
    "another catalog": (
        lambda held: held.update(catalog="store"),
        ChecksumError,
        "seal 1 was edited",
    ),
    "a version": (
        lambda held: held["seals"][0]["versions"].update(items=2),
        ChecksumError,
        "seal 1 was edited",
    ),
    "a shape": (
        lambda held: held["seals"][0]["shapes"]["items"]["fields"].pop("note"),
        ChecksumError,
        "seal 1 was edited",
    ),
    "the order of fields": (
        lambda held: held["seals"][0]["shapes"]["items"].update(
            fields=dict(reversed(held["seals"][0]["shapes"]["items"]["fields"].items()))
        ),
        ChecksumError,
        "seal 1 was edited",
    ),
    "a golden's checksum": (
        lambda held: held["seals"][0]["golden"].update(sha256="0" * 64),
        ChecksumError,
        "seal 1 was edited",
    ),
    "a seal's checksum": (
        lambda held: held["seals"][0].update(sha256="0" * 64),
        ChecksumError,
        "seal 1 was edited",
    ),
    "a seal twice": (
        lambda held: held["seals"].append(held["seals"][0]),
        ChecksumError,
        "seal 2 was edited",
    ),
    "no seal": (lambda held: held["seals"].clear(), BundleError, "expected at least one seal"),
    "another member": (
        lambda held: held.update(more=1),
        BundleError,
        "more: is not a field of this format",
    ),
    "another member of a seal": (
        lambda held: held["seals"][0].update(more=1),
        BundleError,
        r"seals\[0\].more: is not a field",
    ),
    "a waiver that is none": (
        lambda held: held["waivers"].append({"rule": "X"}),
        BundleError,
        r"waivers\[0\].path: is missing",
    ),
    "a member less": (lambda held: held.pop("waivers"), BundleError, "waivers: is missing"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_lock_that_was_edited_by_hand_is_refused(name: str, path: Path) -> None:
    """Only waivers are for people; whatever else is edited is found, by a check and by a lock."""
    edit, kind, text = BROKEN[name]
    edited(path, edit)
    for story in (check, lock):
        with pytest.raises(kind, match=text) as caught:
            story(edition().shop, path)
        assert caught.value.file == path.name


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"version":"1.0","version":"1.0"}'])
def test_what_is_no_lock_is_refused(data: bytes, path: Path) -> None:
    """Neither is guessed at nor overwritten."""
    path.write_bytes(data)
    for story in (check, lock):
        with pytest.raises(BundleError) as caught:
            story(edition().shop, path)
        assert caught.value.file == path.name
    assert path.read_bytes() == data


def test_a_lock_of_another_catalog_names_both(path: Path) -> None:
    """Two applications in one folder need two paths."""
    with pytest.raises(
        VersionError, match=r"the lock is of catalog 'shop', not of 'store'"
    ) as caught:
        check(edition(('Catalog("shop")', 'Catalog("store")')).shop, path)
    assert (caught.value.found, caught.value.needed) == ("shop", "store")


def test_goldens_that_are_missing_or_edited_are_refused(path: Path) -> None:
    """They are immutable."""
    golden = path.parent / "goldens/1.json"
    golden.write_bytes(golden.read_bytes().replace(b"slug-", b"slag-", 1))
    with pytest.raises(ChecksumError, match="golden records of seal 1 were edited") as caught:
        check(edition().shop, path)
    assert caught.value.file == "goldens/1.json"
    golden.unlink()
    with pytest.raises(BundleError, match=r"goldens/1.json: is missing"):
        check(edition().shop, path)


def test_goldens_of_another_lock_are_never_replaced(path: Path) -> None:
    """Each lock has a folder of its own."""
    other = path.with_name("other.json")
    app = edition(*NOTE_GONE)
    with pytest.raises(BundleError, match="is there already and holds other records"):
        lock(app.shop, other)
    assert not other.exists()


def test_a_lock_that_can_not_be_written_leaves_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced at once or not at all, and no temporary stays."""
    before = path.read_bytes()
    app = edition(*SAFE["a longer text"][0])

    def refuse(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(BundleError, match="No space left on device"):
            lock(app.shop, path)
    assert path.read_bytes() == before
    assert not [one for one in path.parent.rglob("*") if one.name.endswith(".tmp")]
    assert lock(app.shop, path).number == 2
