"""The pages of ``docs/``: their code runs, and they leave nothing out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.pages import has_code

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WITH_CODE = [page for page in sorted(DOCS.rglob("*.md")) if has_code(page)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """Every block does what the page shows of it; ``support.pages`` says how it is read."""
    folder = tmp_path / "work"
    folder.mkdir()
    path = os.pathsep.join(str(ROOT / name) for name in ("tests", "src"))
    done = subprocess.run(
        [sys.executable, "-m", "support.pages", str(page)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
