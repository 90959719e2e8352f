"""Input that must be refused: one located error of lading's own, and nothing written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    ArgumentError,
    BundleError,
    Catalog,
    ChecksumError,
    DeclarationError,
    ImportFailed,
    LadingError,
    Owned,
    Ref,
    TargetError,
    VersionError,
    export_all,
    import_all,
    import_document,
)
from lading.version import __version__
from support.backends import ON_SQLITE, Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.packing import adding, both, changing, packed, stored
from support.rewriting import rewritten
from support.zoo import WORLDS, World, keys, places, shop, tickets, values

DAMAGED = "Export again, or use an undamaged copy."
EDITED = "Seal the bundle if the edit was meant; otherwise use an undamaged copy."


class Target:
    """A world's empty tables, and the error that an import into them must raise."""

    def __init__(self, engine: sa.Engine, world: World, folder: Path) -> None:
        self.engine = engine
        self.world = world
        self.folder = folder
        world.metadata.create_all(engine)

    def bundle(self, edit: Any = None, **options: Any) -> Path:
        """Export the world, filled, to a bundle."""
        return packed(self.world, self.folder / "bundle", edit, **options)

    def refuses(self, path: Path | str, kind: type[LadingError], **options: Any) -> Any:
        """Import, and return the error; nothing may have been written."""
        before = stored(self.engine, self.world)
        with pytest.raises(LadingError) as caught:
            import_all(self.engine, path, catalog=self.world.catalog, **options)
        assert type(caught.value) is kind
        assert stored(self.engine, self.world) == before
        return caught.value

    def problem(self, edit: Any, **options: Any) -> str:
        """Import an edited bundle that has one bad record, and return the problem's text.

        Records that fail for that record's sake are passed over.
        """
        error = self.refuses(self.bundle(edit), ImportFailed, **options)
        own = [item for item in error.report.problems if "a problem of its own" not in item.message]
        assert [item.record is not None for item in own] == [True]
        return str(own[0])


@pytest.fixture
def target(sqlite_memory: Backend, tmp_path: Path) -> Iterator[Target]:
    """The shop's empty tables."""
    with sqlite_memory.database() as engine:
        yield Target(engine, shop(), tmp_path)


# The bundle as a whole


@ON_SQLITE
def test_an_empty_catalog_is_refused(engine: sa.Engine, tmp_path: Path) -> None:
    """Whoever forgot to import the schemas is told so, by export and import alike."""
    text = "catalog 'nothing' is empty; declare an EntitySchema with model = … in it."
    for call in (export_all, import_all):
        with pytest.raises(DeclarationError) as caught:
            call(engine, tmp_path / "b", catalog=Catalog("nothing"))
        assert str(caught.value) == text
    assert not (tmp_path / "b").exists()


@ON_SQLITE
def test_owned_rows_that_wait_for_what_is_missing_are_named(
    engine: sa.Engine, tmp_path: Path
) -> None:
    """Rows that need others of their own table are placed after them, or are problems."""
    world = WORLDS["sections"]()

    def edit(name: str, found: list[Any]) -> list[Any]:
        if name == "papers":
            section = found[0]["sections"][0]
            section["above"] = {"paper": {"slug": "p9"}, "number": 1}
        return found

    path = packed(world, tmp_path / "b", edit)
    world.metadata.create_all(engine)
    with pytest.raises(ImportFailed) as caught:
        import_all(engine, path, catalog=world.catalog)
    first, *_ = caught.value.report.problems
    assert str(first) == (
        "01_papers.json record 1, sections.above: papers.sections: no record has paper.slug 'p9' and "
        "number 1. Add the record to papers.sections, or correct the key."
    )
    assert first.key == {"slug": "p5"}
    assert not any(stored(engine, world).values())


def test_an_edited_file_is_refused(target: Target) -> None:
    """A file whose checksum differs from the manifest's isn't read at all."""
    bundle = target.bundle()
    file = bundle / "03_products.json"
    file.write_bytes(file.read_bytes().replace(b"0.25", b"0.26"))
    error = target.refuses(bundle, ChecksumError)
    assert str(error) == (
        "03_products.json: its checksum differs from the manifest's (edited after export?). "
        + EDITED
    )
    assert error.file == "03_products.json"
    assert error.expected != error.found


def test_a_truncated_file_is_refused(target: Target) -> None:
    """Half a file is told by its checksum."""
    bundle = target.bundle()
    file = bundle / "03_products.json"
    file.write_bytes(file.read_bytes()[:100])
    assert target.refuses(bundle, ChecksumError).file == "03_products.json"


def test_a_missing_file_is_refused(target: Target) -> None:
    """A file that the manifest lists must be there."""
    bundle = target.bundle()
    (bundle / "03_products.json").unlink()
    error = target.refuses(bundle, BundleError)
    assert "03_products.json" in str(error)


