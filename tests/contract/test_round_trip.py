"""Export, import into an empty database, export again: nothing is lost or altered on the way.

Every world of the zoo goes round on every engine and between engines. Equal bytes
alone could hide changed cells, so stored values and types are compared as well.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading import Catalog, export_all, import_all
from lading.bundle.manifest import Manifest
from lading.testing.compare.stored import stored_cells
from support.backends import ON_SQLITE, Backend
from support.raw import raw_values
from support.rewriting import entity_bytes, rewritten
from support.zoo import WORLDS, World

EVERY_WORLD = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())


@cache
def declared(world: Callable[[], World]) -> World:
    """Declare a world once for all tests and engines."""
    return world()


@pytest.fixture
def made(world: Any) -> World:
    """One world, which no test alters."""
    return declared(world)


def exported(engine: sa.Engine, world: World, path: Path) -> Manifest:
    """Export a world."""
    return export_all(engine, path, catalog=world.catalog)


def loaded(engine: sa.Engine, world: World, path: Path) -> sa.Engine:
    """Create a world's tables and import a bundle into them."""
    world.metadata.create_all(engine)
    report = import_all(engine, path, catalog=world.catalog)
    assert report.committed
    assert not report.problems
    records = sum(entry.record_count for entry in Manifest.from_bytes(manifest_of(path)).files)
    assert report.imported == report.inserted == report.total.inserted == records
    return engine


def manifest_of(path: Path) -> bytes:
    """Return a bundle's manifest as it stands."""
    return (path / "manifest.json").read_bytes()


@EVERY_WORLD
def test_a_world_goes_round(backend: Backend, made: World, tmp_path: Path) -> None:
    """What comes out of the second database is what went into the first, cell by cell.

    Though its files were shuffled, and formatted by a person, and its ids are others: a second
    import finds every record and touches no cell, and the application's next rows fit in.
    """
    with backend.database() as source, backend.database() as target:
        first = exported(made.filled(source), made, tmp_path / "a")
        mixed(made, source, tmp_path / "mixed")
        second = exported(loaded(target, made, tmp_path / "mixed"), made, tmp_path / "b")
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
        assert first.content_sha256 == second.content_sha256
        assert [e.references for e in first.files] == [e.references for e in second.files]
        assert first.deferred == second.deferred
        before = raw_values(source, made.metadata, keep=made.keep)
        assert any(before.values())
        assert raw_values(target, made.metadata, keep=made.keep) == before
        a_second_import_changes_nothing(target, made, tmp_path / "mixed", second)
        with Session(target) as session:
            made.more(session)
            session.commit()
        exported(target, made, tmp_path / "c")


def mixed(world: World, source: sa.Engine, path: Path) -> None:
    """Export records in any order, with their fields in another, over many lines."""
    shuffle = random.Random(7).shuffle
    exported(source, world, path)

    def shuffled(_name: str, records: list[Any]) -> list[Any]:
        shuffle(records)
        return [dict(reversed(record.items())) for record in records]

    rewritten(path, shuffled, indent=2)


@EVERY_WORLD
@ON_SQLITE
def test_an_adopted_world_goes_round(backend: Backend, made: World, tmp_path: Path) -> None:
    """Without its schemas: as tables, and as they are reflected; every cell is as it was."""
    with backend.database() as source:
        made.filled(source)
        for adopted, owned in ((made.metadata, False), (source, True)):
            catalog = Catalog.from_metadata(adopted, owned=owned)
            path = tmp_path / type(adopted).__name__
            export_all(source, path, catalog=catalog)
            with backend.database(made.metadata) as target:
                import_all(target, path, catalog=catalog)
                export_all(target, tmp_path / f"{path.name} again", catalog=catalog)
                tables = made.metadata.sorted_tables
                assert stored_rows(source, tables) == stored_rows(target, tables)
            assert entity_bytes(path) == entity_bytes(tmp_path / f"{path.name} again")


def stored_rows(engine: sa.Engine, tables: list[sa.Table]) -> dict[str, list[str]]:
    """Return what each table stores, ids included, in one order."""
    cells = stored_cells(engine, tables)
    return {name: sorted(map(repr, rows)) for name, rows in cells.items()}


def a_second_import_changes_nothing(
    engine: sa.Engine, world: World, path: Path, manifest: Manifest
) -> None:
    """All records are found by their keys, none differs, and not a cell is touched."""
    every_id = [table.fullname for table in world.metadata.sorted_tables]
    before = raw_values(engine, world.metadata, keep=every_id)
    report = import_all(engine, path, catalog=world.catalog)
    assert report.skipped == sum(entry.record_count for entry in manifest.files)
    assert (report.imported, report.differing, report.failed) == (0, 0, 0)
    assert raw_values(engine, world.metadata, keep=every_id) == before


