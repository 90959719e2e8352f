"""What an export does on every engine: the bytes, the manifest, the refusals, the transactions."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import gc
import hashlib
import json
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    Session,
    aliased,
    mapped_column,
    relationship,
    scoped_session,
    sessionmaker,
)

from bakery import Base as BakeryBase
from bakery import bakery, fill
from lading import (
    ArgumentError,
    Catalog,
    ClosureWarning,
    LadingError,
    Owned,
    Ref,
    export_all,
    export_document,
)
from lading.bundle.manifest import Manifest
from lading.database.dialects.base import ServerFacts
from lading.database.live.postgresql import PostgreSQLDatabase
from lading.database.session import reading
from lading.database.tables import require_tables
from lading.errors import LeftOutWarning, TargetError
from lading.exporting import export_run
from lading.exporting.reader import RecordReader
from lading.exporting.row_faults import WRITTEN
from lading.report import Progress
from lading.scratch.sort import CHUNK
from support import worlds
from support.backends import ON_FILES_TOO, ON_SQLITE, Backend
from support.columns import CLOCK, DECIMAL, INSTANT, KEY_BYTES, MOMENT
from support.declaring import catalog_of, new_base, schema_for, table
from support.statements import statements
from support.worlds import World


def lines_of(path: Path, entity: str, manifest: Manifest) -> str:
    """Return an entity file's records, one a line, without the frame."""
    text = (path / manifest[entity].filename).read_text()
    head, _, rest = text.partition("[\n")
    assert head == f'{{"entity_type":"{entity}","schema_version":1,"records":'
    assert rest.endswith("]}\n")
    return rest.removesuffix("]}\n").removesuffix("\n").replace("},\n{", "}\n{")


def records_of(path: Path, entity: str, manifest: Manifest) -> list[dict[str, Any]]:
    """Return an entity's records, parsed."""
    return json.loads((path / manifest[entity].filename).read_text())["records"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def bakery_bytes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bakery's entity files as SQLite in memory writes them."""
    engine = sa.create_engine("sqlite://")
    BakeryBase.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session)
        session.commit()
    path = tmp_path_factory.mktemp("bakery") / "bundle"
    manifest = export_all(engine, path, catalog=bakery)
    engine.dispose()
    return {file.filename: (path / file.filename).read_bytes() for file in manifest.files}


@pytest.fixture(scope="module")
def shop(backend: Backend) -> Iterator[sa.Engine]:
    """A filled bakery on each backend; tests only read it."""
    with backend.database(BakeryBase.metadata) as engine:
        with Session(engine) as session:
            fill(session)
            session.commit()
        yield engine


# Bytes


def test_every_type_has_its_canonical_bytes(engine: sa.Engine, tmp_path: Path) -> None:
    """The whole file, pinned: the same on every engine, in every release."""
    world = worlds.types()
    manifest = export_all(world.filled(engine), tmp_path / "out", catalog=world.catalog)
    assert (tmp_path / "out" / manifest["things"].filename).read_bytes() == worlds.TYPES_BYTES


@pytest.mark.parametrize("name", worlds.ALL)
def test_every_shape_has_its_canonical_bytes(name: str, engine: sa.Engine, tmp_path: Path) -> None:
    """Composite keys, cycles, links, owned rows, odd names: pinned as well."""
    make, expected = worlds.ALL[name]
    world = make()
    path = tmp_path / "out"
    manifest = export_all(world.filled(engine), path, catalog=world.catalog)
    found = {
        file.entity_type: lines_of(path, file.entity_type, manifest) for file in manifest.files
    }
    assert found == expected


def test_the_bakery_has_equal_bytes_everywhere(
    shop: sa.Engine, bakery_bytes: dict[str, bytes], tmp_path: Path
) -> None:
    """Thousands of records, equal to the byte on every engine."""
    manifest = export_all(shop, tmp_path / "out", catalog=bakery)
    found = {
        file.filename: (tmp_path / "out" / file.filename).read_bytes() for file in manifest.files
    }
    assert found == bakery_bytes


@ON_SQLITE
def test_a_zip_holds_the_same_bytes(
    shop: sa.Engine, bakery_bytes: dict[str, bytes], tmp_path: Path
) -> None:
    """A path that ends in .zip makes a ZIP of the same content."""
    folder = export_all(shop, tmp_path / "out", catalog=bakery)
    zipped = export_all(shop, tmp_path / "out.zip", catalog=bakery)
    assert zipped.content_sha256 == folder.content_sha256
    assert zipped.path == tmp_path / "out.zip"


@ON_SQLITE
def test_a_document_holds_the_same_records(shop: sa.Engine, bakery_bytes: dict[str, bytes]) -> None:
    """One dictionary, no manifest, equal records in equal order."""
    document = export_document(shop, catalog=bakery)
    assert set(document) >= {"version", "schema_versions", "exported_at", "source"}
    for filename, data in bakery_bytes.items():
        entity = filename.removesuffix(".json").partition("_")[2]
        assert document[entity] == json.loads(data)["records"]
    assert document["source"] == "bakery 3.0"
    assert document["schema_versions"]["production_runs"] == 3


@ON_SQLITE
def test_the_order_of_insertion_does_not_matter(backend: Backend, tmp_path: Path) -> None:
    """Ids differ, bytes don't."""
    digests = set()
    for reverse in (False, True):
        world = worlds.shelves()
        with backend.database(world.metadata) as engine:
            people = [world.Person(email=f"{n:02}@x.org") for n in range(30)]
            with Session(engine) as session:
                for person in reversed(people) if reverse else people:
                    session.add(person)
                    session.flush()
                session.commit()
            path = tmp_path / str(reverse)
            digests.add(export_all(engine, path, catalog=world.catalog).content_sha256)
    assert len(digests) == 1


class Mood(enum.Enum):
    """Declared in an order that is no code point's."""

    zeal = 1
    Awe = 2
    calm = 3


KEYS: dict[str, tuple[Any, list[Any]]] = {
    "text": (sa.String(20), ["", " ", "A", "B", "Z", "a", "a ", "ab", "z", "é", "\uffff", "😀"]),
    "tabs": (sa.String(20), ["a", "a\t", "a ", "a!"]),
    "integer": (sa.Integer, [-10, -9, 0, 9, 10, 100]),
    "decimal": (sa.Numeric(8, 2), [Decimal(n) for n in ("-10", "-9.5", "0", "9.25", "10", "100")]),
    "boolean": (sa.Boolean, [False, True]),
    "date": (sa.Date, [dt.date(1, 1, 1), dt.date(999, 1, 1), dt.date(2025, 1, 1)]),
    "datetime": (
        MOMENT,
        [dt.datetime(2025, 1, 1), dt.datetime(2025, 1, 1, 0, 0, 0, 1), dt.datetime(2025, 1, 2)],
    ),
    "aware": (
        INSTANT,
        [
            dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
            dt.datetime(2025, 1, 1, 0, 0, 0, 500000, tzinfo=dt.UTC),
            dt.datetime(2025, 1, 1, 0, 0, 1, tzinfo=dt.UTC),
        ],
    ),
    "time": (CLOCK, [dt.time(0), dt.time(0, 0, 0, 1), dt.time(9), dt.time(10)]),
    "enum": (sa.Enum(Mood), [Mood.Awe, Mood.calm, Mood.zeal]),
    "bytes": (KEY_BYTES, [b"", b"\xff", b"a", b"\x00"]),
    "char": (sa.CHAR(4), ["", "A", "a", "a\t", "ab", "b"]),
    "scale-less": (DECIMAL, [Decimal(n) for n in ("-1.5", "0", "0.25", "9", "10")]),
}