def test_a_stray_file_is_refused(target: Target) -> None:
    """A file that the manifest doesn't list may be half of another bundle."""
    bundle = target.bundle()
    (bundle / "05_extra.json").write_text("{}")
    assert str(target.refuses(bundle, BundleError)) == (
        f"{bundle}: there are files that the manifest doesn't list: '05_extra.json'. "
        "Move them elsewhere."
    )


def test_a_folder_without_a_manifest_is_incomplete(target: Target) -> None:
    """The manifest is written last, so without it an export was cut short."""
    bundle = target.bundle()
    (bundle / "manifest.json").unlink()
    assert str(target.refuses(bundle, BundleError)) == (
        f"{bundle}: has no manifest.json: an incomplete bundle, or none at all. "
        "Check the path, or export again."
    )


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip"])
def test_a_path_that_is_not_there_is_said_to_be(target: Target, name: str) -> None:
    """A typing error in a path is no traceback."""
    error = target.refuses(target.folder / name, BundleError)
    assert str(target.folder / name) in str(error)


def test_a_file_that_is_no_bundle_is_refused(target: Target) -> None:
    """Text, or a ZIP of something else, is not a bundle."""
    (target.folder / "text.zip").write_text("no archive")
    target.refuses(target.folder / "text.zip", BundleError)
    with zipfile.ZipFile(target.folder / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    target.refuses(target.folder / "other.zip", BundleError)
    (target.folder / "text.json").write_text("{}")
    target.refuses(target.folder / "text.json", BundleError)


def test_a_path_that_cannot_be_read_is_refused(target: Target) -> None:
    """What the system says of a path is told as an error of the bundle."""
    loop = target.folder / "loop"
    loop.symlink_to(loop)
    target.refuses(loop, BundleError)
    bundle = target.bundle()
    (bundle / "03_products.json").unlink()
    (bundle / "03_products.json").mkdir()
    error = target.refuses(bundle, BundleError)
    assert "03_products.json" in str(error)


@ON_SQLITE
def test_an_existing_path_is_not_overwritten(engine: sa.Engine, tmp_path: Path) -> None:
    """An export replaces nothing unasked, and never what isn't a bundle."""
    world = shop()
    world.filled(engine)
    export_all(engine, tmp_path / "b", catalog=world.catalog)
    with pytest.raises(BundleError) as caught:
        export_all(engine, tmp_path / "b", catalog=world.catalog)
    assert str(caught.value) == (
        f"{tmp_path / 'b'}: there is a bundle already. Pass overwrite=True to replace it, or name "
        "another path."
    )
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"meow")
    with pytest.raises(BundleError) as caught:
        export_all(engine, tmp_path / "photos", catalog=world.catalog, overwrite=True)
    assert str(caught.value) == (
        f"{tmp_path / 'photos'}: is there already and is not a bundle, so it is not replaced. "
        "Name another path, or remove it yourself."
    )
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_another_catalogs_bundle_is_refused(target: Target) -> None:
    """A bundle says whose it is."""
    bundle = rewritten(target.bundle(), catalog="bookshop")
    assert str(target.refuses(bundle, VersionError)) == (
        "manifest.json: the bundle is of catalog 'bookshop', not of 'shop'. Import it with the "
        "catalog that it was exported from."
    )


def test_29_an_unknown_entity_is_refused(target: Target) -> None:
    """Records that no schema describes would be dropped, so they are refused."""

    def entry(found: Any) -> Any:
        return replace(found, entity_type="customers") if found.entity_type == "order" else found

    def edit(name: str, records: list[Any]) -> list[Any]:
        return records

    bundle = rewritten(target.bundle(), edit, entry=entry)
    assert str(target.refuses(bundle, BundleError)) == (
        "manifest.json: holds customers, which catalog 'shop' doesn't know. It may be of a newer "
        f"release of the application: it was written by 'shop 1' with lading {__version__}, "
        f"and is read by 'shop 1' with lading {__version__}. Import it with the release that wrote it, or declare a schema for each."
    )


