"""The plot: time over records on logarithmic axes, drawn alike from equal figures."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from bench.table import MAIN, Figure, select, title_of

NAME = "figures.svg"
JOBS = ("export", "import")
SETTINGS = {
    "svg.hashsalt": "lading",  # ids of elements are made of it
    "svg.fonttype": "none",  # text stays text
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
COLOURS = ("#999999", "#4477aa", "#228833", "#ccbb44", "#ee6677")


def write_plot(folder: Path, content: dict[str, Any]) -> None:
    """Draw the wide table's exports and imports on SQLite, a line for each rival."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(SETTINGS):
        canvas = Canvas(figsize=(8, 3.6), layout="constrained")
        for axes, job in zip(canvas.subplots(1, 2, sharey=True), JOBS, strict=True):
            draw(axes, content, job)
        handles, labels = canvas.axes[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        canvas.savefig(folder / NAME, metadata={"Date": None})


def draw(axes: Any, content: dict[str, Any], job: str) -> None:
    """Draw one job."""
    figures = select(content, job=job, **MAIN)
    lines = {"lading": line_of(figures, "lading")}
    rivals = [name for name in content["rivals"] if name != "lading"]
    lines |= {name: line_of(select(figures, rival=name), "rival") for name in rivals}
    for (name, line), colour in zip(lines.items(), ("black", *COLOURS), strict=True):
        if not line:
            continue
        width = 2.4 if name == "lading" else 1.2
        label = title_of(content, name)
        axes.plot(*zip(*line, strict=True), marker="o", ms=3, lw=width, color=colour, label=label)
    axes.set(xscale="log", yscale="log", title=job, xlabel="records")
    axes.grid(visible=True, which="major", color="#dddddd", lw=0.5)
    if job == JOBS[0]:
        axes.set_ylabel("seconds")


def line_of(figures: list[Figure], side: str) -> list[tuple[int, float]]:
    """Return the median seconds of one side by the number of records."""
    sizes = sorted({figure["records"] for figure in figures})
    return [
        (size, statistics.median(f["seconds"][side] for f in figures if f["records"] == size))
        for size in sizes
    ]
