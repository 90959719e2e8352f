"""Measures what it costs to import lading, in CPU time, against SQLAlchemy's ORM.

Each import runs in a process of its own; the least of all rounds is the one that nothing
disturbed.
"""

from __future__ import annotations

import subprocess
import sys

YARDSTICK = "import sqlalchemy.orm"
IMPORTS = (
    "import lading",
    "from lading import Catalog, EntitySchema",
    "from lading import Catalog, Change, EntitySchema, Rename",
    "from lading.testing import datasets",
    "from lading import export_all",
    "from lading import export_all, import_all",
    "from lading import diff, seal, verify",
)


def milliseconds(code: str, rounds: int) -> float:
    """Return what running code costs a new process, without its own start."""
    script = (
        f"import time\nbefore = time.process_time()\n{code}\nprint(time.process_time() - before)"
    )
    run = [sys.executable, "-c", script]
    times = [
        float(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    return 1000 * min(times)


def measure(rounds: int) -> None:
    """Print each import's cost, and its ratio to the yardstick's."""
    yardstick = milliseconds(YARDSTICK, rounds)
    print(f"{YARDSTICK:45} {yardstick:6.0f} ms of CPU")
    for code in IMPORTS:
        cost = milliseconds(code, rounds)
        print(f"{code:45} {cost:6.0f} ms of CPU, {cost / yardstick:.2f}")