@EVERY_WORLD
def test_one_engine_reads_what_another_wrote(
    sqlite_file: Backend,
    postgresql: Backend,
    mariadb_if_installed: Backend | None,
    made: World,
    tmp_path: Path,
) -> None:
    """SQLite to PostgreSQL to MariaDB and back: the same bytes at each, the rows of the start."""
    stations = [postgresql, *filter(None, [mariadb_if_installed]), sqlite_file]
    with ExitStack() as stack:
        start = stack.enter_context(sqlite_file.database())
        last, first = tmp_path / "start", exported(made.filled(start), made, tmp_path / "start")
        for number, station in enumerate(stations):
            engine = loaded(stack.enter_context(station.database()), made, last)
            last = tmp_path / f"{number}"
            assert exported(engine, made, last).content_sha256 == first.content_sha256
            assert entity_bytes(last) == entity_bytes(tmp_path / "start")
        before = raw_values(start, made.metadata, keep=made.keep)
        assert raw_values(engine, made.metadata, keep=made.keep) == before


@EVERY_WORLD
def test_a_zip_with_ids_loads_like_a_folder_without(
    sqlite_memory: Backend, made: World, tmp_path: Path
) -> None:
    """``include_ids`` is for people: an import ignores what it adds."""
    with sqlite_memory.database() as source, sqlite_memory.database() as target:
        first = exported(made.filled(source), made, tmp_path / "a")
        export_all(source, tmp_path / "ids.zip", catalog=made.catalog, include_ids=True)
        made.metadata.create_all(target)
        report = import_all(target, tmp_path / "ids.zip", catalog=made.catalog)
        assert not report.problems
        second = exported(target, made, tmp_path / "b")
        assert first.content_sha256 == second.content_sha256


def test_columns_out_of_the_records_get_their_defaults(engine: sa.Engine, tmp_path: Path) -> None:
    """An excluded column gets its model's default, a computed one its value; onupdate stays out."""
    world = WORLDS["defaults"]()
    exported(world.filled(engine), world, tmp_path / "a")
    text = b"".join(entity_bytes(tmp_path / "a").values())
    assert b"password" not in text
    assert b"2099" not in text
    with engine.begin() as connection:
        connection.execute(sa.update(world.models.User).values(boss_id=None))
        connection.execute(sa.delete(world.models.User))
    import_all(engine, tmp_path / "a", catalog=world.catalog)
    with Session(engine) as session:
        found = session.scalars(sa.select(world.models.User).order_by("slug")).all()
        assert [user.password for user in found] == ["changeme"] * 3
        assert [user.full for user in found] == ["Ann Lee", None, "Ann Lee"]
        assert found[0].boss is found[2]
        assert {user.updated.year for user in found} == {2025}


@ON_SQLITE
def test_hooks_see_records_and_not_the_database(engine: sa.Engine, tmp_path: Path) -> None:
    """post_dump shapes the file, pre_load reads it back, and dump_only is never written."""
    world = WORLDS["hooks"]()
    exported(world.filled(engine), world, tmp_path / "a")
    file = json.loads((tmp_path / "a" / "02_machines.json").read_text())
    assert file["records"][1] == {
        "slug": "m1",
        "power": "1 kW",
        "built": "2020-01-02",
        "price": "0.25",
        "secret": "none",
        "maker": {"slug": "k1"},
        "parts": [{"words": "w0", "price": "0.00"}],
    }


def test_deep_trees_keep_their_roots(engine: sa.Engine, tmp_path: Path) -> None:
    """A root that points at itself does so again, thirty levels above the last child."""
    world = WORLDS["tree"]()
    exported(world.filled(engine), world, tmp_path / "a")
    world.metadata.drop_all(engine)
    loaded(engine, world, tmp_path / "a")
    with Session(engine) as session:
        node = session.scalars(sa.select(world.models.Node).where(world.models.Node.slug == "n09"))
        steps, here = 0, node.one()
        while here.parent is not here:
            here, steps = here.parent, steps + 1
        assert (steps, here.slug) == (30, "z-root")


def test_json_null_and_sql_null_stay_apart(engine: sa.Engine, tmp_path: Path) -> None:
    """None in a JSON column is the JSON value null unless the column says otherwise."""
    world = WORLDS["values"]()
    world.metadata.create_all(engine)
    exported(world.filled(engine), world, tmp_path / "a")
    world.metadata.drop_all(engine)
    loaded(engine, world, tmp_path / "a")
    Value = world.models.Value
    with engine.connect() as connection:
        kept = connection.execute(
            sa.select(Value.slug, sa.cast(Value.data_null, sa.Text)).order_by(Value.slug).limit(5)
        ).all()
    texts = [value and value.replace(" ", "") for _, value in kept]
    assert texts == ["null", None, "null", '{"a":null}', "[null]"]


def test_ids_that_mean_something_come_back(engine: sa.Engine, tmp_path: Path) -> None:
    """With natural_key = 'id' the ids are the records', negative and sparse ones too."""
    world = WORLDS["tickets"]()
    exported(world.filled(engine), world, tmp_path / "a")
    world.metadata.drop_all(engine)
    loaded(engine, world, tmp_path / "a")
    with Session(engine) as session:
        assert session.scalars(sa.select(world.models.Ticket.id).order_by("id")).all() == [
            -7,
            1,
            7,
            70,
            700,
        ]
        assert session.get_one(world.models.Ticket, 7).duplicate_of_id == 700
