"""JSON Schemas take what lading writes, and nothing that it would refuse for its form."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from msgspec.structs import fields
from sqlalchemy.orm import mapped_column

from lading import (
    ArgumentError,
    Manifest,
    VersionError,
    check,
    export_all,
    export_document,
    json_schema,
    lock,
)
from lading.formats import entity_file_schema, lock_schema, manifest_schema
from lading.locking.lock_file import Lock
from support.aged import pantry
from support.backends import SQLiteMemory
from support.declaring import catalog_of, new_base
from support.editions import counted, edition
from support.worlds import ALL, types
from support.zoo import WORLDS

NAMES = [*WORLDS, *ALL, "types"]


def world_of(name: str) -> Any:
    """Return a world by its name in the zoo."""
    if name == "types":
        return types()
    return WORLDS[name]() if name in WORLDS else ALL[name][0]()


def valid(schema: dict[str, Any]) -> Draft202012Validator:
    """Return the validator of a schema, which is one."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a schema."""
    if isinstance(value, dict):
        yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from objects(item)


@pytest.mark.parametrize("name", NAMES)
def test_what_any_world_exports_is_valid(name: str) -> None:
    """References through references, hierarchies, keys that recur, and every type."""
    world = world_of(name)
    with SQLiteMemory().database() as engine:
        document = export_document(world.filled(engine), catalog=world.catalog)
    valid(json_schema(world.catalog)).validate(document)
    for entity in world.catalog.use().roots:
        records = Draft202012Validator(json_schema(world.catalog, entity))
        for record in document[entity][:5]:
            records.validate(record)