@pytest.mark.parametrize("name", KEYS)
def test_records_stand_in_key_order(name: str, engine: sa.Engine, tmp_path: Path) -> None:
    """Numbers and dates by value, all else by the code points of its written form."""
    type_, values = KEYS[name]

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        key = mapped_column(type_, unique=True, nullable=False)
        place = mapped_column(sa.Integer, nullable=False)

    Item.metadata.create_all(engine)
    if name == "bytes":
        values = sorted(values, key=lambda data: __import__("base64").b64encode(data))
    with Session(engine) as session:
        for place in sorted(range(len(values)), key=lambda n: (n * 7) % 5):
            session.add(Item(key=values[place], place=place))
        session.commit()
    manifest = export_all(engine, tmp_path / "out", catalog=catalog_of(Item))
    records = records_of(tmp_path / "out", "items", manifest)
    assert [record["place"] for record in records] == list(range(len(values)))


def test_null_sorts_first(engine: sa.Engine, tmp_path: Path) -> None:
    """In values and in references, and a reference by its target's key."""
    base = new_base()

    class Brand(base):
        __tablename__ = "brands"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        brand_id = mapped_column(sa.ForeignKey("brands.id"))
        name = mapped_column(sa.String(9))
        brand = relationship(Brand)

    base.metadata.create_all(engine)
    with Session(engine) as session:
        zed, alpha = Brand(slug="zed"), Brand(slug="alpha")
        session.add_all([zed, alpha])
        session.flush()
        for brand, name in ((zed, None), (None, "b"), (alpha, "a"), (None, None), (zed, "")):
            session.add(Item(brand=brand, name=name))
        session.commit()
    catalog = catalog_of(Brand)
    schema_for(Item, catalog, natural_key=("brand", "name"))
    manifest = export_all(engine, tmp_path / "out", catalog=catalog)
    assert lines_of(tmp_path / "out", "items", manifest) == (
        '{"brand":null,"name":null}\n'
        '{"brand":null,"name":"b"}\n'
        '{"brand":{"slug":"alpha"},"name":"a"}\n'
        '{"brand":{"slug":"zed"},"name":null}\n'
        '{"brand":{"slug":"zed"},"name":""}'
    )