def test_29_a_missing_entity_is_refused_unless_the_bundle_is_partial(target: Target) -> None:
    """A whole bundle holds every entity of its catalog."""
    bundle = target.bundle(only=["suppliers", "categories"])
    assert json.loads((bundle / "manifest.json").read_bytes())["partial"] is True
    rewritten(bundle, partial=False)
    assert str(target.refuses(bundle, BundleError)) == (
        "manifest.json: holds no order, products, though it isn't partial. Export again with this "
        "catalog."
    )


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (3, "Upgrade the application that reads it."),
        (1, "No change leads from one to the other."),
    ],
)
@ON_SQLITE
def test_other_versions_are_refused(
    engine: sa.Engine, tmp_path: Path, version: int, remedy: str
) -> None:
    """Newer needs a newer application, older a change; both name what was found and needed."""
    base, catalog = new_base(), Catalog("versions")

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(10), unique=True, nullable=False)

    schema_for(Note, catalog, version=2)
    world = World(base, catalog, None, lambda session: session.add(Note(slug="a")))  # type: ignore[arg-type]
    target = Target(engine, world, tmp_path)

    def entry(found: Any) -> Any:
        return replace(found, schema_version=version)

    error = target.refuses(rewritten(target.bundle(), entry=entry), VersionError)
    assert str(error) == (
        f"manifest.json: entity 'notes' has version {version}; this catalog needs version 2. {remedy}"
    )
    assert (error.found, error.needed) == (version, 2)


def test_a_wrong_number_of_records_is_refused(target: Target) -> None:
    """The right checksum and the wrong count: the manifest was made up."""

    def entry(found: Any) -> Any:
        return replace(found, record_count=2) if found.entity_type == "categories" else found

    error = target.refuses(rewritten(target.bundle(), entry=entry), BundleError)
    assert str(error).endswith(
        f"_categories.json, record_count: holds 3 records, and the manifest says 2. {DAMAGED}"
    )


def test_a_wrong_number_of_links_is_refused(target: Target) -> None:
    """The manifest counts links, so a record that lost one is found."""

    def entry(found: Any) -> Any:
        if found.entity_type != "products":
            return found
        supplier = found.references["supplier"]
        return replace(
            found, references={**found.references, "supplier": replace(supplier, count=9)}
        )

    error = target.refuses(rewritten(target.bundle(), entry=entry), BundleError)
    assert str(error) == (
        "03_products.json, supplier: 3 links were read, the manifest says 9. Export again."
    )


# Options


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"on_conflict": "replace"},
            "on_conflict='replace'; expected 'skip', 'update', 'error' or 'mirror'.",
        ),
        (
            {"on_conflict": {"*": "skip", "order": None}},
            "on_conflict=None; expected 'skip', 'update', 'error' or 'mirror'.",
        ),
        (
            {"on_conflict": {"orders": "skip"}},
            "on_conflict: unknown entity 'orders'; expected one of: order, categories, products, "
            "suppliers.",
        ),
        (
            {"on_conflict": None},
            "on_conflict=None; expected 'skip', 'update', 'error' or 'mirror'.",
        ),
        ({"on_conflict": ["skip"]}, None),
        ({"on_conflict": {"*": ["skip"]}}, None),
        ({"on_error": "ignore"}, "on_error='ignore'; expected 'rollback' or 'continue'."),
        ({"on_error": ["continue"]}, "on_error=['continue']; expected 'rollback' or 'continue'."),
        (
            {"only": ["orders"]},
            "only: unknown entity 'orders'; expected one of: order, categories, products, "
            "suppliers.",
        ),
        ({"only": [["orders"]]}, None),
        ({"only": 5}, None),
    ],
)
def test_unknown_options_are_refused_by_name(
    target: Target, options: dict[str, Any], text: str | None
) -> None:
    """An option's value that means nothing is never taken for the default."""
    bundle = target.bundle()
    before = stored(target.engine, target.world)
    with pytest.raises(LadingError) as caught:
        import_all(target.engine, bundle, catalog=target.world.catalog, **options)
    if text is not None:
        assert str(caught.value) == text
    assert stored(target.engine, target.world) == before


@pytest.mark.parametrize("session", ["sqlite://", 5, object(), {}])
def test_a_session_must_be_one(target: Target, session: Any) -> None:
    """What can't be worked in is refused with what could be."""
    with pytest.raises(
        ArgumentError, match="expected a Session, Connection, Engine or sessionmaker"
    ):
        import_all(session, target.bundle(), catalog=target.world.catalog)


def test_no_session_at_all_is_refused(target: Target) -> None:
    """Without a session the catalog's bind counts, and without that nothing."""
    with pytest.raises(ArgumentError) as caught:
        import_all(None, target.bundle(), catalog=target.world.catalog)
    assert str(caught.value) == (
        "session=None; expected a Session, Connection, Engine or sessionmaker. Pass one, or give "
        "catalog 'shop' a bind."
    )


@pytest.mark.parametrize("path", [None, 5, b"\xff", "", "a\0b"])
def test_a_path_must_be_one(target: Target, path: Any) -> None:
    """What is no path is refused as such."""
    with pytest.raises((LadingError, TypeError)):
        import_all(target.engine, path, catalog=target.world.catalog)


