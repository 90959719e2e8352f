"""What a transaction of lading's keeps and gives up, on every engine."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading.database.session import writing
from lading.errors import TargetError
from support import worlds
from support.backends import Backend
from support.worlds import World


class StopError(Exception):
    """Ends a block before its end."""


def people(engine: sa.Engine, world: World) -> int:
    """Count the rows of a table in a transaction of its own."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(world.Person)) or 0)


def test_a_block_that_ends_well_is_committed(engine: sa.Engine) -> None:
    """Given an engine, we open, commit and close."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    with writing(engine, world.catalog) as opened:
        assert opened.callers is False
        opened.connection.execute(sa.insert(world.Person).values(email="a"))
    assert people(engine, world) == 1


def test_a_block_that_fails_leaves_nothing(engine: sa.Engine) -> None:
    """An import is all or nothing."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    with pytest.raises(StopError), writing(engine, world.catalog) as opened:
        opened.connection.execute(sa.insert(world.Person).values(email="a"))
        raise StopError
    assert people(engine, world) == 0


def test_an_autocommitting_engine_keeps_no_half(backend: Backend) -> None:
    """Refused, or put into a transaction all the same; never half done."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        auto = engine.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises((StopError, TargetError)), writing(auto, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="a"))
            raise StopError
        assert people(engine, world) == 0


def test_an_engine_made_to_autocommit_keeps_no_half(backend: Backend) -> None:
    """The isolation level may stand in ``create_engine`` as well."""
    world = worlds.shelves()
    with backend.database(world.metadata, isolation_level="AUTOCOMMIT") as engine:
        with pytest.raises((StopError, TargetError)), writing(engine, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="a"))
            raise StopError
        assert people(engine, world) == 0


@pytest.mark.parametrize("kind", ["session", "connection"])
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


def test_a_driver_s_refusal_is_a_target_error(engine: sa.Engine) -> None:
    """No exception of the driver's or of SQLAlchemy's escapes; the cause is kept."""
    world = worlds.shelves()
    world.filled(engine)
    with pytest.raises(TargetError, match="the database refused: ") as caught:
        with writing(engine, world.catalog) as opened:
            opened.connection.execute(sa.insert(world.Person).values(email="zoe@x.org"))
    assert isinstance(caught.value.__cause__, sa.exc.IntegrityError)
    assert people(engine, world) == 2