def test_text_sorts_by_code_point_whatever_the_collation(
    postgresql: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PostgreSQL database of a natural language sorts otherwise by itself, so it is told."""
    world = worlds.shelves()
    facts = PostgreSQLDatabase.server_facts

    # The wheel has no locale but those that sort by code point.
    def elsewhere(self: Any) -> ServerFacts:
        return replace(facts(self), sorts_by_code_point=False)

    with postgresql.database(world.metadata) as engine:
        with Session(engine) as session:
            session.add_all(world.Person(email=key) for key in ("b", "a", "B", "A", "é", "z"))
            session.commit()
        monkeypatch.setattr(PostgreSQLDatabase, "server_facts", elsewhere)
        with statements(engine) as seen:
            manifest = export_all(engine, tmp_path / "out", catalog=world.catalog)
    assert any('ORDER BY people.email COLLATE "C"' in sql for sql in seen)
    found = [record["email"] for record in records_of(tmp_path / "out", "people", manifest)]
    assert found == ["A", "B", "a", "b", "z", "é"]


def test_an_index_serves_where_the_database_sorts_by_code_point(
    postgresql: Backend, tmp_path: Path
) -> None:
    """An explicit COLLATE would turn an index scan into a sort."""
    world = worlds.shelves()
    with postgresql.database(world.metadata) as engine, statements(engine) as seen:
        export_all(engine, tmp_path / "out", catalog=world.catalog)
    assert any("ORDER BY people.email" in sql for sql in seen)
    assert not [sql for sql in seen if "COLLATE" in sql]


def test_a_sqlite_file_in_utf16_sorts_by_code_point(tmp_path: Path) -> None:
    """Its own order is that of UTF-16, so the sort is ours."""
    world = worlds.shelves()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'utf16.sqlite'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA encoding = 'UTF-16le'")
        connection.commit()
        world.metadata.create_all(connection)
        connection.commit()
        assert connection.exec_driver_sql("PRAGMA encoding").scalar() == "UTF-16le"
    keys = ["a", "é", "Ā", "\uff5e", "😀", "Z"]
    with Session(engine) as session:
        session.add_all(world.Person(email=key) for key in keys)
        session.commit()
    manifest = export_all(engine, tmp_path / "out", catalog=world.catalog)
    engine.dispose()
    found = [record["email"] for record in records_of(tmp_path / "out", "people", manifest)]
    assert found == sorted(keys)


# The manifest


@ON_SQLITE
def test_checksums_are_those_of_the_files(shop: sa.Engine, tmp_path: Path) -> None:
    """By an independent hash, and by anyone's sha256sum."""
    path = tmp_path / "out"
    manifest = export_all(shop, path, catalog=bakery)
    for file in manifest.files:
        data = (path / file.filename).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
        assert len(data) == file.bytes
        assert len(json.loads(data)["records"]) == file.record_count
    if shutil.which("sha256sum") is not None:
        command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        subprocess.run(command, cwd=path, check=True)


@ON_SQLITE
def test_the_manifest_is_what_was_returned(shop: sa.Engine, tmp_path: Path) -> None:
    """Written last, readable by itself, and equal to the value returned."""
    path = tmp_path / "out"
    manifest = export_all(shop, path, catalog=bakery)
    assert Manifest.from_bytes((path / "manifest.json").read_bytes()) == manifest
    assert manifest.path == path
    assert manifest.version == "1.0"
    assert manifest.catalog == "bakery"
    assert manifest.source == "bakery 3.0"
    assert manifest.partial is False
    assert manifest.external == ()
    assert manifest.left_out == {}
    assert manifest.snapshot == "one snapshot, opened by lading"
    assert abs(dt.datetime.now(dt.UTC) - manifest.export_date) < dt.timedelta(minutes=5)
    assert [file.import_order for file in manifest.files] == list(range(1, len(manifest.files) + 1))
    assert {path.name for path in path.iterdir()} == {
        "manifest.json",
        "SHA256SUMS",
        *(file.filename for file in manifest.files),
    }


@ON_SQLITE
def test_counts_are_those_of_the_tables(shop: sa.Engine, tmp_path: Path) -> None:
    """Each entity has as many records as its table rows."""
    manifest = export_all(shop, tmp_path / "out", catalog=bakery)
    with shop.connect() as connection:
        for name, rows in bakery.use().roots.items():
            count = connection.scalar(sa.select(sa.func.count()).select_from(rows.table))
            assert manifest[name].record_count == count
    assert sum(file.record_count for file in manifest.files) > 2000


@ON_SQLITE
def test_links_are_counted_per_reference(shop: sa.Engine, tmp_path: Path) -> None:
    """Set ones only, at any depth: what an import compares itself with."""
    manifest = export_all(shop, tmp_path / "out", catalog=bakery)

    def count(records: list[Any], path: list[str]) -> int:
        if len(path) > 1:
            return sum(count(record[path[0]], path[1:]) for record in records)
        values = [record[path[0]] for record in records]
        return sum(len(v) if isinstance(v, list) else v is not None for v in values)

    checked = 0
    for file in manifest.files:
        records = records_of(tmp_path / "out", file.entity_type, manifest)
        for path, links in file.references.items():
            assert links.count == count(records, path.split(".")), f"{file.entity_type}.{path}"
            checked += links.count
    assert checked > 1000


@ON_SQLITE
def test_an_entity_without_records_has_its_file(engine: sa.Engine, tmp_path: Path) -> None:
    """Empty is a fact about the database, not an omission."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    manifest = export_all(engine, tmp_path / "out", catalog=world.catalog)
    assert [file.record_count for file in manifest.files] == [0, 0, 0, 0]
    for file in manifest.files:
        data = (tmp_path / "out" / file.filename).read_text()
        assert json.loads(data)["records"] == []
        assert data == f'{{"entity_type":"{file.entity_type}","schema_version":1,"records":[\n]}}\n'


@ON_SQLITE
def test_files_say_how_they_load(engine: sa.Engine, tmp_path: Path) -> None:
    """Order, dependencies, keys, deferred edges."""
    world = worlds.kitchen()
    manifest = export_all(world.filled(engine), tmp_path / "out", catalog=world.catalog)
    assert [file.filename for file in manifest.files] == [
        "01_cuisines.json",
        "02_dishes.json",
        "03_menus.json",
    ]
    assert manifest["dishes"].dependencies == ("cuisines", "menus")
    assert manifest["menus"].dependencies == ("dishes",)
    assert manifest["dishes"].natural_key == ("slug",)
    assert manifest["menus"].references["main_slug"].entity == "dishes"
    deferred = {(item.entity, item.field, item.references, item.by) for item in manifest.deferred}
    assert deferred == {
        ("cuisines", "parent", "cuisines", "update"),
        ("dishes", "best_menu", "menus", "update"),
        ("dishes", "parts.other", "dishes", "insert"),
    }


@ON_SQLITE
def test_equal_data_has_an_equal_content_digest(shop: sa.Engine, tmp_path: Path) -> None:
    """Whoever exports twice sees that nothing changed."""
    first = export_all(shop, tmp_path / "1", catalog=bakery, source="a")
    second = export_all(shop, tmp_path / "2", catalog=bakery, source="b")
    assert first.content_sha256 == second.content_sha256
    assert first.source == "a"


@ON_SQLITE
def test_a_reference_to_an_owned_child(engine: sa.Engine, tmp_path: Path) -> None:
    """A child with a key of its own may be referred to; the manifest can be read back."""
    base = new_base()

    class Box(base):
        __tablename__ = "boxes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)

    class Slot(base):
        __tablename__ = "slots"
        id = mapped_column(sa.Integer, primary_key=True)
        code = mapped_column(sa.String(9), unique=True, nullable=False)
        box_id = mapped_column(sa.ForeignKey("boxes.id"), nullable=False)

    class Item(base):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        slot_id = mapped_column(sa.ForeignKey("slots.id"), nullable=False)

    base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Box(id=1, slug="b"))
        session.flush()
        session.add(Slot(id=5, code="s", box_id=1))
        session.flush()
        session.add(Item(slug="i", slot_id=5))
        session.commit()
    catalog = Catalog("test")
    schema_for(Item, catalog)
    schema_for(Box, catalog, {"slots": Owned(schema_for(Slot, catalog))})
    manifest = export_all(engine, tmp_path / "out", catalog=catalog)
    assert lines_of(tmp_path / "out", "boxes", manifest) == '{"slug":"b","slots":[{"code":"s"}]}'
    assert lines_of(tmp_path / "out", "items", manifest) == '{"slug":"i","slot":{"code":"s"}}'
    assert manifest["items"].dependencies == ("boxes",)
    assert Manifest.from_bytes((tmp_path / "out" / "manifest.json").read_bytes()) == manifest


# What is taken


@ON_SQLITE
def test_only_writes_what_it_names(shop: sa.Engine, tmp_path: Path) -> None:
    """And the bundle says that it is partial, and where its links lead."""
    manifest = export_all(shop, tmp_path / "out", catalog=bakery, only=["purchases", "suppliers"])
    assert [file.entity_type for file in manifest.files] == ["suppliers", "purchases"]
    assert manifest.partial is True
    external = {
        (item.entity, item.field, item.references): item.count for item in manifest.external
    }
    purchases = manifest["purchases"].record_count
    assert external == {("purchases", "product", "products"): purchases}


@ON_SQLITE
def test_only_of_everything_is_no_part(engine: sa.Engine, tmp_path: Path) -> None:
    """All entities, by name, are the whole."""
    world = worlds.shelves()
    names = list(world.catalog.use().roots)
    manifest = export_all(world.filled(engine), tmp_path / "out", catalog=world.catalog, only=names)
    assert manifest.partial is False


def test_where_filters_the_entity_that_it_names(engine: sa.Engine, tmp_path: Path) -> None:
    """The others stay whole; links that leave are counted."""
    world = worlds.shelves()
    manifest = export_all(
        world.filled(engine),
        tmp_path / "out",
        catalog=world.catalog,
        where={"people": world.Person.email == "zoe@x.org"},
    )
    counts = {file.entity_type: file.record_count for file in manifest.files}
    assert counts == {"people": 1, "shelves": 2, "books": 2, "loans": 3}
    assert manifest.partial is True
    external = {(item.entity, item.field): item.count for item in manifest.external}
    assert external == {("books", "owner"): 1, ("books", "editor"): 1, ("loans", "person"): 2}


def test_closure_adds_what_is_referred_to(engine: sa.Engine, tmp_path: Path) -> None:
    """Transitively, and nothing else; then no link leaves the bundle."""
    world = worlds.shelves()
    manifest = export_all(
        world.filled(engine),
        tmp_path / "out",
        catalog=world.catalog,
        only=["loans"],
        where={"loans": world.Loan.since == dt.date(2025, 1, 2)},
        closure=True,
    )
    path = tmp_path / "out"
    assert [file.entity_type for file in manifest.files] == ["people", "books", "loans"]
    assert lines_of(path, "people", manifest) == '{"email":"adam@x.org"}'
    assert lines_of(path, "books", manifest) == worlds.SHELVES["books"].split("\n")[0]
    assert manifest.external == ()
    assert manifest.partial is True


def test_closure_follows_cycles_and_owned_rows(engine: sa.Engine, tmp_path: Path) -> None:
    """A dish's parts are dishes, whose menus have dishes."""
    world = worlds.kitchen()
    with pytest.warns(ClosureWarning, match="1 of dishes"):
        manifest = export_all(
            world.filled(engine),
            tmp_path / "out",
            catalog=world.catalog,
            only=["dishes"],
            where={"dishes": world.Dish.slug == "soup"},
            closure=True,
        )
    counts = {file.entity_type: file.record_count for file in manifest.files}
    assert counts == {"cuisines": 2, "dishes": 2, "menus": 1}


def test_a_closure_says_which_filtered_records_it_brings_back(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """Books that aren't filtered refer to everybody, so the filter had no effect."""
    world = worlds.shelves()
    where = {"people": world.Person.email == "zoe@x.org"}
    with sqlite_memory.database() as engine:
        world.filled(engine)
        scope: Any = {"catalog": world.catalog, "where": where, "closure": True}
        with pytest.warns(ClosureWarning) as caught:
            manifest = export_all(engine, tmp_path / "out", **scope)
        assert [str(warning.message) for warning in caught] == [
            "closure=True exports records that where leaves out: 1 of people; other exported "
            "records refer to them. Filter those as well, or leave out closure"
        ]
        assert caught[0].filename == __file__
        assert manifest.brought_back == {"people": 1}
        assert Manifest.from_bytes((tmp_path / "out" / "manifest.json").read_bytes()) == manifest
        with pytest.warns(ClosureWarning) as caught:
            export_document(engine, **scope)
        assert caught[0].filename == __file__
        whole = export_all(engine, tmp_path / "whole", catalog=world.catalog, closure=True)
        assert whole.brought_back == {}
        assert "brought_back" not in (tmp_path / "whole" / "manifest.json").read_text()


@ON_SQLITE
def test_documents_take_the_same_options(engine: sa.Engine) -> None:
    """A document of a part holds that part."""
    world = worlds.shelves()
    document = export_document(
        world.filled(engine),
        catalog=world.catalog,
        only=["people"],
        where={"people": world.Person.email.like("z%")},
    )
    assert document["people"] == [{"email": "zoe@x.org"}]
    assert "books" not in document


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"only": ["poeple"]},
            "only: unknown entity 'poeple'; expected one of: people, books, loans, shelves.",
        ),
        (
            {"where": {"poeple": sa.true()}},
            "where: unknown entity 'poeple'; expected one of: people, books, loans, shelves.",
        ),
        (
            {"where": {"people": "email = 'x'"}},
            (
                "where['people'] is \"email = 'x'\"; expected a SQLAlchemy condition, such as "
                "Purchase.price > 10."
            ),
        ),
        (
            {"only": ["books"], "where": {"people": sa.true()}},
            "where filters 'people'; expected an entity that only lists. Add it to only.",
        ),
    ],
)
def test_unusable_filters_are_refused(
    options: Any, message: str, sqlite_memory: Backend, tmp_path: Path
) -> None:
    """Before anything is written."""
    world = worlds.shelves()
    with sqlite_memory.database(world.metadata) as engine, pytest.raises(ArgumentError) as caught:
        export_all(engine, tmp_path / "out", catalog=world.catalog, **options)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_lone_condition_is_told_where_it_belongs(sqlite_memory: Backend) -> None:
    """Taken for no filter at all, it would export everything as if whole."""
    world = worlds.shelves()
    people = "where=people.email = :email_1; expected a mapping of conditions by entity. Write "
    with sqlite_memory.database(world.metadata) as engine:
        for where, text in [
            (world.Person.email == "zoe@x.org", people + "where={'people': condition}."),
            (
                sa.true(),
                "where=true; expected a mapping of conditions by entity. Write where={'an ",
            ),
            (
                [],
                "where=[]; expected a mapping of conditions by entity. Write where={'an entity': ",
            ),
            (
                "",
                "where=''; expected a mapping of conditions by entity. Write where={'an entity': ",
            ),
        ]:
            with pytest.raises(LadingError) as caught:
                export_document(engine, catalog=world.catalog, where=where)
            assert str(caught.value).startswith(text)
        with pytest.raises(ArgumentError, match="expected a SQLAlchemy condition"):
            export_document(engine, catalog=world.catalog, where={"people": world.Person.email})
        assert export_document(engine, catalog=world.catalog, where={})["people"] == []


