"""``verify``: every fault of a bundle at once, by its own shapes and by a catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar
from zipfile import ZipFile, ZipInfo

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator
from msgspec.structs import replace
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    ArgumentError,
    BundleError,
    Catalog,
    Change,
    Convert,
    Owned,
    import_all,
    seal,
    verify,
    write_bundle,
)
from lading.bundle import BundleReader
from lading.formats import verification_schema
from lading.verifying import bundle_check
from support.aged import pantry
from support.backends import Backend
from support.declaring import new_base, schema_for, table
from support.packing import packed
from support.rewriting import rewritten
from support.shop import shop
from support.zoo import WORLDS


@pytest.mark.parametrize("name", WORLDS)
def test_what_an_export_wrote_is_whole(tmp_path: Path, name: str) -> None:
    """Whatever features it uses, with its catalog and without."""
    world = WORLDS[name]()
    path = packed(world, tmp_path / "now")
    assert verify(path).errors == []
    assert verify(path, catalog=world.catalog).errors == []


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a shop's bundle."""
    return packed(shop(5), tmp_path / "b")


def edited(bundle: Path, name: str, *edits: tuple[str, str]) -> Path:
    """Replace texts in one file, each once."""
    file = bundle / name
    text = file.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)
    return bundle


@pytest.mark.parametrize("by_catalog", [False, True])
def test_every_fault_of_the_records_is_told(bundle: Path, by_catalog: bool) -> None:
    """Each with its place, and each beside all others."""
    (bundle / "05_more.json").write_text("{}")
    (bundle / "03_tags.json").unlink()
    edited(
        bundle,
        "04_products.json",
        ('"price":"0.50"', '"price":0.5'),
        ('"p0002","price":"1.00"', '"p0002", "price":"1.00"'),
        ('"maker":{"slug":"mill"}},{"name":"tin","maker":null}]},\n{"slug":"p0004"',
         '"maker":{"slug":"nobody"}},{"name":"tin","maker":null}]},\n{"slug":"p0002"'),
        ('{"slug":"p0005","price":"2.50","data":{"a":[5]', '{"slug":"p0005","price":"2.50","data":{"a":NaN'),
    )  # fmt: skip
    edited(
        bundle, "01_aisles.json", ('{"above":null,"name":"food"}', '{"above":null,"name":"feed"}')
    )
    outcome = verify(bundle, catalog=shop(5).catalog if by_catalog else None)
    assert not outcome
    missing = "leads nowhere: aisles: no record of this bundle has name 'food' and above null"
    texts = "\n".join(outcome.errors)
    for expected in (
        "there are files that the manifest doesn't list: '05_more.json'",
        "03_tags.json: is missing from the bundle",
        "01_aisles.json: its checksum differs",
        f"01_aisles.json record 2, above: {missing}",
        "04_products.json record 1, price: 0.5 is not a decimal",
        "04_products.json record 2: isn't written as an export writes it",
        "04_products.json record 3, parts.maker: leads nowhere: suppliers",
        "04_products.json record 4: has the natural key of record 2",
        "04_products.json record 5: is malformed: it is not JSON",
        "03_tags.json: none of its records could be read, so references to them aren't followed",
        "04_products.json: its checksum differs",
    ):
        assert expected in texts, f"{expected}\n\n{texts}"
    assert outcome.problem_count == len(outcome.problems)
    assert outcome.content_sha256 is None


def test_malformed_lines_hide_nothing_behind_them(bundle: Path) -> None:
    """Each line that is no JSON is told, and the records between them are looked at."""
    edited(
        bundle,
        "04_products.json",
        ('"slug":"p0001","price"', '"slug":"p0001",price'),
        ('{"slug":"p0002","price":"1.00"', '{"slug":"p0002","price":"1"'),
        (']},\n{"slug":"p0004"', ']}\n{"slug":"p0004"'),
        ("]}\n]}", "]}},\n]}"),
    )
    faults = [(p.record, p.message.split(".")[0]) for p in verify(bundle).problems]
    assert (
        1,
        "is malformed: it is not JSON (JSON is malformed: expected '\"' (byte 16))",
    ) in faults
    assert (2, "isn't written as an export writes it") in faults
    assert (4, "is malformed: no comma stands before it") in faults
    assert any(record == 5 and "it is not JSON" in text for record, text in faults)


