"""Makes variants of a document, such as people's edits make: by the catalog's declarations alone.

Values, references, links and owned rows move between rows, are copied, go, and come back.  Not
every variant can be loaded: see ``loads``.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lading import Catalog, LadingError, export_document, import_document
from lading.fresh_databases.factories import EngineFactory, database, sqlite_engine
from lading.mapping.natural_keys import covering
from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.model.uniqueness import guarded_columns

Record = dict[str, Any]
Document = dict[str, Any]
#: How many rows take part in one move at most.
MOST = 5


@dataclass(frozen=True)
class Place:
    """A row in a document: its row set, itself, and the list that holds it."""

    rows: RowSet
    record: Record
    within: list[Record]


class Shuffler:
    """Draws variants of a document.

    Args:
        catalog: The catalog that the document is of.
        draws: What draws.
    """

    def __init__(self, catalog: Catalog, draws: random.Random) -> None:
        self.entities = catalog.use()
        self.draws = draws
        self.moves: list[Callable[[Document], None]] = [
            self.turn_values,
            self.turn_values,
            self.turn_unique,
            self.turn_unique,
            self.copy_value,
            self.set_null,
            self.reorder,
            self.move_owned,
            self.move_owned,
            self.drop_owned,
            self.turn_links,
            self.drop_link,
            self.drop_record,
        ]

    def variant(self, document: Document, moves: int) -> Document:
        """Return a copy of a document after some moves."""
        changed = copy.deepcopy(document)
        for _ in range(moves):
            self.draws.choice(self.moves)(changed)
        self.prune(changed)
        return changed

    # Moves

    def turn_values(self, document: Document) -> None:
        """Turn the values of one member around between rows."""
        rows = self._row_set()
        members = [
            m for m in rows.members if not isinstance(m, Children) and self._may_turn(rows, m)
        ]
        if members:
            self._turn(self._some(document, rows), [self.draws.choice(members).written])

    def turn_unique(self, document: Document) -> None:
        """Turn what is unique around between rows: all of its members, or one of them."""
        rows = self._row_set()
        groups = [
            [part.written for part in parts]
            for columns in [*guarded_columns(rows.table), rows.identity]
            if (parts := covering(rows, columns, rows.owner_columns))
            and all(self._may_turn(rows, part) for part in parts)
        ]
        if groups:
            names = self.draws.choice(groups)
            if self.draws.random() < 0.3:
                names = [self.draws.choice(names)]
            self._turn(self._some(document, rows), names)

    def copy_value(self, document: Document) -> None:
        """Let a row say what another one says."""
        rows = self._row_set()
        members = [
            m for m in rows.members if not isinstance(m, Children) and self._may_turn(rows, m)
        ]
        places = self._some(document, rows)
        if members and len(places) > 1:
            name = self.draws.choice(members).written
            if name in places[0].record and name in places[1].record:
                places[0].record[name] = copy.deepcopy(places[1].record[name])

    def set_null(self, document: Document) -> None:
        """Let a row say nothing in some member."""
        rows = self._row_set()
        members = [
            m
            for m in rows.members
            if m.nullable and isinstance(m, Value | Reference) and self._may_turn(rows, m)
        ]
        for place in self._some(document, rows)[:1] if members else ():
            name = self.draws.choice(members).written
            if name in place.record:
                place.record[name] = None

    def reorder(self, document: Document) -> None:
        """Turn an owned list around, or shuffle it."""
        owned = self._owned_list(document)
        if owned:
            self.draws.shuffle(owned[-1])

    def move_owned(self, document: Document) -> None:
        """Move an owned row into another list of its kind."""
        owned = self._owned_list(document, all_=True)
        full = [records for records in owned if records]
        if full and len(owned) > 1:
            source = self.draws.choice(full)
            target = self.draws.choice(owned)
            moved = source.pop(self.draws.randrange(len(source)))
            target.insert(self.draws.randint(0, len(target)), moved)

    def drop_owned(self, document: Document) -> None:
        """Drop an owned row."""
        owned = self._owned_list(document)
        if owned and owned[-1]:
            owned[-1].pop(self.draws.randrange(len(owned[-1])))

    def turn_links(self, document: Document) -> None:
        """Turn links around between rows."""
        choices = [(rows, m) for rows in self.entities.all_rows() for m in rows.links]
        if choices:
            rows, member = self.draws.choice(choices)
            self._turn(self._some(document, rows), [member.written])

    def drop_link(self, document: Document) -> None:
        """Drop a link, or repeat one of another row."""
        choices = [(rows, m) for rows in self.entities.all_rows() for m in rows.links]
        if choices:
            rows, member = self.draws.choice(choices)
            places = [p for p in self._some(document, rows) if member.written in p.record]
            if places and places[0].record[member.written]:
                links = places[0].record[member.written]
                link = links.pop(self.draws.randrange(len(links)))
                if len(places) > 1 and link not in places[1].record[member.written]:
                    places[1].record[member.written].append(link)

    def drop_record(self, document: Document) -> None:
        """Drop a record; what refers to it is pruned."""
        records = document[self.draws.choice(list(self.entities.roots))]
        if records:
            records.pop(self.draws.randrange(len(records)))

    # What moves are made of

    def _row_set(self) -> RowSet:
        return self.draws.choice([r for root in self.entities.roots.values() for r in root.tree()])

    def _may_turn(self, rows: RowSet, member: Member) -> bool:
        is_key = rows.parent is None and member in rows.key
        return not is_key and member is not rows.discriminator

    def _some(self, document: Document, rows: RowSet) -> list[Place]:
        places = [place for place in self.places(document) if place.rows is rows]
        self.draws.shuffle(places)
        return places[: self.draws.randint(2, MOST)]

    def _turn(self, places: list[Place], names: list[str]) -> None:
        places = [place for place in places if all(name in place.record for name in names)]
        values = [[place.record[name] for name in names] for place in places]
        for place, row in zip(places, values[1:] + values[:1], strict=True):
            place.record.update(zip(names, row, strict=True))

    def _owned_list(self, document: Document, *, all_: bool = False) -> list[list[Record]]:
        choices = [m for rows in self.entities.all_rows() for m in rows.children]
        if not choices:
            return []
        children = self.draws.choice(choices)
        lists = [
            place.record[children.written]
            for place in self.places(document)
            if children in place.rows.members
            and isinstance(place.record.get(children.written), list)
        ]
        self.draws.shuffle(lists)
        return lists if all_ else lists[:1]

    def places(self, document: Document) -> Iterator[Place]:
        """Yield every row of a document."""
        for name, root in self.entities.roots.items():
            yield from self._within(root, document.get(name) or [])

    def _within(self, rows: RowSet, records: list[Record]) -> Iterator[Place]:
        for record in list(records):
            yield Place(rows, record, records)
            for children in rows.children:
                yield from self._within(children.rows, record.get(children.written) or [])

    # References that lead nowhere

    def prune(self, document: Document) -> None:
        """Take out references that lead nowhere: null, or without the row where that is refused."""
        keys = self._keys(document)
        while any(self._pruned(place, keys) for place in self.places(document)):
            keys = self._keys(document)

    def _keys(self, document: Document) -> dict[tuple[int, tuple[str, ...]], list[Any]]:
        keys: dict[Any, list[Any]] = {}
        parts = {
            (id(reference.target), tuple(part.written for part in reference.parts))
            for rows in self.entities.all_rows()
            for reference in (*rows.references, *(links.reference for links in rows.links))
        }
        for place in self.places(document):
            for target, names in parts:
                if target == id(place.rows) and place.rows.parent is None:
                    keys.setdefault((target, names), []).append(
                        {name: place.record.get(name) for name in names}
                    )
        return keys

    def _pruned(self, place: Place, keys: Any) -> bool:
        for member in place.rows.members:
            if isinstance(member, Reference) and not self._leads(
                member, place.record.get(member.written), keys
            ):
                if member.nullable and (
                    place.rows.parent is not None or member not in place.rows.key
                ):
                    place.record[member.written] = None
                else:
                    place.within[:] = [r for r in place.within if r is not place.record]
                return True
            if isinstance(member, Links):
                links = place.record.get(member.written) or []
                good = [link for link in links if self._leads(member.reference, link, keys)]
                if len(good) < len(links):
                    place.record[member.written] = good
                    return True
        return False

    def _leads(self, reference: Reference, value: Any, keys: Any) -> bool:
        if value is None or reference.target.parent is not None:
            return True
        names = tuple(part.written for part in reference.parts)
        if not isinstance(value, dict):
            value = {names[0]: value}
        return value in keys.get((id(reference.target), names), [])


def loads(catalog: Catalog, document: Document, factory: EngineFactory = sqlite_engine) -> bool:
    """Tell whether a document can be imported into an empty database."""
    with database(factory, catalog) as engine:
        try:
            import_document(engine, document, catalog=catalog)
            export_document(engine, catalog=catalog)
        except LadingError:
            return False
    return True


def merged(catalog: Catalog, document: Document, bundle: Document) -> Document:
    """Return what an update with a bundle makes of a document."""
    entities = catalog.use()
    result = dict(document)
    for name, root in entities.roots.items():
        names = root.key_names
        new = {repr([r.get(n) for n in names]): r for r in bundle.get(name) or ()}
        old = {repr([r.get(n) for n in names]): r for r in document.get(name) or ()}
        result[name] = list((old | new).values())
    return result
