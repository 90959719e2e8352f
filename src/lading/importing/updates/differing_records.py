"""Finds the records that differ from the stored ones, for modes that update."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lading.importing.batch import Batch
from lading.importing.comparison import StoredComparison
from lading.importing.conflicts import Decisions, ExistingRecords
from lading.importing.updates.record_matcher import Partner
from lading.messages import shown
from lading.model.hidden import HIDDEN, hides
from lading.model.rowsets import Member, RowSet, Value
from lading.records.comparison import Content


@dataclass(slots=True)
class DifferingRecords:
    """Records of a batch that differ from stored ones: what they say, and the stored ones."""

    batch: Batch
    records: list[Content]
    partners: list[Partner | None]


class UpdateExisting:
    """Keeps records that differ for later, and leaves the others.

    Args:
        comparison: compares records with stored ones.
        keep: is called with the records that differ.
        exist: is called with all records that exist.
    """

    def __init__(
        self,
        comparison: StoredComparison,
        keep: Callable[[DifferingRecords], object],
        exist: Callable[[ExistingRecords], object],
    ) -> None:
        self.comparison = comparison
        self.root: RowSet = comparison.rows
        self.keep = keep
        self.exist = exist
        #: The members whose columns are part of the primary key.
        self.identifying = {m for m in self.root.members if _is_identity(self.root, m)}

    def decide(self, existing: ExistingRecords) -> Decisions:
        """Decide on every existing record of a batch."""
        self.exist(existing)
        stored = self.comparison.reader.stored_records(existing.identities)
        batch = existing.batch
        differing = DifferingRecords(batch, [], [])
        decisions = Decisions()
        for place, identity in zip(existing.places, existing.identities, strict=True):
            line, row = stored[identity]
            if batch.lines[place] == line:
                decisions.unchanged += 1
                continue
            record, content = self.comparison.raw.contents(batch.lines[place], line)
            members = list(self.comparison.differing(self.root, record, content))
            if self.comparison.uncounted.issuperset(members):
                decisions.unchanged += 1
                continue
            message = self._refusal(members, record, content)
            if message is not None:
                decisions.refuse[place] = message
                continue
            decisions.update.append(place)
            differing.records.append(record)
            differing.partners.append(Partner(row, content))
        if decisions.update:
            differing.batch = batch.take(decisions.update)
            self.keep(differing)
        return decisions

    def _refusal(self, differing: Iterable[Member], record: Content, stored: Content) -> str | None:
        """Say why a record can't be updated: its class or its primary key would change."""
        for member in differing:
            if member is not self.root.discriminator and member not in self.identifying:
                continue
            now, new = stored.get(member.written), record[member.written]
            if hides(member):
                now, new = HIDDEN, HIDDEN
            if member is self.root.discriminator:
                return (
                    f"{member.written}: is {shown(now)} in the database and {shown(new)} here, "
                    "and an update can't change a record's class. Delete the record there first, "
                    "or correct it here"
                )
            return (
                f"{member.written}: is {shown(now)} in the database and {shown(new)} here, "
                "and an update can't change a primary key. Correct it here, or delete the "
                "record there first"
            )
        return None


def _is_identity(root: RowSet, member: Member) -> bool:
    """Tell whether a member carries a column of the primary key."""
    columns = (member.column,) if isinstance(member, Value) else getattr(member, "columns", ())
    return not set(root.identity).isdisjoint(columns)
