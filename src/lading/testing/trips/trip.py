"""One dataset on its way between databases and bundles, and what must hold of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.exporter import export_all
from lading.fresh_databases.factories import EngineFactory, database, engine_name
from lading.testing.compare.records import cell_differences, has_unrestored, record_differences
from lading.testing.compare.stored import Stored
from lading.testing.datasets.coverage import forgotten
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.insert import write
from lading.testing.trips.bundles import files_of, records_of
from lading.testing.trips.failures import RoundTripError, hold_none, noted
from lading.testing.trips.import_check import ImportCheck
from lading.testing.trips.state import State

#: Where Linux keeps files in memory.
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - each trip has a folder of its own there


class Trip(ExitStack):
    """One dataset on its way, with the databases and bundles that it needs until it is closed."""

    def __init__(self, catalog: Catalog, dataset: Dataset) -> None:
        _require(catalog, dataset)
        super().__init__()
        self.catalog = catalog
        self.dataset = dataset
        self.engines: set[str] = set()
        self.bundles = 0
        folder = tempfile.TemporaryDirectory(prefix="lading-", dir=_in_memory())
        self.folder = Path(self.enter_context(folder))

    def opened(self, factory: EngineFactory) -> sa.Engine:
        """Return an engine over a fresh database with all tables."""
        engine = self.enter_context(database(factory, self.catalog))
        self.engines.add(engine_name(engine))
        return engine

    def departed(self, engine: sa.Engine) -> tuple[State, Path]:
        """Write the dataset and export it: every column is in records, which say what rows say."""
        problem = "records carry no such columns, and coverage() is silent:"
        hold_none(forgotten(self.catalog), problem)
        state = self.written(engine)
        path = self.exported(engine, "the export")
        state.hold_export(path, "the bundle")
        return state, path

    def written(self, engine: sa.Engine, *, other: bool = False) -> State:
        """Write the dataset, in a form that every engine of this trip holds.

        Args:
            engine: The engine of a fresh database.
            other: Whether the same data is written with other ids and in another order.
        """
        resolved = write(self.dataset, engine, self.engines, other=other)
        return State("the database", engine, resolved)

    def exported(self, engine: sa.Engine, what: str, *, suffix: str = "") -> Path:
        """Export to a new bundle; the suffix ``.zip`` makes it a ZIP."""
        self.bundles += 1
        path = self.folder / f"{self.bundles}{suffix}"
        with noted(what):
            export_all(engine, path, catalog=self.catalog)
        return path

    def restored(
        self, engine: sa.Engine, content: Path | dict[str, Any], cells: Stored | None = None
    ) -> ImportCheck:
        """Import into a fresh database: equal values and links, and equal bytes again.

        Args:
            engine: The engine of the fresh database.
            content: A bundle's path, or a document.
            cells: What the first database stores, which must be equal, if both are of one engine.
        """
        check = ImportCheck(State.fresh("the database", engine, self.dataset.plans), content)
        check.imported()
        if cells is not None:
            self.same_cells(cells, check.after.cells, "after the import")
        check.hold()
        if isinstance(content, Path):
            self.same_bytes(content, engine, "the export after the import")
        return check

    def same_cells(self, before: Stored, after: Stored, when: str) -> None:
        """Hold a database's stored values against those of another."""
        differing = cell_differences(self.catalog, before, after)
        hold_none(differing, f"{when}, the database holds something else:")

    def same_bytes(self, path: Path, engine: sa.Engine, what: str) -> None:
        """Hold a bundle against an export of a database, byte by byte."""
        other = self.exported(engine, what)
        files, two = files_of(path), files_of(other)
        if files == two:
            return
        entities = self.catalog.use()
        differing = record_differences(entities, records_of(path), records_of(other), ordered=True)
        if differing or not has_unrestored(entities):
            raise RoundTripError(f"{what} gave other bytes:", differing)


def _in_memory() -> str | None:
    """Return a folder in memory, where there is one: each bundle would wait for a disk."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None


def _require(catalog: Any, dataset: Any) -> None:
    """Refuse what is no dataset of a catalog."""
    if not isinstance(catalog, Catalog):
        raise ArgumentError("catalog", catalog, "a Catalog")
    if not isinstance(dataset, Dataset) or dataset.plans.catalog is not catalog:
        remedy = "Draw it by datasets(catalog)."
        raise ArgumentError("dataset", dataset, f"a dataset of {catalog!r}", remedy)