def test_every_fault_of_a_manifest_is_told(bundle: Path) -> None:
    """Where its fields can be told at all, the files are held against them."""
    body = json.loads((bundle / "manifest.json").read_text())
    body["files"][0]["import_order"] = 7
    body["files"][1]["filename"] = "../x"
    body["files"][2]["references"] = {"x": {"entity": "tags", "count": 1}}
    body["files"][3]["record_count"] = 4
    body["requires"] = ["magic"]
    (bundle / "manifest.json").write_bytes(json.dumps(body).encode())
    fields = [p.field for p in verify(bundle).problems if p.file == "manifest.json"]
    assert fields[:5] == [
        "manifest_sha256",
        "requires[0]",
        "files[1].filename",
        "files[0].import_order",
        "files[2].references",
    ]
    body["files"][0]["sha256"], body["files"][1]["bytes"], body["source"] = None, True, 5
    (bundle / "manifest.json").write_bytes(json.dumps(body).encode())
    fields = [p.field for p in verify(bundle).problems]
    assert {"files[0].sha256", "files[1].bytes", "source"} <= set(fields)


def test_key_order_is_looked_at(bundle: Path) -> None:
    """A record that stands too late is told, and no duplicate is made up."""
    file = bundle / "04_products.json"
    head, one, two, *rest = file.read_text().split("\n")
    file.write_text("\n".join([head, two, one, *rest]))
    (late,) = [p for p in verify(bundle).problems if p.record]
    assert (late.record, late.key) == (2, {"slug": "p0001"})
    assert late.message.startswith("stands behind record 1, whose key comes after its own")


def test_lists_within_records_are_looked_at(bundle: Path) -> None:
    """Links and owned rows out of their order aren't canonical."""
    tags, parts = '{"slug":"dry"},{"slug":"new"}', '{"name":"lid","maker":{"slug":"mill"}}'
    edited(
        bundle,
        "04_products.json",
        (tags, '{"slug":"new"},{"slug":"dry"}'),
        (f'{parts},{{"name":"tin","maker":null}}]}},\n{{"slug":"p0003"',
         f'{{"name":"tin","maker":null}},{parts}]}},\n{{"slug":"p0003"'),
    )  # fmt: skip
    assert [p.record for p in verify(bundle).problems if p.record] == [1, 2]


def test_links_are_counted(bundle: Path) -> None:
    """As the manifest says them, by field."""

    def recount(entry: Any) -> Any:
        links = {
            path: replace(count, count=count.count + 1) for path, count in entry.references.items()
        }
        return replace(entry, references=links)

    assert [p.field for p in verify(rewritten(bundle, entry=recount)).problems] == [
        "above", "supplier", "aisle", "tags", "parts.maker",
    ]  # fmt: skip


def test_an_older_bundle_is_upgraded_for_its_catalog(tmp_path: Path) -> None:
    """It is whole for the newer catalog; what is wrong with it is told once."""
    path = packed(pantry(1), tmp_path / "b")
    assert verify(path, catalog=pantry(2).catalog).errors == []
    edited(path, "03_products.json", ('"weight":2', '"weight":"2"'))
    edited(path, "06_tools.json", ('"grinds":{"slug":"rye"}', '"grinds":{"slug":"oats"}'))
    outcome = verify(path, catalog=pantry(2).catalog)
    places = [(p.file, p.record, p.field) for p in outcome.problems if p.record]
    assert ("03_products.json", 1, "weight") in places
    assert ("06_tools.json", 1, "grinds") in places
    assert len(places) == len(set(places))


def test_fields_may_be_declared_in_another_order_since(tmp_path: Path) -> None:
    """A bundle is in canonical form as its own shapes have it, in what records own as well."""

    def catalog(*names: str) -> Catalog:
        base, catalog = new_base(), Catalog("orders")
        columns = [{name: mapped_column(sa.Integer) for name in names} for _ in range(2)]
        owner = mapped_column(sa.ForeignKey("orders.id"), nullable=False)
        line = table(base, "lines", order_id=owner, **columns[0])
        order = table(base, "orders", **columns[1], lines=relationship(line))
        schema_for(order, catalog, {"lines": Owned(schema_for(line, catalog))})
        return catalog

    line = {"slug": "l", "weight": 1, "count": 2}
    records = [{"slug": "o", "weight": 3, "count": 4, "lines": [line]}]
    path = tmp_path / "b"
    write_bundle({"orders": records}, path, catalog=catalog("weight", "count"))
    assert verify(path, catalog=catalog("count", "weight"), restore=True).errors == []


