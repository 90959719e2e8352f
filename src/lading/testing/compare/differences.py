"""Says in which records two databases differ, and in which fields, with both values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lading.catalog import Catalog
from lading.messages import REPR_LIMIT
from lading.model.rowsets import Column
from lading.testing.compare.labels import key_text, place_of
from lading.testing.compare.matching import Matching
from lading.testing.compare.rows import NULL, Names, Nowhere, Row, Side
from lading.testing.compare.scope import Linked, Pointer, Scope, Way
from lading.testing.compare.stored import Cell, Stored, is_null

MISSING = "is missing"
APPEARED = "appeared"
NOTHING = "nothing"
#: How telling a difference is, the most first: what others follow from stands before them.
VALUE, LOST, NEW, LINK = range(4)


@dataclass(frozen=True)
class Difference:
    """One difference between two databases.

    ``entity`` is the entity whose record differs, ``key`` where in it: the record's natural
    key, and for an owned row the list and its key or number (from 1) in it.  ``field`` is the
    name in records of what differs, ``None`` for the whole row.  ``was`` and ``now`` say both
    values, as they are stored with their types; of a reference, the keys that it leads to.
    """

    entity: str
    key: str | None
    field: str | None
    was: str
    now: str

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.entity, self.key)))
        if self.field is None:
            return f"{place}: {self.now}"
        return f"{place}, {self.field}: was {self.was}, is now {self.now}"


def differences(catalog: Catalog, before: Stored, after: Stored) -> list[Difference]:
    """Compare all that a catalog carries of two databases; the most telling ones come first.

    Ids that databases make up don't count: references are compared by the rows that they
    lead to, owned rows within the record that owns them, link rows as lists of what they
    link.  What no import restores (left out, only written, or computed from that) is not
    looked at.  Rows are matched by natural key, the others by how much of them is alike;
    two databases that hold the same give an empty list.  Nothing is raised for rows whose keys
    are there twice, that lead nowhere, or that refer to each other in circles.
    """
    scope = Scope(catalog)
    names = Names()
    return Comparison(Side(scope, before, names), Side(scope, after, names)).run()


class Comparison:
    """Collects what differs, each with how telling it is."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self.scope = before.scope
        self.found: list[tuple[int, Difference]] = []

    def run(self) -> list[Difference]:
        """Compare everything; of each entity and field one difference comes before the rest."""
        for rows in self.scope.shapes:
            self._lists(self.before.top(rows), self.after.top(rows))
        self._strays()
        seen: Counter[tuple[str, str | None]] = Counter()
        ranked = []
        for rank, difference in sorted(self.found, key=lambda item: item[0]):
            place = (difference.entity, difference.field)
            ranked.append((seen[place] > 0, rank, difference))
            seen[place] += 1
        ranked.sort(key=lambda item: item[:2])
        return [difference for _, _, difference in ranked]

    def _strays(self) -> None:
        was, now = Counter(self.before.stray), Counter(self.after.stray)
        for (rows, name, text), count in [*(was - now).items(), *(now - was).items()]:
            row = f"a row that belongs to no record ({text})"
            texts = (row, NOTHING) if (rows, name, text) in was - now else (NOTHING, row)
            self.found += [(NEW, Difference(rows.entity, None, name, *texts))] * count

    # Rows

    def _lists(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        """Match the rows of one list in both databases, and compare them."""
        match = Matching(before, after)
        for one, other in match.pairs:
            self._rows(one, other)
        for row in match.lost:
            word = "is there once less" if match.is_known(row) else MISSING
            self._add_row(LOST, self.before, row, word)
        for row in match.new:
            word = "is there once more" if match.is_known(row) else APPEARED
            self._add_row(NEW, self.after, row, word)

    def _add_row(self, rank: int, side: Side, row: Row, word: str) -> None:
        entity, key = place_of(side, row)
        self.found.append((rank, Difference(entity, key, None, "", word)))

    def _rows(self, before: Row, after: Row) -> None:
        """Note each field in which two rows differ, and go on to what they own."""
        shape = before.shape
        for value in shape.values:
            self._cells(before, after, value.written, value.column)
        for pointer in shape.pointers:
            self._pointed(before, after, pointer)
        for linked in shape.linked:
            self._links(before, after, linked)
        for extension in shape.rows.extensions:
            name = extension.table.fullname
            texts = ["a row" if name in row.tables else "no row" for row in (before, after)]
            if texts[0] != texts[1]:
                self._add(VALUE, before, f"its row in {name}", texts)
        for way in shape.ways:
            self._owned(before, after, way)

    def _owned(self, before: Row, after: Row, way: Way) -> None:
        count = len(self.found)
        self._lists(before.owned.get(way, ()), after.owned.get(way, ()))
        if len(self.found) == count and self.before.listed(before, way) != self.after.listed(
            after, way
        ):
            self._add(LINK, before, way.written, ("in one order", "in another"))

    def _add(self, rank: int, row: Row, field: str, texts: Sequence[str]) -> None:
        entity, key = place_of(self.before, row)
        was, now = apart(*texts)
        self.found.append((rank, Difference(entity, key, field, was, now)))

    def _cells(self, before: Row, after: Row, field: str, column: Column) -> bool:
        was, now = (row.cells.get(column, NULL) for row in (before, after))
        if was != now:
            self._add(VALUE, before, field, (cell_text(was), cell_text(now)))
        return was != now

    # References

    def _pointed(self, before: Row, after: Row, pointer: Pointer) -> None:
        field = pointer.reference.written
        if before.contents.get(field) == after.contents.get(field):
            return
        held = [self._cells(before, after, field, column) for column in pointer.solid]
        if any(held):
            return
        texts = [
            self._target_text(side, row, pointer)
            for side, row in ((self.before, before), (self.after, after))
        ]
        self._add(LINK, before, field, texts)

    def _target_text(self, side: Side, row: Row, pointer: Pointer) -> str:
        reference = pointer.reference
        target = side.target(reference, row)
        if target is None:
            return "null"
        if isinstance(target, Nowhere):
            return f"{target.text} (which leads nowhere)"
        return key_text(side, target, reference.parts) or "a row"

    def _links(self, before: Row, after: Row, linked: Linked) -> None:
        field = linked.links.written
        if before.contents.get(field) == after.contents.get(field):
            return
        was = Counter(self._link_texts(self.before, before, linked))
        now = Counter(self._link_texts(self.after, after, linked))
        lost, new = list((was - now).elements()), list((now - was).elements())
        for n in range(max(len(lost), len(new))):
            texts = [items[n][0] if n < len(items) else NOTHING for items in (lost, new)]
            self._add(LINK, before, field, texts)

    def _link_texts(self, side: Side, row: Row, linked: Linked) -> Iterator[tuple[str, int]]:
        """Yield what each link leads to, with the number by which links are told apart."""
        pointer = Pointer(linked.links.reference, linked.solid)
        for link in row.links.get(linked.links, ()):
            text = self._target_text(side, link, pointer)
            held = [cell_text(link.cells.get(column, NULL)) for column in linked.solid]
            text = f"{text} [{', '.join(held)}]" if held else text
            yield text, side.linked(linked, link)


def cell_text(cell: Cell) -> str:
    """Show a cell: ``'12.50' (text)``."""
    return "null" if is_null(cell) else f"{cell[1]} ({cell[0]})"


def apart(was: str, now: str) -> tuple[str, str]:
    """Cut two texts to 80 characters each, around the first place where they differ."""
    if max(len(was), len(now)) <= REPR_LIMIT:
        return was, now
    pairs = enumerate(zip(was, now, strict=False))
    start = next((n for n, (one, other) in pairs if one != other), min(len(was), len(now)))
    begin = max(0, start - REPR_LIMIT // 2)
    return _cut(was, begin), _cut(now, begin)


def _cut(text: str, begin: int) -> str:
    end = begin + REPR_LIMIT
    head, tail = "..." if begin else "", "..." if end < len(text) else ""
    return f"{head}{text[begin:end]}{tail}"
