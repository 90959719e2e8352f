"""A plugin that measures which lines and branches of ``src`` no test takes.

``make test-coverage`` loads it into each process of pytest-xdist, before any module of lading.
Slipcover's own plugin removes what it adds to the code only after it was passed often, which takes
longer, and which tests of memory see.

Only these processes are measured: what runs in one that a test starts, and perhaps kills, counts as
untaken, and so does what needs a server, where that isn't installed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import slipcover

ROOT = Path(__file__).resolve().parents[2]
SOURCE, RESULTS = ROOT / "src/lading", ROOT / ".coverage"
EXCLUDED = [
    "raise NotImplementedError",  # what a subclass does in its own way, or nobody calls
    r"\.\.\.$",  # the body of a protocol's method
    "@abstractmethod",  # every subclass has its own
    "if not TYPE_CHECKING:",  # only a type checker takes it otherwise
    'if __name__ == "__main__":',  # a process of its own, which isn't measured
]
WORKER = os.environ.get("PYTEST_XDIST_WORKER")

if WORKER:
    coverage = slipcover.Slipcover(
        immediate=True, branch=True, source=[str(SOURCE)], exclude_also=EXCLUDED
    )
    matcher = slipcover.FileMatcher(sources=[str(SOURCE)])
    slipcover.ImportManager(coverage, matcher).__enter__()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write what the tests of this process took."""
    if WORKER:
        (RESULTS / f"{WORKER}.json").write_text(json.dumps(coverage.get_coverage()))
