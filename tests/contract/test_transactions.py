"""What a transaction of lading's keeps and gives up, on every engine."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column

from lading import Catalog, export_all, import_all, import_document
from lading.database.session import writing
from lading.errors import TargetError
from support import worlds
from support.backends import ON_FILES_TOO, Backend
from support.declaring import catalog_of, new_base, schema_for, table
from support.worlds import World


class StopError(Exception):
    """Ends a block before its end."""


def people(engine: sa.Engine, world: World) -> int:
    """Count the rows of a table in a transaction of its own."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(world.Person)) or 0)


@ON_FILES_TOO
def test_a_block_that_ends_well_is_committed(engine: sa.Engine) -> None:
    """Given an engine, we open, commit and close."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    with writing(engine, world.catalog) as opened:
        assert opened.callers is False
        opened.connection.execute(sa.insert(world.Person).values(email="a"))
    assert people(engine, world) == 1


@ON_FILES_TOO
def test_a_block_that_fails_leaves_nothing(engine: sa.Engine) -> None:
    """An import is all or nothing."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    with pytest.raises(StopError), writing(engine, world.catalog) as opened:
        opened.connection.execute(sa.insert(world.Person).values(email="a"))
        raise StopError
    assert people(engine, world) == 0


@ON_FILES_TOO
def test_an_autocommitting_engine_keeps_no_half(backend: Backend) -> None:
    """Refused, or put into a transaction all the same; never half done."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        auto = engine.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises((StopError, TargetError)), writing(auto, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="a"))
            raise StopError
        assert people(engine, world) == 0


@ON_FILES_TOO
def test_an_engine_made_to_autocommit_keeps_no_half(backend: Backend) -> None:
    """The isolation level may stand in ``create_engine`` as well."""
    world = worlds.shelves()
    with backend.database(world.metadata, isolation_level="AUTOCOMMIT") as engine:
        with pytest.raises((StopError, TargetError)), writing(engine, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="a"))
            raise StopError
        assert people(engine, world) == 0


@pytest.mark.parametrize("kind", ["session", "connection"])
@ON_FILES_TOO
def test_a_failed_block_gives_up_only_its_own_work(kind: str, backend: Backend) -> None:
    """Rolled back to our own savepoint: what the caller wrote before is still there."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        with Session(engine) if kind == "session" else engine.connect() as owner:
            owner.execute(sa.insert(world.Person).values(email="caller's"))
            with pytest.raises(StopError), writing(owner, world.catalog) as opened:
                assert opened.callers is True
                opened.connection.execute(sa.insert(world.Person).values(email="ours"))
                raise StopError
            assert owner.scalars(sa.select(world.Person.email)).all() == ["caller's"]
            owner.commit()
        assert people(engine, world) == 1


