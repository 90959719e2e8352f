"""What a job is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.timing import Work, nothing


@dataclass(frozen=True, slots=True)
class Job:
    """Two ways to do one thing.

    Args:
        name: What tables call it.
        ours: lading's way.
        theirs: The rival's.
        before: What comes before each, and isn't timed.
        about: What the rival does.
        rival: Its name.
    """

    name: str
    ours: Work
    theirs: Work
    before: Work = nothing
    about: str = ""
    rival: str = "hand"


@dataclass(frozen=True, slots=True)
class Site:
    """Where jobs are done: two databases, the first of which is full, a folder, and how full."""

    source: sa.Engine
    target: sa.Engine
    folder: Path
    records: int
