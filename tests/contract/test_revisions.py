"""What a manifest says of alembic's revisions, and an import where the databases differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext

from lading import Catalog, Manifest, export_all, import_all, seal, upgrade, verify
from support import worlds
from support.backends import ON_SQLITE, Backend

MINE, OTHER = "1975ea83b712", "ae1027a6acf0"


def at_revision(
    engine: sa.Engine, *revisions: str, schema: str | None = None, table: str = "alembic_version"
) -> None:
    """Have alembic note the revisions that a database is at."""
    options = {"version_table_schema": schema, "version_table": table}
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts=options)
        context._ensure_version_table()
        connection.execute(sa.delete(context._version))
        for revision in revisions:
            connection.execute(sa.insert(context._version).values(version_num=revision))


def written(path: Path) -> Any:
    return json.loads((path / "manifest.json").read_bytes())


def test_a_manifest_notes_the_revision(backend: Backend, tmp_path: Path) -> None:
    """As alembic keeps it in the database; the records' digest doesn't depend on it."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        world.filled(engine)
        plain = export_all(engine, tmp_path / "plain", catalog=world.catalog)
        at_revision(engine, MINE)
        noted = export_all(engine, tmp_path / "noted", catalog=world.catalog)
    assert (plain.revisions, noted.revisions) == ((), (MINE,))
    assert plain.content_sha256 == noted.content_sha256
    assert "revisions" not in written(tmp_path / "plain")
    assert written(tmp_path / "noted")["revisions"] == [MINE]
    assert verify(tmp_path / "noted", catalog=world.catalog, restore=True)


def test_a_version_table_may_have_another_name(backend: Backend, tmp_path: Path) -> None:
    """It is known by its form, if it is the only one; a catalog without declarations leaves it."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        at_revision(engine, MINE, table="shop's versions")
        noted = export_all(engine, tmp_path / "a", catalog=world.catalog)
        reasons = Catalog.from_metadata(engine).coverage()
        at_revision(engine, OTHER, table="another")
        several = export_all(engine, tmp_path / "b", catalog=world.catalog)
    assert (noted.revisions, several.revisions) == ((MINE,), ())
    assert reasons["shop's versions"] == "alembic's own record of its revision"


@ON_SQLITE
def test_a_manifest_notes_every_head(backend: Backend, tmp_path: Path) -> None:
    """Branches of migrations each have one."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        at_revision(engine, OTHER, MINE)
        assert export_all(engine, tmp_path / "b", catalog=world.catalog).revisions == (MINE, OTHER)


def test_a_version_table_stands_beside_the_tables_of_its_schema(
    postgresql: Backend, tmp_path: Path
) -> None:
    """Other schemas are other applications'."""
    world = worlds.shelves()
    with postgresql.database() as engine:
        moved = engine.execution_options(schema_translate_map={None: "shop"})
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA shop")
            connection.exec_driver_sql("CREATE SCHEMA other")
        world.metadata.create_all(moved)
        at_revision(engine, MINE, schema="shop")
        at_revision(engine, OTHER, schema="other")
        assert export_all(moved, tmp_path / "b", catalog=world.catalog).revisions == (MINE,)


def test_a_version_table_that_may_not_be_read_is_none(postgresql: Backend, tmp_path: Path) -> None:
    """The export goes on as it began."""
    world = worlds.shelves()
    with postgresql.database(world.metadata) as engine:
        world.filled(engine)
        at_revision(engine, MINE)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP ROLE IF EXISTS lading_reader")
            connection.exec_driver_sql("CREATE ROLE lading_reader")
            connection.exec_driver_sql(
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO lading_reader"
            )
            connection.exec_driver_sql("REVOKE ALL ON alembic_version FROM lading_reader")
        with engine.connect() as connection:
            connection.exec_driver_sql("SET ROLE lading_reader")
            manifest = export_all(connection, tmp_path / "b", catalog=world.catalog)
            connection.rollback()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY lading_reader")
            connection.exec_driver_sql("DROP ROLE lading_reader")
    assert manifest.revisions == ()
    assert sum(entry.record_count for entry in manifest.files)


def test_an_import_says_where_revisions_differ(backend: Backend, tmp_path: Path) -> None:
    """In its report and in the plan of a dry run; it goes on, for the catalog decides what fits."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        world.filled(engine)
        at_revision(engine, MINE)
        export_all(engine, tmp_path / "b", catalog=world.catalog)
    text = f"the bundle is of a database at alembic revision {MINE}, and this one is at {OTHER}"
    with backend.database(world.metadata) as engine:
        at_revision(engine, OTHER)
        plan = import_all(engine, tmp_path / "b", catalog=world.catalog, dry_run=True)
        assert text in plan.unchecked
        report = import_all(engine, tmp_path / "b", catalog=world.catalog, expect=plan)
        assert (report.committed, str(report.revisions)) == (True, text)
        assert f"? {text}" in str(report)


@pytest.mark.parametrize("revisions", [(), (MINE,), None], ids=["no head", "equal", "no table"])
@ON_SQLITE
def test_an_import_says_nothing_of_equal_or_unknown_revisions(
    revisions: tuple[str, ...] | None, backend: Backend, tmp_path: Path
) -> None:
    """A scratch database has no migrations, and nobody needs to hear of it."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        at_revision(engine, MINE)
        export_all(engine, tmp_path / "b", catalog=world.catalog)
    with backend.database(world.metadata) as engine:
        if revisions is not None:
            at_revision(engine, *revisions)
        assert import_all(engine, tmp_path / "b", catalog=world.catalog).revisions is None


@ON_SQLITE
def test_what_writes_a_bundle_again_keeps_its_revisions(backend: Backend, tmp_path: Path) -> None:
    """A seal and an upgrade know of no other database."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        world.filled(engine)
        at_revision(engine, MINE)
        export_all(engine, tmp_path / "b", catalog=world.catalog)
    upgraded = upgrade(tmp_path / "b", tmp_path / "up", catalog=world.catalog)
    for file in (tmp_path / "b").glob("0*.json"):
        file.write_text(file.read_text().replace("zoe@x.org", "zoe@y.org"))
    assert seal(tmp_path / "b").manifest.revisions == upgraded.revisions == (MINE,)


@ON_SQLITE
def test_an_export_after_a_migration_is_not_unchanged(backend: Backend, tmp_path: Path) -> None:
    """A nightly export would otherwise say for ever that it is of the old structure."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        world.filled(engine)
        at_revision(engine, MINE)
        manifests = []
        for revision in (MINE, MINE, OTHER):
            at_revision(engine, revision)
            manifests.append(
                export_all(engine, tmp_path / "b", catalog=world.catalog, overwrite="changed")
            )
    assert [manifest.unchanged for manifest in manifests] == [False, True, False]
    assert Manifest.from_bytes((tmp_path / "b" / "manifest.json").read_bytes()).revisions == (
        OTHER,
    )
