"""Compares records with the stored ones row by row: what stays, what changes, what goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lading.database.dialects.base import Dialect, Row
from lading.exporting.reading import StoredRow, identities_of
from lading.importing.batch import Batch
from lading.importing.journal import Journal
from lading.importing.row_marks import RowMarks
from lading.importing.updates.differing_records import DifferingRecords
from lading.importing.updates.matching import OwnedMatcher, key_of, moving_key
from lading.importing.updates.row_changes import OWNER, RowChanges
from lading.importing.updates.unique_values import UniqueValues
from lading.model.rowsets import Children, RowSet
from lading.records.comparison import Content, RecordComparison
from lading.scratch.pool import Pool
from lading.values.json_text import json_text


class Partner(NamedTuple):
    """The stored row that a row of a bundle is: which it is, what it says, and its owner's key.

    ``has_moved`` says that the row comes from another owner, or is nested in one that does.
    """

    row: StoredRow
    content: Content
    owner: Row | None = None
    has_moved: bool = False


class LeftRow(NamedTuple):
    """An owned row that left the record of a number, or that was nested in one (``top``).

    The ``top`` of rows that are nested in a record which goes is that record.
    """

    partner: Partner
    number: int
    top: tuple[str, Row]
    is_nested: bool


class RecordMatcher:
    """Finds the changes of an entity's records, in two passes.

    The first, ``leave``, collects the owned rows that their records lack; the second,
    ``changes``, has other records take them over.

    Args:
        root: the entity's row set.
        dialect: the engine that stores the rows.
        journal: closes the temporary files.
        unique: is told of unique values that rows give up and take.

    ``left`` has the rows that leave, by their row sets.  ``emptied`` has those of them that others
    took nested rows from, by row set and primary key, and ``moved`` these nested rows.
    """

    def __init__(
        self, root: RowSet, dialect: Dialect, journal: Journal, unique: UniqueValues
    ) -> None:
        self.root = root
        self.comparison = RecordComparison(root, dialect)
        self.left = journal.closing(Pool())
        self.emptied = journal.closing(RowMarks())
        self.moved = journal.closing(RowMarks())
        self.unique = unique
        self.matchers = {
            children: OwnedMatcher(children, self.comparison)
            for within in root.tree()
            for children in within.children
        }

    def leave(
        self,
        rows: RowSet,
        records: Sequence[Content],
        partners: Sequence[Partner | None],
        numbers: Sequence[int],
    ) -> None:
        """Collect the owned rows, at any depth, that stored records have and these lack.

        Args:
            rows: the row set whose owned rows are collected.
            records: what a bundle says.
            partners: the stored row of each.
            numbers: the number of the record that each is or is nested in.
        """
        for children in rows.children:
            inner = [record.get(children.written) or [] for record in records]
            matched: list[Partner | None] = []
            inner_numbers: list[int] = []
            for owned, partner, number in zip(inner, partners, numbers, strict=True):
                matches, left = self._matched(children, owned, partner)
                matched += matches
                inner_numbers += [number] * len(matches)
                for row in left:
                    self._add_left(children.rows, row, number)
            flat = [record for owned in inner for record in owned]
            self.leave(children.rows, flat, matched, inner_numbers)

    def bare_changes(self, differing: DifferingRecords) -> RowChanges:
        """Return what is to happen to stored records that nest nothing."""
        compared, groups = differing.compared, self.unique.groups[self.root]
        fields = list(map(compared.fields, differing.places))
        for n, row in enumerate(differing.rows) if groups else ():
            if not all(group.fields.isdisjoint(fields[n]) for group in groups):
                record, content = compared.pair(differing.places[n]).contents()
                self.unique.change(self.root, fields[n], record, (row, content), (None, None))
        return RowChanges([*identities_of(differing.rows)], [*fields])

    def changes(
        self,
        rows: RowSet,
        batch: Batch,
        records: Sequence[Content],
        partners: Sequence[Partner | None],
        owners: Sequence[Row | None],
    ) -> RowChanges:
        """Compare rows of one row set with the stored rows that they are.

        Args:
            rows: the row set.
            batch: the rows of a bundle.
            records: what they say, in the batch's order.
            partners: the stored row of each.
            owners: the primary key of each one's owner, unless that is new.

        Returns:
            What is to happen to the rows, and to those that they nest.
        """
        changes = RowChanges([], [])
        for record, partner, owner in zip(records, partners, owners, strict=True):
            fields = self._changed(rows, record, partner, owner) if partner else {}
            changes.identities.append(partner.row.identity if partner else None)
            changes.fields.append(fields)
            if partner is None:
                self.unique.take(rows, record, owner)
            elif fields:
                stored = (partner.row, partner.content)
                self.unique.change(rows, fields, record, stored, (partner.owner, owner))
        for children in rows.children:
            nested = batch.children[children.name]
            inner = [record.get(children.written) or [] for record in records]
            matched = [
                match
                for owned, partner, number in zip(inner, partners, batch.numbers, strict=True)
                for match in self._taken_over(children, owned, partner, number)
            ]
            changes.children[children.name] = self.changes(
                children.rows,
                nested.batch,
                [record for owned in inner for record in owned],
                matched,
                [changes.identities[owner] for owner in nested.owners],
            )
        return changes

    def _taken_over(
        self, children: Children, records: Sequence[Content], partner: Partner | None, number: int
    ) -> list[Partner | None]:
        """Match the owned rows of one owner, with rows that left others too."""
        if partner is not None and partner.has_moved:
            partner = self._with_claimed(children, partner)
        matched, lacking = self._matched(children, records, partner)
        if partner is not None and partner.has_moved:
            for row in lacking:
                self._add_left(children.rows, row, number, again=True)
        # A row from elsewhere would stand where its id puts it, and new owned rows come with all
        # that they nest, so neither take rows over.
        is_new = partner is None and children.rows.parent is not self.root
        takes_none = is_new or self.matchers[children].by_id
        for place, record in enumerate(() if takes_none else records):
            if matched[place] is None:
                key = self._moving_key(children.rows, record)
                left: LeftRow | None = self.left.take(children.rows.name, key)
                if left is not None:
                    matched[place] = left.partner
                    if left.is_nested:
                        self.emptied.add([left.top])
                        self.moved.add([(children.rows.name, left.partner.row.identity)])
        return matched

    def _matched(
        self, children: Children, records: Sequence[Content], partner: Partner | None
    ) -> tuple[list[Partner | None], list[Partner]]:
        """Match the owned rows of one owner with stored ones; return those without a match too."""
        if partner is None:
            return [None] * len(records), []
        contents = partner.content.get(children.written) or []
        stored = [
            Partner(row, content, partner.row.identity, partner.has_moved)
            for row, content in zip(partner.row.children[children.name], contents, strict=True)
        ]
        matches = self.matchers[children].match(records, contents)
        left = sorted(set(range(len(stored))).difference(matches))
        return (
            [None if place is None else stored[place] for place in matches],
            [stored[place] for place in left],
        )

    def _with_claimed(self, children: Children, partner: Partner) -> Partner:
        """Return a row that moved with those of its owned rows that nobody took before."""
        owned = partner.row.children[children.name]
        contents = partner.content.get(children.written) or []
        claimed = [
            (row, content)
            for row, content in zip(owned, contents, strict=True)
            if self._claim(children.rows, row, content)
        ]
        return partner._replace(
            row=StoredRow(
                partner.row.identity,
                {**partner.row.children, children.name: [row for row, _ in claimed]},
            ),
            content={**partner.content, children.written: [content for _, content in claimed]},
        )

    def _claim(self, rows: RowSet, row: StoredRow, content: Content) -> bool:
        """Take one very row out of those that left; false if it was taken."""
        return self.left.drop(
            rows.name,
            self._moving_key(rows, content),
            lambda left: bool(left.partner.row.identity == row.identity),
        )

    def leave_doomed(self, partner: Partner) -> None:
        """Collect the owned rows, at any depth, of a record that goes."""
        top = self.root.name, partner.row.identity
        for children in self.root.children:
            owned = partner.content.get(children.written) or []
            for inner, record in zip(partner.row.children[children.name], owned, strict=True):
                nested = Partner(inner, record, partner.row.identity)
                self._add_left(children.rows, nested, 0, top)

    def doomed(self) -> Iterator[tuple[RowSet, Partner]]:
        """Yield the owned rows that go in the end: those that no other record took over.

        They are of records that go, or of rows that others move out of before.
        """
        for rows in self.root.tree():
            for left in self.left.group(rows.name):
                if left.top[0] == self.root.name or left.top in self.emptied:
                    yield rows, left.partner

    def _add_left(
        self,
        rows: RowSet,
        partner: Partner,
        number: int,
        top: tuple[str, Row] | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Keep a row that left, and those that it nests, which others may take as well.

        Those that were nested in a row that moved are kept ``again``, unless they were taken.
        """
        row, content = partner.row, partner.content
        is_nested, top = top is not None, top or (rows.name, row.identity)
        moved = Partner(row, content, partner.owner, has_moved=True)
        key = self._moving_key(rows, content)
        self.left.add(rows.name, key, LeftRow(moved, number, top, is_nested))
        for children in rows.children:
            owned = content.get(children.written) or []
            for inner, record in zip(row.children[children.name], owned, strict=True):
                if again and not self._claim(children.rows, inner, record):
                    self.emptied.add([top])
                    continue
                nested = Partner(inner, record, row.identity)
                self._add_left(children.rows, nested, number, top, again=again)

    def _moving_key(self, rows: RowSet, record: Content) -> bytes | None:
        """Return what a row of another owner is known by; ``None`` where rows can't move."""
        if not set(rows.identity).isdisjoint(rows.owner_columns):
            return None
        parts = moving_key(rows)
        class_ = record.get(rows.discriminator.written) if rows.discriminator else None
        key = key_of(parts, record) if parts else self.comparison.content_key(rows, record)
        return None if key is None else json_text(class_) + key

    def _changed(
        self, rows: RowSet, record: Content, partner: Partner, owner: Row | None
    ) -> dict[str, bool]:
        """Return the members of a row that differ, volatile ones too, and which were set."""
        stored = partner.content
        fields = {
            member.name: stored.get(member.written) is not None
            for member in self.comparison.differing(rows, record, stored, nested=False)
        }
        has_new_owner = rows.parent is not None and partner.owner != owner
        return fields | ({OWNER: True} if has_new_owner else {})