def test_another_catalog_is_told(bundle: Path) -> None:
    """With whatever else is wrong for it."""
    texts = "\n".join(verify(bundle, catalog=pantry(2).catalog).errors)
    assert "the bundle is of catalog 'shop', not of 'pantry'" in texts
    assert "holds aisles, suppliers, tags, which catalog 'pantry' doesn't know" in texts


@pytest.mark.parametrize("options", [{"only": ["products", "tags"]}, {"include_ids": True}])
def test_partial_bundles_and_ids_are_whole(tmp_path: Path, options: dict[str, Any]) -> None:
    """References that leave a bundle are counted as its manifest says."""
    world = shop(3)
    path = packed(world, tmp_path / "b", **options)
    assert verify(path).errors == []
    assert verify(path, catalog=world.catalog).errors == []


def test_a_bad_field_hides_no_other_fault_of_its_record(bundle: Path) -> None:
    """Its other references are followed, and others may refer to it."""
    edited(
        bundle,
        "04_products.json",
        ('"price":"0.50","data":{"a":[1],"b":null},"supplier":{"slug":"port"}',
         '"price":5,"data":{"a":[1],"b":null},"supplier":{"slug":"gone"}'),
    )  # fmt: skip
    edited(bundle, "02_suppliers.json", ('{"slug":"mill"}', '{"slug":"mill","size":1}'))
    faults = [(p.file, p.record, p.field) for p in verify(bundle).problems if p.record]
    assert faults == [
        ("02_suppliers.json", 1, "size"),
        ("04_products.json", 1, "price"),
        ("04_products.json", 1, "supplier"),
    ]


def test_a_link_stands_once_in_its_list(bundle: Path) -> None:
    """Twice is one too many, in whatever order."""
    edited(bundle, "04_products.json", ('[{"slug":"dry"},', '[{"slug":"dry"},{"slug":"dry"},'))
    (told,) = [p for p in verify(bundle).problems if p.record]
    assert (told.record, told.key, told.field) == (1, {"slug": "p0001"}, "tags")
    assert told.message == "names the record of tags with slug 'dry' twice. Remove one"


def test_references_that_lead_nowhere_come_in_the_order_of_the_records(bundle: Path) -> None:
    """All of one record stand together, whatever their fields are."""
    emptied = ("suppliers", "tags")
    rewritten(bundle, lambda name, records: [] if name in emptied else records)
    places = [(p.record, p.field) for p in verify(bundle).problems if p.code == "reference-missing"]
    fields = ["supplier", "tags", "tags", "parts.maker"]
    assert places == [(number, field) for number in range(1, 6) for field in fields]


def test_what_leaves_a_partial_bundle_is_counted(tmp_path: Path) -> None:
    """One link more that leads nowhere is one too many."""
    world = shop(3)
    path = packed(world, tmp_path / "b", only=["products", "tags"])
    edited(path, "02_products.json", ('[{"slug":"dry"}', '[{"slug":"arid"}'))
    (told,) = [p for p in verify(path).problems if p.record]
    assert (told.file, told.field) == ("02_products.json", "tags")
    assert told.code == "reference-missing"
    assert told.message == (
        "leads nowhere: tags: no record of this bundle has slug 'arid'. Add the record to tags, or "
        "correct the key"
    )


