"""What an update is to do to the rows of records, as plain data by places in a batch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lading.database.dialects.base import Row
from lading.importing.batch import Batch
from lading.model.rowsets import Member, RowSet
from lading.planning.record_change import Alteration

#: The name under which a row that comes from another owner says so among its changed fields.
OWNER = ""


@dataclass(slots=True)
class RowChanges:
    """What is to happen to the rows of one row set.

    ``identities`` are the primary keys of rows that stay; ``None`` stands for a new row.
    ``fields`` hold the members that change by name, and whether each was set before; rows that
    change alike may share them.
    ``children`` are by list, for the rows of the batch that it nests.
    """

    identities: list[Row | None]
    fields: list[Mapping[str, bool]]
    children: dict[str, RowChanges] = field(default_factory=dict)

    def walk(self, rows: RowSet) -> Iterator[tuple[RowSet, RowChanges]]:
        """Yield the changes of a row set's rows, and of those that they nest."""
        yield rows, self
        for children in rows.children:
            if children.name in self.children:
                yield from self.children[children.name].walk(children.rows)

    def take(self, places: Sequence[int], batch: Batch) -> RowChanges:
        """Return the changes of the rows at some places of a batch, with what they nest."""
        chosen = set(places)
        children = {}
        for name, nested in batch.children.items():
            inner = [n for n, owner in enumerate(nested.owners) if owner in chosen]
            children[name] = self.children[name].take(inner, nested.batch)
        return RowChanges(
            [self.identities[place] for place in places],
            [self.fields[place] for place in places],
            children,
        )

    def takes(self, place: int, parts: Iterable[Member]) -> bool:
        """Tell whether a row is new, or gets another value in one of some members."""
        fields = self.fields[place]
        return self.identities[place] is None or any(part.name in fields for part in parts)

    def with_stored_rows(self, batch: Batch) -> set[int]:
        """Return the places of rows that nest stored ones, directly or not."""
        places = set()
        for name, nested in batch.children.items():
            inner = self.children[name]
            deeper = inner.with_stored_rows(nested.batch)
            places |= {
                owner
                for n, owner in enumerate(nested.owners)
                if inner.identities[n] is not None or n in deeper
            }
        return places


@dataclass(slots=True)
class RecordUpdates:
    """Records of a batch that differ from the stored ones, and what is to happen to their rows.

    ``are_new`` says of new records, all of them, that this import inserted them itself.
    ``alterations`` are there only where changes are recorded.
    """

    batch: Batch
    changes: RowChanges
    are_new: bool = False
    alterations: list[Alteration | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, part: slice) -> RecordUpdates:
        return self.take(range(len(self))[part])

    def take(self, places: Collection[int]) -> RecordUpdates:
        """Return the updates of the records at some places."""
        ordered = sorted(places)
        return RecordUpdates(
            self.batch.take(ordered),
            self.changes.take(ordered, self.batch),
            self.are_new,
            [self.alterations[place] for place in ordered] if self.alterations else [],
        )

    def without(self, numbers: set[int]) -> RecordUpdates:
        """Return the updates of the records that aren't among these."""
        if numbers.isdisjoint(self.batch.numbers):
            return self
        return self.take(
            [n for n, number in enumerate(self.batch.numbers) if number not in numbers]
        )
