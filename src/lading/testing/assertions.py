"""What a dataset must survive: a round trip, and a move between two engines."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from lading.bundle.manifest import Manifest
from lading.catalog import Catalog
from lading.errors import DeclarationError
from lading.exporter import export_all
from lading.filenames import MANIFEST
from lading.importer import import_all
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import ImportReport
from lading.testing.compare.differences import Difference, differences
from lading.testing.compare.records import has_unrestored, out_of_order, said_otherwise
from lading.testing.compare.stored import stored_cells, typed_cells
from lading.testing.databases import (
    EngineFactory,
    database,
    emptied_after,
    is_mariadb,
    sqlite_engine,
)
from lading.testing.datasets.coverage import forgotten
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.insert import write

#: How many differences a failure shows.
SHOWN = 8


class RoundTripError(AssertionError):
    """Something was lost or altered on its way; ``differences`` are those found."""

    def __init__(self, problem: str, found: Collection[Difference] = ()) -> None:
        self.differences = list(found)
        lines = [problem, *(f"  {item}" for item in self.differences[:SHOWN])]
        if len(self.differences) > SHOWN:
            lines.append(f"  and {len(self.differences) - SHOWN} more")
        super().__init__("\n".join(lines))


def assert_round_trip(
    catalog: Catalog, dataset: Dataset, *, engine_factory: EngineFactory = sqlite_engine
) -> None:
    """Move a dataset out of a database and into another one, and miss nothing.

    ``engine_factory`` gives an engine (or a context manager of one) over a fresh, empty
    database, each time that it is called; by default SQLite in memory.  The dataset is written,
    exported, imported and exported again.  The bundle must say what the rows say; both
    exports must be equal bytes, also of the same data with other ids in another order; both
    databases must hold equal cells, by their stored types and texts, and equal links; and a
    second import must find everything there.

    Raises ``RoundTripError`` (an ``AssertionError``) with the entity, record and field that
    differ and both values; a ``LadingError`` of the export or import is raised as it is.
    """
    with Trip(catalog, dataset) as trip:
        trip.carries_everything()
        source = trip.opened(engine_factory)
        trip.written(source, other=False)
        before = stored_cells(source, trip.tables)
        first = trip.exported(source, "the export")
        trip.says_what_was_written(first)
        again = trip.opened(engine_factory)
        trip.written(again, other=True)
        trip.same_bytes(first, again, "the same data with other ids and in another order")
        target = trip.opened(engine_factory)
        trip.imported(target, first)
        trip.same_cells(before, stored_cells(target, trip.tables), "after the import")
        trip.same_bytes(first, target, "the export after the import")
        trip.changes_nothing(target, first)


def assert_moves(
    catalog: Catalog,
    dataset: Dataset,
    from_engine: sa.Engine | EngineFactory,
    to_engine: sa.Engine | EngineFactory,
) -> None:
    """Move a dataset from one engine to another, and miss nothing.

    Both are engines over empty databases, or factories as for :func:`assert_round_trip`; an
    engine's tables are emptied again at the end, so that it serves the next example.
    What either engine can't hold stands in the dataset's harmless form.  Both exports must be
    equal bytes, and both databases hold equal values and links.
    """
    with Trip(catalog, dataset) as trip:
        trip.carries_everything()
        source, target = (trip.opened(_factory(item, catalog)) for item in (from_engine, to_engine))
        trip.written(source, other=False)
        tables = [dataset.plans.as_stored(table) for table in trip.tables]
        before = typed_cells(source, tables)
        first = trip.exported(source, "the export")
        trip.says_what_was_written(first)
        trip.imported(target, first)
        trip.same_cells(before, typed_cells(target, tables), "after the move")
        trip.same_bytes(first, target, "the export after the move")
        trip.changes_nothing(target, first)


class Trip:
    """One dataset on its way, with the databases and bundles that it needs."""

    def __init__(self, catalog: Catalog, dataset: Dataset) -> None:
        _require(catalog, dataset)
        self.catalog = catalog
        self.dataset = dataset
        self.tables = sorted(dataset.plans.tables(), key=lambda table: table.fullname)
        self.engines: dict[sa.Engine, str] = {}
        self.bundles = 0
        self.held = ExitStack()
        self.expected: Mapping[str, list[Any]] = {}

    def __enter__(self) -> Self:
        self.folder = Path(self.held.enter_context(tempfile.TemporaryDirectory(prefix="lading-")))
        return self

    def __exit__(self, *_error: object) -> None:
        self.held.close()

    def carries_everything(self) -> None:
        """Every column is in records, or is named among what is left out."""
        found = forgotten(self.catalog)
        if found:
            raise RoundTripError("records carry no such columns, and coverage() is silent:", found)

    def opened(self, factory: EngineFactory) -> sa.Engine:
        """Return an engine over a fresh database with all tables."""
        engine = self.held.enter_context(database(factory, self.catalog))
        self.engines[engine] = "mariadb" if is_mariadb(engine.dialect) else engine.dialect.name
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

    def imported(self, engine: sa.Engine, path: Path) -> ImportReport:
        """Import a bundle, whose every record must be new."""
        with noted("the import of what was exported"):
            report = import_all(engine, path, catalog=self.catalog)
        found = []
        for name, records in self.expected.items():
            count = report[name].imported
            if count != len(records):
                now = f"{count} of {len(records)} records were imported"
                found.append(Difference(name, None, None, f"{len(records)} records", now))
        if found:
            raise RoundTripError("the import didn't take what was exported:", found)
        return report

    def changes_nothing(self, engine: sa.Engine, path: Path) -> None:
        """A second import finds every record there, and equal."""
        before = stored_cells(engine, self.tables)
        with noted("the second import"):
            report = import_all(engine, path, catalog=self.catalog)
        found = [
            Difference(name, None, None, "every record there", f"a second import: {counts}")
            for name, counts in report.entities.items()
            if counts.imported or counts.differing
        ]
        if found:
            raise RoundTripError("a second import didn't find everything there:", found)
        self.same_cells(before, stored_cells(engine, self.tables), "after the second import")

    def says_what_was_written(self, path: Path) -> None:
        """Hold a bundle's records against those that the dataset's rows make."""
        said = "the bundle says otherwise than the rows that were written:"
        records = records_of(path)
        hold_records(self.catalog, self.expected, records, said)
        found = out_of_order(self.catalog.use(), _foreseeable(self.catalog, records))
        if found:
            raise RoundTripError("the bundle isn't in its canonical order:", found)

    def same_cells(self, before: Any, after: Any, when: str) -> None:
        """Hold a database's cells and links against those of another."""
        found = differences(self.catalog, before, after)
        if found:
            raise RoundTripError(f"{when}, the database holds something else:", found)

    def same_bytes(self, path: Path, engine: sa.Engine, what: str) -> None:
        """Hold a bundle against an export of a database, byte by byte."""
        other = self.exported(engine, what)
        one, two = files_of(path), files_of(other)
        if one == two:
            return
        entities = self.catalog.use()
        found = said_otherwise(entities, records_of(path), records_of(other), ordered=True)
        if found or not has_unrestored(entities):
            raise RoundTripError(f"{what} gave other bytes:", found)


