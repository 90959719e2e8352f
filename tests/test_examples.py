"""The examples run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.backends import Backend
from support.depth import ONLY_DEEP

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def run(*arguments: str, cwd: Path) -> str:
    """Run Python as a user would, warnings as errors, and return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def test_the_quickstart_runs(tmp_path: Path) -> None:
    """The quickstart exports two entities and restores them, in under forty lines."""
    file = EXAMPLES / "quickstart.py"
    assert len(file.read_text().splitlines()) < 40
    assert "committed: 2 inserted" in run(str(file), cwd=tmp_path)


def test_the_bakery_demo_runs(tmp_path: Path) -> None:
    """The demo ends with equal bytes and three errors that name their places."""
    printed = run(str(EXAMPLES / "bakery_demo.py"), cwd=tmp_path)
    assert "23 files compared, byte by byte: equal" in printed
    assert "06_recipes.json: its checksum differs from the manifest's" in printed
    assert "09_suppliers.json: is missing from the bundle" in printed
    assert "production_runs record 1, recipe: recipes: no record has slug" in printed
    assert list(tmp_path.iterdir()) == []


@ONLY_DEEP
def test_the_demo_runs_on_mariadb(tmp_path: Path, mariadb: Backend) -> None:
    """The bakery's season goes there and comes back as it was."""
    with mariadb.database() as engine:
        url = engine.url.render_as_string(hide_password=False)
        printed = run(str(EXAMPLES / "bakery_demo.py"), url, cwd=tmp_path)
    assert "restored into an empty mariadb database" in printed
    assert "23 files compared, byte by byte: equal" in printed


@pytest.mark.parametrize(
    "name", [pytest.param("bakery_demo.py", marks=ONLY_DEEP), "move_to_postgresql.py"]
)
def test_the_examples_run_on_postgresql(name: str, tmp_path: Path, postgresql: Backend) -> None:
    """The bakery moves to PostgreSQL with equal checksums."""
    with postgresql.database() as engine:
        url = engine.url.render_as_string(hide_password=False)
        printed = run(str(EXAMPLES / name), url, cwd=tmp_path)
    assert "DIFFERENT" not in printed
    assert "2,918 inserted" in printed
