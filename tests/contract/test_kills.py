"""Imports that are killed at each of their statements: a database holds all or nothing."""

from __future__ import annotations

import os
import signal
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading import export_document, import_document
from lading.database.live.postgresql import PostgreSQLDatabase
from support.backends import Backend
from support.depth import IS_DEEP
from support.dishes import CATALOG, Base, Dish, Label, Step, change, content, filled

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
#: More statements than any of these imports runs.
MOST = 300
#: By how many statements one kill comes after another.
STRIDE = 1 if IS_DEEP else 4


#: A kill is the same for every engine but for its log, so servers are left to the deep run.
CASES = [("sqlite-file", mode) for mode in ("skip", "update", "mirror")] + [
    (name, mode)
    for name in ("postgresql", "mariadb")
    for mode in (("skip", "update", "mirror") if IS_DEEP else ())
]


@pytest.mark.parametrize(("backend", "mode"), CASES, indirect=["backend"])
def test_an_import_that_is_killed_leaves_all_or_nothing(backend: Backend, mode: str) -> None:
    """At whichever statement it dies: an import into empty tables, an update or a mirror."""
    with filled(backend) as engine:
        document, after = export_document(engine, catalog=CATALOG), content(engine)
        if mode == "skip":
            Base.metadata.drop_all(engine)
            Base.metadata.create_all(engine)
        else:
            change(engine)
        if mode == "mirror":
            _replace_a_dish(engine)
        before = content(engine)
        for number in range(0, MOST, STRIDE):
            has_died = _dies_at(number, engine, document, mode)
            assert content(engine) == (before if has_died else after)
            if not has_died:
                assert number > 15
                return
    pytest.fail("the import never came to its end")


def _replace_a_dish(engine: sa.Engine) -> None:
    """Put another dish in one's place, with the unique number that this had."""
    with Session(engine) as session:
        session.delete(session.scalars(sa.select(Dish).where(Dish.slug == "d3")).one())
        session.flush()
        new = Dish(slug="new", number=4, steps=[Step(position=0, text="x")])
        session.add_all([new, Dish(slug="child", number=77, parent=new), Label(name="zz")])
        session.commit()


def _dies_at(number: int, engine: sa.Engine, document: dict[str, Any], mode: str) -> bool:
    """Import in a process of its own, which dies before a statement; tell whether it did."""
    engine.dispose()
    child = os.fork()
    if child == 0:
        engine.dispose(close=False)
        _import_until(number, engine, document, mode)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


def _import_until(number: int, engine: sa.Engine, document: dict[str, Any], mode: str) -> None:
    """Import a document in this process, and die before a statement, a COPY, or the commit."""
    count = 0

    def die(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > number:
            os.kill(os.getpid(), signal.SIGKILL)

    copy = PostgreSQLDatabase._copy

    def copy_or_die(*arguments: Any) -> None:
        die()
        copy(*arguments)

    failed = 1
    try:
        sa.event.listen(engine, "before_cursor_execute", die)
        sa.event.listen(engine, "commit", die)
        with mock.patch.object(PostgreSQLDatabase, "_copy", copy_or_die):
            import_document(engine, document, catalog=CATALOG, on_conflict=mode)
        failed = 0
    finally:
        os._exit(failed)
