"""The drawing itself: the same for a seed, allowed by its own constraints, and fit to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from support.backends import Backend
from support.drawn.drawing import draw
from support.drawn.filling import filled
from support.drawn.rows import draw_rows
from support.drawn.running import World
from support.drawn.source import source_of
from support.drawn.tally import ACCEPTED, UNDECLARABLE, Outcome, Tally, general
from support.raw import raw_values
from support.worlds import shelves


def test_a_seed_gives_the_same_application_and_rows() -> None:
    """Or a failure could not be seen again."""
    for seed in range(5):
        one, two = draw(seed), draw(seed)
        assert source_of(one) == source_of(two)
        rows = [draw_rows(app, "sqlite", tame=True) for app in (one, two)]
        assert repr(rows[0].values()) == repr(rows[1].values())
    assert source_of(draw(1)) != source_of(draw(2))


def test_drawn_rows_fit_their_constraints_and_classes(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """Whatever the catalog says: each row is taken, and is loaded as an object of its class."""
    subclasses = 0
    for seed in range(15):
        world = World(seed, sqlite_memory, tmp_path)
        try:
            if "sqlite" not in world.app.engines:
                continue
            rows = draw_rows(world.app, "sqlite", tame=False)
            engine = filled(world.fresh(), world.made.metadata, rows)
            with Session(engine) as session:
                for table in world.app.tables:
                    model = world.made.names[table.model]
                    loaded = session.scalars(sa.select(model)).unique().all()
                    if table.base is None:
                        assert len(loaded) == len(rows[table.fullname])
                    subclasses += len(loaded) if table.base is not None else 0
        finally:
            world.close()
    assert subclasses > 0


@pytest.mark.filterwarnings("ignore:relationship:sqlalchemy.exc.SAWarning")
def test_what_is_drawn_is_python_that_a_person_can_run() -> None:
    """The text that a failure prints is the one that ran."""
    names: dict[str, Any] = {"__name__": "pasted"}
    app = draw(1)
    exec(compile(source_of(app), "pasted", "exec"), names)
    assert {table.model for table in app.tables} <= names.keys()
    assert len(names["catalog"].schemas) == len(app.schemas)
    names["Base"].registry.dispose()


def test_a_tally_names_what_never_got_through() -> None:
    """Features are counted as drawn, and as accepted."""
    tally = Tally()
    tally.add(Outcome(ACCEPTED, [], {"owned", "flat"}, records=3))
    tally.add(Outcome(UNDECLARABLE, ["ThingSchema: 'a' isn't 7; write 8"], {"owned", "by"}))
    assert tally.never_accepted() == ["by"]
    assert "undeclarable: … is not #; write #" in str(tally)
    assert general('BoxSchema: "x" can\'t be') == "… can not be"


def test_dumps_leave_out_what_they_are_told_to(sqlite_memory: Backend) -> None:
    """Tables and columns by name; the rest is there as before."""
    world = shelves()
    with sqlite_memory.database() as engine:
        world.filled(engine)
        less = raw_values(engine, world.metadata, without={"books", "loans.since"})
        assert set(raw_values(engine, world.metadata)) - set(less) == {"books"}
        assert "since" not in {name for row in less["loans"] for name, *_ in row[1:]}
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE loans SET since = '1999-01-01'")
        assert raw_values(engine, world.metadata, without={"books", "loans.since"}) == less
