"""What an import must make of a database's records, told from both sides' exports alone.

A record is known by its natural key, and references are written as such keys; so what an
import of any mode leaves behind is told by the records that are there and those of the bundle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from lading.catalog import Catalog
from lading.differ import diff
from lading.importing.import_options import MIRROR, UPDATING, ImportOptions
from lading.mapping.load_order import load_order_of
from lading.messages import listed
from lading.model.rowsets import Column, Reference, RowSet, references_of
from lading.planning.differences import first_differences
from lading.planning.plan import ImportPlan
from lading.records.marshmallow_path import needs_marshmallow
from lading.report import Counts, ImportReport
from lading.testing.compare.contents import Record, counted, freed, in_order
from lading.testing.compare.records import key_text, plain_text, same
from lading.testing.trips.renames import Renames
from lading.testing.trips.trip import RoundTripError, hold_records

#: The counts that are known of entities with hooks, which may make anything of a record, and of
#: those whose references go by what has changed.
TOLD = ("inserted", "deleted", "failed")
#: A record: its entity, and its natural key as one text.
Who = tuple[str, str]
Records = dict[str, list[Record]]


class Outcome:
    """What must come of importing some records into a database that holds others.

    ``new`` are the records whose keys aren't there, ``refused`` those that are there, and that
    ``on_conflict="error"`` refuses; ``replaced`` are those that an update may change, ``kept``
    the others of these, ``doomed`` those that a mirror deletes, and ``staying`` all others that
    are there.

    Args:
        catalog: The catalog.
        before: The records of every entity that are there.
        bundle: The records that are imported, by entity, in canonical form.
        options: How they are imported.
    """

    def __init__(
        self,
        catalog: Catalog,
        before: Mapping[str, list[Record]],
        bundle: Mapping[str, list[Record]],
        options: ImportOptions,
    ) -> None:
        self.catalog = catalog
        self.entities = entities = catalog.use()
        self.options = options
        self.loaded = {
            name: {key_text(entities[name], record): record for record in records}
            for name, records in bundle.items()
            if name in entities.roots and options.takes(name)
        }
        self.known: dict[str, dict[str, Record]] = {}
        #: The entities whose references say something else where the targets change.
        self.moved: set[str] = set()
        renames = Renames()
        for name in load_order_of(entities).entities:
            root = entities[name]
            self.known[name] = self._by_key(root, before[name], renames)
            self._rename(root, renames)
        for name, records in self.known.items():
            pairs = ((renames.followed(entities[name], r), r) for r in records.values())
            if any(followed != record for followed, record in pairs):
                self.moved.add(name)
        known, loaded = (
            {(name, key) for name, records in side.items() for key in records}
            for side in (self.known, self.loaded)
        )
        there = known & loaded
        self.new = loaded - known
        self.refused = {who for who in there if options.mode(who[0]) == "error"}
        self.replaced = {who for who in there if options.mode(who[0]) in UPDATING}
        self.kept = there - self.replaced
        gone = {who for who in known - loaded if options.mode(who[0]) == MIRROR}
        self.doomed = {who for who in gone if who[0] in self.loaded}
        self.staying = known - self.replaced - self.doomed

    def _by_key(
        self, root: RowSet, records: Iterable[Record], renames: Renames
    ) -> dict[str, Record]:
        """Return records that are there by the keys that they have once others are renamed."""
        return {key_text(root, renames.followed(root, record)): record for record in records}

    def _rename(self, root: RowSet, renames: Renames, failed: Collection[Who] = ()) -> None:
        """Note the new values of an entity's records, unless these have failed."""
        if self.options.mode(root.name) in UPDATING:
            for key, record in self.loaded.get(root.name, {}).items():
                stored = self.known[root.name].get(key)
                if stored is not None and (root.name, key) not in failed:
                    renames.add(root, stored, record)

    # What may fail

    def alters(self, who: Who | None, columns: Collection[Column]) -> bool:
        """Tell whether an update gives a record something else in one of some columns."""
        if who is None or who not in self.replaced:
            return False
        name, key = who
        stored, record, root = self.known[name][key], self.loaded[name][key], self.entities[name]
        values = [value.written for value in root.values if value.column in columns]
        references = [r.written for r in root.references if {*r.columns} & {*columns}]
        names = [*values, *references]
        return any(not same(stored.get(name), record.get(name)) for name in names)

    @property
    def may_fail(self) -> bool:
        """Whether records may stay away that others need, or stay as they are and hold others.

        No update changes a primary key or a class.
        """
        modes = {self.options.mode(name) for name in self.known}
        is_partial = (
            self.loaded.keys() < self.known.keys() or bool(self.refused) or {MIRROR} < modes
        )
        references = list(self._references())
        is_partial |= bool(self.kept) and not all(map(_is_by_key, references))
        is_partial |= bool(self.replaced and self.staying) and any(
            reference.target.is_owned for reference in references
        )
        fixed = {
            name: [*_ids(root), *([root.discriminator.written] if root.discriminator else [])]
            for name, root in self.entities.roots.items()
        }
        return is_partial or any(
            not same(self.known[name][key].get(field), self.loaded[name][key].get(field))
            for name, key in self.replaced
            for field in fixed[name]
        )

    @property
    def shares_ids(self) -> bool:
        """Whether a new record has the primary key of one that a mirror deletes afterwards."""
        going, coming = (
            {
                (name, plain_text([side[name][key].get(id_) for id_ in ids]))
                for name, key in among
                if (ids := _ids(self.entities[name]))
            }
            for among, side in ((self.doomed, self.known), (self.new, self.loaded))
        )
        return not going.isdisjoint(coming)

    def _references(self) -> Iterator[Reference]:
        for root in self.entities.roots.values():
            yield from (reference for _, _, reference in references_of(root))

    @property
    def is_ambiguous(self) -> bool:
        """Whether records share what references find them by, be it until a mirror deletes one."""
        sides = [(self.staying | self.doomed, self.known), (self.new | self.replaced, self.loaded)]
        for reference in self._references():
            if reference.by is not None:
                field = reference.parts[0].written
                values = [
                    plain_text(side[name][key].get(field))
                    for among, side in sides
                    for name, key in among
                    if name == reference.target.name
                ]
                if len(set(values)) < len(values):
                    return True
        return False

    # What is left

    def after(
        self, failed: Collection[Who] = (), cascaded: Mapping[str, list[Record]] | None = None
    ) -> tuple[Records, dict[str, Counts]]:
        """Return the records that must be there, and the report's counts.

        Args:
            failed: The records that have failed.
            cascaded: What is left of the records that are there when the database has deleted
                others along with doomed ones; by default all.
        """
        renames = Renames()
        for name in self.known:
            self._rename(self.entities[name], renames, failed)
        records: Records = {}
        counts: dict[str, Counts] = {}
        for name, known in self.known.items():
            root = self.entities[name]
            staying = known
            if cascaded is not None:
                staying = self._by_key(root, cascaded[name], renames)
            records[name] = [
                in_order(root, renames.followed(root, staying[key]))
                for key in known
                if key in staying and ((name, key) in self.staying or (name, key) in failed)
            ]
            if name in self.loaded:
                counts[name] = Counts()
                records[name] += self._loaded(root, failed, renames, counts[name])
        return records, counts

    def _loaded(
        self, root: RowSet, failed: Collection[Who], renames: Renames, counts: Counts
    ) -> list[Record]:
        """Count what becomes of an entity's records, and return those that are written."""
        mode, known, written = self.options.mode(root.name), self.known[root.name], []
        counts.deleted = sum(who[0] == root.name for who in self.doomed)
        for key, record in self.loaded[root.name].items():
            if (root.name, key) in failed:
                counts.failed += 1
            elif key not in known:
                counts.inserted += 1
                written.append(in_order(root, record))
            else:
                stored, new = known[key], counted(root, record)
                followed = renames.followed(root, stored)
                differs = not same(new, counted(root, followed))
                is_written = differs or not same(new, counted(root, stored))
                if mode not in UPDATING:
                    counts.skipped += 1
                    counts.differing += differs
                    continue
                counts.updated += differs
                counts.unchanged += not differs
                written.append(in_order(root, freed(root, record) if is_written else followed))
        return written

    # What is held to it

    def check(
        self,
        report: ImportReport,
        records: Mapping[str, list[Record]],
        problem: str,
        failed: Collection[Who] = (),
        cascaded: Mapping[str, list[Record]] | None = None,
    ) -> dict[str, Counts]:
        """Raise ``RoundTripError`` where a database has other records, or a report other counts.

        Args:
            report: What the import reports.
            records: The records that the database has now.
            problem: The first line of the error for other records.
            failed: As for :meth:`after`.
            cascaded: As for :meth:`after`.
        """
        expected, counts = self.after(failed, cascaded)
        self.check_counts(report, counts)
        ordered = {
            name: [in_order(root, record) for record in records[name]]
            for name, root in self.entities.roots.items()
        }
        hold_records(self.catalog, expected, ordered, problem)
        return counts

    def check_failed(self, report: ImportReport, failed: set[Who], *, may_fail: bool) -> None:
        """Raise ``RoundTripError`` where other records fail than should.

        New and changed records that no mode refuses may fail where ``may_fail`` says so.
        """
        if missing := self.refused - failed:
            raise RoundTripError(
                f"these records should fail: {_listed(missing)} (is there already); "
                f"but the report says:\n{report}"
            )
        fixed = {name for name in self.loaded if self.options.mode(name) not in UPDATING}
        extra = failed - self.refused
        if may_fail:
            extra = {who for who in extra - self.new if who[0] in fixed}
        if extra:
            raise RoundTripError(f"these records should not fail: {_listed(extra)}:\n{report}")

    def check_foretold(self, foretold: set[Who], failed: set[Who]) -> None:
        """Raise ``RoundTripError`` where a plan has problems of other records than the import.

        An import that is rolled back doesn't look for everything that its problems lead to.
        """
        is_foretold = failed == foretold if self.options.keeps_good else failed <= foretold
        if not is_foretold or bool(failed) != bool(foretold):
            raise RoundTripError(
                f"a plan foretold problems of {_listed(foretold) or 'no record'}, and the import "
                f"has some of {_listed(failed) or 'none'}"
            )

    def check_counts(self, counts: Any, expected: Mapping[str, Counts]) -> None:
        """Raise ``RoundTripError`` where a report or a plan counts otherwise."""
        source = "plan" if isinstance(counts, ImportPlan) else "report"
        for name, numbers in expected.items():
            is_sure = not needs_marshmallow(self.entities[name]) and name not in self.moved
            for what, number in asdict(numbers).items():
                if (is_sure or what in TOLD) and getattr(counts[name], what) != number:
                    raise RoundTripError(
                        f"{name}: {number} records should be {what}; the {source} says: "
                        f"{counts[name]}"
                    )

    def check_plan(self, plan: ImportPlan, report: ImportReport, before: Any, after: Any) -> None:
        """Raise ``RoundTripError`` where an import does otherwise than its plan foretells.

        Args:
            plan: The plan.
            report: What the import reports.
            before: The document of the database before it.
            after: The document of the database after it.
        """
        self.check_counts(plan, report.entities)
        made = diff(before | self._untouched(before, after), after, catalog=self.catalog)
        if differences := first_differences(plan, made.log):
            raise RoundTripError("\n".join(["a plan foretold other changes:", *differences]))

    def _untouched(self, before: Mapping[str, list[Record]], after: Mapping[str, Any]) -> Records:
        """Return the records that were there, those that no import touches as they are now.

        So a diff finds neither what the database has deleted along, nor what references say now.
        """
        records: Records = {}
        for name, root in self.entities.roots.items():
            now = {key_text(root, record): record for record in after[name]}
            by_key = dict(zip(self.known[name], before[name], strict=True))
            records[name] = [
                now.get(key, record) if (name, key) in self.staying else record
                for key, record in by_key.items()
                if key in now or (name, key) not in self.staying
            ]
        return records


def _listed(records: Iterable[Who]) -> str:
    return listed(f"{name} {key}" for name, key in sorted(records))


def _is_by_key(reference: Reference) -> bool:
    """Tell whether natural keys of records alone decide what a reference leads to."""
    target = reference.target
    is_plain = reference.by is None and not reference.shared
    return is_plain and not target.is_owned and reference.remote[0].table is target.table


def _ids(root: RowSet) -> list[str]:
    """Return the fields of the primary key."""
    return [value.written for value in root.values if value.column.primary_key]
