"""Coverage as an invariant, over applications drawn at random: their models, schemas and data.

Whatever catalog is accepted goes round with equal bytes and equal stored cells; whatever
isn't is refused with a remedy, or with a place before anything is written; no exception of
another library escapes.  A failure names its seed and prints its application.

A seed gives the same application each time, so by default a few are run that have every feature
between them.  ``LADING_DRAWN=10000`` (or a range, ``5000-10000``) draws as many on SQLite and
a tenth of them on the others, in blocks that spread over processes.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lading import LadingError
from support.backends import Backend
from support.drawn.filling import filled
from support.drawn.rows import draw_rows
from support.drawn.running import Broken, World, declare, run
from support.drawn.tally import ACCEPTED, ELSEWHERE, REFUSED, UNDECLARABLE, Tally
from support.statements import statements

#: Whatever was accepted among the first 160 is in two of these; the last holds equal keys.
EVERY_FEATURE = (
    *(4, 6, 13, 20, 21, 31, 36, 46, 48, 51, 57, 73, 77, 83, 87, 97, 99, 121, 141, 143, 144),
    *(145, 151, 153, 156, 355),
)
#: Some that no catalog may declare, and some whose data is refused.
NOT_ACCEPTED = (3, 7, 10, 11, 12, 118)
#: Most features between them; the last are of applications that SQLite can't have.
ON_SERVERS = (156, 13, 145, 4, 51, 21, 2, 62)
#: How many of each hundred are drawn on another backend than SQLite in memory.
SHARE = 10
BLOCK = 1000
SHOWN = 3
#: From how many on the states have their usual shares, and every feature gets through.
SOME, MANY = 50, 1000

# What no declaration makes portable: rows without identity, and pickled objects (they get
# through where they are excluded).
NEVER = {"no primary key"}


def blocks(given: str, name: str) -> list[Sequence[int]]:
    """Return the seeds to draw on a backend, in blocks."""
    if not given:
        if name == "sqlite-memory":
            return [EVERY_FEATURE[:13], EVERY_FEATURE[13:], NOT_ACCEPTED]
        return [ON_SERVERS[:3] if name == "sqlite-file" else ON_SERVERS]
    first, _, last = given.rpartition("-")
    whole = range(int(first or 0), int(last))
    part = whole if name == "sqlite-memory" else whole[: len(whole) // SHARE]
    return [part[start : start + BLOCK] for start in range(0, len(part), BLOCK)]


def params() -> list[object]:
    """Return each backend with each block of its seeds."""
    given = os.environ.get("LADING_DRAWN", "")
    return [
        pytest.param(name, seeds, id=f"{name}-{seeds[0]}")
        for name in ("sqlite-memory", "sqlite-file", "postgresql", "mariadb")
        for seeds in blocks(given, name)
    ]


@pytest.mark.parametrize(("backend", "seeds"), params(), indirect=["backend"])
def test_whatever_is_accepted_goes_round(
    backend: Backend,
    seeds: Sequence[int],
    sqlite_memory: Backend,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """Nothing is lost or altered, and what is refused says why, where, and what to do."""
    away = [] if backend is sqlite_memory else [sqlite_memory]
    if backend.name == "sqlite-file":
        servers = map(request.getfixturevalue, ("postgresql", "mariadb_if_installed"))
        away = [server for server in servers if server]
    tally = Tally()
    broken: list[str] = []
    for seed in seeds:
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
    is_usual(tally, seeds, backend.name)


def is_usual(tally: Tally, seeds: Sequence[int], name: str) -> None:
    """Hold the shares of what became of many applications to what they usually are."""
    if set(seeds) <= set(EVERY_FEATURE) and name == "sqlite-memory":
        assert tally.states[ACCEPTED] == len(seeds)
    total = sum(tally.states.values())
    if total < SOME:
        return
    assert tally.states[ELSEWHERE] < 0.3 * total
    total -= tally.states[ELSEWHERE]
    assert tally.states[ACCEPTED] > 0.3 * total
    assert tally.states[UNDECLARABLE] > 0.1 * total
    assert tally.states[REFUSED] < 0.15 * total
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
    for seed in EVERY_FEATURE[:13]:
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
    assert counted > 5