@pytest.mark.parametrize("kind", ["session", "connection"])
@ON_FILES_TOO
def test_a_caller_s_transaction_is_never_committed(kind: str, backend: Backend) -> None:
    """Even as the first thing that a fresh session does, on SQLite too."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        with Session(engine) if kind == "session" else engine.connect() as owner:
            with writing(owner, world.catalog) as opened:
                opened.connection.execute(sa.insert(world.Person).values(email="a"))
            assert owner.scalars(sa.select(world.Person.email)).all() == ["a"]
            owner.rollback()
        assert people(engine, world) == 0


@ON_FILES_TOO
def test_objects_that_a_session_holds_are_read_again(engine: sa.Engine) -> None:
    """After writes past the ORM its objects would be older than the database."""
    world = worlds.shelves()
    world.filled(engine)
    with Session(engine) as session:
        zoe = session.scalars(
            sa.select(world.Person).where(world.Person.email == "zoe@x.org")
        ).one()
        number = zoe.id
        with writing(session, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="new@x.org"))
        assert sa.inspect(zoe).expired
        assert zoe.id == number


@ON_FILES_TOO
def test_a_driver_s_refusal_is_a_target_error(engine: sa.Engine) -> None:
    """No exception of the driver's or of SQLAlchemy's escapes; the cause is kept."""
    world = worlds.shelves()
    world.filled(engine)
    with pytest.raises(TargetError, match="the database refused: ") as caught:
        with writing(engine, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="zoe@x.org"))
    assert isinstance(caught.value.__cause__, sa.exc.IntegrityError)
    assert people(engine, world) == 2


def test_a_failed_commit_leaves_nothing_for_the_next_one(tmp_path: Path) -> None:
    """SQLite stays in its transaction when a commit finds the file locked."""
    base = new_base()
    model = table(base, "things")
    catalog = catalog_of(model)
    path = tmp_path / "locked.db"
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.1})
    base.metadata.create_all(engine)
    document = {"things": [{"slug": "a"}]}
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM things").fetchall()
    with pytest.raises(TargetError, match="locked"):
        import_document(engine, document, catalog=catalog)
    reader.execute("ROLLBACK")
    reader.close()
    with Session(engine) as session, session.begin():
        session.add(model(slug="innocent"))
    with Session(engine) as session:
        assert session.scalars(sa.select(model.slug)).all() == ["innocent"]
    engine.dispose()


def test_constraints_that_wait_for_the_commit_name_their_records(postgresql: Backend) -> None:
    """They are checked while the record is known, and wait again for a caller's commit."""
    base = new_base()
    model = table(base, "things", code=mapped_column(sa.Integer))
    model.__table__.append_constraint(
        sa.UniqueConstraint("code", name="uq_code", deferrable=True, initially="DEFERRED")
    )
    catalog = Catalog("test")
    schema_for(model, catalog, natural_key="slug")
    document = {"things": [{"slug": "a", "code": 1}, {"slug": "b", "code": 1}]}
    with postgresql.database(base.metadata) as engine:
        report = import_document(engine, document, catalog=catalog, on_error="continue")
        assert (report.inserted, report.failed) == (1, 1)
        assert report.errors[0].startswith(
            "things record 2, code: code 1 already belongs to record 1, "
        )
        with Session(engine) as session:
            import_document(session, {"things": [{"slug": "c", "code": 2}]}, catalog=catalog)
            session.add(model(slug="d", code=2))
            session.flush()  # still waiting, as the model says
            session.rollback()


def add(engine: sa.Engine, row: Any) -> None:
    """Let somebody else write a row."""
    with Session(engine) as session, session.begin():
        session.add(row)


def test_what_others_write_meanwhile_tears_no_export(postgresql: Backend, tmp_path: Path) -> None:
    """READ COMMITTED sees their work statement by statement, so such an export is refused."""
    base = new_base()
    model = table(base, "things")
    catalog = catalog_of(model)
    with postgresql.database(base.metadata) as engine:
        add(engine, model(slug="a"))
        with Session(engine) as session:
            session.scalars(sa.select(model)).one()  # so the transaction has begun
            manifest = export_all(session, tmp_path / "quiet", catalog=catalog)
            with pytest.raises(TargetError, match="others wrote to this server while"):
                export_all(
                    session,
                    tmp_path / "torn",
                    catalog=catalog,
                    progress=lambda p: add(engine, model(slug=str(p.total))),
                )
        assert [path.name for path in tmp_path.iterdir()] == ["quiet"]
        export_all(
            engine,
            tmp_path / "whole",
            catalog=catalog,
            progress=lambda p: add(engine, model(slug=str(p.total))),
        )
    assert manifest.snapshot == (
        "read committed, in the caller's transaction (nobody else wrote meanwhile)"
    )


def test_a_transaction_that_has_read_nothing_yet_gets_one_snapshot(
    postgresql: Backend, tmp_path: Path
) -> None:
    """What others write, such as a server's own upkeep, then neither tears nor stops an export."""
    base = new_base()
    model = table(base, "things")
    catalog = catalog_of(model)
    with postgresql.database(base.metadata) as engine:
        add(engine, model(slug="a"))
        with Session(engine) as session:
            manifest = export_all(
                session,
                tmp_path / "a",
                catalog=catalog,
                progress=lambda p: add(engine, model(slug=str(p.total))),
            )
            assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 1
            session.rollback()
            assert session.scalar(sa.text("SHOW transaction_isolation")) == "read committed"
        with engine.connect() as connection:
            plan = import_all(
                connection, tmp_path / "a", catalog=catalog, on_conflict="mirror", dry_run=True
            )
    assert manifest.snapshot == "repeatable read, in the caller's transaction"
    assert (manifest.files[0].record_count, plan.total.deleted) == (1, 1)