def test_more_that_leaves_a_partial_bundle_is_counted(tmp_path: Path) -> None:
    """Where some links lead out, one more may be any of them."""
    world = shop(3)
    tag = world.base.metadata.tables["tags"]
    only = {"only": ["products", "tags"], "where": {"tags": tag.c.slug != "dry"}}
    path = packed(world, tmp_path / "b", **only)
    assert verify(path)
    file = path / "02_products.json"
    links = file.read_text().count('{"slug":"dry"}')
    edited(path, "02_products.json", ('[{"slug":"dry"}', '[{"slug":"arid"},{"slug":"dry"}'))
    (told,) = [p for p in verify(path).problems if p.field == "external"]
    text = f"{links + 1} links of products.tags lead nowhere in this bundle, and the manifest says"
    assert told.message.startswith(f"{text} {links}. Look for a misspelt key")


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_evidence_is_left(tmp_path: Path, name: str) -> None:
    """By the published schema, whatever the outcome."""
    manifest_path = packed(shop(3), tmp_path / name)
    schema = Draft202012Validator(verification_schema())
    outcome = verify(manifest_path, catalog=shop(3).catalog)
    assert outcome
    whole = json.loads(outcome.write(tmp_path / "e.json").read_text())
    schema.validate(whole)
    with BundleReader(manifest_path) as reader:
        assert whole["content_sha256"] == reader.manifest.content_sha256
    assert (whole["outcome"], whole["problem_count"]) == ("whole", 0)
    data = (manifest_path if name == "b.zip" else manifest_path / "03_tags.json").read_bytes()
    broken = tmp_path / name if name == "b.zip" else manifest_path / "03_tags.json"
    broken.write_bytes(data[:-20])
    faulty = json.loads(verify(manifest_path).write(tmp_path / "e.json").read_text())
    schema.validate(faulty)
    assert faulty["outcome"] == "faulty"
    assert sorted(file.name for file in tmp_path.iterdir()) == [name, "e.json"]


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_evidence_is_never_left_in_the_bundle(tmp_path: Path, name: str) -> None:
    """It would make the bundle unreadable, or stand in its place."""
    path = packed(shop(3), tmp_path / name)
    outcome = verify(path)
    with pytest.raises(BundleError, match="or inside of it, which it would make unreadable"):
        outcome.write(path if name == "b.zip" else path / "evidence.json")
    assert verify(path)


def test_every_fault_of_an_archives_structure_is_told(tmp_path: Path) -> None:
    """Each file in it that can't be trusted, and not the first of them alone."""
    path = packed(shop(3), tmp_path / "b.zip")
    with ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for name, data in contents.items():
            info = ZipInfo(name)
            info.external_attr = (0o120777 if name[:2] in ("01", "03") else 0o100644) << 16
            archive.writestr(info, data)
    told = verify(path).errors
    assert [text.split(":")[0] for text in told] == ["01_aisles.json", "03_tags.json"]
    assert all("is not a plain file" in text for text in told)
    with pytest.raises(BundleError, match=r"01_aisles\.json: is not a plain file"):
        import_all(sa.create_engine("sqlite://"), path, catalog=shop(3).catalog)


def test_nothing_at_the_path_is_an_error(tmp_path: Path) -> None:
    """Who asks of what isn't there has mistyped it; a folder without a manifest is no bundle."""
    with pytest.raises(BundleError, match="there is no such file or folder"):
        verify(tmp_path / "gone")
    (tmp_path / "b").mkdir()
    assert "has no manifest.json: an incomplete bundle" in str(verify(tmp_path / "b"))


def test_problems_are_bounded(tmp_path: Path) -> None:
    """A thousand are kept, and the others counted."""
    path = packed(shop(1_200), tmp_path / "b")
    tags = path / "03_tags.json"
    tags.write_text(tags.read_text().replace('"slug":"', '"slug":"x'))
    outcome = verify(path)
    assert len(outcome.problems) == 1_000
    assert outcome.problem_count == 2_402
    assert "2,402 problems" in str(outcome)


def test_flipped_bytes_are_all_found(tmp_path: Path) -> None:
    """Each byte of a small bundle in turn, in files and archive."""
    folder, archive = packed(shop(1), tmp_path / "b"), packed(shop(1), tmp_path / "b.zip")
    for file in (*folder.iterdir(), archive):
        data = file.read_bytes()
        for place in range(0, len(data), 7):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert not verify(archive if file == archive else folder), (file, place)
        file.write_bytes(data)
    assert verify(folder)


@pytest.mark.parametrize("name", WORLDS)
def test_what_an_export_wrote_can_be_restored(tmp_path: Path, name: str) -> None:
    """Into a scratch database, whose export has the very same bytes."""
    world = WORLDS[name]()
    outcome = verify(packed(world, tmp_path / "b"), catalog=world.catalog, restore=True)
    assert outcome.errors == []
    assert outcome.checks[-1] == "restore"


def test_a_database_of_ones_own_is_restored_into(backend: Backend, tmp_path: Path) -> None:
    """On each engine, as its factory makes it."""
    world = shop(3)
    path = packed(world, tmp_path / "b.zip")
    assert verify(path, catalog=world.catalog, restore=backend.fresh).errors == []


