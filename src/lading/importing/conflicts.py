"""What happens to records whose natural key the database has already: one policy per mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.exporting.reader import RecordReader, StoredRecords
from lading.exporting.reading import identities_of
from lading.importing.batch import Batch
from lading.importing.comparison import StoredComparison
from lading.importing.context import LoadContext
from lading.importing.keyless_rows import refuse_keyless
from lading.importing.link_texts import LinkTexts
from lading.importing.outcomes import EntityOutcome
from lading.importing.records_beside import RecordsBeside
from lading.importing.resolved_keys import AMBIGUOUS
from lading.messages import Message
from lading.model.rowsets import RowSet
from lading.records.comparison import FieldDifference
from lading.records.describe import described
from lading.scratch.spool import Spool

#: Records of the database are read along if they are at most so many times the payload's.
MOST_READ = 2


@dataclass(slots=True)
class Decisions:
    """What is to happen to the records of a batch: each place is in exactly one of these.

    ``insert`` are the places of records to be inserted, ``leave`` of those that stay as the
    database has them, ``differing`` the fields in which some of these differ, ``update`` the
    places of records to be updated; ``unchanged`` counts those that need no update; ``refuse``
    maps places to what is wrong.
    """

    insert: Sequence[int] = ()
    leave: Sequence[int] = ()
    differing: dict[int, list[FieldDifference]] = field(default_factory=dict)
    update: list[int] = field(default_factory=list)
    unchanged: int = 0
    refuse: dict[int, Message] = field(default_factory=dict)

    def note(self, outcome: EntityOutcome, batch: Batch) -> None:
        """Report the refused records, and count those that aren't written."""
        for place, message in self.refuse.items():
            key = outcome.key_at(batch, place)
            outcome.fail(batch.numbers[place], key, None, message)
        outcome.counts.skipped += len(self.leave)
        outcome.counts.differing += len(self.differing)
        outcome.counts.unchanged += self.unchanged
        for place, differences in self.differing.items():
            key = outcome.key_at(batch, place)
            for difference in differences:
                outcome.differs(batch.numbers[place], key, difference)


@dataclass(frozen=True, slots=True)
class ExistingRecords:
    """Records of a batch whose natural keys the database has already.

    ``places`` are their places in the batch, ``identities`` the primary keys of the rows that
    have their keys, in the same order, and so are the ``stored`` records if they were read along.
    """

    batch: Batch
    places: Sequence[int]
    identities: Sequence[Row]
    stored: StoredRecords | None = None

    @property
    def lines(self) -> list[bytes]:
        """The records' texts, in the same order."""
        if len(self.places) == len(self.batch):
            return self.batch.lines
        return [self.batch.lines[place] for place in self.places]

    def read(self, reader: RecordReader) -> StoredRecords:
        """Return the stored records, in the same order."""
        return self.stored or reader.stored_records(self.identities)


class ConflictPolicy(Protocol):
    """Decides what happens to existing records, by one mode of ``on_conflict``.

    A policy reads, and never writes: the loader carries out what it decides.
    """

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Decide on every existing record of a batch."""

    @property
    def takes_equal(self) -> bool:
        """Whether records that are as they are stored needn't be decoded."""

    def decide_equal(self, identities: Sequence[Row]) -> Decisions:
        """Decide on these, by the primary keys of their rows."""


#: Makes a policy for the records of an entity.
MakePolicy = Callable[[Database, RowSet], ConflictPolicy]


class SkipExisting:
    """Leaves existing records as they are, and says which of them differ.

    Those that are known by an id alone may be others than the database's, unless they are equal;
    so they are refused, lest references lead to another record.
    """

    def __init__(self, database: Database, root: RowSet) -> None:
        self.root = root
        self.comparison = StoredComparison(database, root)

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Leave all of them."""
        stored = existing.read(self.comparison.reader)
        compared = self.comparison.differing_lines(existing.lines, stored.lines)
        differing = {existing.places[n]: changes for n, changes in compared}
        if not self.root.is_known_by_id:
            return Decisions(leave=existing.places, differing=differing)
        leave = [place for place in existing.places if place not in differing]
        return Decisions(
            leave=leave,
            refuse={place: self._message(existing, place) for place in differing},
        )

    takes_equal = True

    def decide_equal(self, identities: Sequence[Row]) -> Decisions:
        """Leave all of them."""
        return Decisions(leave=range(len(identities)))

    def _message(self, existing: ExistingRecords, place: int) -> Message:
        key = described(self.root.key, existing.batch.keys[place])
        return Message(
            "id-taken",
            f"{key} is in the database already, and what it holds differs: it may be another "
            f"record. Import into a database where the id is free, give {self.root.name} a natural "
            "key, or take the bundle's records for those of the database by on_conflict='update'",
        )


class RefuseExisting:
    """Reports existing records as problems, equal ones too."""

    #: Their keys must be known.
    takes_equal = False

    def __init__(self, _: Database, root: RowSet) -> None:
        self.key = root.key

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Refuse all of them."""
        return Decisions(
            refuse={place: self._message(existing, place) for place in existing.places}
        )

    def decide_equal(self, identities: Sequence[Row]) -> Decisions:
        """Isn't called."""
        raise NotImplementedError

    def _message(self, existing: ExistingRecords, place: int) -> Message:
        key = described(self.key, existing.batch.keys[place])
        return Message(
            "key-taken",
            f"{key} is in the database already; on_conflict='skip' leaves such records alone",
        )


