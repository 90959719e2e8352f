"""The file of figures, which tables, plots and pages quote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.machine import machine, today, versions
from bench.rivals import OURS, RIVALS
from bench.workloads import WORKLOADS

NAME = "figures.json"
MEANING = (
    "ratio: how many times as long as lading a rival takes, the median of runs in turn; seconds and "
    "cpu_seconds: medians of the clock and of the process's CPU; peak_mib: resident memory beyond "
    "what was in use before; skipped: what would have taken too long, by the size before"
)


def head(note: str) -> dict[str, Any]:
    """Say what figures mean, and whence they come."""
    return {
        "meaning": MEANING,
        "note": note,
        "date": today(),
        "machine": machine(),
        "versions": versions(),
        "workloads": {name: workload.title for name, workload in WORKLOADS.items()},
        "rivals": {
            rival.name: {"title": rival.title, "about": rival.about}
            for rival in (OURS, *RIVALS.values())
        },
    }


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write figures, one a line, so that two runs can be compared."""
    lines = {name: _lines(content[name]) for name in ("figures", "skipped")}
    rest = {name: value for name, value in content.items() if name not in lines}
    text = json.dumps(rest, indent=2).removesuffix("\n}")
    lists = "".join(f',\n  "{name}": [\n{each}\n  ]' for name, each in lines.items())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(f"{text}{lists}\n}}\n", encoding="utf-8")


def _lines(figures: Iterable[Any]) -> str:
    return ",\n".join(f"    {json.dumps(figure)}" for figure in figures)


def read(folder: Path) -> dict[str, Any]:
    """Read the figures of a folder."""
    content: dict[str, Any] = json.loads((folder / NAME).read_bytes())
    return content
