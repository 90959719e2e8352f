"""Finds the records that differ from the stored ones, for modes that update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lading.database.dialects.base import Row
from lading.exporting.reading import StoredRow
from lading.importing.batch import Batch
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import Decisions, ExistingRecords
from lading.messages import Message, listed, shown
from lading.model.hidden import HIDDEN, hides
from lading.model.rowsets import Member, Reference, RowSet, Value
from lading.planning.record_change import Alteration
from lading.records.compared_records import ComparedRecords
from lading.records.describe import described
from lading.records.layout import Key
from lading.records.raw_records import RawPair


@dataclass(slots=True)
class DifferingRecords:
    """Records of a batch that differ from stored ones, with their places among the compared."""

    batch: Batch
    compared: ComparedRecords
    places: list[int]
    rows: list[StoredRow]

    def alterations(self) -> list[Alteration | None]:
        """Return what an update alters of each record."""
        return list(map(self.compared.alteration, self.places))

    def pairs(self) -> Iterator[RawPair]:
        """Yield each record beside its own."""
        return map(self.compared.pair, self.places)


class UpdateExisting:
    """Keeps records that differ for later, and leaves the others.

    Args:
        comparison: compares records with stored ones.
        keep: is called with the records that differ.
        exist: is called with all records that exist and were decoded.
        equal: is called with the primary keys of others, which are equal; ``None`` where all must
            be decoded.
    """

    def __init__(
        self,
        comparison: StoredComparison,
        keep: Callable[[DifferingRecords], object],
        exist: Callable[[ExistingRecords], object],
        equal: Callable[[Sequence[Row]], object] | None,
    ) -> None:
        self.comparison = comparison
        self.root: RowSet = comparison.rows
        self.keep = keep
        self.exist = exist
        self.equal = equal
        #: The members that no update changes: of the primary key, and the class.
        self.refused = {m for m in self.root.members if _is_identity(self.root, m)}
        self.refused |= {self.root.discriminator} if self.root.discriminator else set()

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Decide on every existing record of a batch."""
        self.exist(existing)
        stored = existing.read(self.comparison.reader)
        batch, lines = existing.batch, existing.lines
        unequal = [n for n, line in enumerate(lines) if line != stored.lines[n]]
        decisions = Decisions(unchanged=len(lines) - len(unequal))
        if not unequal:
            return decisions
        compared = ComparedRecords(
            self.comparison.raw,
            [lines[n] for n in unequal],
            [stored.lines[n] for n in unequal],
            exact=batch.is_exact,
        )
        differing = DifferingRecords(batch, compared, [], [])
        for place, n in enumerate(unequal):
            members = compared.members(place)
            if self.comparison.uncounted.issuperset(members):
                decisions.unchanged += 1
                continue
            key = batch.keys[existing.places[n]]
            message = self._refusal(members, compared, place, key)
            if message is not None:
                decisions.refuse[existing.places[n]] = message
                continue
            decisions.update.append(existing.places[n])
            differing.places.append(place)
            differing.rows.append(stored.rows[n])
        if decisions.update:
            differing.batch = batch.take(decisions.update)
            self.keep(differing)
        return decisions

    @property
    def takes_equal(self) -> bool:
        """Whether records that are as they are stored needn't be decoded."""
        return self.equal is not None

    def decide_equal(self, identities: Sequence[Row]) -> Decisions:
        """Leave records that are as they are stored."""
        if self.equal is not None:
            self.equal(identities)
        return Decisions(unchanged=len(identities))

    def _refusal(
        self, members: Iterable[Member], compared: ComparedRecords, place: int, key: Key
    ) -> Message | None:
        """Say why a record can't be updated, if one of its members is at fault."""
        refused = [member for member in members if member in self.refused]
        return key_refusal(self.root, refused, compared.pair(place), key) if refused else None


def key_refusal(
    root: RowSet, differing: Iterable[Member], pair: RawPair, key: Key
) -> Message | None:
    """Say why a record can't be updated: its class or its primary key would change.

    Args:
        root: the record's row set.
        differing: the members in which it differs from the stored record.
        pair: both.
        key: the natural key that both have.
    """
    for member in differing:
        if member is not root.discriminator and not _is_identity(root, member):
            continue
        record, stored = pair.contents()
        now, new = stored.get(member.written), record[member.written]
        if hides(member):
            now, new = HIDDEN, HIDDEN
        if member is root.discriminator:
            return Message(
                "class-changed",
                f"{member.written}: is {shown(now)} in the database and {shown(new)} here, "
                "and an update can't change a record's class. Delete the record there first, "
                "or correct it here",
            )
        also = ""
        if len(root.identity) == 1:
            also = (
                f"; if {member.written} is what identifies it, and "
                f"{listed(root.key_names, separator=', ')} may change, declare natural_key = "
                f"{member.name!r}"
            )
        return Message(
            "primary-key-changed",
            f"{member.written}: the record with {described(root.key, key)} has {shown(now)} in the "
            f"database and {shown(new)} here, and an update can't change a primary key. Correct it "
            f"here, or delete the record there first{also}",
        )
    return None


def _is_identity(root: RowSet, member: Member) -> bool:
    """Tell whether a member carries a column of the primary key; one it shares, another does."""
    if isinstance(member, Reference):
        return not set(root.identity).isdisjoint(member.carried_columns)
    return isinstance(member, Value) and member.column in set(root.identity)
