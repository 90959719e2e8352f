"""What an import must leave behind, in each mode: told from both sides' records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog, import_order
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
from lading.importing.options import MIRROR, UPDATING, ImportOptions
from lading.importing.updates.matching import OwnedMatcher
from lading.importing.updates.settling import may_turn
from lading.mapping.load_order import load_order_of
from lading.model.ordering import as_listed
from lading.model.rowsets import Children, Links, Reference, RowSet
from lading.records.comparison import RecordComparison
from lading.records.lines import without_ids
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import ImportReport
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import ANYTHING, plain_text
from lading.testing.datasets.dataset import Dataset
from lading.testing.datasets.insert import write
from lading.testing.trips.bundles import noted
from lading.testing.trips.trip import RoundTripError, hold_records
from lading.testing.written_rows import rows_written_in_vain
from lading.values.json_text import json_text

Record = dict[str, Any]
Records = dict[str, list[Record]]


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
    with database(engine_factory, catalog) as engine:
        check = _ImportCheck(catalog, engine, before)
        report = check.load(bundle, mode)
        check.counts(report)
        check.holds_what_is_expected()
        check.keeps_primary_keys()
        check.changes_nothing(bundle, mode)
        is_sqlite = engine_name(engine) == "sqlite"
    if is_sqlite:
        with database(engine_factory, catalog) as engine:
            check = _ImportCheck(catalog, engine, before)
            with rows_written_in_vain(engine, catalog) as rows:
                check.load(bundle, mode)
            if rows:
                raise RoundTripError(f"{check.what} wrote rows that didn't change:", rows)


class _ImportCheck:
    """One import into a database, and what must hold of it."""

    def __init__(
        self, catalog: Catalog, engine: sa.Engine, before: Dataset | Mapping[str, Any]
    ) -> None:
        self.catalog = catalog
        self.engine = engine
        self.roots = catalog.use().roots
        with noted("the import of what the database holds before"):
            if isinstance(before, Dataset):
                write(before, engine, {engine_name(engine)}, other=False)
            else:
                import_document(engine, before, catalog=catalog)
        self.before = self.read()
        self.after = self.before
        self.expected: Records = {}
        self.expected_counts: dict[str, dict[str, int]] = {}
        self.renamed = _RenamedTargets()
        self.what = "the import"

    def read(self) -> Records:
        """Return the database's records, with ids."""
        document = export_document(self.engine, catalog=self.catalog, include_ids=True)
        return {name: document[name] for name in self.roots}

    def load(self, bundle: Mapping[str, Any], mode: str | Mapping[str, str]) -> ImportReport:
        """Import the bundle; one that is refused must leave the database as it was."""
        options = ImportOptions(self.catalog.use(), mode, "rollback", None)
        self.what = f"the import with on_conflict={mode!r}"
        for name in import_order(self.catalog):
            self._expect(self.roots[name], bundle.get(name), options.mode(name))
        try:
            report = import_document(self.engine, bundle, catalog=self.catalog, on_conflict=mode)
        except LadingError as error:
            if self.read() != self.before:
                raise RoundTripError(f"{self.what} failed and changed the database") from error
            raise
        self.after = self.read()
        return report

    def _expect(self, root: RowSet, bundle: list[Record] | None, mode: str) -> None:
        """Work out an entity's records after the import, and its counts."""
        comparison = RecordComparison(root)
        new = {
            _key(root, content): content
            for record in bundle or ()
            if (content := comparison.loaded(json_text(record)))
        }
        counts = dict.fromkeys(("inserted", "updated", "deleted"), 0)
        records = self.expected[root.name] = []
        staying: list[Record] = []
        for stored in self.before[root.name]:
            content = self.renamed.follow(root, without_ids(comparison.layout, stored))
            record = new.pop(_key(root, content), None)
            if record is None and mode == MIRROR and bundle is not None:
                counts["deleted"] += 1
                continue
            differs = record is not None and any(
                comparison.differences(root, record, comparison.stored(json_text(content)))
            )
            if record is not None and differs and mode in UPDATING:
                counts["updated"] += 1
                self.renamed.add(root, content, record)
                content = _masked(root, comparison, record)
            (staying if record is None else records).append(_in_order(root, content))
        self.renamed.turn()
        records += [self.renamed.follow(root, record) for record in staying]
        counts["inserted"] = len(new)
        records += [_in_order(root, _masked(root, comparison, r)) for r in new.values()]
        self.expected_counts[root.name] = counts

    def counts(self, report: ImportReport) -> None:
        """Hold the report's counts against the records that are new, differ, or go."""
        differing = [
            DataDifference(name, None, word, str(number), str(getattr(report[name], word)))
            for name, counts in self.expected_counts.items()
            if name in report.entities and self._is_countable(self.roots[name])
            for word, number in counts.items()
            if getattr(report[name], word) != number
        ]
        if differing:
            raise RoundTripError(f"{self.what} reports other counts than there are:", differing)

    def _is_countable(self, root: RowSet) -> bool:
        """Tell whether records differ if, and only if, they say something else than before."""
        return not (needs_marshmallow(root) or may_turn(root, load_order_of(self.catalog.use())))

    def holds_what_is_expected(self) -> None:
        """Hold the database's records against those expected."""
        records = {
            name: [
                _in_order(root, without_ids(RecordComparison(root).layout, record))
                for record in self.after[name]
            ]
            for name, root in self.roots.items()
        }
        problem = f"{self.what} left other records than it should:"
        hold_records(self.catalog, self.expected, records, problem)

    def keeps_primary_keys(self) -> None:
        """Records that stay, and owned rows in them that say the same, keep their ids."""
        differing = [
            DataDifference(name, key, "id", *ids)
            for name, root in self.roots.items()
            for key, *ids in _other_ids(root, self.before[name], self.after[name])
        ]
        if differing:
            raise RoundTripError(f"{self.what} gave rows that stay other ids:", differing)

    def changes_nothing(self, bundle: Mapping[str, Any], mode: str | Mapping[str, str]) -> None:
        """A second import finds everything as it should be."""
        with noted("the second import"):
            report = import_document(self.engine, bundle, catalog=self.catalog, on_conflict=mode)
        if report.total.imported or report.total.deleted or self.read() != self.after:
            raise RoundTripError(f"{self.what}, a second time, changed something: {report}")


