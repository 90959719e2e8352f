"""Memory does not grow with the rows of a table, on any engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import lading
from support import memory_run
from support.backends import Backend
from support.depth import IS_DEEP

SMALL, LARGE = 20_000, 200_000 if IS_DEEP else 40_000
#: An upgrade looks each record up, sorts, and loads by schema: fewer records show as much.
UPGRADED = 40_000
#: Changes of so many records take as long, and what grows with these shows earlier.
FEW_CHANGED, MANY_CHANGED = 10_000, 30_000
#: Kilobytes by which the larger run may exceed the smaller: far less than its rows' keys take.
SLACK = 12_000 if IS_DEEP else 2_000
SLACK_OF_UPGRADES = 2_400
SLACK_OF_CHANGES = 6_000


Run = Callable[[str, sa.Engine, Path, int], tuple[int, int]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Export or import in a process of its own, and return its memory before and at its peak."""
    paths = [Path(lading.__file__).parents[1], Path(memory_run.__file__).parents[1]]
    with subprocess.Popen(
        [sys.executable, memory_run.__file__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def run(what: str, engine: sa.Engine, bundle: Path, rows: int) -> tuple[int, int]:
            url = engine.url.render_as_string(hide_password=False)
            asked.write(f"{json.dumps([what, url, str(bundle), rows])}\n")
            asked.flush()
            before, peak = json.loads(answers.readline())
            return before, peak

        yield run


@pytest.fixture(params=["sqlite-file", "postgresql", "mariadb"])
def on_disk(request: pytest.FixtureRequest) -> Backend:
    """The engines that another process can open."""
    made: Backend = request.getfixturevalue(request.param.replace("-", "_"))
    return made


def test_memory_is_flat_in_both_directions(on_disk: Backend, run: Run, tmp_path: Path) -> None:
    """Many times as many records, with references and owned rows, need no more memory."""
    held: dict[tuple[str, int], tuple[int, int]] = {}
    for rows in (SMALL, LARGE):
        with on_disk.database() as source, on_disk.database() as target:
            memory_run.fill(source, rows)
            held["export", rows] = run("export", source, tmp_path / str(rows), rows)
            held["import", rows] = run("import", target, tmp_path / str(rows), rows)
    for what in ("export", "import"):
        (small_before, small), (large_before, large) = held[what, SMALL], held[what, LARGE]
        assert large < 1.3 * small, held
        assert (large - large_before) - (small - small_before) < SLACK, held


def test_memory_is_flat_while_records_are_upgraded(
    sqlite_file: Backend, run: Run, tmp_path: Path
) -> None:
    """One at a time, on their way; what is looked up among all of them is on disk.

    A bundle that is written anew is sorted there as well.
    """
    held: dict[tuple[str, int], tuple[int, int]] = {}
    for rows in (SMALL, UPGRADED):
        path = tmp_path / str(rows)
        with sqlite_file.database() as source, sqlite_file.database() as target:
            memory_run.fill(source, rows)
            run("export", source, path, rows)
            held["upgrade", rows] = run("upgrade", target, path, rows)
            held["rewrite", rows] = run("rewrite", target, path, rows)
    for what in ("upgrade", "rewrite"):
        (small_before, small), (large_before, large) = held[what, SMALL], held[what, UPGRADED]
        grown = (large - large_before) - (small - small_before)
        assert grown < SLACK_OF_UPGRADES, held


@pytest.mark.parametrize(
    "on_disk",
    ["sqlite-file", "postgresql", "mariadb"] if IS_DEEP else [],
    indirect=True,
)
def test_memory_is_flat_while_everything_is_changed_or_deleted(
    on_disk: Backend, run: Run, tmp_path: Path
) -> None:
    """By an update of every record, a mirror of one, and the written plans of both."""
    held: dict[tuple[str, int], tuple[int, int]] = {}
    with on_disk.database() as source:
        memory_run.fill(source, 1)
        run("export", source, tmp_path / "one", 1)
    for rows in (FEW_CHANGED, MANY_CHANGED):
        path = tmp_path / str(rows)
        with on_disk.database() as engine:
            memory_run.fill(engine, rows)
            run("export", engine, path, rows)
            memory_run.change(engine)
            held["plan of updates", rows] = run("plan", engine, path, rows)
            held["update", rows] = run("update", engine, path, rows)
            held["plan of deletions", rows] = run("plan", engine, tmp_path / "one", rows)
            held["mirror", rows] = run("mirror", engine, tmp_path / "one", rows)
    for what in ("plan of updates", "update", "plan of deletions", "mirror"):
        assert held[what, MANY_CHANGED][1] - held[what, FEW_CHANGED][1] < SLACK_OF_CHANGES, held