def test_missing_tables_are_named(engine: sa.Engine, tmp_path: Path) -> None:
    """Tables aren't created by an import."""
    world = shop()
    bundle = packed(world, tmp_path / "b")
    with pytest.raises(TargetError) as caught:
        import_all(engine, bundle, catalog=world.catalog)
    assert str(caught.value) == (
        "the database has no table categories, order, products, suppliers. Create the tables "
        "first: Base.metadata.create_all(engine), or your migrations."
    )


def test_a_missing_column_is_the_databases_to_tell(engine: sa.Engine, tmp_path: Path) -> None:
    """A table of an older version is refused with the database's own words."""
    world = shop()
    bundle = packed(world, tmp_path / "b")
    with engine.begin() as connection:
        world.metadata.create_all(connection)
        connection.exec_driver_sql("ALTER TABLE suppliers DROP COLUMN city")
    with pytest.raises(LadingError, match="city"):
        import_all(engine, bundle, catalog=world.catalog)


# Records

UNKNOWN = "Correct the name, or remove the field; if another version has it, declare a change."


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (
            changing("categories", cat1={"color": "red"}),
            "categories.json record 2, color: Unknown field. Expected one of: slug. " + UNKNOWN,
        ),
        (
            lambda name, found: [
                {
                    k: v
                    for k, v in r.items()
                    if name != "suppliers" or r["slug"] != "sup0" or k != "city"
                }
                for r in found
            ],
            "suppliers.json record 1, city: Missing data for required field. Add it, with "
            "null if it has no value.",
        ),
        (
            changing("order", **{f"{'0' * 8}-0000-0000-0000-{100:012x}": {"quantity": "5"}}),
            "04_order.json record 20, quantity: '5' is not an integer.",
        ),
        (
            changing("order", **{f"{'0' * 8}-0000-0000-0000-{100:012x}": {"quantity": 5.0}}),
            "04_order.json record 20, quantity: 5.0 is not an integer.",
        ),
        (
            changing("order", **{f"{'0' * 8}-0000-0000-0000-{100:012x}": {"quantity": True}}),
            "04_order.json record 20, quantity: True is not an integer.",
        ),
        (
            changing("order", **{f"{'0' * 8}-0000-0000-0000-{100:012x}": {"quantity": None}}),
            "04_order.json record 20, quantity: Field may not be null. Give it a value.",
        ),
        (
            changing("products", p6={"price": 1.5}),
            "03_products.json record 7, price: 1.5 is not a decimal (digits in a string).",
        ),
        (
            changing("products", p6={"category": "cat0"}),
            "03_products.json record 7, category: expected an object with slug, found 'cat0'. Write the "
            "target's key.",
        ),
        (
            changing("products", p6={"category": None}),
            "03_products.json record 7, category: Field may not be null. Give it a value.",
        ),
        (
            changing("products", p6={"category": {}}),
            "03_products.json record 7, category.slug: Missing data for required field. Add it.",
        ),
        (
            changing("products", p6={"category": {"slug": None}}),
            "03_products.json record 7, category.slug: Field may not be null. Give it a value.",
        ),
        (
            changing("products", p6={"category": {"slug": "cat0", "id": 1}}),
            "03_products.json record 7, category.id: Unknown field. Expected one of: slug. "
            + UNKNOWN,
        ),
        (
            changing("products", p6={"category": [{"slug": "cat0"}]}),
            "03_products.json record 7, category: expected an object with slug, found [{'slug': 'cat0'}]. "
            "Write the target's key.",
        ),
        (
            adding("categories", b'{"slug":"x","slug":"y"}'),
            "categories.json record 4: isn't valid JSON: key 'slug' stands twice in one object. "
            "Correct it.",
        ),
        (
            adding("categories", b'{"slug":"\\ud800"}'),
            None,
        ),
        (
            adding("order", b'{"uuid":"x","product":{"slug":"p0"},"quantity":1}'),
            "04_order.json record 21, uuid: 'x' is not a uuid (36 characters with dashes).",
        ),
        (
            adding("suppliers", b'{"slug":"x","city":NaN}'),
            None,
        ),
        (
            adding("suppliers", b'{"slug":"x","city":1e999}'),
            None,
        ),
        (
            adding(
                "order",
                b'{"uuid":"00000000-0000-0000-0000-000000000000","product":{"slug":"p0"},"quantity":18446744073709551616}',
            ),
            None,
        ),
        (
            adding(
                "order",
                b'{"uuid":"00000000-0000-0000-0000-000000000000","product":{"slug":"p0"},"quantity":'
                + b"9" * 5000
                + b"}",
            ),
            None,
        ),
        (adding("suppliers", b'{"slug":"x","city":' + b"[" * 50_000 + b"]" * 50_000 + b"}"), None),
        (adding("categories", b'{"slug":"\xff"}'), None),
        (adding("categories", b"[]"), None),
        (adding("categories", b"null"), None),
        (adding("categories", b'"x"'), None),
        (adding("categories", b'{"slug":"x"}\n{"slug":"y"}'), None),
        (adding("categories", b'{"slug":"x"},'), None),
        (adding("categories", b'{"slug":"x"'), None),
        (adding("categories", b'{"slug":"x"}}'), None),
    ],
)
def test_a_bad_record_is_named(target: Target, edit: Any, text: str | None) -> None:
    """File, record and field are told, and the value that was wrong."""
    bundle = target.bundle(edit)
    before = stored(target.engine, target.world)
    with pytest.raises(LadingError) as caught:
        import_all(target.engine, bundle, catalog=target.world.catalog)
    assert stored(target.engine, target.world) == before
    if text is None:
        assert ".json" in str(caught.value)
        assert len(str(caught.value)) < 1000
        return
    assert isinstance(caught.value, ImportFailed)
    own = [
        item for item in caught.value.report.problems if "a problem of its own" not in item.message
    ]
    assert [str(item) for item in own if text in str(item)] == [str(own[0])]