class _RenamedTargets:
    """New values of the fields by which references find records, beside natural keys."""

    def __init__(self) -> None:
        self.new: dict[tuple[str, str, str], Any] = {}
        self.own: dict[tuple[str, str, str], Any] = {}

    def turn(self) -> None:
        """Let the noted values count, once all records of an entity are matched by their keys."""
        self.new.update(self.own)

    def add(self, root: RowSet, stored: Record, record: Record) -> None:
        """Note what a record says before and after."""
        for value in root.values:
            if value.written in stored and value.written in record:
                place = root.name, value.written, plain_text(stored[value.written])
                self.own[place] = record[value.written]

    def follow(self, rows: RowSet, record: Record) -> Record:
        """Return a record as its rows say it once its targets have changed."""
        members = {member.written: member for member in rows.members}
        return {name: self._followed(members.get(name), value) for name, value in record.items()}

    def _followed(self, member: Any, value: Any) -> Any:
        if isinstance(member, Children | Links) and isinstance(value, list):
            return [
                self.follow(member.rows, inner)
                if isinstance(member, Children)
                else self._followed(member.reference, inner)
                for inner in value
            ]
        if not isinstance(member, Reference) or value is None:
            return value
        if not isinstance(value, Mapping):
            part = member.parts[0]
            return self._value(member, part, value)
        return {
            part.written: self._value(member, part, value[part.written]) for part in member.parts
        }

    def _value(self, reference: Reference, part: Any, value: Any) -> Any:
        if isinstance(part, Reference):
            return self._followed(part, value)
        place = reference.target.name, part.written, plain_text(value)
        return self.new.get(place, value) if part not in reference.target.key else value


def _key(root: RowSet, record: Mapping[str, Any]) -> str:
    return plain_text([record.get(name) for name in root.key_names])


def _masked(rows: RowSet, comparison: RecordComparison, record: Record) -> Record:
    """Return a record without a say in what no import sets."""
    free = {member.written for member in rows.members if member in comparison.computed}
    children = {member.written: member.rows for member in rows.children}
    return {
        name: ANYTHING
        if name in free
        else [_masked(children[name], comparison, owned) for owned in value]
        if name in children and value is not None
        else value
        for name, value in record.items()
    }


def _in_order(rows: RowSet, record: Record) -> Record:
    """Return a record whose lists stand as an export writes them."""
    ordered = dict(record)
    for links in rows.links:
        if record.get(links.written):
            ordered[links.written] = sorted(record[links.written], key=plain_text)
    for children in rows.children:
        if record.get(children.written):
            owned = [_in_order(children.rows, inner) for inner in record[children.written]]
            ordered[children.written] = as_listed(
                children, owned, lambda inner: plain_text(inner).encode()
            )
    return ordered


def _other_ids(root: RowSet, before: list[Record], after: list[Record]) -> Iterator[list[str]]:
    """Yield the keys of records of which rows that stay have other ids than before, and these."""
    comparison = RecordComparison(root)
    records = {_key(root, record): record for record in after}
    for record in before:
        key = _key(root, record)
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