@ON_SQLITE
def test_include_ids_adds_ids(engine: sa.Engine, tmp_path: Path) -> None:
    """For people who debug: the surrogate and each reference's foreign key."""
    world = worlds.shelves()
    world.filled(engine)
    path = tmp_path / "out"
    manifest = export_all(engine, path, catalog=world.catalog, include_ids=True)
    with Session(engine) as session:
        ids = {person.email: person.id for person in session.scalars(sa.select(world.Person))}
        books = {str(book.uuid): book for book in session.scalars(sa.select(world.Book))}
    for record in records_of(path, "people", manifest):
        assert record["id"] == ids[record["email"]]
    for record in records_of(path, "books", manifest):
        book = books[record["uuid"]]
        assert record["id"] == book.id
        assert record["editor_id"] == book.editor_id
        assert record["owner_id"] == book.owner_email
        assert record["shelf_id"] == [book.room, book.number]


@ON_SQLITE
def test_without_ids_a_bundle_holds_no_surrogate(shop: sa.Engine, tmp_path: Path) -> None:
    """Ids mean nothing outside of their database."""
    manifest = export_all(shop, tmp_path / "out", catalog=bakery)

    def names(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from names(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from names(inner)

    for file in manifest.files:
        found = set(names(records_of(tmp_path / "out", file.entity_type, manifest)))
        assert not {name for name in found if name == "id" or name.endswith("_id")}


# What is refused


def refused(engine: Any, catalog: Catalog, path: Path, **options: Any) -> LadingError:
    """Return the error of an export that must leave nothing behind."""
    with pytest.raises((ArgumentError, TargetError)) as caught:
        export_all(engine, path / "out", catalog=catalog, **options)
    assert list(path.iterdir()) == []
    return caught.value


def twins() -> tuple[Any, Catalog]:
    """Declare a model whose declared key the database doesn't enforce."""

    class Item(new_base()):
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20))
        kind = mapped_column(sa.String(20))

    catalog = Catalog("test")
    schema_for(Item, catalog, natural_key=("name", "kind"))
    return Item, catalog


@pytest.mark.parametrize("second", ["b", None])
def test_twins_are_refused(second: str | None, engine: sa.Engine, tmp_path: Path) -> None:
    """Two rows of one key can't both be found again; nulls compare equal."""
    item, catalog = twins()
    item.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([item(name=name, kind=second) for name in ("a", "c", "a")])
        session.commit()
    error = refused(engine, catalog, tmp_path)
    shown = repr({"name": "a", "kind": second})
    assert str(error) == (
        f"items: two rows have the natural key {shown}; it must be unique. Remove or rename one, "
        "or declare a natural_key that tells them apart."
    )
    assert error.entity == "items"
    assert error.key == {"name": "a", "kind": second}


def test_twins_are_seen_across_chunks(sqlite_memory: Backend) -> None:
    """The last of a chunk is compared with the first of the next."""
    item, catalog = twins()
    with sqlite_memory.database(item.metadata) as engine:
        with Session(engine) as session:
            session.add_all([item(name=name, kind="x") for name in ("a", "b", "b", "c")])
            session.commit()
        with reading(engine, catalog) as opened:
            require_tables(opened.database, catalog.use())
            reader = RecordReader(opened.database, catalog.use()["items"])
            with pytest.raises(TargetError, match="two rows have"):
                list(reader.chunks(size=2))