def test_every_problem_of_a_record_is_told(target: Target) -> None:
    """A person who corrects a file wants all that is wrong with it at once."""
    edit = changing("products", p6={"price": "x", "category": 5, "supplier": {"slug": 7}, "new": 1})
    error = target.refuses(target.bundle(edit), ImportFailed)
    own = [item for item in error.report.problems if "products" in item.file]
    assert sorted((item.field, item.message) for item in own) == [
        ("category", "expected an object with slug, found 5. Write the target's key"),
        (
            "new",
            "Unknown field. Expected one of: slug, price, category, supplier, fallback. "
            + UNKNOWN.removesuffix("."),
        ),
        (
            "price",
            "'x' is not a decimal (digits, at most one point). Write digits in quotes, at most 8 "
            "before a point and 2 behind it, or let the column take more",
        ),
        ("supplier.slug", "7 is not a string. Write a text of whole characters, in quotes"),
    ]
    assert error.report["products"].failed == 1
    assert {str(item.key) for item in own} == {"{'slug': 'p6'}"}


def test_a_dangling_reference_names_both_ends(target: Target) -> None:
    """The record that refers, what it refers to, and the key that was probably meant."""
    assert target.problem(changing("products", p1={"supplier": {"slug": "sip1"}})) == (
        "03_products.json record 2, supplier: suppliers: no record has slug 'sip1'; closest is 'sup1'. "
        "Add the record to suppliers, or correct the key."
    )


@ON_SQLITE
def test_a_dangling_composite_key_is_told_in_full(engine: sa.Engine, tmp_path: Path) -> None:
    """A key of several parts, through two references."""
    target = Target(engine, places(), tmp_path)
    city = {"name": "A", "region": {"country": {"code": "AT"}, "number": 5}}
    assert target.problem(changing("streets", s0={"city": city})) == (
        "04_streets.json record 1, city: cities: no record has name 'A' and region.country.code 'AT' and "
        "region.number 5. Add the record to cities, or correct the key."
    )


def test_a_natural_key_twice_names_both_records(target: Target) -> None:
    """Neither of two records with one key is better."""
    error = target.refuses(target.bundle(adding("categories", {"slug": "cat1"})), ImportFailed)
    twins = [item for item in error.report.problems if "categories" in item.file]
    assert sorted(str(item).partition("_")[2] for item in twins) == [
        "categories.json record 2: has the natural key of record 4; it must be unique. Remove or "
        "rename one.",
        "categories.json record 4: has the natural key of record 2; it must be unique. Remove or "
        "rename one.",
    ]
    assert all(item.key == {"slug": "cat1"} for item in twins)


@ON_SQLITE
def test_a_composite_key_twice_is_found_out_of_order(engine: sa.Engine, tmp_path: Path) -> None:
    """Twins far apart in a shuffled file are found too."""
    target = Target(engine, places(), tmp_path)

    def edit(name: str, found: list[Any]) -> list[Any]:
        return [*reversed(found), found[3]] if name == "cities" else found

    error = target.refuses(target.bundle(edit), ImportFailed)
    assert {item.record for item in error.report.problems if "cities" in item.file} == {13, 17}


# Values that the target's column can't hold


def first(name: str, value: Any) -> Any:
    """Return an edit that sets a field of the first record of ``values``."""

    def edit(_entity: str, found: list[Any]) -> list[Any]:
        found[0][name] = value
        return found

    return edit


