"""What a careful developer writes for one schema."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bench.rivals.base import Rival
from bench.workloads import Workload


class WrittenByHand(Rival):
    """The workload's own functions."""

    name = "hand"
    title = "by hand"
    about = "written for the schema: Core with joins, msgspec, bulk INSERTs or COPY; no checks"

    @classmethod
    def takes(cls, workload: Workload, engine: str) -> bool:
        """Nobody wrote the bakery's."""
        return workload.by_hand is not None

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Write files of lines."""
        assert self.workload.by_hand is not None
        self.workload.by_hand[0](source, folder)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Read them."""
        assert self.workload.by_hand is not None
        self.workload.by_hand[1](target, folder)
