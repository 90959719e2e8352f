"""Names the rows that keep a doomed record from being deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import LiveForeignKey, RealPlace
from lading.exporting.reader import RecordReader
from lading.importing.deletions.live_graph import LiveGraph
from lading.importing.deletions.records import keys_of_records
from lading.importing.deletions.refusal import Refusal
from lading.messages import Message, shown
from lading.model.entities import Entities
from lading.model.hidden import has_hidden
from lading.model.rowsets import RowSet
from lading.records.describe import described


@dataclass(frozen=True, slots=True)
class Holder:
    """The rows that hold one row: the primary key of one of them, and how many they are."""

    identity: Row
    count: int


class HolderText:
    """Words the refusals of records that are held."""

    def __init__(self, database: Database, entities: Entities, graph: LiveGraph) -> None:
        self.database = database
        self.graph = graph
        #: The entities by their tables, whose rows are named by natural keys.
        self.roots = {graph.places[root.table]: root for root in entities.roots.values()}
        #: Whether a primary key may hold what must not be shown.
        self.is_hiding = any(map(has_hidden, entities.roots.values()))

    def refusals(
        self,
        root: RowSet,
        place: RealPlace | None,
        key: LiveForeignKey,
        held: Mapping[Row, Holder],
    ) -> Iterator[Refusal]:
        """Yield the refusal of each record that rows hold by a foreign key.

        Args:
            root: the entity of the records.
            place: the table of rows that go with the records, if it is these that are held.
            key: the foreign key.
            held: what holds each record, by its primary key.
        """
        if not held:
            return
        own_keys = keys_of_records(self.database, root, list(held))
        names = self._names(key, [holder.identity for holder in held.values()])
        for (record, holder), name in zip(held.items(), names, strict=True):
            message = self._message(place, key, holder, name)
            yield Refusal(root.name, own_keys.get(record), message, record)

    def kept(
        self, root: RowSet, referring: RowSet, key: LiveForeignKey, held: Mapping[Row, Holder]
    ) -> Iterator[Refusal]:
        """Yield the refusal of each record to which records of a bundle refer that lacks it.

        Args:
            root: the entity of the records.
            referring: the entity of those that refer to them.
            key: the foreign key.
            held: what refers to each record, by its primary key.
        """
        if not held:
            return
        own_keys = keys_of_records(self.database, root, list(held))
        reader = RecordReader(self.database, referring)
        names = reader.keys_of(list({holder.identity for holder in held.values()}))
        lacking = f"the bundle lacks it{'' if root.parent is None else f' in {root.name}'}"
        for record, holder in held.items():
            name = described(referring.key, names[holder.identity])
            such = "the one" if holder.count == 1 else "such as the one"
            message = Message(
                "record-held",
                f"can't be deleted: {lacking}, and records that stay refer to it by "
                f"{self.graph.relation(key)}: {holder.count:,} of {referring.name}, {such} with "
                f"{name}; put it into the bundle, or change these",
            )
            yield Refusal(root.name, own_keys.get(record), message, record)

    def _message(
        self, place: RealPlace | None, key: LiveForeignKey, holder: Holder, name: str | None
    ) -> Message:
        target = f"a row of {self.graph.label(place)} that goes with it" if place else "it"
        if holder.count == 1:
            rows, such = f"1 row of {self.graph.label(key.table)} refers", "the one"
        else:
            rows = f"{holder.count:,} rows of {self.graph.label(key.table)} refer"
            such = "such as the one"
        example = f", {such} with {name}" if name else ""
        return Message(
            "record-held",
            f"can't be deleted: {rows} to {target} by {', '.join(key.columns)}{example}; "
            "delete or change them first",
        )

    def _names(self, key: LiveForeignKey, identities: list[Row]) -> list[str | None]:
        """Describe rows of a table by their natural keys, else by their primary keys."""
        root = self.roots.get(key.table)
        columns = self.graph.identity(key.table)
        if root is not None:
            keys = RecordReader(self.database, root).keys_of(identities)
            return [described(root.key, keys[i]) if i in keys else None for i in identities]
        return [self._name(columns, identity) for identity in identities]

    def _name(self, columns: Sequence[str], identity: Row) -> str | None:
        if not columns or (self.is_hiding and not all(isinstance(part, int) for part in identity)):
            return None
        pairs = zip(columns, identity, strict=True)
        return " and ".join(f"{name} {shown(part)}" for name, part in pairs)