NO_INTERVAL = "is not an interval (days, hours, minutes and seconds: P3DT4H5M6.000007S)"
EVERYWHERE = [
    (
        "code",
        "abcd",
        "Longer than maximum length 3: 'abcd'. Shorten it, or let its field and column take more",
    ),
    ("upper", "x" * 51, None),
    ("price", "1.23456", "1.23456 has 5 decimal places, its column holds 4"),
    ("price", "123456789.0000", "123456789.0000 has 9 digits before the point, its column holds 8"),
    ("price", "1e3", "'1e3' is not a decimal (digits, at most one point)"),
    ("price", " 1", "' 1' is not a decimal (digits, at most one point)"),
    ("price", "+1", "'+1' is not a decimal (digits, at most one point)"),
    ("price", "sNaN", "'sNaN' is not a decimal (digits, at most one point)"),
    ("price", "Infinity", None),
    ("price", "\u0661", "'\u0661' is not a decimal (digits, at most one point)"),
    ("whole_number", "1.5", "1.5 has 1 decimal places, its column holds 0"),
    ("big", 2**63, f"{2**63} is outside {-(2**63)} to {2**63 - 1}, which its column holds"),
    ("flag", 1, "1 is not a boolean"),
    ("flag", "true", "'true' is not a boolean"),
    ("color", "R", "'R' is none of red, green, blue"),
    ("color", 0, "0 is none of red, green, blue"),
    ("shade", "R", "'R' is none of red, green, blue"),
    ("label", "d", "'d' is none of b, a, c d"),
    ("size", 1, "1 is none of small, large"),
    ("day", "2025-02-29", "'2025-02-29' is not a date: a number in it is out of range"),
    ("day", "20250228", "'20250228' is not a date (YYYY-MM-DD)"),
    ("day", "2025-W01-1", "'2025-W01-1' is not a date (YYYY-MM-DD)"),
    ("day", "2025-02-28T00:00:00", "'2025-02-28T00:00:00' is not a date (YYYY-MM-DD)"),
    ("day", "10000-01-01", "'10000-01-01' is not a date (YYYY-MM-DD)"),
    ("clock", "24:00:00", None),
    ("clock", "08:30", "'08:30' is not a time (HH:MM:SS, no zone)"),
    ("clock", "08:30:00Z", "'08:30:00Z' is not a time (HH:MM:SS, no zone)"),
    ("clock", "08:30:00.1234567", "'08:30:00.1234567' is not a time (HH:MM:SS, no zone)"),
    (
        "moment",
        "2025-01-01T00:00:00Z",
        "'2025-01-01T00:00:00Z' is not a datetime (YYYY-MM-DDTHH:MM:SS, no zone)",
    ),
    (
        "moment",
        "2025-01-01 00:00:00",
        "'2025-01-01 00:00:00' is not a datetime (YYYY-MM-DDTHH:MM:SS, no zone)",
    ),
    (
        "aware",
        "2025-01-01T00:00:00",
        "'2025-01-01T00:00:00' is not a datetime (YYYY-MM-DDTHH:MM:SS, with Z or an offset)",
    ),
    ("aware", "0001-01-01T00:00:00+14:00", None),
    (
        "token",
        "{00000000-0000-0000-0000-000000000000}",
        "'{00000000-0000-0000-0000-000000000000}' is not a uuid (36 characters with dashes)",
    ),
    ("token", "0" * 32, f"'{'0' * 32}' is not a uuid (36 characters with dashes)"),
    ("blob", "YQ", "'YQ' is not canonical base64"),
    ("blob", "YR==", "'YR==' is not canonical base64"),
    ("blob", "YQ==\n", "'YQ==\\n' is not canonical base64"),
    ("measure", "nan", "'nan' is not a float (a number, or NaN, Infinity, -Infinity)"),
    ("measure", 2**53 + 1, None),
    ("cents", "x", "'x' is not a decimal (digits, at most one point)"),
    ("lasting", "P1M", f"'P1M' {NO_INTERVAL}"),
    ("lasting", "P1Y", f"'P1Y' {NO_INTERVAL}"),
    ("lasting", "P1W", f"'P1W' {NO_INTERVAL}"),
    ("lasting", "PT36H", f"'PT36H' {NO_INTERVAL}"),
    ("lasting", "P1000000000D", f"'P1000000000D' {NO_INTERVAL}"),
    ("lasting", "-P999999999DT1S", "'-P999999999DT1S' is longer than 999999999 days"),
    ("lasting", 60, f"60 {NO_INTERVAL}"),
    ("counts", "{1,2}", "'{1,2}' is not an array (a list)"),
    ("counts", [1, "2"], "item 2: '2' is not an integer"),
    ("counts", [[1], [2, 3]], "[[1], [2, 3]] holds lists of different lengths, as no array does"),
    ("counts", [[]], "[[]] holds empty lists, as no array does"),
    ("counts", [[1], 2], "[[1], 2] mixes lists with items, as no array does"),
    ("flags", [[True]], "item 1: [True] is not a boolean"),
    ("labels", ["a", "x"], "item 2: 'x' is none of b, a, c d"),
]


