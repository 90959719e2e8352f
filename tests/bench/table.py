"""Markdown that pages include, written from the file of figures.

``summary.md`` has one workload at its largest size, ``table.md`` everything.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.databases import ENGINES

Content = dict[str, Any]
Figure = dict[str, Any]
MAIN = {"workload": "wide", "engine": "sqlite"}


def write_tables(folder: Path, content: Content) -> None:
    """Write both files."""
    for name, text in (("summary.md", summary(content)), ("table.md", tables(content))):
        (folder / name).write_text(text, encoding="utf-8")


def summary(content: Content) -> str:
    """Compare rivals on the wide table, at the largest size that each was measured at."""
    head = ["", "records", "export", "import", "peak memory"]
    rows = [lading_row(content)]
    for rival in content["rivals"]:
        of_rival = select(content, rival=rival, **MAIN)
        both = select(of_rival, job="export") + select(of_rival, job="import")
        records = max((figure["records"] for figure in select(of_rival, job="import")), default=0)
        at_size = {figure["job"]: figure for figure in both if figure["records"] == records}
        if len(at_size) == 2:
            export, restore = at_size["export"], at_size["import"]
            title = title_of(content, rival)
            memory = peak(at_size.values(), rival)
            rows.append([title, f"{records:,}", times(export), times(restore), memory])
    text = "Time as a multiple of lading's, and peak memory of the larger of both jobs, on SQLite: "
    title = content["workloads"]["wide"]
    return f"{text}{title}.\n\n{markdown(head, rows)}\n{source(content)}"


def tables(content: Content) -> str:
    """Give a table for each job that every rival does, and one for those by hand."""
    parts = [
        f"**{job.capitalize()}**: time as a multiple of lading's\n\n{grid(content, job)}"
        for job in ("export", "import")
    ]
    beside = [
        [figure["job"], ENGINES[figure["engine"]], f"{figure['records']:,}",
         duration(lading_seconds([figure])),
         times(figure), figure["about"]]
        for figure in content["figures"]
        if "about" in figure
    ]  # fmt: skip
    if beside:
        head = ["", "engine", "records", "lading", "the other way", "which is"]
        parts.append(f"**Everything else**\n\n{markdown(head, beside)}")
    legend = [f"- *{each['title']}*: {each['about']}." for each in content["rivals"].values()]
    legend.append("- –: it can't do this, or would have taken too long.")
    return "\n".join([*parts, "\n".join(legend), "", source(content)])


def grid(content: Content, job: str) -> str:
    """Return a table of workloads and rivals for one job."""
    rivals = [name for name in content["rivals"] if name != "lading"]
    figures = select(content, job=job)
    subjects = dict.fromkeys((f["workload"], f["engine"], f["records"]) for f in figures)
    rows = []
    for workload, engine, records in subjects:
        subject = {"workload": workload, "engine": engine, "records": records}
        by_rival = {figure["rival"]: figure for figure in select(figures, **subject)}
        cells = [times(by_rival[name]) if name in by_rival else "–" for name in rivals]
        ours = duration(lading_seconds(by_rival.values()))
        title = content["workloads"][workload]
        rows.append([title, ENGINES[engine], f"{records:,}", ours, *cells])
    head = ["", "engine", "records", "lading", *(title_of(content, name) for name in rivals)]
    return markdown(head, rows)


def select(figures: Content | list[Figure], **where: Any) -> list[Figure]:
    """Return the figures that have some values."""
    every = figures["figures"] if isinstance(figures, dict) else figures
    return [figure for figure in every if where.items() <= figure.items()]


def times(figure: Figure) -> str:
    """Return a ratio in as many digits as a reader needs."""
    ratio = figure["ratio"]
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.2g} ×"


def lading_seconds(figures: Iterable[Figure]) -> float:
    """Return lading's own time: it was measured beside each rival."""
    return statistics.median(figure["seconds"]["lading"] for figure in figures)


def duration(seconds: float) -> str:
    """Return seconds as a reader compares them."""
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def lading_row(content: Content) -> list[str]:
    """Return lading's own row of the summary, at the largest size."""
    figures = select(content, **MAIN)
    largest = max((figure["records"] for figure in figures), default=0)
    memory = peak(select(figures, records=largest), "lading")
    return [title_of(content, "lading"), f"{largest:,}", "1 ×", "1 ×", memory]


def peak(figures: Iterable[Figure], name: str) -> str:
    """Return the largest peak of some figures."""
    peaks = [figure["peak_mib"][name] for figure in figures if figure.get("peak_mib")]
    return f"{max(peaks):.0f} MiB" if peaks and None not in peaks else ""


def title_of(content: Content, rival: str) -> str:
    """Return how tables call a rival."""
    title: str = content["rivals"][rival]["title"]
    return title


def source(content: Content) -> str:
    """Say which machine, versions and date figures are from."""
    machine, versions = content["machine"], content["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    note = f" {content['note']}" if content["note"] else ""
    return (
        f"Measured on {content['date']} by `make bench`: {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB; {named}.{note}\n"
    )


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, in which columns of numbers stand right."""
    columns = zip(*rows, strict=True)
    marks = ["--:" if all(map(is_number, column)) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, marks, *rows)) + "\n"


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number, or that there is none."""
    return cell in ("", "–") or cell[0].isdigit()