def test_older_bundles_and_ids_are_compared_as_they_are_now(tmp_path: Path) -> None:
    """With what an upgrade makes of them."""
    old = packed(pantry(1), tmp_path / "old")
    assert verify(old, catalog=pantry(2).catalog, restore=True).errors == []
    with_ids = packed(shop(2), tmp_path / "ids", include_ids=True)
    assert verify(with_ids, catalog=shop(2).catalog, restore=True).errors == []


def test_what_a_database_alters_is_told(tmp_path: Path) -> None:
    """By record and field, though every file is as it was written."""
    world = shop(3)
    path = packed(world, tmp_path / "b")

    def altering() -> sa.Engine:
        engine = sa.create_engine("sqlite://")
        world.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER dearer AFTER INSERT ON products WHEN new.slug = 'p0002' "
                "BEGIN UPDATE products SET price = 9 WHERE id = new.id; END"
            )
        return engine

    outcome = verify(path, catalog=world.catalog, restore=altering)
    (told,) = outcome.problems
    assert (told.file, told.record, told.key, told.field) == (
        "04_products.json", 2, {"slug": "p0002"}, "price",
    )  # fmt: skip
    assert told.code == "restored-otherwise"
    assert told.message.startswith("comes back from a database as '9.00', not as '1.00'. Correct")


def test_a_partial_bundle_can_not_be_restored_by_itself(tmp_path: Path) -> None:
    """If its records lead out of it."""
    world = shop(2)
    path = packed(world, tmp_path / "b", only=["products"])
    (told,) = verify(path, catalog=world.catalog, restore=True).problems
    assert "so it can't be restored by itself" in told.message
    whole = packed(world, tmp_path / "c", only=["suppliers"])
    assert verify(whole, catalog=world.catalog, restore=True).errors == []


def test_values_of_types_that_sqlite_lacks_are_proved_there(tmp_path: Path) -> None:
    """Each is kept in its written form, as a part of a key too; without a database of its own."""
    base, catalog = new_base(), Catalog("foreign")
    values = {
        "tags": (sa.ARRAY(sa.String(9)), ["b", "a", None]),
        "grid": (sa.ARRAY(sa.Integer, dimensions=2), [[1, 2], [3, 4]]),
        "labels": (mysql.SET("x", "y"), ["x", "y"]),
        "opens": (sa.Time(timezone=True), "08:00:00+05:30"),
        "total": (sa.Numeric(30, 12), "123456789012345678.123456789012"),
        "ratio": (sa.Double(), "NaN"),
        "lasts": (sa.Interval(), "P4000000D"),
        "hash": (mysql.BIGINT(unsigned=True), 2**64 - 1),
        "extra": (postgresql.JSONB(), 5.0),
    }
    columns = {name: mapped_column(type_) for name, (type_, _) in values.items()}
    number = mapped_column(sa.Numeric(20, 0), primary_key=True)
    parent = type("Order", (base,), {"__tablename__": "orders", "number": number, **columns})
    order = mapped_column(sa.ForeignKey("orders.number"))
    line = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    child = type("Line", (base,), {"__tablename__": "lines", "line": line, "order_number": order})
    schema_for(parent, catalog)
    schema_for(child, catalog)
    record = {name: value for name, (_, value) in values.items()}
    orders = [{"number": "7"} | dict.fromkeys(values), {"number": "12345678901234567890"} | record]
    lines = [{"line": 1, "order_number": {"number": "12345678901234567890"}}]
    write_bundle({"orders": orders, "lines": lines}, tmp_path / "a", catalog=catalog)
    assert verify(tmp_path / "a", catalog=catalog, restore=True).errors == []


def test_restore_takes_a_catalog_and_what_makes_engines(tmp_path: Path) -> None:
    """Any other argument is refused before anything is opened."""
    with pytest.raises(ArgumentError, match="restore=True; expected False without a catalog"):
        verify(tmp_path, restore=True)
    with pytest.raises(ArgumentError, match="expected True, False or a function"):
        verify(tmp_path, catalog=shop(1).catalog, restore="sqlite://")  # type: ignore[arg-type]


