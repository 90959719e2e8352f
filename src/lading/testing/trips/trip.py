"""One dataset on its way between databases and bundles, and what must hold of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.errors import ArgumentError
from lading.exporter import export_all
from lading.fresh_databases.factories import EngineFactory, database, engine_name
from lading.model.entities import Entities
from lading.model.rowsets import RowSet
from lading.records.canonical import in_order
from lading.records.comparison import RecordComparison
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import ImportReport
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import cell_differences, has_unrestored, record_differences
from lading.testing.compare.stored import Stored, stored_cells
from lading.testing.datasets.coverage import forgotten
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.insert import write
from lading.testing.trips.bundles import files_of, load, noted, records_of
from lading.testing.trips.state import State
from lading.values.json_text import json_text

#: Where Linux keeps files in memory.
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - each trip has a folder of its own there
#: How many differences a failure shows.
SHOWN = 8


class RoundTripError(AssertionError):
    """Something was lost or altered on its way; ``differences`` are those found."""

    def __init__(self, problem: str, differences: Collection[DataDifference] = ()) -> None:
        self.differences = list(differences)
        lines = [problem, *(f"  {difference}" for difference in self.differences[:SHOWN])]
        if len(self.differences) > SHOWN:
            lines.append(f"  and {len(self.differences) - SHOWN} more")
        super().__init__("\n".join(lines))


class Trip:
    """One dataset on its way, with the databases and bundles that it needs."""

    def __init__(self, catalog: Catalog, dataset: Dataset) -> None:
        _require(catalog, dataset)
        self.catalog = catalog
        self.dataset = dataset
        self.tables = sorted(dataset.plans.of, key=lambda table: table.fullname)
        self.engines: dict[sa.Engine, str] = {}
        self.bundles = 0
        self.stack = ExitStack()
        self.expected: Mapping[str, list[Any]] = {}

    def __enter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="lading-", dir=_in_memory())
        self.folder = Path(self.stack.enter_context(folder))
        return self

    def __exit__(self, *_error: object) -> None:
        self.stack.close()

    def carries_everything(self) -> None:
        """Every column is in records, or is named among what is left out."""
        differing = list(forgotten(self.catalog))
        if differing:
            raise RoundTripError(
                "records carry no such columns, and coverage() is silent:", differing
            )

    def opened(self, factory: EngineFactory) -> sa.Engine:
        """Return an engine over a fresh database with all tables."""
        engine = self.stack.enter_context(database(factory, self.catalog))
        self.engines[engine] = engine_name(engine)
        return engine

    def written(self, engine: sa.Engine, *, other: bool) -> None:
        """Write the dataset, in a form that every engine of this trip holds."""
        resolved = write(self.dataset, engine, set(self.engines.values()), other=other)
        self.expected = Written(resolved).document()

    def exported(self, engine: sa.Engine, what: str, *, suffix: str = "") -> Path:
        """Export to a new bundle; the suffix ``.zip`` makes it a ZIP."""
        self.bundles += 1
        path = self.folder / f"{self.bundles}{suffix}"
        with noted(what):
            export_all(engine, path, catalog=self.catalog)
        return path

    def imported(self, engine: sa.Engine, content: Path | dict[str, Any]) -> ImportReport:
        """Import a bundle or a document, whose every record must be new."""
        with noted("the import of what was exported"):
            report: ImportReport = load(engine, content, self.catalog)
        differing = [
            DataDifference(name, None, None, f"{len(records)} records", f"{count} imported")
            for name, records in self.expected.items()
            if (count := report[name].imported) != len(records)
        ]
        if differing:
            raise RoundTripError("the import didn't take what was exported:", differing)
        return report

    def restored(
        self,
        engine: sa.Engine,
        content: Path | dict[str, Any],
        cells: Stored | None = None,
        source: sa.Engine | None = None,
    ) -> None:
        """Import into a fresh database: equal values and links, and equal bytes again.

        Args:
            engine: The engine of the fresh database.
            content: A bundle's path, or a document.
            cells: What the first database stores, which must be equal, if both are of one engine.
            source: As for :meth:`same_rows`.
        """
        self.imported(engine, content)
        if cells is not None:
            self.same_cells(cells, self.cells(engine), "after the import")
        self.same_rows(engine, "after the import", source=source)
        if isinstance(content, Path):
            self.same_bytes(content, engine, "the export after the import")

    def changes_nothing(self, engine: sa.Engine, path: Path) -> None:
        """A second import finds every record there, and equal; each cell stays as it is."""
        before = self.cells(engine)
        with noted("the second import"):
            report = load(engine, path, self.catalog)
        differing = [
            DataDifference(name, None, None, "every record there", f"a second import: {counts}")
            for name, counts in report.entities.items()
            if counts.imported or counts.differing
        ]
        if differing:
            raise RoundTripError("a second import didn't find everything there:", differing)
        if (after := self.cells(engine)) != before:
            differing = cell_differences(self.catalog, before, after)
            raise RoundTripError("a second import changed cells of the database:", differing)

    def says_what_was_written(self, path: Path) -> None:
        """Hold a bundle's records against those that the dataset's rows make."""
        entities = self.catalog.use()
        records = as_loaded(entities, records_of(path))
        differing = record_differences(entities, self.expected, records, ordered=True)
        if differing:
            problem = "the bundle says otherwise than the rows that were written:"
            raise RoundTripError(problem, differing)

    def cells(self, engine: sa.Engine) -> Stored:
        """Return what a database holds, as it is stored."""
        return stored_cells(engine, self.tables)

    def read(self, engine: sa.Engine) -> dict[str, list[Any]]:
        """Return the records that a database's rows make, as SQLAlchemy reads them."""
        return State.read(engine, self.dataset.plans).document

    def same_rows(self, engine: sa.Engine, when: str, *, source: sa.Engine | None = None) -> None:
        """Hold a database's values and links, as SQLAlchemy reads them, against those expected.

        It reads some numbers with fewer digits than were written: then those of the source count.
        """
        entities, records = self.catalog.use(), self.read(engine)
        differing = record_differences(entities, self.expected, records)
        if differing and source is not None:
            differing = record_differences(entities, self.read(source), records)
        if differing:
            raise RoundTripError(f"{when}, the database holds something else:", differing)

    def same_cells(self, before: Stored, after: Stored, when: str) -> None:
        """Hold a database's stored values against those of another."""
        differing = cell_differences(self.catalog, before, after)
        if differing:
            raise RoundTripError(f"{when}, the database holds something else:", differing)

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


def hold_records(
    entities: Entities,
    expected: Mapping[str, list[Any]],
    records: Mapping[str, list[Any]],
    problem: str,
) -> None:
    """Hold the records of each entity against those expected.

    Args:
        entities: What the catalog declares.
        expected: The records that each entity must have.
        records: The records that it has.
        problem: The first line of the error.

    Raises:
        RoundTripError: Some records differ.
    """
    if differing := record_differences(entities, expected, records):
        raise RoundTripError(problem, differing)


def as_loaded(
    entities: Entities, document: Mapping[str, Any], *, every: bool = False
) -> dict[str, list[Any]]:
    """Return a document's records by entity; those with hooks as an import loads them.

    Args:
        entities: What the catalog declares.
        document: The document, or the records of a bundle.
        every: Whether those without hooks are loaded as well.
    """

    def loaded(root: RowSet) -> list[Any]:
        records = list(document[root.name])
        if not (every or needs_marshmallow(root)):
            return records
        load = RecordComparison(root).loaded
        return [in_order(root, load(json_text(record))) for record in records]

    return {name: loaded(root) for name, root in entities.roots.items() if name in document}