def _require(catalog: Any, dataset: Any) -> None:
    """Refuse what is no dataset of a catalog, and one in which a table can have no rows."""
    if not isinstance(catalog, Catalog) or not isinstance(dataset, Dataset):
        raise DeclarationError(
            f"a catalog and a dataset of it are wanted, not {type(catalog).__name__} and "
            f"{type(dataset).__name__}; draw one by datasets(catalog)"
        )
    if dataset.plans.catalog is not catalog:
        raise DeclarationError(
            f"the dataset was drawn from {dataset.plans.catalog!r}, not from "
            f"{catalog!r}; draw it by datasets(catalog)"
        )
    for plan in dataset.plans.plans():
        plan.refuse_hopeless()


def hold_records(
    catalog: Catalog,
    expected: Mapping[str, list[Any]],
    records: Mapping[str, list[Any]],
    problem: str,
) -> None:
    """Raise ``RoundTripError`` with a problem's text where records aren't those expected."""
    known = _foreseeable(catalog, records)
    found = said_otherwise(catalog.use(), {name: expected[name] for name in known}, known)
    if found:
        raise RoundTripError(problem, found)


def _foreseeable(catalog: Catalog, records: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out entities with hooks: what these make of a record is theirs to know."""
    roots = catalog.use().roots
    return {
        name: records.get(name, []) for name, root in roots.items() if not needs_marshmallow(root)
    }


def records_of(path: Path) -> dict[str, list[Any]]:
    """Return the records of a bundle by entity."""
    files = read_bundle(path)
    manifest = Manifest.from_bytes(files[MANIFEST])
    return {
        entry.entity_type: json.loads(files[entry.filename])["records"] for entry in manifest.files
    }


def manifest_of(path: Path) -> Manifest:
    """Return a bundle's manifest."""
    return Manifest.from_bytes(read_bundle(path)[MANIFEST])


def read_bundle(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle, be it a folder or a ZIP."""
    if path.is_dir():
        return {item.name: item.read_bytes() for item in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def files_of(path: Path) -> dict[str, bytes]:
    """Return a bundle's files but the manifest, which says when it was made."""
    return {name: data for name, data in read_bundle(path).items() if name != MANIFEST}


@contextmanager
def noted(what: str) -> Iterator[None]:
    """Add to an error what was being done."""
    try:
        yield
    except Exception as error:
        error.add_note(f"while the kit did {what}")
        raise


def _factory(given: sa.Engine | EngineFactory, catalog: Catalog) -> EngineFactory:
    """Let a caller's own engine serve every example: its tables are emptied after each."""
    return (lambda: emptied_after(given, catalog)) if isinstance(given, sa.Engine) else given
