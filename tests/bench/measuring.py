"""The run: each workload, size and rival in turn, in pairs with lading."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from bench.databases import ENGINES, Databases, databases, emptied
from bench.jobs import JOBS, Job
from bench.jobs.base import Site
from bench.rivals import OURS, RIVALS, Rival
from bench.timing import Pair, Work, median, nothing, pairs, peak_of
from bench.workloads import WORKLOADS, Workload

#: What every rival does.
EXPORT, IMPORT = "export", "import"
#: What is measured on servers, unless workloads are named.
ON_SERVERS = ("wide",)
#: More records than this are measured in these workloads alone, unless others are named.
FEW, WITH_MANY = 10_000, ("wide",)
#: Jobs beside exports and imports are measured at the largest size up to this.
JOBS_AT_MOST = 100_000

#: Processes are forked from one that has everything imported, and nothing else in memory.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["bench.measuring"])

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured, and for how long.

    Args:
        engines: Names of engines.
        workloads: Names of workloads; by default all on SQLite, and one on servers.
        sizes: Numbers of records, in ascending order.
        rivals: Names of rivals.
        jobs: Names of jobs, or beginnings of them; by default all.
        memory: Names of the workloads whose peak memory is measured, on SQLite.
        rounds: How many pairs each figure is the median of, at most.
        seconds: No pair begins after so long, except the first.
        limit: A rival that would take longer than this, by what it took at the size before, is
            left out, and the file says so.
    """

    engines: tuple[str, ...]
    workloads: tuple[str, ...]
    sizes: tuple[int, ...]
    rivals: tuple[str, ...] = tuple(RIVALS)
    jobs: tuple[str, ...] = ()
    memory: tuple[str, ...] = ("wide",)
    rounds: int = 5
    seconds: float = 3
    limit: float = 10

    def workloads_on(self, engine: str) -> list[Workload]:
        """Return the workloads to be measured on an engine."""
        default = tuple(WORKLOADS) if engine == "sqlite" else ON_SERVERS
        return [WORKLOADS[name] for name in self.workloads or default]

    def sizes_of(self, workload: Workload) -> tuple[int, ...]:
        """Return how many records of a workload are measured."""
        if workload.is_fixed:
            return self.sizes[:1]
        if self.workloads or workload.name in WITH_MANY:
            return self.sizes
        return tuple(size for size in self.sizes if size <= FEW) or self.sizes[:1]

    def has_job(self, name: str) -> bool:
        """Tell whether a job is to be measured."""
        return not self.jobs or name.startswith(self.jobs)