def spoilt(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield a record with each part left out, replaced, or with one more beside it."""
    for name in record:
        lacking = {key: item for key, item in record.items() if key != name}
        yield f"without {name}", lacking
        yield f"{name} as an odd list", {**record, name: [["odd"]]}
    yield "with one more", {**record, "one more": 1}


def test_broken_records_are_invalid() -> None:
    """Whatever is missing, of another type or beyond the fields is found, in owned records too."""
    document = json.loads(golden(edition()))
    app = edition()
    for entity in ("makers", "items", "kits", "tools"):
        records = valid(json_schema(app.shop, entity))
        for record in document[entity]:
            records.validate(record)
            for what, broken in spoilt(record):
                assert not records.is_valid(broken), (entity, what)
    kit = next(one for one in document["kits"] if one["parts"])
    records = valid(json_schema(app.shop, "kits"))
    for _, broken in spoilt(kit["parts"][0]):
        assert not records.is_valid({**kit, "parts": [broken]})
    for _, broken in spoilt(kit["parts"][0]["item"]):
        assert not records.is_valid({**kit, "parts": [{**kit["parts"][0], "item": broken}]})
    tool = next(one for one in document["tools"] if one["kind"] == "tool")
    assert not valid(json_schema(app.shop, "tools")).is_valid({**tool, "teeth": 3}), (
        "another class's"
    )
    assert not valid(json_schema(app.shop, "tools")).is_valid({**tool, "kind": "drill"})


def golden(app: Any) -> str:
    """Return an application's made-up golden document."""
    with tempfile.TemporaryDirectory() as folder:
        lock(app.shop, Path(folder) / "l.json")
        return (Path(folder) / "goldens/1.json").read_text()


FORMS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "decimal": (
        sa.Numeric(6, 2),
        ["0.00", "-12.50", "9999.99", "NaN", "-Infinity"],
        [1, "1", "1.5", "12345.00", "01.00", "1e2"],
    ),
    "loose decimal": (sa.Numeric, ["0", "1.5", "-100"], ["1.50", "1.", 1.5, "1e5"]),
    "integer": (sa.Integer, [0, -1, 2**62], ["1", 1.5, True]),
    "float": (sa.Double, [0, 1.5, "NaN", "Infinity"], ["1.5", "nan", True]),
    "boolean": (sa.Boolean, [True, False], [0, "true"]),
    "text": (sa.String(3), ["", "abc", "\U0001f35e\U0001f35e\U0001f35e"], ["abcd", 1]),
    "date": (
        sa.Date,
        ["2025-12-24", "0001-01-01"],
        ["2025-13-01", "24.12.2025", "2025-12-24T00:00:00"],
    ),
    "time": (sa.Time, ["08:30:00", "23:59:59.999999"], ["08:30", "24:00:00", "08:30:00Z"]),
    "datetime": (
        sa.DateTime,
        ["2025-12-24T08:30:00"],
        ["2025-12-24 08:30:00", "2025-12-24T08:30:00Z"],
    ),
    "instant": (
        sa.DateTime(timezone=True),
        ["2025-12-24T08:30:00.000001Z"],
        ["2025-12-24T08:30:00", "2025-12-24T08:30:00+01:00"],
    ),
    "interval": (
        sa.Interval,
        ["P3DT4H5M6.000007S", "-P1DT2H", "PT0S"],
        ["P", "PT", "P1Y", "1 day", 5],
    ),
    "uuid": (
        sa.Uuid,
        ["00000000-0000-0000-0000-00000000000a"],
        ["00000000-0000-0000-0000-00000000000A", "0" * 32],
    ),
    "bytes": (sa.LargeBinary, ["", "AP8=", "AA=="], ["AP8", "A===", "*", 0]),
    "enum": (sa.Enum("one", "two"), ["one", "two"], ["three", 1, ""]),
    "json": (sa.JSON, [{"a": [None]}, [], "text", 1, {"$json": None}], []),
    "array": (
        sa.ARRAY(sa.Integer, dimensions=2).with_variant(sa.JSON(none_as_null=True), "sqlite"),
        [[], [[1, None], [2, 3]], {"$json": None}],
        [[1], ["a"], "[]", {}],
    ),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("null", [False, True])
def test_every_type_is_told_in_its_written_form(name: str, null: bool) -> None:
    """What is written is taken, other forms aren't, and null only where it may be."""
    type_, good, bad = FORMS[name]
    base = new_base()

    class Thing(base):
        __tablename__ = "things"
        slug = mapped_column(sa.String(5), primary_key=True)
        value = mapped_column(type_, nullable=null)

    records = valid(json_schema(catalog_of(Thing), "things"))
    for value in good:
        assert records.is_valid({"slug": "a", "value": value}), value
    for value in bad:
        assert not records.is_valid({"slug": "a", "value": value}), value
    assert records.is_valid({"slug": "a", "value": None}) == null


def test_a_key_that_recurs_is_one_definition() -> None:
    """It refers to itself, so that no depth is too deep."""
    world = WORLDS["categories"]()
    schema = json_schema(world.catalog, "categories")
    (name,) = [one for one in schema["$defs"] if one == "key of categories"]
    inner = json.dumps(schema["$defs"][name])
    assert "#/$defs/key%20of%20categories" in inner


def test_a_document_says_its_versions() -> None:
    """Records of another version have another schema."""
    app = edition()
    document = json.loads(golden(app))
    schema = valid(json_schema(app.shop))
    schema.validate(document)
    other = copy.deepcopy(document)
    other["schema_versions"]["items"] = 2
    assert not schema.is_valid(other)
    assert not schema.is_valid({**document, "strangers": []})


# Older versions

DROPPED = ("    note = mapped_column(sa.String(40))\n", "")
CHANGE = '''
from lading import Change, Drop
class Items2(Change):
    """Items have no notes."""
    catalog = shop
    upgrades = {"items": (1, 2)}
    steps = [Drop("items", "note")]
'''


def test_older_versions_come_from_the_lock_or_from_the_changes(tmp_path: Path) -> None:
    """A seal knows every type; undoing a change that drops a field doesn't."""
    first = edition()
    lock(first.shop, tmp_path / "l.json")
    app = edition(DROPPED, counted("Item", 2), more=CHANGE)
    assert check(app.shop, tmp_path / "l.json") == []
    sealed = json_schema(app.shop, "items", 1, lock=tmp_path / "l.json")
    assert sealed == json_schema(first.shop, "items")
    assert sealed["properties"]["note"]["maxLength"] == 40
    undone = json_schema(app.shop, "items", 1)
    assert undone["properties"]["note"] == {}
    assert "note" in undone["required"]
    assert "note" not in json_schema(app.shop, "items")["properties"]


def test_references_of_older_versions_are_written_by_older_keys() -> None:
    """What was renamed since has its former name, wherever it is nested."""
    old, new = pantry(1), pantry(2)
    with SQLiteMemory().database() as engine:
        document = export_document(old.filled(engine), catalog=old.catalog)
    for entity in ("recipes", "products", "ingredients", "categories", "tools"):
        records = valid(json_schema(new.catalog, entity, 1))
        for record in document[entity]:
            records.validate(record)
        current = valid(json_schema(new.catalog, entity))
        assert not all(current.is_valid(record) for record in document[entity])


REKEYED = '''
from lading import Add, Change, Rekey
class Makers2(Change):
    """Makers are told by their codes."""
    catalog = shop
    upgrades = {"makers": (1, 2)}
    steps = [Add("makers", "code", lambda record: record["slug"]), Rekey("makers", "code", was="slug")]
'''
CODED = (
    (
        "slug = mapped_column(sa.String(20), unique=True, nullable=False)\n\nclass Item",
        "slug = mapped_column(sa.String(20), unique=True, nullable=False)\n"
        "    code = mapped_column(sa.String(20), unique=True, nullable=False)\n\nclass Item",
    ),
    ("version = Maker, shop, 1", 'version = Maker, shop, 2\n        natural_key = "code"'),
)


def test_an_entity_that_stayed_has_the_references_that_were_sealed(tmp_path: Path) -> None:
    """What it refers to got another key since, also through keys, in owned rows and flat."""
    path = tmp_path / "l.json"
    first = edition()
    lock(first.shop, path)
    app = edition(*CODED, more=REKEYED)
    for entity in ("items", "kits", "makers"):
        old, today = json_schema(first.shop, entity), json_schema(app.shop, entity)
        assert old != today
        assert json_schema(app.shop, entity, 1, lock=path) == old
        with pytest.raises(ArgumentError, match="expected None without a version"):
            json_schema(app.shop, entity, lock=path)
    assert json_schema(app.shop, "items", 1) == json_schema(app.shop, "items")
    records = valid(json_schema(app.shop, "items", 1, lock=path))
    for record in json.loads((tmp_path / "goldens/1.json").read_text())["items"]:
        records.validate(record)
    assert lock(app.shop, path).number == 2
    assert json_schema(app.shop, "items", 1, lock=path) == json_schema(app.shop, "items")
    assert json_schema(app.shop, "makers", 1, lock=path) == json_schema(first.shop, "makers")


def test_what_there_is_none_of_is_refused() -> None:
    """An entity, a version, or a version of nothing."""
    app = edition()
    with pytest.raises(ArgumentError, match="entity='nothing'; expected one of: items, kits"):
        json_schema(app.shop, "nothing")
    with pytest.raises(ArgumentError, match="version=1; expected None without an entity"):
        json_schema(app.shop, version=1)
    with pytest.raises(VersionError, match=r"items: unknown version 7; expected one of: 1\."):
        json_schema(app.shop, "items", 7)


def test_what_never_was_is_told_apart_from_what_was_called_otherwise(tmp_path: Path) -> None:
    """Former names and versions count, those that a lock alone knows as well."""
    lock(edition().shop, tmp_path / "l.json")
    more = CHANGE.replace("Drop\n", "Drop, Rename\n").replace(
        'Drop("items", "note")', 'Drop("items", "note"), Rename("items", to="goods")'
    )
    renamed = ('"items"', '"goods"'), ('"items.id"', '"goods.id"')
    shop = edition(DROPPED, *renamed, counted("Item", 2), more=more).shop
    with pytest.raises(ArgumentError) as caught:
        json_schema(shop, "nothing", 1)
    assert str(caught.value) == (
        "entity='nothing'; expected one of: goods, kits, makers, tools, items."
    )
    with pytest.raises(VersionError, match=r"goods: unknown version 3; expected one of: 2\."):
        json_schema(shop, "goods", 3)
    for version in (0, -1, "1", True):
        with pytest.raises(ArgumentError) as refused:
            json_schema(shop, "goods", version)  # type: ignore[arg-type]
        assert str(refused.value) == f"version={version!r}; expected a whole number from 1."
    with pytest.raises(VersionError, match=r"items: unknown version 2; expected one of: 1\."):
        json_schema(shop, "items", 2)
    gone = edition(DROPPED, counted("Item", 3)).shop
    with pytest.raises(VersionError, match=r"items: unknown version 4; expected one of: 1, 3\."):
        json_schema(gone, "items", 4, lock=tmp_path / "l.json")


# The fixed formats


def test_manifests_files_and_locks_are_valid(tmp_path: Path) -> None:
    """What is written follows the schemas, which have the members of what it is read into."""
    world = ALL["kitchen"][0]()
    with SQLiteMemory().database() as engine:
        manifest = export_all(world.filled(engine), tmp_path / "b", catalog=world.catalog)
    text = (tmp_path / "b/manifest.json").read_text()
    valid(manifest_schema()).validate(json.loads(text))
    for entry in manifest.files:
        record = json_schema(world.catalog, entry.entity_type)
        held = json.loads((tmp_path / "b" / entry.filename).read_text())
        valid(entity_file_schema()).validate(held)
        valid(entity_file_schema(entry.entity_type, 1, record)).validate(held)
    lock(world.catalog, tmp_path / "l.json")
    valid(lock_schema()).validate(json.loads((tmp_path / "l.json").read_text()))
    known = {item.name for item in fields(Manifest)} - {"path", "unchanged"} | {"manifest_sha256"}
    assert set(manifest_schema()["properties"]) == known
    assert set(manifest_schema()["required"]) == known - {"brought_back", "rounded", "revisions"}
    assert set(lock_schema()["required"]) == {item.name for item in fields(Lock)} | {"version"}


def test_broken_manifests_and_locks_are_invalid(tmp_path: Path) -> None:
    """Each member must be there, and no other."""
    world = ALL["kitchen"][0]()
    with SQLiteMemory().database() as engine:
        export_all(world.filled(engine), tmp_path / "b", catalog=world.catalog)
    lock(world.catalog, tmp_path / "l.json")
    for schema, file in ((manifest_schema(), "b/manifest.json"), (lock_schema(), "l.json")):
        held = json.loads((tmp_path / file).read_text())
        for what, broken in spoilt(held):
            assert not valid(schema).is_valid(broken), what


def test_every_schema_is_closed() -> None:
    """Fields that nothing declares are refused everywhere but where the application writes."""
    for schema in (json_schema(edition().shop), manifest_schema(), lock_schema()):
        open_ = [
            one
            for one in objects(schema)
            if "properties" in one and "additionalProperties" not in one and "$defs" not in one
        ]
        assert {one["title"] for one in open_} <= {
            "ShapeFormat",
            "FieldFormat",
            "ConstraintsFormat",
        }


def test_records_that_hooks_write_may_be_anything() -> None:
    """Only the application knows what it writes."""
    world = WORLDS["hooks"]()
    assert valid(json_schema(world.catalog, "machines")).is_valid({"power": "0 kW"})
