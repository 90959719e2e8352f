"""Run as a script: tells how many branches of ``src`` the tests take, and fails below a limit.

``--fail-under`` of slipcover counts lines and branches together, and lines are the easier part.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def branches_taken(coverage: Path) -> tuple[int, int]:
    """Return how many branches were taken, and how many there are."""
    summary = json.loads(coverage.read_text())["summary"]
    return summary["covered_branches"], summary["covered_branches"] + summary["missing_branches"]


def main(path: str, limit: str) -> str | None:
    """Print the share of branches that were taken; return what is wrong, if anything is."""
    taken, total = branches_taken(Path(path))
    percent = 100 * taken / total
    sys.stdout.write(f"branches: {taken:,} of {total:,} taken, {percent:.2f} %\n")
    return f"at least {limit} % must be taken" if percent < float(limit) else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
