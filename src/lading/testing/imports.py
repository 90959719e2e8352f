"""What an import must leave behind, in each mode: told from both sides' records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.errors import LadingError
from lading.exporter import export_document
from lading.fresh_databases.factories import (
    EngineFactory,
    check_factory,
    database,
    engine_name,
    sqlite_engine,
)
from lading.importer import import_document
from lading.importing.import_options import ImportOptions
from lading.importing.updates.matching import OwnedMatcher
from lading.model.rowsets import RowSet
from lading.records.comparison import RecordComparison
from lading.records.lines import without_ids
from lading.report import ImportReport
from lading.testing.compare.contents import Record
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import key_text, plain_text
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.insert import write
from lading.testing.trips.bundles import noted
from lading.testing.trips.outcome import Outcome, Records
from lading.testing.trips.trip import RoundTripError
from lading.testing.written_rows import rows_written_in_vain
from lading.values.json_text import json_text


def assert_import(
    catalog: Catalog,
    before: Dataset | Mapping[str, Any],
    bundle: Mapping[str, Any],
    mode: str | Mapping[str, str],
    *,
    engine_factory: EngineFactory = sqlite_engine,
) -> None:
    """Import a document into a database that has records, and hold the outcome to the mode.

    After an update every record of the bundle is there as the bundle says, and all else as it
    was; after a mirror exactly the bundle; otherwise everything as it was, and what is new.
    Fields that no import sets (computed ones, versions), and volatile ones that differ alone,
    aren't compared.  Rows that stay keep their primary keys, a second import writes nothing,
    and on SQLite no row is written that says the same afterwards.

    Args:
        catalog: The catalog whose tables the database gets.
        before: What the database holds: a document, or rows drawn by ``datasets(catalog)``.
        bundle: The document that is imported.
        mode: What ``import_document`` takes as ``on_conflict``.
        engine_factory: Gives an engine (or a context manager of one) over a fresh, empty
            database each time that it is called; by default SQLite in memory.

    Raises:
        RoundTripError: An ``AssertionError`` with the entity, record and field that differ and
            both values.
        LadingError: The import refused the bundle, and left the database as it was.
    """
    check_factory("engine_factory", engine_factory)
    options = ImportOptions(catalog.use(), mode, "rollback", None)
    with database(engine_factory, catalog) as engine:
        check = _ImportCheck(catalog, engine, before, bundle, mode)
        check.leaves_what_is_expected(options)
        check.keeps_primary_keys()
        check.changes_nothing()
        is_sqlite = engine_name(engine) == "sqlite"
    if is_sqlite:
        with database(engine_factory, catalog) as engine:
            _ImportCheck(catalog, engine, before, bundle, mode).writes_nothing_in_vain()


class _ImportCheck:
    """One import into a database, and what must hold of it."""

    def __init__(
        self,
        catalog: Catalog,
        engine: sa.Engine,
        before: Dataset | Mapping[str, Any],
        bundle: Mapping[str, Any],
        mode: str | Mapping[str, str],
    ) -> None:
        self.catalog = catalog
        self.engine = engine
        self.bundle = bundle
        self.mode = mode
        self.what = f"the import with on_conflict={mode!r}"
        self.comparisons = {n: RecordComparison(root) for n, root in catalog.use().roots.items()}
        with noted("the import of what the database holds before"):
            if isinstance(before, Dataset):
                write(before, engine, {engine_name(engine)}, other=False)
            else:
                import_document(engine, before, catalog=catalog)
        self.before = self.after = self.read()

    def read(self) -> Records:
        """Return the database's records, with ids."""
        document = export_document(self.engine, catalog=self.catalog, include_ids=True)
        return {name: document[name] for name in self.comparisons}

    def load(self) -> ImportReport:
        """Import the bundle; one that is refused must leave the database as it was."""
        try:
            report = import_document(
                self.engine, self.bundle, catalog=self.catalog, on_conflict=self.mode
            )
        except LadingError as error:
            if self.read() != self.before:
                raise RoundTripError(f"{self.what} failed and changed the database") from error
            raise
        self.after = self.read()
        return report

    def leaves_what_is_expected(self, options: ImportOptions) -> None:
        """Import the bundle, and hold the report and the records against those expected."""
        bundle = {
            name: [comparison.loaded(json_text(record)) for record in self.bundle[name]]
            for name, comparison in self.comparisons.items()
            if name in self.bundle
        }
        outcome = Outcome(self.catalog, self._without_ids(self.before), bundle, options)
        report = self.load()
        problem = f"{self.what} left other records than it should:"
        outcome.check(report, self._without_ids(self.after), problem)

    def _without_ids(self, records: Records) -> Records:
        return {
            name: [without_ids(self.comparisons[name].layout, record) for record in of]
            for name, of in records.items()
        }

    def keeps_primary_keys(self) -> None:
        """Records that stay, and owned rows in them that say the same, keep their ids."""
        differing = [
            DataDifference(name, key, "id", *ids)
            for name, comparison in self.comparisons.items()
            for key, *ids in _other_ids(comparison.rows, self.before[name], self.after[name])
        ]
        if differing:
            raise RoundTripError(f"{self.what} gave rows that stay other ids:", differing)

    def changes_nothing(self) -> None:
        """A second import finds everything as it should be."""
        after = self.after
        with noted("the second import"):
            report = self.load()
        if report.total.imported or report.total.deleted or self.after != after:
            raise RoundTripError(f"{self.what}, a second time, changed something: {report}")

    def writes_nothing_in_vain(self) -> None:
        """No row is written that says the same afterwards; triggers tell, which are read back."""
        with rows_written_in_vain(self.engine, self.catalog) as rows:
            self.load()
        if rows:
            raise RoundTripError(f"{self.what} wrote rows that didn't change:", rows)


def _other_ids(root: RowSet, before: list[Record], after: list[Record]) -> Iterator[list[str]]:
    """Yield the keys of records of which rows that stay have other ids than before, and these."""
    comparison = RecordComparison(root)
    records = {key_text(root, record): record for record in after}
    for record in before:
        key = key_text(root, record)
        if key in records:
            pair = record, records[key]
            was, now = (_ids(root, comparison, r) for r in pair)
            common = was.keys() & now.keys()
            if any((was[text] - now[text]) and (now[text] - was[text]) for text in common):
                yield [key, str(was), str(now)]


def _ids(rows: RowSet, comparison: RecordComparison, record: Record) -> dict[str, Counter[Any]]:
    """Return the ids of a record and of its owned rows, by what they say."""
    ids: dict[str, Counter[Any]] = {rows.name: Counter([record.get("id")])}
    for children in rows.children:
        if OwnedMatcher(children, comparison).by_id:
            continue  # their contents move, and the ids stay in their order
        for owned in record.get(children.written) or ():
            text = plain_text(without_ids(RecordComparison(children.rows).layout, owned))
            ids.setdefault(f"{children.name} {text}", Counter())[owned.get("id")] += 1
    return ids