def test_chunks_of_any_size_give_the_same_lines(sqlite_memory: Backend) -> None:
    """How rows are fetched doesn't show."""
    world = worlds.kitchen()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        found = []
        for size in (1, 2, 100):
            with reading(engine, world.catalog) as opened:
                require_tables(opened.database, world.catalog.use())
                reader = RecordReader(opened.database, world.catalog.use()["dishes"])
                found.append([line for lines in reader.chunks(size=size) for line in lines])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


def test_dangling_references_are_refused(tmp_path: Path) -> None:
    """SQLite without foreign keys lets rows point to nowhere; null it isn't."""
    world = worlds.shelves()
    engine = sa.create_engine("sqlite://")
    world.filled(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE books SET editor_id = 77 WHERE editor_id IS NOT NULL")
    error = refused(engine, world.catalog, tmp_path)
    engine.dispose()
    assert str(error) == (
        "books, editor: editor_id = 77 refers to no row of people (in the row with uuid "
        '"00000000-0000-0000-0000-000000000002"). Add the missing row, or set the foreign key to '
        "one that exists."
    )


def test_required_dangling_references_are_refused(tmp_path: Path) -> None:
    """Also where the column may not be null, and inside of a key."""
    world = worlds.shelves()
    engine = sa.create_engine("sqlite://")
    world.filled(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE loans SET book_id = 77 WHERE since = '2025-01-02'")
    error = refused(engine, world.catalog, tmp_path)
    engine.dispose()
    assert error.entity == "loans"
    assert error.field == "book"
    assert "refers to no row of books" in str(error)


def test_dangling_links_and_lost_owned_rows_are_refused(tmp_path: Path) -> None:
    """Links and owned rows that belong to nobody would be forgotten."""
    broken = {
        "INSERT INTO dish_cuisines VALUES (1, 77)": (
            "the link of dish_cuisines with dish_id 1 refers to no row of cuisines. Remove"
        ),
        "INSERT INTO dish_cuisines VALUES (77, 1)": (
            "dish_cuisines: 1 of 3 rows belong to no record, and would be forgotten. Delete them, "
            "or give each a parent that exists."
        ),
        "UPDATE steps SET dish_id = 77": "steps: 2 of 2 rows belong to no record",
        "UPDATE parts SET other_id = 77": "refers to no row of dishes",
    }
    for statement, message in broken.items():
        world = worlds.kitchen()
        engine = sa.create_engine("sqlite://")
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        assert message in str(refused(engine, world.catalog, tmp_path))
        engine.dispose()


@pytest.mark.parametrize("part", ["only", "where", "closure"])
@pytest.mark.parametrize(
    ("lost", "table"),
    [
        ("INSERT INTO dish_cuisines VALUES (77, 1)", "dish_cuisines"),
        ("UPDATE steps SET dish_id = 77", "steps"),
    ],
)
def test_what_is_lost_of_a_whole_entity_is_refused_in_a_part(
    tmp_path: Path, part: str, lost: str, table: str
) -> None:
    """Other entities may be left out or filtered; where its own is, nobody counts on the row."""
    world = worlds.kitchen()
    dish, menu = world.models["Dish"], world.models["Menu"]
    without = {"menus": menu.slug == "none"}
    options: dict[str, Any] = {
        "only": {"only": ["dishes"]},
        "where": {"where": without},
        "closure": {"where": without, "closure": True},
    }[part]
    engine = sa.create_engine("sqlite://")
    world.filled(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(lost)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error = refused(engine, world.catalog, tmp_path, **options)
        assert (error.entity, "would be forgotten" in str(error)) == (table, True)
        filtered = {"dishes": dish.slug == "bread"}
        export_all(engine, tmp_path / "out", catalog=world.catalog, where=filtered)
    engine.dispose()


def test_an_owned_row_of_two_parents_is_refused(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Every row of an owned table is in exactly one record."""
    base = new_base()

    def parent(name: str) -> Any:
        return type(
            name,
            (base,),
            {
                "__tablename__": f"{name.lower()}s",
                "id": mapped_column(sa.Integer, primary_key=True),
                "slug": mapped_column(sa.String(9), unique=True, nullable=False),
            },
        )

    box, bag = parent("Box"), parent("Bag")

    class Note(base):
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        box_id = mapped_column(sa.ForeignKey("boxs.id"))
        bag_id = mapped_column(sa.ForeignKey("bags.id"))
        text = mapped_column(sa.String(9))

    catalog = Catalog("test")
    notes = schema_for(Note, catalog)
    schema_for(box, catalog, {"notes": Owned(notes)})
    schema_for(bag, catalog, {"notes": Owned(notes)})
    with sqlite_memory.database(base.metadata) as engine, Session(engine) as session:
        session.add_all([box(id=1, slug="box"), bag(id=1, slug="bag")])
        session.flush()
        session.add_all([Note(box_id=1, text="x"), Note(bag_id=1, text="y")])
        session.commit()
        document = export_document(engine, catalog=catalog)
        assert document["boxs"] == [{"slug": "box", "notes": [{"text": "x"}]}]
        assert document["bags"] == [{"slug": "bag", "notes": [{"text": "y"}]}]
        session.add(Note(box_id=1, bag_id=1, text="z"))
        session.commit()
        error = refused(engine, catalog, tmp_path)
        assert "a row of notes belongs to two parents; each is in one record exactly" in str(error)
        session.execute(sa.update(Note).values(box_id=None, bag_id=None))
        session.commit()
        error = refused(engine, catalog, tmp_path)
        assert str(error) == (
            "notes: 3 of 3 rows belong to no record, and would be forgotten. Give each a parent "
            "that exists, or don't own them: without Owned, NoteSchema is an entity of its own, "
            "whose owner may be null."
        )


UNHELD = {
    "small": "'text'",
    "flag": "7",
    "weight": "'heavy'",
    "price": "1.00005",
    "whole": "1.5",
    "day": "'2025-13-01'",
    "clock": "'noon'",
    "moment": "'yesterday'",
    "instant": "'2025-01-01 00:00:00+02:00'",
    "uid": "'no uuid'",
    "size": "'tiny'",
    "label": "'three'",
    "doc": '\'{"a":1,"a":2}\'',
    "padded": "'longer than it may be'",
    "long": "x'ff'",
    "blob": "'text'",
}


@pytest.mark.parametrize("column", UNHELD)
def test_values_that_a_column_can_t_hold_are_located(
    column: str, sqlite_memory: Backend, tmp_path: Path
) -> None:
    """SQLite keeps anything anywhere; an export says which row, which field, what."""
    world = worlds.types()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            connection.exec_driver_sql(
                f"UPDATE things SET {column} = {UNHELD[column]} WHERE code = 'nulls'"
            )
        error = refused(engine, world.catalog, tmp_path)
    assert error.entity == "things"
    assert error.field == column
    assert '(in the row with code "nulls")' in str(error)
    remedy = f"or let the column's model say what it holds; {WRITTEN}."
    if column in ("price", "whole"):
        remedy = (
            "Correct the row, or export such numbers as SQLAlchemy reads them, by the "
            "catalog's option sqlite_decimals='as_read'."
        )
    if column == "instant":
        remedy = f"let column things.instant be Text, as mapped_column(Text): that carries such texts as they are; {WRITTEN}."
    assert str(error).endswith(remedy)


def test_a_record_that_no_reader_would_take_is_named(
    sqlite_memory: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its entity and key; nothing is left of the bundle."""
    monkeypatch.setattr(export_run, "MAX_RECORD", 200)
    world = worlds.types()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        error = refused(engine, world.catalog, tmp_path)
    assert (error.entity, error.key) == ("things", {"code": "edges"})
    assert "things: the record with code 'edges' is longer than" in str(error)


def test_infinite_decimals_of_postgresql_are_words(postgresql: Backend) -> None:
    """A scale-less numeric holds them there."""
    world = worlds.types()
    with postgresql.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE things SET loose = 'Infinity' WHERE code = 'nulls'")
            connection.exec_driver_sql("UPDATE things SET loose = 'NaN' WHERE code = 'full'")
        document = export_document(engine, catalog=world.catalog)
    found = {record["code"]: record["loose"] for record in document["things"]}
    assert found["nulls"] == "Infinity"
    assert found["full"] == "NaN"


@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])
def test_dates_outside_of_python_s_are_located(
    value: str, postgresql: Backend, tmp_path: Path
) -> None:
    """PostgreSQL's infinite and far dates raise inside of the driver; the row is still named."""
    world = worlds.types()
    with postgresql.database() as engine:
        world.filled(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE things SET day = '{value}' WHERE code = 'nulls'")
        error = refused(engine, world.catalog, tmp_path)
    assert error.entity == "things"


def test_a_refusal_logs_nothing(
    engine: sa.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every cursor is closed before its connection, else SQLAlchemy's pool logs an error."""
    item, catalog = twins()
    item.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(item), [{"name": "a"} for _ in range(CHUNK + 10)])
    refused(engine, catalog, tmp_path)
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == []


def test_missing_tables_are_named(engine: sa.Engine, tmp_path: Path) -> None:
    """All of them, and what to do."""
    world = worlds.shelves()
    world.metadata.tables["people"].create(engine)
    error = refused(engine, world.catalog, tmp_path)
    assert str(error) == (
        "the database has no table books, loans, shelves. Create the tables first: "
        "Base.metadata.create_all(engine), or your migrations."
    )


@ON_SQLITE
def test_what_is_left_out_is_warned_of(engine: sa.Engine, tmp_path: Path) -> None:
    """And listed in the manifest; excused names are listed in silence."""
    world = worlds.shelves()
    catalog = Catalog("part", leaves_out={"loans": "short-lived"})
    schema_for(world.Person, catalog)
    schema_for(world.Shelf, catalog)
    world.filled(engine)
    with pytest.warns(LeftOutWarning) as caught:
        manifest = export_all(engine, tmp_path / "1", catalog=catalog)
    assert [str(item.message) for item in caught] == [
        (
            "this export of catalog 'part' carries no books; declare a schema for each table and "
            "export it, carry each column, or excuse it by name: "
            "leaves_out={'books': 'the reason'}"
        )
    ]
    assert caught[0].filename == __file__
    assert manifest.left_out == {"books": None, "loans": "short-lived"}
    excused = Catalog("part", leaves_out={"loans": "short-lived", "books": "read elsewhere"})
    schema_for(world.Person, excused)
    schema_for(world.Shelf, excused)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        manifest = export_all(engine, tmp_path / "2", catalog=excused)
    assert manifest.left_out == {"books": "read elsewhere", "loans": "short-lived"}


def test_a_document_warns_of_what_it_leaves_out(sqlite_memory: Backend) -> None:
    """Nothing is forgotten silently, in a document no more than in a bundle."""
    world = worlds.shelves()
    catalog = Catalog("part")
    schema_for(world.Person, catalog)
    with sqlite_memory.database(world.metadata) as engine, pytest.warns(LeftOutWarning):
        export_document(engine, catalog=catalog)


# Sessions and transactions


@ON_FILES_TOO
def test_every_kind_of_session_is_taken(engine: sa.Engine, tmp_path: Path) -> None:
    """Engine, connection, session, factory, scoped session, and the catalog's bind."""
    world = worlds.shelves()
    world.filled(engine)
    digests = set()
    with engine.connect() as connection, Session(engine) as session:
        scoped = scoped_session(sessionmaker(engine))
        given = [engine, connection, session, sessionmaker(engine), scoped, None]
        world.catalog.bind = engine
        for n, item in enumerate(given):
            digests.add(export_all(item, tmp_path / str(n), catalog=world.catalog).content_sha256)
            if engine.url.database in {None, ""}:
                connection.rollback()  # SQLite in memory has one connection for all
        world.catalog.bind = sessionmaker(engine)
        digests.add(export_all(None, tmp_path / "bind", catalog=world.catalog).content_sha256)
        scoped.remove()
    assert len(digests) == 1


def test_without_any_session_it_says_what_to_give(sqlite_memory: Backend, tmp_path: Path) -> None:
    """None is the catalog's bind, which may be missing."""
    world = worlds.shelves()
    assert str(refused(None, world.catalog, tmp_path)) == (
        "session=None; expected a Session, Connection, Engine or sessionmaker. Pass one, or give "
        "catalog 'shelves' a bind."
    )
    assert "session='sqlite://'; expected a Session, Connection" in str(
        refused("sqlite://", world.catalog, tmp_path)
    )


@ON_FILES_TOO
def test_async_sessions_run_it_synchronously(backend: Backend, tmp_path: Path) -> None:
    """``await session.run_sync(export_all, path)`` works."""
    world = worlds.kitchen()
    with backend.database() as engine:
        twin = backend.async_twin(engine)
        if twin is None:
            pytest.skip("no second engine, or no driver for asyncio")
        expected = export_all(world.filled(engine), tmp_path / "sync", catalog=world.catalog)

        async def run() -> Manifest:
            try:
                async with AsyncSession(twin) as session:
                    return await session.run_sync(
                        export_all, tmp_path / "async", catalog=world.catalog
                    )
            finally:
                await twin.dispose()

        assert asyncio.run(run()).content_sha256 == expected.content_sha256


@ON_FILES_TOO
def test_an_async_session_itself_is_told_how(backend: Backend, tmp_path: Path) -> None:
    """The hint stands in the error."""
    world = worlds.shelves()
    with backend.database() as engine:
        twin = backend.async_twin(engine)
        if twin is None:
            pytest.skip("no second engine, or no driver for asyncio")
        error = refused(AsyncSession(twin), world.catalog, tmp_path)
        assert "await async_session.run_sync(export_all, ...)" in str(error)
        asyncio.run(twin.dispose())


@ON_FILES_TOO
def test_a_callers_pending_objects_are_flushed_and_kept(engine: sa.Engine, tmp_path: Path) -> None:
    """Flushed first; never committed, never rolled back."""
    world = worlds.shelves()
    world.filled(engine)
    path = tmp_path / "out"
    with Session(engine) as session:
        session.add(world.Person(email="new@x.org"))
        manifest = export_all(session, path, catalog=world.catalog)
        assert manifest["people"].record_count == 3
        assert "caller's transaction" in manifest.snapshot
        assert session.in_transaction()
        assert session.scalar(sa.select(sa.func.count()).select_from(world.Person)) == 3
        session.rollback()
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(world.Person)) == 2


def test_a_callers_transaction_survives_a_refusal(engine: sa.Engine, tmp_path: Path) -> None:
    """An export that fails leaves the caller's work where it was."""
    item, catalog = twins()
    item.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([item(name="a", kind="b"), item(name="a", kind="b")])
        refused(session, catalog, tmp_path)
        assert session.scalar(sa.select(sa.func.count()).select_from(item)) == 2
        session.commit()
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(item)) == 2


@ON_FILES_TOO
def test_a_callers_connection_keeps_its_transaction(engine: sa.Engine, tmp_path: Path) -> None:
    """What was written on it before is exported and can be rolled back after."""
    world = worlds.shelves()
    world.filled(engine)
    with engine.connect() as connection:
        connection.execute(sa.insert(world.Person).values(email="new@x.org"))
        manifest = export_all(connection, tmp_path / "out", catalog=world.catalog)
        assert manifest["people"].record_count == 3
        connection.execute(sa.insert(world.Person).values(email="more@x.org"))
        connection.rollback()
        assert connection.scalar(sa.select(sa.func.count()).select_from(world.Person)) == 2


@ON_FILES_TOO
def test_an_engine_is_left_without_a_transaction(engine: sa.Engine, tmp_path: Path) -> None:
    """What we open we close: nothing is checked out, and nothing is read only afterwards."""
    world = worlds.shelves()
    world.filled(engine)
    export_all(engine, tmp_path / "out", catalog=world.catalog)
    if hasattr(engine.pool, "checkedout"):
        assert engine.pool.checkedout() == 0
    with Session(engine) as session:
        session.add(world.Person(email="new@x.org"))
        session.commit()


@pytest.mark.parametrize("where", ["connection", "session"])
@ON_FILES_TOO
def test_autocommit_is_refused(where: str, backend: Backend, tmp_path: Path) -> None:
    """Nothing would be one snapshot."""
    world = worlds.shelves()
    with backend.database() as engine:
        world.filled(engine)
        auto = engine.execution_options(isolation_level="AUTOCOMMIT")
        if where == "connection":
            with auto.connect() as connection:
                error = refused(connection, world.catalog, tmp_path)
        else:
            with Session(auto) as session:
                error = refused(session, world.catalog, tmp_path)
    assert str(error) == (
        "the connection is in AUTOCOMMIT, where nothing can be rolled back. Use another "
        "isolation level."
    )


def test_a_session_bound_to_two_databases_is_refused(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """A bundle is one snapshot of one database."""
    world = worlds.shelves()
    with sqlite_memory.database() as one, sqlite_memory.database() as two:
        with Session(one, binds={world.Person: two}) as session:
            error = refused(session, world.catalog, tmp_path)
    assert str(error).startswith(
        "the session binds the models of catalog 'shelves' to 2 databases: books, loans, "
        "shelves to sqlite://; people to sqlite://. "
    )
    assert "Give each database a catalog of its own: by Meta.catalog, or by" in str(error)


@pytest.mark.parametrize("name", ["sqlite_file", "postgresql"])
def test_an_export_is_one_snapshot(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """What others commit meanwhile isn't seen, in no entity."""
    backend = request.getfixturevalue(name)
    world = worlds.shelves()
    with backend.database() as engine:
        if name == "sqlite_file":
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        world.filled(engine)
        written = []

        def meddle(_progress: Progress) -> None:
            if not written:
                with Session(engine) as session:
                    session.add(world.Person(email="late@x.org"))
                    session.add(world.Shelf(room="late", number=1))
                    session.commit()
                written.append(True)

        path = tmp_path / "out"
        manifest = export_all(engine, path, catalog=world.catalog, progress=meddle)
        assert written
        assert manifest["people"].record_count == 2
        assert manifest["shelves"].record_count == 2


# Cost


def test_statements_depend_on_chunks_and_not_on_rows(backend: Backend, tmp_path: Path) -> None:
    """One stream an entity; each owned or link table costs one more per chunk of parents."""
    counts: dict[int, int] = {}
    for rows in (1, CHUNK, CHUNK + 1, 2 * CHUNK + 1):
        world = worlds.kitchen()
        with backend.database(world.metadata) as engine:
            numbers = range(1, rows + 1)
            with engine.begin() as connection:
                for table, values in (
                    ("cuisines", [{"id": 1, "name": "x"}]),
                    ("dishes", [{"id": n, "slug": f"d{n}"} for n in numbers]),
                    ("dish_cuisines", [{"dish_id": n, "cuisine_id": 1} for n in numbers]),
                    ("steps", [{"dish_id": n, "position": 1, "text": "t"} for n in numbers]),
                    ("parts", [{"dish_id": n, "other_id": 1} for n in numbers]),
                ):
                    connection.execute(sa.insert(world.metadata.tables[table]), values)
            with statements(engine) as seen:
                manifest = export_all(engine, tmp_path / str(rows), catalog=world.catalog)
            assert manifest["dishes"].record_count == rows
            counts[rows] = len(seen)
    assert counts[1] == counts[CHUNK]
    assert counts[CHUNK + 1] == counts[1] + 3  # links, steps, parts
    assert counts[2 * CHUNK + 1] == counts[1] + 6


@ON_SQLITE
def test_progress_is_told_after_each_chunk(backend: Backend, tmp_path: Path) -> None:
    """Ascending, with the total, up to all of it."""
    world = worlds.shelves()
    seen: list[Progress] = []
    with backend.database(world.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(
                sa.insert(world.Person), [{"email": f"{n}@x.org"} for n in range(CHUNK + 5)]
            )
        export_all(engine, tmp_path / "out", catalog=world.catalog, progress=seen.append)
    assert {item.step for item in seen} == {"export"}
    people = [(item.done, item.total) for item in seen if item.entity == "people"]
    assert people == [(CHUNK, CHUNK + 5), (CHUNK + 5, CHUNK + 5)]


def test_a_progress_that_raises_stops_the_export(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Whoever cancels finds nothing half done."""
    world = worlds.shelves()

    def cancel(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with sqlite_memory.database() as engine:
        world.filled(engine)
        with pytest.raises(KeyboardInterrupt):
            export_all(engine, tmp_path / "out", catalog=world.catalog, progress=cancel)
        assert list(tmp_path.iterdir()) == []
        export_all(engine, tmp_path / "out", catalog=world.catalog)


# marshmallow's own way


@ON_SQLITE
def test_hooks_and_custom_fields_shape_the_records(engine: sa.Engine, tmp_path: Path) -> None:
    """A schema that means more than what is compiled goes through its own dump."""
    world = worlds.shelves()
    catalog = Catalog("hooks")

    def shout(self: Any, data: Any, **_options: Any) -> Any:
        return {**data, "loud": data["email"].upper()}

    def calm(self: Any, data: Any, **_options: Any) -> Any:
        return {name: value for name, value in data.items() if name != "loud"}

    schema_for(
        world.Person,
        catalog,
        {
            "shout": ma.post_dump(shout),
            "calm": ma.pre_load(calm),
            "length": ma.fields.Function(lambda person: len(person.email), dump_only=True),
        },
    )
    schema_for(world.Shelf, catalog)
    schema_for(world.Book, catalog, {"owner": Ref(flat=True)})
    schema_for(world.Loan, catalog)
    manifest = export_all(world.filled(engine), tmp_path / "out", catalog=catalog)
    assert records_of(tmp_path / "out", "people", manifest) == [
        {"email": "adam@x.org", "length": 10, "loud": "ADAM@X.ORG"},
        {"email": "zoe@x.org", "length": 9, "loud": "ZOE@X.ORG"},
    ]


@pytest.mark.parametrize(
    ("attributes", "where", "change"),
    [
        (
            {"name": ma.post_dump(lambda _self, data, **_: {**data, "loud": "!"})},
            ", loud",
            "fails on it (ValidationError({'loud': ['Unknown field.']}))",
        ),
        (
            {"name": ma.post_dump(lambda _self, data, **_: {"email": data["email"].upper()})},
            ", email",
            "turns email 'adam@x.org' into 'ADAM@X.ORG'",
        ),
    ],
)
def test_what_would_not_load_again_is_not_exported(
    attributes: dict[str, Any], where: str, change: str, sqlite_memory: Backend, tmp_path: Path
) -> None:
    """Hooks that lose something make no backup."""
    world = worlds.shelves()
    catalog = Catalog("hooks")
    schema_for(world.Person, catalog, attributes)
    with sqlite_memory.database() as engine, pytest.raises(TargetError) as caught:
        export_all(world.filled(engine), tmp_path / "out", catalog=catalog, only=["people"])
    assert str(caught.value) == (
        f"people{where}: PersonSchema {change}: {{'email': 'adam@x.org'}} would not be restored as it is. "
        "Correct the schema's hooks and fields: load must undo dump."
    )
    assert caught.value.key == {"email": "adam@x.org"}


def test_a_hook_that_alters_a_hidden_value_is_named_without_it(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    world = worlds.shelves()
    catalog = Catalog("hooks")
    shout = ma.post_dump(lambda _self, data, **_: {"email": data["email"].upper()})
    schema_for(world.Person, catalog, {"name": shout}, hidden=("email",))
    with sqlite_memory.database() as engine, pytest.raises(TargetError) as caught:
        export_all(world.filled(engine), tmp_path / "out", catalog=catalog, only=["people"])
    assert str(caught.value) == (
        "people, email: PersonSchema fails on its value <hidden>: {'email': <hidden>} would not be "
        "restored as it is. Correct the schema's hooks and fields: load must undo dump."
    )


@pytest.mark.parametrize("name", ["shelves", "kitchen", "nested", "oddities", "types"])
def test_marshmallow_s_way_gives_the_same_bytes(
    name: str, sqlite_memory: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled or dumped by marshmallow, a record is the same to the byte."""
    world = getattr(worlds, name)()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        compiled = export_all(engine, tmp_path / "1", catalog=world.catalog)
        monkeypatch.setattr(export_run, "needs_marshmallow", lambda rows: True)
        slow = export_all(engine, tmp_path / "2", catalog=world.catalog)
    for file in compiled.files:
        written = [(tmp_path / n / file.filename).read_text() for n in "12"]
        assert written[0] == written[1]
    assert slow.content_sha256 == compiled.content_sha256


# Schemas


def test_tables_in_schemas(backend: Backend, tmp_path: Path) -> None:
    """``shop.items`` on PostgreSQL; translated away where there are no schemas."""
    base = new_base()

    class Item(base):
        __tablename__ = "items"
        __table_args__ = {"schema": "shop"}
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        twin_id = mapped_column(sa.ForeignKey("shop.items.id"))

    with backend.database() as plain:
        engine = plain
        if backend.dialect == "postgresql":
            with plain.begin() as connection:
                connection.execute(sa.schema.CreateSchema("shop"))
        else:
            engine = plain.execution_options(schema_translate_map={"shop": None})
        base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Item(id=1, slug="a", twin_id=None))
            session.flush()
            session.add(Item(id=2, slug="b", twin_id=1))
            session.commit()
        catalog = catalog_of(Item)
        manifest = export_all(engine, tmp_path / "out", catalog=catalog)
    assert lines_of(tmp_path / "out", "items", manifest) == (
        '{"slug":"a","twin":null}\n{"slug":"b","twin":{"slug":"a"}}'
    )


def test_world_helpers_are_whole() -> None:
    """Each world declares at least an entity and its models can be reached by name."""
    for make in (worlds.types, worlds.shelves, worlds.oddities):
        world: World = make()
        assert world.catalog.schemas
        assert all(getattr(world, name) is model for name, model in world.models.items())


def tagged(base: Any) -> tuple[Any, Any]:
    """Map posts and tags with a link table that has no key of its own."""
    sa.Table(
        "links",
        base.metadata,
        sa.Column("post_id", sa.ForeignKey("posts.id")),
        sa.Column("tag_id", sa.ForeignKey("tags.id")),
    )
    tag = table(base, "tags", posts=relationship("Posts", secondary="links"))
    return tag, table(base, "posts")


def test_links_that_a_partial_export_cuts_are_named(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Links carried by an entity that isn't written are no silent loss."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add(tag(slug="t", posts=[post(slug="p")]))
        with pytest.warns(LeftOutWarning, match="carries no links"):
            manifest = export_all(engine, tmp_path / "out", catalog=catalog, only=["posts"])
    assert manifest.left_out == {"links": None}


def test_a_link_twice_is_refused_at_export(sqlite_memory: Backend) -> None:
    """No import could take it, so no bundle may hold it."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with Session(engine) as session, session.begin():
            session.add_all([tag(id=1, slug="t"), post(id=1, slug="p")])
            session.flush()
            for _ in range(2):
                session.execute(sa.text("INSERT INTO links VALUES (1, 1)"))
        with pytest.raises(TargetError, match="links holds a link twice"):
            export_document(engine, catalog=catalog)


def test_a_condition_on_another_table_is_refused(sqlite_memory: Backend) -> None:
    """It would multiply rows where the user meant to filter them."""
    base = new_base()
    tag, post = tagged(base)
    catalog = catalog_of(tag, post)
    with sqlite_memory.database(base.metadata) as engine:
        with pytest.raises(ArgumentError, match="own table; tags would multiply its rows"):
            export_document(engine, catalog=catalog, where={"posts": tag.slug == "t"})
        with pytest.raises(ArgumentError, match="an alias of posts would multiply its rows"):
            export_document(engine, catalog=catalog, where={"posts": aliased(post).slug == "p"})
        condition = sa.exists().where(tag.slug == "t")
        assert export_document(engine, catalog=catalog, where={"posts": condition})["posts"] == []
