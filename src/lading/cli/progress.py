"""Progress on standard error: on a terminal alone, and only of what takes more than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lading.messages import counted
from lading.report import Progress

#: Seconds before anything is drawn.
PATIENCE = 1.0


@contextmanager
def progress_shown() -> Iterator[Callable[[Progress], None] | None]:
    """Yield what the library's functions call after each chunk; ``None`` without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    bars = ProgressBars()
    try:
        yield bars.show
    finally:
        bars.close()


class ProgressBars:
    """A bar for the entity at work: records, rate and time left.  rich is imported when drawn."""

    def __init__(self) -> None:
        self.started = self.entity_started = time.monotonic()
        self.bars: Any = None
        self.task: Any = None
        self.step: tuple[str, str] | None = None

    def show(self, progress: Progress) -> None:
        """Draw how far an entity is."""
        now = time.monotonic()
        step = (progress.step, progress.entity)
        if step != self.step:
            self.step, self.entity_started = step, now
            if self.task is not None:
                self.bars.remove_task(self.task)
                self.task = None
        if now - self.started < PATIENCE:
            return
        if self.bars is None:
            self.bars = new_bars()
        if self.task is None:
            self.task = self.bars.add_task(" ".join(step), count="", rate="")
        self.bars.update(
            self.task,
            completed=progress.done,
            total=progress.total,
            count=count_text(progress),
            rate=rate_text(progress.done, now - self.entity_started),
        )

    def close(self) -> None:
        """Remove what was drawn."""
        if self.bars is not None:
            self.bars.stop()


def count_text(progress: Progress) -> str:
    """Say how many records are done, of how many where that is known."""
    if progress.total is None:
        return counted(progress.done, "record")
    return f"{progress.done:,} of {counted(progress.total, 'record')}"


def rate_text(done: int, seconds: float) -> str:
    """Say how many records are done in a second; nothing before that can be told."""
    return f"{done / seconds:,.0f}/s" if done and seconds else ""


def new_bars() -> Any:
    """Return bars of rich's that are drawn already, and leave nothing behind."""
    from rich import progress as columns  # it takes longer than many a command
    from rich.console import Console

    bars = columns.Progress(
        columns.TextColumn("{task.description}"),
        columns.BarColumn(),
        columns.TextColumn("{task.fields[count]}"),
        columns.TextColumn("{task.fields[rate]}"),
        columns.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bars.start()
    return bars