def test_the_layout_of_a_file_is_looked_at(bundle: Path) -> None:
    """Blanks between records are no change of records, and not what an export writes."""
    file = bundle / "03_tags.json"
    file.write_bytes(file.read_bytes().replace(b',\n{"slug":"new"}', b' ,\n{"slug":"new"}'))
    told = [p.message for p in verify(rewritten(bundle)).problems]
    assert told == ["isn't laid out as an export lays it out. seal() rewrites it in canonical form"]
    (sealed,) = seal(bundle).files
    assert (sealed.filename, sealed.rewritten, sealed.moved) == ("03_tags.json", 0, 0)
    assert verify(bundle)


def test_senseless_shapes_are_told(bundle: Path) -> None:
    """Whoever wrote them: a key that is no key, and another field than the catalog's."""

    def senseless(entry: Any) -> Any:
        shape = json.loads(json.dumps(entry.shape))
        if entry.entity_type == "suppliers":
            shape["fields"]["slug"]["type"] = "json"
        if entry.entity_type == "products":
            shape["fields"]["price"] = {"type": "owned", "fields": {}, "key": []}
        return replace(entry, shape=shape)

    path = rewritten(bundle, entry=senseless)
    for catalog in (None, shop(5).catalog):
        fields = [problem.field for problem in verify(path, catalog=catalog).problems]
        assert {"files[1].shape", "files[3].shape"} <= set(fields)


def test_a_factory_that_fails_is_told(tmp_path: Path) -> None:
    """Its own error is a problem with its text, and none that escapes."""

    def fail() -> sa.Engine:
        raise RuntimeError("no server today")

    path = packed(shop(), tmp_path / "b")
    outcome = verify(path, catalog=shop().catalog, restore=fail)
    (told,) = outcome.errors
    assert "the function given as restore= fails: RuntimeError: no server today" in told


@pytest.mark.parametrize("by_catalog", [False, True])
@pytest.mark.parametrize("damage", ["gone", "mark"])
def test_a_file_that_can_not_be_read_is_one_fault(
    tmp_path: Path, damage: str, by_catalog: bool
) -> None:
    """Not one of each record that refers to it, which would hide the others."""
    world = shop(300)
    path = packed(world, tmp_path / "b")
    file = next(path.glob("*_tags.json"))
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    edited(path, "04_products.json", ('"supplier":{"slug":"mill"}', '"supplier":{"slug":"nil"}'))
    outcome = verify(path, catalog=world.catalog if by_catalog else None)
    nowhere = [problem.field for problem in outcome.problems if "nowhere" in problem.message]
    assert nowhere == ["supplier"]
    assert f"{file.name}: none of its records could be read" in str(outcome)


def boxes(catalog: Catalog, version: int = 1) -> Any:
    """Declare boxes and chests, which both own items."""
    base = new_base()

    class Box(base):
        __tablename__ = "boxes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), nullable=False, unique=True)
        code = mapped_column(sa.String(9), unique=True)
        items = relationship("Item")

    class Chest(base):
        __tablename__ = "chests"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), nullable=False, unique=True)
        things = relationship("Item")

    class Item(base):
        __tablename__ = "items"
        __table_args__ = (sa.UniqueConstraint("box_id", "line"),)
        id = mapped_column(sa.Integer, primary_key=True)
        box_id = mapped_column(sa.ForeignKey("boxes.id"))
        chest_id = mapped_column(sa.ForeignKey("chests.id"))
        line = mapped_column(sa.Integer, nullable=False)
        serial = mapped_column(sa.String(9), unique=True)

    item = schema_for(Item, catalog)
    schema_for(Box, catalog, {"items": Owned(item)}, natural_key="slug", version=version)
    schema_for(Chest, catalog, {"things": Owned(item)}, version=version)


