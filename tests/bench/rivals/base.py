"""What each rival can do, and lading itself."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa

from bench.workloads import Workload
from lading import export_all, import_all


class Rival:
    """One way to export a workload's database and to restore it.

    ``name`` is what commands call it, ``title`` what tables call it, and ``about`` what it does.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    @classmethod
    def takes(cls, workload: Workload, engine: str) -> bool:
        """Tell whether it can do a workload on an engine."""
        return True

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Write everything that a database has to a folder of its own."""
        raise NotImplementedError

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Read what it wrote into empty tables."""
        raise NotImplementedError


class Lading(Rival):
    """Ours."""

    name = "lading"
    title = "lading"
    about = "every check on, checksums and a report; natural keys"

    def export(self, source: sa.Engine, folder: Path) -> None:
        """Export a bundle."""
        export_all(source, folder / "bundle", catalog=self.workload.catalog, overwrite=True)

    def restore(self, target: sa.Engine, folder: Path) -> None:
        """Import the bundle."""
        import_all(target, folder / "bundle", catalog=self.workload.catalog)
