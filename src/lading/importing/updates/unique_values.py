"""Which rows must give unique values up before other rows take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lading.database.dialects.base import Row
from lading.exporting.reading import StoredRow
from lading.importing.folding import folded
from lading.importing.reference_values import value_in
from lading.importing.unique_sets import UniqueMembers, UniqueSets
from lading.importing.updates.row_changes import OWNER
from lading.model.rowsets import RowSet
from lading.records.comparison import Content
from lading.scratch.pool import Pool
from lading.scratch.spool import Spool
from lading.values.json_text import json_text


class UniqueGroup:
    """Members of a row set that are unique together, in all rows or in those that an index holds.

    ``by_owner`` says that they are unique among the rows of one owner; ``fields`` are the members
    whose changes free a row's values or take others; ``condition`` tells which rows they are.
    """

    def __init__(self, unique: UniqueMembers) -> None:
        self.rows = unique.rows
        self.parts = unique.parts
        # Rows of owners that share a part of a key, such as a tenant, may collide.
        self.by_owner = unique.by_owner and not unique.by_part_of_owner
        self.condition = unique.condition
        self.name = ".".join([self.rows.name, unique.name, *(part.name for part in self.parts)])
        self.fields = {member.name for member in unique.members}
        self.fields |= {OWNER} if unique.by_owner else set()

    def key(self, record: Content, owner: Row | None) -> bytes | None:
        """Return what rows with the same unique values have in common; ``None`` for a null.

        Texts that some collation takes for equal have the same key; those few that this
        engine tells apart only give up their values without need.
        """
        values = [value_in(record, part) for part in self.parts]
        if None in values or (self.by_owner and owner is None):
            return None
        return json_text([*map(folded, values), *map(str, (owner if self.by_owner else ()) or ())])


@dataclass(frozen=True, slots=True)
class Contended:
    """Rows of one group whose unique values others take.

    Doomed ones are deleted in the end, or compared again: no update need write them.
    """

    group: UniqueGroup
    identities: list[Row]
    are_doomed: bool


class UniqueValues:
    """The unique values that rows of an entity give up, and those that its rows take."""

    def __init__(self, root: RowSet, unique: UniqueSets) -> None:
        self.root = root
        self.groups = {rows: list(_groups(rows, unique)) for rows in root.tree()}
        self.leaving = Pool()
        self.wanted = Spool()

    def __bool__(self) -> bool:
        return any(self.groups.values())

    def change(
        self,
        rows: RowSet,
        fields: Mapping[str, bool],
        record: Content,
        stored: tuple[StoredRow, Content],
        owners: tuple[Row | None, Row | None],
    ) -> None:
        """Note a row that stays and changes.

        Args:
            rows: its row set.
            fields: its members that change, by name.
            record: what it will say.
            stored: the stored row, and what it says.
            owners: the primary keys of its owner before and after.
        """
        for group in self.groups[rows]:
            if not group.fields.isdisjoint(fields):
                self._leave(group, stored[1], owners[0], stored[0].identity)
                self._want(group, record, owners[1])

    def leave(self, rows: RowSet, record: Content, owner: Row | None, identity: Row) -> None:
        """Note a row that will be deleted in the end, be it a record or nested in one.

        Args:
            rows: the row set of the row.
            record: its contents.
            owner: the primary key of the row that owns it, if one does.
            identity: its primary key.
        """
        for group in self.groups[rows]:
            self._leave(group, record, owner, identity, is_doomed=True)

    def take(self, rows: RowSet, record: Content, owner: Row | None) -> None:
        """Note a new row."""
        for group in self.groups[rows]:
            self._want(group, record, owner, is_new=True)

    def take_all(self, rows: RowSet, record: Content) -> None:
        """Note a new record, and all rows that it nests."""
        self.take(rows, record, None)
        for children in rows.children:
            for owned in record.get(children.written) or []:
                self.take_all(children.rows, owned)

    def _leave(
        self,
        group: UniqueGroup,
        record: Content,
        owner: Row | None,
        row: Row,
        *,
        is_doomed: bool = False,
    ) -> None:
        key = group.key(record, owner)
        if key is not None:
            self.leaving.add(group.name, key, (row, is_doomed))

    def _want(
        self, group: UniqueGroup, record: Content, owner: Row | None, *, is_new: bool = False
    ) -> None:
        key = group.key(record, owner)
        if key is not None:
            self.wanted.append((group.name, key, is_new))

    def contended(self, size: int) -> Iterator[Contended]:
        """Yield the rows whose unique values others take, in chunks."""
        groups = {group.name: group for listed in self.groups.values() for group in listed}
        chunks: dict[tuple[str, bool], list[Row]] = defaultdict(list)
        for name, key, _ in self.wanted if self.leaving else ():
            while (row := self.leaving.take(name, key)) is not None:
                identity, is_doomed = row
                chunks[name, is_doomed].append(identity)
                if len(chunks[name, is_doomed]) >= size:
                    full = chunks.pop((name, is_doomed))
                    yield Contended(groups[name], full, is_doomed)
        for (name, is_doomed), identities in chunks.items():
            yield Contended(groups[name], identities, is_doomed)

    def close(self) -> None:
        """Give temporary files back."""
        self.leaving.close()
        self.wanted.close()


def _groups(rows: RowSet, unique: UniqueSets) -> Iterator[UniqueGroup]:
    """Yield what is unique in a row set, but what never changes: keys, and an owner's only row."""
    for each in unique.of(rows):
        parts = set(each.parts)
        is_kept = not parts or (rows.parent is None and parts <= set(rows.key))
        if not each.identifies and (each.condition is not None or not is_kept):
            yield UniqueGroup(each)
