"""Records of a batch beside the stored ones: in which fields each one differs, at little cost."""

from __future__ import annotations

from collections.abc import Sequence

from lading.model.rowsets import Member
from lading.records.comparison import Content
from lading.records.raw_records import Differing, RawPair, RawReader, RawRecord


class ComparedRecords:
    """Records beside stored ones, all of which differ in their texts.

    Args:
        reader: reads their fields.
        lines: the records, which were decoded before.
        stored: the stored ones.
        exact: whether the former's JSON has the one form that equal JSON has.
    """

    def __init__(
        self, reader: RawReader, lines: Sequence[bytes], stored: Sequence[bytes], *, exact: bool
    ) -> None:
        self.reader = reader
        self.lines = lines
        self.stored = stored
        self.is_cut = exact and not reader.has_hooks
        if self.is_cut:
            self.records, self.others = reader.texts.cut(lines), reader.texts.cut(stored)
            self.masks = reader.texts.masks(self.records, self.others)
        self._pairs: dict[int, RawPair] = {}
        self._fields: dict[tuple[int, tuple[bool, ...]], dict[str, bool]] = {}

    def pair(self, place: int) -> RawPair:
        """Return a record beside the stored one."""
        line, stored, texts = self.lines[place], self.stored[place], self.reader.texts
        if place in self._pairs:
            return self._pairs[place]
        if not self.is_cut:
            self._pairs[place] = self.reader.pair(line, stored)
            return self._pairs[place]
        pair = RawPair(
            self.reader,
            RawRecord(line, texts.fields(self.records[place]), canonical=False, exact=True),
            RawRecord(stored, texts.fields(self.others[place]), canonical=True),
            self._by_text(place),
        )
        if pair.members is None:  # its fields are read, and will be again
            self._pairs[place] = pair
        return pair

    def _by_text(self, place: int) -> Differing:
        return self.reader.differing_by(self.masks[place])

    def members(self, place: int) -> Sequence[Member]:
        """Return the members in whose values a record differs, volatile ones too."""
        members = self._by_text(place).members if self.is_cut else None
        return self.pair(place).differing() if members is None else members

    def fields(self, place: int) -> dict[str, bool]:
        """Return these members by name, and whether each is set in the stored record.

        Records that differ alike share one dictionary.
        """
        members = self._by_text(place).members if self.is_cut else None
        if members is None:
            pair = self.pair(place)
            return {member.name: pair.was_set(member) for member in pair.differing()}
        is_set, stored = self.reader.texts.is_set, self.others[place]
        were_set = tuple([is_set(stored, member.written) for member in members])
        alike = self.masks[place], were_set
        if alike not in self._fields:
            names = [member.name for member in members]
            self._fields[alike] = dict(zip(names, were_set, strict=True))
        return self._fields[alike]

    def alteration(self, place: int) -> tuple[Content, Content, Content] | None:
        """Return a record's natural key, and the fields that an update alters, before and after.

        ``None`` where none of them makes a difference.
        """
        by_text = self._by_text(place) if self.is_cut else None
        if by_text is None or by_text.members is None:
            pair = self.pair(place)
            altered = pair.update()
            return None if altered is None else (pair.key(), *altered)
        written = [member.written for member in by_text.members]
        read, record = self.reader.texts.read, self.records[place]
        keys = self.reader.key_names
        key = read(record, keys) if self.reader.exact.issuperset(keys) else self.pair(place).key()
        return key, read(self.others[place], written), read(record, written)