#: The policies of the modes of ``on_conflict`` that write nothing to existing records.
POLICIES: dict[str, MakePolicy] = {
    "skip": SkipExisting,
    "error": RefuseExisting,
}


class Conflicts:
    """Finds which records of an entity the database has, and has a policy decide on these."""

    def __init__(self, context: LoadContext, root: RowSet, make_policy: MakePolicy) -> None:
        self.context = context
        self.root = root
        self.make_policy = make_policy
        self.is_empty = context.tables.is_empty(root)
        self.resolver = context.resolvers.by_key(root)
        self.beside: RecordsBeside | None = None
        #: Whether every stored record is known to have a key that finds it.
        self.is_complete = False
        self.link_texts = LinkTexts(root)

    def read_along(self, total: int, lacking: Spool | None = None) -> None:
        """Read the database's records beside those of the payload, unless they are far more.

        Args:
            total: how many records the payload has.
            lacking: takes the primary keys of those that the payload lacks, in chunks.
        """
        count = self.context.tables.before[self.root.table][0]
        if not self.is_empty and count <= total * MOST_READ:
            updates = self.make_policy not in POLICIES.values()
            self.beside = RecordsBeside(
                self.context.database, self.root, lacking, nested_rows=updates
            )

    def finish(self) -> bool:
        """Read the rest of the database's records; false unless all that it has were read along."""
        return self.beside is not None and self.beside.finish()

    def close(self) -> None:
        """End the reading of the database's records."""
        if self.beside is not None:
            self.beside.close()

    @cached_property
    def policy(self) -> ConflictPolicy:
        """The policy of the entity's mode, which is made when a record conflicts."""
        return self.make_policy(self.context.database, self.root)

    def pass_equal(self, lines: list[bytes], outcome: EntityOutcome) -> bool:
        """Decide on the next records without decoding them, if the database has their very lines.

        That is so only for records whose links are counted by their texts.
        """
        if self.beside is None or not (self.link_texts.is_possible and self.policy.takes_equal):
            return False
        identities = self.beside.pass_equal(lines)
        if identities is None:
            return False
        outcome.add_links(self.link_texts.count(lines))
        self.policy.decide_equal(identities).note(outcome, Batch([], [], []))
        return True

    def decide(self, batch: Batch) -> Decisions:
        """Decide what happens to every record of a batch; this only reads."""
        if self.is_empty:
            return Decisions(insert=range(len(batch)))
        beside = self.beside.find(batch.keys) if self.beside is not None else None
        if beside is not None:
            return self._decide_stored(batch, *beside)
        decisions = self._decide_found(batch)
        if decisions.insert and not self.is_complete:
            refuse_keyless(self.context.database, self.root)
            self.is_complete = True
        return decisions

    def _decide_found(self, batch: Batch) -> Decisions:
        """Decide on a batch whose stored records are looked up."""
        identities = self.resolver.find(batch.keys)
        places: list[int] = []
        new: list[int] = []
        ambiguous: list[int] = []
        for place, key in enumerate(batch.keys):
            identity = identities.get(key)
            if identity is None:
                new.append(place)
            elif identity is AMBIGUOUS:
                ambiguous.append(place)
            else:
                places.append(place)
        existing = ExistingRecords(batch, places, [identities[batch.keys[n]] for n in places])
        decisions = self.policy.decide(existing) if places else Decisions()
        decisions.insert = new
        messages = {place: self._ambiguous(batch, place) for place in ambiguous}
        decisions.refuse = messages | decisions.refuse
        return decisions

    def _decide_stored(
        self, batch: Batch, places: Sequence[int], stored: StoredRecords
    ) -> Decisions:
        """Decide on a batch of which all stored records were read along."""
        existing = ExistingRecords(batch, places, identities_of(stored.rows), stored)
        decisions = self.policy.decide(existing) if places else Decisions()
        if len(places) < len(batch):
            known = set(places)
            decisions.insert = [place for place in range(len(batch)) if place not in known]
        return decisions

    def _ambiguous(self, batch: Batch, place: int) -> Message:
        key = described(self.root.key, self.resolver.unclear(batch.keys[place]))
        return Message(
            "key-ambiguous",
            f"{self.root.name}: several records in the database have {key}; make it unique there",
        )
