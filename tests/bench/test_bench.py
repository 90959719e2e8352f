"""Each rival of the benchmark really does what lading does, and figures become pages."""

from __future__ import annotations

import json
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench import figures
from bench.databases import databases, emptied
from bench.jobs import JOBS
from bench.jobs.base import Site
from bench.measuring import ON_SERVERS, Run, Scope, send_peak
from bench.plot import write_plot
from bench.rivals import OURS, RIVALS
from bench.table import write_tables
from bench.timing import peak_of
from bench.workloads import WORKLOADS, Workload
from lading import diff
from support.depth import IS_DEEP

RECORDS = 50

pytestmark = pytest.mark.filterwarnings("ignore:Dialect sqlite")


def restores(workload: Workload, source: sa.Engine, target: sa.Engine, folder: Path) -> None:
    """Assert that each rival restores what it exports; one that wrote less would win."""
    emptied(source, workload.metadata)
    workload.fill(source, RECORDS)
    rows = workload.rows_in(source)
    assert max(rows.values()) >= RECORDS
    for rival in (OURS, *RIVALS.values()):
        if rival.takes(workload, source.dialect.name):
            emptied(target, workload.metadata)
            way = rival(workload)
            way.export(source, folder)
            way.restore(target, folder)
            assert workload.rows_in(target) == rows, rival.name
            changes = diff(source, target, catalog=workload.catalog)
            assert not changes, f"{rival.name}: {changes}"


@pytest.mark.parametrize("name", WORKLOADS)
def test_each_rival_restores_what_it_exports(name, tmp_path) -> None:
    """On SQLite, all workloads."""
    with databases("sqlite", tmp_path) as (source, target):
        restores(WORKLOADS[name], source, target, tmp_path)


@pytest.mark.parametrize("backend", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("name", ON_SERVERS)
def test_each_rival_restores_on_servers(name, backend, tmp_path) -> None:
    """On servers, those that are measured there."""
    with backend.database() as source, backend.database() as target:
        restores(WORKLOADS[name], source, target, tmp_path)


@pytest.mark.parametrize("name", JOBS)
def test_both_ways_leave_the_same_rows(name, tmp_path) -> None:
    """An update by hand writes what lading's does, and so do mirrors and refused records."""
    records = 200
    with databases("sqlite", tmp_path) as (source, target):
        workload = WORKLOADS[name]
        emptied(source, workload.metadata)
        workload.fill(source, records)
        for jobs in JOBS[name]:
            for job in jobs(Site(source, target, tmp_path, records)):
                outcomes = []
                for way in (job.ours, job.theirs):
                    job.before()
                    result = way()
                    outcomes.append(
                        (result if job.name.startswith("diff") else None, rows_of(target))
                    )
                if job.rival == "hand":
                    assert outcomes[0] == outcomes[1], job.name


def rows_of(engine: sa.Engine) -> dict[str, list[Any]]:
    """Return every table's rows without the ids that the database made up."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in connection.execute(
                    sa.select(*(column for column in table.c if column.name != "id"))
                )
            )
            for table in metadata.sorted_tables
        }


def test_figures_become_a_file_tables_and_a_plot(collected, tmp_path) -> None:
    """What the command measures is what pages quote, and equal figures are drawn alike.

    To draw them takes Matplotlib seconds, which a usual run saves.
    """
    rivals, jobs = ("driver", "hand"), ("export", "import", "diff")
    scope = Scope(("sqlite",), ("wide",), (20, RECORDS), rivals, jobs, memory=(), rounds=1)
    run = Run(scope)
    content = {**figures.head("a test"), "figures": list(run.figures()), "skipped": run.skipped}
    figures.write(tmp_path, content)
    assert figures.read(tmp_path) == json.loads(json.dumps(content))
    measured = [(each["job"], each["rival"], each["records"]) for each in content["figures"]]
    expected = [
        (job, rival, size)
        for size in scope.sizes
        for rival in rivals
        for job in ("export", "import")
    ]
    assert measured == [*expected, ("diff of two bundles", "hand", RECORDS)]
    assert all(each["ratio"] > 0 for each in content["figures"])

    write_tables(tmp_path, content)
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("summary.md", "table.md")]
    assert all(RIVALS[rival].title in text for text in texts for rival in rivals)
    assert all("a test" in text for text in texts)
    if not IS_DEEP:
        return
    write_plot(tmp_path, content)
    drawn = (tmp_path / "figures.svg").read_bytes()
    write_plot(tmp_path, content)
    assert (tmp_path / "figures.svg").read_bytes() == drawn
    assert all(RIVALS[rival].title.encode() in drawn for rival in rivals)


def test_peak_memory_is_what_work_adds(tmp_path) -> None:
    """Beside what was in use before, and without what was free again in between."""
    size = 50 * 2**20
    assert size <= 1024 * peak_of(lambda: bytes(bytearray(b"x") * size)) < 3 * size
    with databases("sqlite", tmp_path) as (source, _):
        emptied(source, WORKLOADS["links"].metadata)
        ours, theirs = Pipe()
        send_peak(theirs, "links", "hand", "export", source.url, tmp_path)
        assert ours.recv() >= 0
        assert (tmp_path / "articles.jsonl").exists()


def test_many_records_are_measured_where_they_were_asked_for() -> None:
    """A million rows of each workload would take a day."""
    every = Scope(("sqlite",), (), (1_000, 100_000))
    assert every.sizes_of(WORKLOADS["wide"]) == (1_000, 100_000)
    assert every.sizes_of(WORKLOADS["keys"]) == (1_000,)
    named = Scope(("sqlite",), ("keys",), (100_000,))
    assert named.sizes_of(WORKLOADS["keys"]) == (100_000,)


def test_what_would_take_too_long_is_left_out_and_named() -> None:
    """By what a rival took at the size before."""
    run = Run(Scope(("sqlite",), ("keys",), (20, 50), rivals=("hand",), limit=0))
    run.pace[("sqlite", "keys", "export", "hand")] = 1.0
    assert not list(run.figures())
    assert [each["expected_seconds"] for each in run.skipped] == [20, 50]