def test_values_that_no_column_of_their_type_holds_are_named(
    engine: sa.Engine, tmp_path: Path
) -> None:
    """Engines that would take one, cut it or round it are never asked; all are found at once."""
    target = Target(engine, values(), tmp_path)

    def edit(_entity: str, found: list[Any]) -> list[Any]:
        return [
            {**found[0], "slug": f"{number:02} {name}", name: value}
            for number, (name, value, _) in enumerate(EVERYWHERE)
        ]

    error = target.refuses(target.bundle(edit), ImportFailed)
    told = {item.record: str(item) for item in error.report.problems}
    assert error.report.failed == len(error.report.problems)
    for number, (name, value, text) in enumerate(EVERYWHERE, 1):
        where = f"01_values.json record {number}, {name}: "
        assert told[number].startswith(where), (name, value)
        assert text is None or told[number].startswith(f"{where}{text}."), told[number]
        assert "the database refused" not in told[number]


LIMITS = {
    ("tiny", 2**15): "32768 is outside -32768 to 32767, which its column holds",
    ("whole", 2**31): "2147483648 is outside -2147483648 to 2147483647, which its column holds",
    ("words", "a\0b"): "'a\\x00b' holds a NUL character, which PostgreSQL can't store",
    ("tags", ("ok", "a\0")): "item 2: 'a\\x00' holds a NUL character, which PostgreSQL can't store",
    ("counts", (2**31,)): (
        "item 1: 2147483648 is outside -2147483648 to 2147483647, which its column holds"
    ),
}


@pytest.mark.parametrize(("name", "value"), LIMITS)
def test_what_postgresql_cannot_hold_is_named_before_it_is_asked(
    postgresql: Backend, tmp_path: Path, name: str, value: Any
) -> None:
    """SQLite holds it, PostgreSQL doesn't: the error comes from its column's limits."""
    with postgresql.database() as engine:
        target = Target(engine, values(), tmp_path)
        found = target.problem(first(name, value))
        assert found.startswith(
            f"01_values.json record 1, {name}: {LIMITS[name, value]}. Correct it"
        )


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("measure", "NaN", "NaN would become NULL in SQLite, which can't store it"),
        ("free", "0.12345678901234567890", None),
        ("free", "123456789.123456789012345678", None),
        ("free", "NaN", None),
        ("data", 1000.0, None),
        ("data", 2**64 + 1, None),
    ],
)
def test_what_sqlite_would_alter_is_named(
    sqlite_memory: Backend, tmp_path: Path, name: str, value: Any, text: str | None
) -> None:
    """SQLite keeps decimals as doubles, and has no NaN; nothing is rounded."""
    with sqlite_memory.database() as engine:
        target = Target(engine, values(), tmp_path)
        found = target.problem(first(name, value))
        assert found.startswith(f"01_values.json record 1, {name}: ")
        if text is not None:
            assert found.startswith(f"01_values.json record 1, {name}: {text}. Correct it")


@pytest.mark.parametrize(
    ("name", "written", "canonical"),
    [
        ("price", "1.5", "1.5000"),
        ("price", "-0", "0.0000"),
        ("aware", "2025-06-01T10:00:00+02:00", "2025-06-01T08:00:00Z"),
        ("moment", "2025-06-01T10:00:00.500", "2025-06-01T10:00:00.500000"),
        ("moment", "2025-06-01T10:00:00.000000", "2025-06-01T10:00:00"),
        ("token", "ABCDEF00-0000-0000-0000-000000000000", "abcdef00-0000-0000-0000-000000000000"),
        ("measure", 5, 5.0),
        ("measure", -0.0, 0.0),
        ("free", "1.500", "1.5"),
        ("data", {"b": 1, "a": {"d": 2, "c": -0.0}}, {"a": {"c": 0.0, "d": 2}, "b": 1}),
    ],
)
def test_other_writings_of_a_value_are_made_canonical(
    engine: sa.Engine, tmp_path: Path, name: str, written: Any, canonical: Any
) -> None:
    """A person may write a value otherwise than an export does, and means the same."""
    world = values()
    world.metadata.create_all(engine)
    bundle = packed(world, tmp_path / "b", first(name, written))
    import_all(engine, bundle, catalog=world.catalog)
    export_all(engine, tmp_path / "c", catalog=world.catalog)
    record = json.loads((tmp_path / "c" / "01_values.json").read_bytes())["records"][0]
    assert json.dumps(record[name]) == json.dumps(canonical)


SPELLED: dict[str, Callable[[str], str]] = {
    "price": lambda text: text.rstrip("0").rstrip("."),
    "free": lambda text: f"{text}.0" if "." not in text else f"{text}0",
    "moment": lambda text: text if "." in text else f"{text}.0",
    "aware": lambda text: text.replace("Z", "+00:00"),
    "clock": lambda text: text if "." in text else f"{text}.000",
    "token": str.upper,
}


