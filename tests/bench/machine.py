"""Which machine and versions figures are from."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

PACKAGES = (
    "SQLAlchemy", "marshmallow", "marshmallow-sqlalchemy", "msgspec", "Django", "psycopg", "PyMySQL",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Describe the processor, its cores, the memory and the system."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
    }


def processor() -> str:
    """Return the processor's name where the system tells it, else its architecture."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def versions() -> dict[str, str]:
    """Return the versions of everything that is measured, servers excepted."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    own = importlib.metadata.version("lading")
    return {
        "lading": own,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **packages,
    }


def today() -> str:
    """Return the date in UTC."""
    return dt.datetime.now(dt.UTC).date().isoformat()
