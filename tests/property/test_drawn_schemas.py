"""Coverage as an invariant, over applications drawn at random: their models, schemas and data.

Whatever catalog is accepted goes round with equal bytes and equal stored cells; whatever
isn't is refused with a remedy, or with a place before anything is written; no exception of
another library escapes. ``LADING_DRAWN=10000`` (or a range, ``5000-10000``) draws as many on
SQLite, and a part of them on the others; a failure names its seed and prints its application.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from lading import LadingError
from support.backends import Backend
from support.drawn.filling import filled
from support.drawn.rows import draw_rows
from support.drawn.running import Broken, World, declare, run
from support.drawn.tally import ACCEPTED, ELSEWHERE, REFUSED, UNDECLARABLE, Tally
from support.statements import statements

GIVEN = os.environ.get("LADING_DRAWN", "")
#: How many applications are drawn on each backend, and of how many one is on the others.
USUAL = {"sqlite-memory": 360, "sqlite-file": 16, "mariadb": 40}
OTHERWISE = 20
SHARE = 10
SHOWN = 3
#: From how many on every feature should have got through.
MANY = 1000

# What no declaration makes portable: rows without identity, and pickled objects (they get
# through where they are excluded).
NEVER = {"no primary key"}


def seeds_for(name: str) -> range:
    """Return the seeds to draw on a backend."""
    if not GIVEN:
        return range(USUAL.get(name, OTHERWISE))
    first, _, last = GIVEN.rpartition("-")
    whole = range(int(first or 0), int(last))
    return whole if name == "sqlite-memory" else whole[: len(whole) // SHARE]


@pytest.mark.timeout(400 if not GIVEN else 6 * 3600)
def test_whatever_is_accepted_goes_round(
    backend: Backend,
    sqlite_memory: Backend,
    postgresql: Backend,
    mariadb_if_installed: Backend | None,
    tmp_path: Path,
) -> None:
    """Nothing is lost or altered, and what is refused says why, where, and what to do."""
    away = [] if backend is sqlite_memory else [sqlite_memory]
    if backend.name == "sqlite-file":
        away = [postgresql, *([mariadb_if_installed] if mariadb_if_installed else [])]
    tally = Tally()
    broken: list[str] = []
    for seed in seeds_for(backend.name):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            tally.add(run(seed, backend, folder, *away))
        except Broken as error:
            broken.append(str(error))
        shutil.rmtree(folder)
    sys.stdout.write(f"{tally}\n")
    texts = "\n\n".join(broken[:SHOWN])
    assert not broken, f"{len(broken)} applications broke a rule:\n{texts}"
    total = sum(tally.states.values())
    assert tally.states[ELSEWHERE] < 0.3 * total
    total -= tally.states[ELSEWHERE]
    assert tally.states[ACCEPTED] > 0.3 * total
    assert tally.states[UNDECLARABLE] > 0.1 * total
    assert tally.states[REFUSED] < 0.1 * total
    if total >= MANY:
        assert set(tally.never_accepted()) <= NEVER


def statements_of(world: World, each: int) -> int:
    """Count the statements of an export and an import of so many rows a table."""
    rows = draw_rows(world.app, world.home.dialect, tame=True, each=each)
    source, target = filled(world.fresh(), world.made.metadata, rows), world.fresh()
    with statements(source) as read, statements(target) as written:
        world.load(target, world.export(source))
    return len(read) + len(written)


def test_statements_do_not_grow_with_rows(sqlite_memory: Backend, tmp_path: Path) -> None:
    """Ten times the rows, within a chunk, take about as many statements."""
    counted = 0
    for seed in range(60):
        world = World(seed, sqlite_memory, tmp_path)
        try:
            if declare(world) or "sqlite" not in world.app.engines:
                continue
            few, many = statements_of(world, 20), statements_of(world, 200)
        except LadingError:  # not every application is accepted, and this is about those that are
            continue
        finally:
            world.close()
        counted += 1
        assert many <= 1.5 * few + 10, f"seed {seed}: {few} statements became {many}"
    assert counted > 10
