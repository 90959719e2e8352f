"""Progress: on a terminal alone, and only of what takes long."""

from __future__ import annotations

import io
import subprocess
import sys

from lading.cli import progress
from lading.cli.progress import ProgressBars, progress_shown
from lading.report import Progress

STEPS = [
    Progress("import", "suppliers", 0, None),
    Progress("import", "suppliers", 500, 1000),
    Progress("import", "products", 10, 2000),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch) -> Terminal:
    """Put a terminal in the place of standard error, where pytest's own capture stands."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return stream


def test_what_takes_long_is_drawn(monkeypatch) -> None:
    """The step, the entity, how many records of how many."""
    terminal = terminal_of(monkeypatch)
    monkeypatch.setattr(progress, "PATIENCE", 0)
    with progress_shown() as show:
        for step in STEPS:
            show(step)
    assert "import products" in terminal.getvalue()
    assert "10 of 2,000 records" in terminal.getvalue()


def test_what_is_done_soon_draws_nothing(monkeypatch) -> None:
    """A bar that flashes up tells nobody anything."""
    terminal = terminal_of(monkeypatch)
    with progress_shown() as show:
        for step in STEPS:
            show(step)
    assert terminal.getvalue() == ""


def test_nothing_is_counted_without_a_terminal(monkeypatch) -> None:
    """The library isn't even asked to tell."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_shown() as show:
        assert show is None


def test_rich_is_imported_when_something_is_drawn(shop) -> None:
    """It takes longer to import than many a command takes."""
    program = (
        "import sys; from click.testing import CliRunner; from lading.cli.main import main; "
        f"result = CliRunner().invoke(main, ['export', {shop!r}, 'backup']); "
        "print(result.exit_code, 'rich' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "0 False\n"


def test_bars_are_those_of_the_entity_at_work(monkeypatch) -> None:
    """One line, for there may be hundreds of entities."""
    monkeypatch.setattr(progress, "PATIENCE", 0)
    terminal_of(monkeypatch)
    bars = ProgressBars()
    for step in STEPS:
        bars.show(step)
    assert [task.description for task in bars.bars.tasks] == ["import products"]
    bars.close()