@pytest.mark.parametrize("name", SPELLED)
def test_keys_written_otherwise_still_match(engine: sa.Engine, tmp_path: Path, name: str) -> None:
    """A reference is resolved by what its key means, not by how it is spelled."""
    world = keys()
    world.metadata.create_all(engine)

    def edit(entity: str, found: list[Any]) -> list[Any]:
        if entity == f"by_{name}":
            for record in found:
                if record["other"] is not None:
                    record["other"] = {"value": SPELLED[name](record["other"]["value"])}
        return found

    bundle = packed(world, tmp_path / "b", edit)
    report = import_all(engine, bundle, catalog=world.catalog)
    assert report[f"by_{name}"].inserted > 1


def test_ids_beyond_their_column_are_refused(engine: sa.Engine, tmp_path: Path) -> None:
    """With natural_key = 'id' the id is a value like any other."""
    target = Target(engine, tickets(), tmp_path)
    found = target.problem(
        changing("tickets", **{"700": {"id": 2**63}, "7": {"duplicate_of": None}})
    )
    assert found.endswith("which its column holds. Correct it, or let the column take it.")
    assert "tickets.json record 5, id: " in found


@ON_SQLITE
def test_a_reference_that_no_column_could_hold_is_only_missing(
    engine: sa.Engine, tmp_path: Path
) -> None:
    """A key too big for its column can't exist, so it is told as missing."""
    target = Target(engine, tickets(), tmp_path)
    found = target.problem(changing("comments", **{"3": {"ticket": {"id": 2**70}}}))
    assert f"tickets: no record has id {2**70}" in found


@pytest.mark.parametrize("on_error", ["rollback", "continue"])
def test_a_trigger_that_swallows_rows_is_found(
    sqlite_memory: Backend, tmp_path: Path, on_error: str
) -> None:
    """Rows are counted after the load, whatever else was wrong: fewer than inserted is an error."""
    with sqlite_memory.database() as engine:
        target = Target(engine, shop(), tmp_path)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER eat AFTER INSERT ON suppliers WHEN NEW.slug = 'extra' "
                "BEGIN DELETE FROM suppliers WHERE slug = 'extra'; END"
            )
        extra = adding("suppliers", {"slug": "extra", "city": None})
        bad = changing("products", p6={"price": None}) if on_error == "continue" else None
        bundle = target.bundle(extra if bad is None else both(extra, bad))
        error = target.refuses(bundle, TargetError, on_error=on_error)
        assert error.entity == "suppliers"
        assert "Look for triggers" in str(error)


def test_what_is_no_records_fault_is_told_once(engine: sa.Engine, tmp_path: Path) -> None:
    """A database that takes no row at all is one error, and not one for each record."""
    target = Target(engine, shop(), tmp_path)
    bundle = target.bundle()
    if engine.dialect.name == "sqlite":
        forbid, allow = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
    else:
        forbid, allow = "SET TRANSACTION READ ONLY", "SELECT 1"
    before = stored(engine, target.world)
    with engine.connect() as connection:
        connection.exec_driver_sql(forbid)
        with pytest.raises(TargetError, match=r"is read-only: .*Give an engine that may write"):
            import_all(connection, bundle, catalog=target.world.catalog, on_error="continue")
        connection.rollback()
        connection.exec_driver_sql(allow)
    assert stored(engine, target.world) == before


@pytest.mark.parametrize("where", ["reference", "links", "owned"])
def test_validators_of_references_and_lists_count(sqlite_memory: Backend, where: str) -> None:
    """What ``load`` refuses, an import refuses, whatever kind of field says so."""
    base = new_base()
    tied = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("other_id", sa.ForeignKey("others.id"), primary_key=True),
    )

    other = table(base, "others")
    part = table(base, "parts", item_id=mapped_column(sa.ForeignKey("items.id")))
    item = table(
        base,
        "items",
        reference_id=mapped_column(sa.ForeignKey("others.id")),
        reference=relationship(other),
        links=relationship(other, secondary=tied),
        owned=relationship(part),
    )

    def never(_value: Any) -> None:
        raise ma.ValidationError("never")

    catalog = catalog_of(other)
    attributes = {"reference": Ref(), "links": Ref(), "owned": Owned(schema_for(part, catalog))}
    attributes[where].validators = [never]
    schema_for(item, catalog, attributes)
    record = {"slug": "i", "reference": {"slug": "o"}, "links": [], "owned": []}
    document = {"others": [{"slug": "o"}], "items": [record]}
    with sqlite_memory.database(base.metadata) as engine:
        with pytest.raises(ImportFailed, match=f"items record 1, {where}: never"):
            import_document(engine, document, catalog=catalog)