def test_unique_values_of_owned_rows_are_told(tmp_path: Path) -> None:
    """As the database would refuse them: in the whole table, and among the rows of one owner."""
    boxes(catalog := Catalog("box"))
    document: dict[str, Any] = {
        "boxes": [
            {"slug": slug, "code": slug, "items": [
                {"line": 1, "serial": f"{slug}1"}, {"line": 2, "serial": None},
                {"line": 3, "serial": None},
            ]}
            for slug in "abc"
        ],
        "chests": [{"slug": "d", "things": [{"line": 1, "serial": "d1"}]}],
    }  # fmt: skip
    assert verify(write_bundle(document, tmp_path / "fine", catalog=catalog).path, catalog=catalog)
    document["boxes"][1]["items"][1]["line"] = 1
    document["boxes"][2]["items"][0]["serial"] = "a1"
    document["boxes"][2]["code"] = "a"
    document["chests"][0]["things"][0]["serial"] = "b1"
    path = write_bundle(document, tmp_path / "b", catalog=catalog).path
    problems = verify(path, catalog=catalog).problems
    told = [(p.record, p.field) for p in problems]
    assert sorted(told) == [
        (1, "things.serial"), (2, "items.line"), (3, "code"), (3, "items.serial"),
    ]  # fmt: skip
    (shared,) = [str(p) for p in problems if p.field == "things.serial"]
    assert "a row in record 2 of 01_boxes.json has the same" in shared


def test_unique_values_of_upgraded_records_are_told(tmp_path: Path) -> None:
    """Where a change gives several records one value, at the places of the older records."""
    boxes(old := Catalog("box"))
    boxes(new := Catalog("box"), version=2)

    class OneCode(Change):
        """All boxes have one code."""

        catalog = new
        upgrades: ClassVar = {"boxes": (1, 2), "chests": (1, 2)}
        steps: ClassVar = [
            Convert("boxes", "code", lambda code: "x"),
            Convert("chests.things", "serial", lambda serial: serial and "b1"),
        ]

    document = {
        "boxes": [
            {"slug": slug, "code": slug, "items": [{"line": 1, "serial": f"{slug}1"}]}
            for slug in "ab"
        ],
        "chests": [{"slug": "d", "things": [{"line": 1, "serial": "d1"}]}],
    }
    path = write_bundle(document, tmp_path / "b", catalog=old).path
    assert verify(path, catalog=old)
    first, second = sorted(map(str, verify(path, catalog=new).problems))
    assert first.startswith("01_boxes.json record 2, code: code must be unique, and a row in")
    assert "record 1 of 01_boxes.json has the same" in first
    assert second.startswith("02_chests.json record 1, things.serial: serial must be unique")
    assert "record 2 of 01_boxes.json has the same" in second


def test_values_of_a_malformed_file_are_noted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again, line by line, and its rows aren't their own duplicates."""
    monkeypatch.setattr(bundle_check, "CHUNK", 1)
    boxes(catalog := Catalog("box"))
    document = {
        "boxes": [{"slug": slug, "code": slug, "items": []} for slug in "abc"],
        "chests": [],
    }
    path = write_bundle(document, tmp_path / "b", catalog=catalog).path
    file = path / "01_boxes.json"
    file.write_text(file.read_text("utf-8").replace('{"slug":"c"', '{"slug""c"'), "utf-8")
    codes = [problem.code for problem in verify(path, catalog=catalog).problems]
    assert codes == ["file-malformed", "file-edited", "count-differs"]


@pytest.mark.parametrize("hidden", [(), ("slug",)])
def test_the_closest_key_of_the_bundle_is_named(tmp_path: Path, hidden: tuple[str, ...]) -> None:
    """To whoever misspelt one, unless keys are hidden."""
    base, catalog = new_base(), Catalog("shelf")

    class Shelf(base):
        __tablename__ = "shelves"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), nullable=False, unique=True)

    class Book(base):
        __tablename__ = "books"
        id = mapped_column(sa.Integer, primary_key=True)
        isbn = mapped_column(sa.String(9), nullable=False, unique=True)
        shelf_id = mapped_column(sa.ForeignKey("shelves.id"), nullable=False)
        shelf = relationship(Shelf)

    schema_for(Shelf, catalog, hidden=hidden)
    schema_for(Book, catalog)
    document = {
        "shelves": [{"slug": "gardens"}, {"slug": "poetry"}],
        "books": [{"isbn": "1", "shelf": {"slug": "poetry"}}],
    }
    path = write_bundle(document, tmp_path / "b", catalog=catalog).path
    file = path / "02_books.json"
    file.write_text(file.read_text("utf-8").replace("poetry", "poetyr"), "utf-8")
    *_, problem = verify(path, catalog=catalog).problems
    assert problem.code == "reference-missing"
    assert ("; closest is 'poetry'. Add the record" in problem.message) is (not hidden)
    assert ("poet" in problem.message) is (not hidden)
