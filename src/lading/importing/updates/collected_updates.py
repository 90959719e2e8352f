"""Collects what an update is to do to one entity: on disk, in two passes, and only by reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, bare, joined
from lading.importing.change_recorder import ChangeRecorder
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import ExistingRecords
from lading.importing.context import LoadContext
from lading.importing.deletions.doomed_rows import doomed_rows
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.row_marks import RowMarks
from lading.importing.updates.differing_records import DifferingRecords, UpdateExisting
from lading.importing.updates.left_rows import note_left
from lading.importing.updates.record_matcher import Partner, RecordMatcher
from lading.importing.updates.replaced_rows import ReplacedRows
from lading.importing.updates.row_changes import RecordUpdates, RowChanges
from lading.importing.updates.settling import UnsettledRecords
from lading.importing.updates.unique_values import UniqueValues
from lading.messages import Message
from lading.model.rowsets import RowSet
from lading.planning.record_change import Alteration
from lading.records.comparison import Content
from lading.records.layout import Key
from lading.report import Problem
from lading.scratch.sort import CHUNK, chunked
from lading.values.json_text import json_text


@dataclass(slots=True)
class NestingRecords:
    """Records that differ, with what they and the stored ones say: owned rows may move."""

    batch: Batch
    records: list[Content]
    partners: list[Partner | None]
    alterations: list[Alteration | None]


class CollectedUpdates:
    """What an update is to do to one entity: ``policy`` and ``add_new`` collect, then ``match``."""

    def __init__(
        self, context: LoadContext, root: RowSet, outcome: EntityOutcome, *, mirrors: bool
    ) -> None:
        self.context = context
        self.root = root
        self.outcome = outcome
        self.comparison = StoredComparison(context.database, root)
        self.recorder = ChangeRecorder(context.outcomes.changes, self.comparison)
        journal = context.journal
        self.unique = journal.closing(UniqueValues(root, context.unique))
        self.matcher = RecordMatcher(root, context.database.dialect, journal, self.unique)
        #: Records that differ and nest rows, which wait until all are read.
        self.nesting = journal.spool()
        #: All records that differ, in the end, and how many the database had before.
        self.updates = journal.spool()
        self.count = 0
        #: New records: as they came, and without the owned rows that they take over.
        self.new = journal.spool()
        self.ready = journal.spool()
        #: Updates of new records that take owned rows over, and the numbers of these records.
        self.takers = journal.spool()
        self.taker_numbers = journal.closing(RowMarks())
        self.unsettled = UnsettledRecords(context, root, self.comparison)
        #: Whether there may be records that the bundle lacks; those of an empty table are its own.
        self.mirrors = mirrors and not context.tables.is_empty(root)
        #: The primary keys of records that the bundle has, and of those that it lacks.
        self.kept = journal.spool()
        self.doomed = journal.spool()
        #: The latter as far as they were passed while all were read along.
        self.lacking = journal.spool()
        self.knows_lacking = False
        #: New records that need the keys of some of these, where no load has changed them before.
        self.replaced = journal.spool()
        #: The natural keys of bad records, whose rows stay, and the number of one without a key.
        self.left_out = journal.spool()
        self.unreadable: int | None = None

    def policy(self, *_: Any) -> UpdateExisting:
        """Return the policy that collects the records that differ."""
        equal = None if self.unsettled.is_needed else self._keep
        return UpdateExisting(self.comparison, self._differ, self._exist, equal)

    def _keep(self, identities: Sequence[Row]) -> None:
        if self.mirrors:
            self.kept.append(identities)

    def _exist(self, existing: ExistingRecords) -> None:
        self._keep(existing.identities)
        self.unsettled.add_existing(existing)

    def _differ(self, differing: DifferingRecords) -> None:
        batch = differing.batch
        self.count += len(batch)
        is_logged = self.recorder.log is not None
        alterations = differing.alterations() if is_logged else []
        if not self.root.children:
            changes = self.matcher.bare_changes(differing)
            self.updates.append(RecordUpdates(batch, changes, alterations=alterations))
            return
        contents = [pair.contents() for pair in differing.pairs()]
        partners: list[Partner | None] = [
            Partner(row, stored) for row, (_, stored) in zip(differing.rows, contents, strict=True)
        ]
        records = [record for record, _ in contents]
        self.nesting.append(NestingRecords(batch, records, partners, alterations))

    def leave_out(self, number: int, key: Key | None) -> None:
        """Keep the stored row of a bad record; without its key no row is known to be lacking."""
        if key is not None:
            self.left_out.append((number, key))
        elif self.unreadable is None:
            self.unreadable = number

    def add_new(self, batch: Batch) -> None:
        """Keep new records until unique values are free."""
        if len(batch):
            self.new.append(batch)

    def match(self) -> None:
        """Find the records that go and the changes of all rows; this only reads.

        A first pass finds the owned rows that other records may take over.
        """
        if self.mirrors:
            self._doom()
            self._find_replaced()
        for nesting in self.nesting:
            numbers = nesting.batch.numbers
            self.matcher.leave(self.root, nesting.records, nesting.partners, numbers)
        for nesting in self.nesting:
            changes = self._changes(nesting.batch, nesting.records, nesting.partners)
            self.updates.append(
                RecordUpdates(nesting.batch, changes, alterations=nesting.alterations)
            )
        for batch in self.new:
            self.ready.append(self._without_taken(batch))
        note_left(self.context, self.root, self.outcome, self.matcher)

    def _doom(self) -> None:
        """Find the records that the bundle lacks, and the unique values that they give up."""
        self._keep_left_out()
        if self.unreadable is not None:
            self._refuse_to_doom(self.unreadable or None)
            return
        reader = self.comparison.reader
        lacking = doomed_rows(self.context.database, self.root, self.kept)
        for identities in self.lacking if self.knows_lacking else lacking:
            self.doomed.append(identities)
            if not self._reads_doomed:
                continue
            records = reader.stored_records(identities)
            self.recorder.delete(records.lines)
            for line, row in zip(records.lines, records.rows, strict=True):
                content = self.comparison.raw.stored_content(line)
                self.unique.leave(self.root, content, None, row.identity)
                self.matcher.leave_doomed(Partner(row, content))

    def _find_replaced(self) -> None:
        """Find the rows that go whose keys new records need."""
        if self.doomed and self.new and self.context.renames is None:
            replaced = ReplacedRows(self.context, self.comparison, self.outcome)
            for updates in replaced.find(self.new, self.doomed):
                self.replaced.append(updates)

    def _keep_left_out(self) -> None:
        """Keep the stored rows of bad records."""
        resolver = self.context.resolvers.by_key(self.root)
        for chunk in chunked(self.left_out, CHUNK):
            self.knows_lacking = False  # those that were read along lack these
            identities = resolver.find(key for _, key in chunk)
            for number, key in chunk:
                if identities.get(key) is AMBIGUOUS:
                    self.unreadable = number
            rows = (identities.get(key) for _, key in chunk)
            self.kept.append([row for row in rows if row is not None and row is not AMBIGUOUS])

    def _refuse_to_doom(self, number: int | None) -> None:
        message = Message(
            "deletions-unknown",
            "the records that a mirror deletes aren't known, as long as the natural key of a bad "
            "record can't be read, or several records of the database have it. Correct it first",
        )
        problem = Problem.of(message, self.outcome.file, number)
        if number is None:  # it is a record of another file that this one's are made of
            self.context.outcomes.problems.append(problem)
        else:
            self.outcome.report(problem)

    @property
    def _reads_doomed(self) -> bool:
        return bool(self.unique) or bool(self.root.children) or self.recorder.log is not None

    def _changes(
        self, batch: Batch, records: Sequence[Content], partners: Sequence[Partner | None]
    ) -> RowChanges:
        owners: list[Row | None] = [None] * len(batch)
        return self.matcher.changes(self.root, batch, records, partners, owners)

    def _without_taken(self, batch: Batch) -> Batch:
        """Return new records; those that take owned rows over come without what they nest.

        What these nest is written in the end, as if they had been there without it.
        """
        if not (self.matcher.left or self.unique.leaving):
            return batch
        changes = self._changes(
            batch, list(map(self.comparison.raw.new_content, batch.lines)), [None] * len(batch)
        )
        takers = changes.with_stored_rows(batch)
        if not takers:
            return batch
        self.takers.append(RecordUpdates(batch, changes, are_new=True).take(takers))
        self.taker_numbers.add((batch.numbers[place],) for place in takers)
        others = [place for place in range(len(batch)) if place not in takers]
        without = bare(batch.take(sorted(takers)))
        without.is_exact = False
        names = {children.written for children in self.root.children}
        for place, line in enumerate(without.lines):
            record = self.comparison.loaded(line)
            without.lines[place] = json_text(record | {n: [] for n in names & record.keys()})
        return joined([batch.take(others), without])