class Run:
    """Measures everything in a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.skipped: list[Figure] = []
        self.servers: dict[str, str] = {}
        #: By engine, workload, job and rival: seconds a record at the size before.
        self.pace: dict[tuple[str, ...], float] = {}

    def figures(self) -> Iterator[Figure]:
        """Yield each figure as soon as it is measured."""
        for engine in self.scope.engines:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="lading-bench-")))
                both = stack.enter_context(databases(engine, folder))
                if engine != "sqlite":
                    self.servers[ENGINES[engine]] = server_version(both[0])
                for workload in self.scope.workloads_on(engine):
                    for size in self.scope.sizes_of(workload):
                        with TemporaryDirectory(dir=folder) as name:
                            yield from self._workload(workload, both, size, Path(name))
                    for database in both:
                        workload.metadata.drop_all(database)

    def _workload(
        self, workload: Workload, both: Databases, size: int, folder: Path
    ) -> Iterator[Figure]:
        source, target = both
        emptied(source, workload.metadata)
        workload.fill(source, size)
        rows = sum(workload.rows_in(source).values())
        subject = {
            "workload": workload.name,
            "engine": source.dialect.name,
            "records": rows if workload.is_fixed else size,
            "rows": rows,
        }
        for name in self.scope.rivals:
            if RIVALS[name].takes(workload, source.dialect.name):
                (folder / name).mkdir()
                yield from self._rival(RIVALS[name](workload), both, subject, folder / name)
        sizes = self.scope.sizes_of(workload)
        largest = max((size for size in sizes if size <= JOBS_AT_MOST), default=0)
        if size == largest:
            for jobs in JOBS.get(workload.name, ()):
                yield from self._jobs(jobs(Site(source, target, folder, size)), subject)

    def _rival(
        self, rival: Rival, both: Databases, subject: Figure, folder: Path
    ) -> Iterator[Figure]:
        source, target = both
        ours = OURS(rival.workload)
        work: dict[str, tuple[Work, Work, Work]] = {
            EXPORT: (
                lambda: ours.export(source, folder),
                lambda: rival.export(source, folder),
                nothing,
            ),
            IMPORT: (
                lambda: ours.restore(target, folder),
                lambda: rival.restore(target, folder),
                lambda: emptied(target, rival.workload.metadata),
            ),
        }
        for job, (our_way, their_way, before) in work.items():
            figure = {**subject, "job": job, "rival": rival.name}
            if not self.scope.has_job(job):
                if job == EXPORT:  # an import needs its files
                    our_way()
                    their_way()
                continue
            if self._is_slow(figure):
                return
            figure = self._measured(figure, Job(job, our_way, their_way, before))
            if subject["engine"] == "sqlite" and subject["workload"] in self.scope.memory:
                figure["peak_mib"] = {
                    name: peak_mib(rival.workload, name, job, both, folder)
                    for name in (OURS.name, rival.name)
                }
            yield figure

    def _jobs(self, jobs: Iterator[Job], subject: Figure) -> Iterator[Figure]:
        for job in jobs:
            if self.scope.has_job(job.name):
                figure = {
                    **subject, "job": job.name, "rival": job.rival, "about": job.about,
                }  # fmt: skip
                yield self._measured(figure, job)

    def _measured(self, figure: Figure, job: Job) -> Figure:
        scope = self.scope
        timings = pairs(
            job.ours, job.theirs, rounds=scope.rounds, seconds=scope.seconds, before=job.before
        )
        ours, theirs = (median(list(side)) for side in zip(*timings, strict=True))
        self.pace[key_of(figure)] = theirs.wall / figure["records"]
        return {
            "ratio": significant(ratio(timings, "wall")),
            "cpu_ratio": significant(ratio(timings, "cpu")),
            **figure,
            "seconds": {"lading": significant(ours.wall), "rival": significant(theirs.wall)},
            "cpu_seconds": {"lading": significant(ours.cpu), "rival": significant(theirs.cpu)},
            "rounds": len(timings),
        }

    def _is_slow(self, figure: Figure) -> bool:
        """Tell whether a rival would exceed the limit, and take note of it."""
        expected = self.pace.get(key_of(figure), 0) * figure["records"]
        if expected <= self.scope.limit:
            return False
        self.skipped.append({**figure, "expected_seconds": significant(expected)})
        return True


def server_version(engine: sa.Engine) -> str:
    """Return the version of the server that an engine is over."""
    with engine.connect():
        return ".".join(map(str, engine.dialect.server_version_info or ()))


def key_of(figure: Figure) -> tuple[str, ...]:
    """Return what a figure has in common with that of another size."""
    return figure["engine"], figure["workload"], figure["job"], figure["rival"]


def ratio(timings: list[Pair], clock: str) -> float:
    """Return how many times as long as lading they take: the median of the pairs' ratios."""
    return statistics.median(
        getattr(theirs, clock) / max(getattr(ours, clock), 1e-9) for ours, theirs in timings
    )


def significant(number: float) -> float:
    """Round to three digits that mean something."""
    return float(f"{number:.3g}")


def peak_mib(workload: Workload, way: str, job: str, both: Databases, folder: Path) -> float | None:
    """Return the peak memory of one way in a process of its own; nothing where none is told."""
    if sys.platform != "linux":
        return None
    engine = both[job == IMPORT]
    if job == IMPORT:
        emptied(engine, workload.metadata)
    ours, theirs = CONTEXT.Pipe()
    arguments = (theirs, workload.name, way, job, engine.url, folder)
    process = CONTEXT.Process(target=send_peak, args=arguments)
    process.start()
    theirs.close()
    try:
        return significant(ours.recv() / 1024)
    finally:
        process.join()


def send_peak(
    connection: Connection, workload: str, way: str, job: str, url: sa.URL, folder: Path
) -> None:
    """Send the peak memory of one way, in KiB, without what is imported and derived before."""
    warnings.simplefilter("ignore")
    engine = sa.create_engine(url)
    rivals: dict[str, type[Rival]] = {OURS.name: OURS, **RIVALS}
    rival = rivals[way](WORKLOADS[workload])
    rival.workload.catalog.use()
    move = rival.export if job == EXPORT else rival.restore
    connection.send(peak_of(lambda: move(engine, folder)))
