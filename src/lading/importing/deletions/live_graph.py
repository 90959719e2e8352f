"""The tables that deletions reach by the foreign keys of the database, and how to read them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import sqlalchemy as sa

from lading.database.dialects.base import Row
from lading.database.live.base import Database
from lading.database.live.live_keys import CASCADE, LiveForeignKey, RealPlace
from lading.database.lookup import rows_among, streamed_among
from lading.database.tables import counted_columns, tables_of
from lading.importing.deletions.doomed_tree import DoomedTree
from lading.importing.deletions.plain_keys import PlainKey, plain_keys
from lading.mapping.load_order import all_references
from lading.model.entities import Entities
from lading.model.rowsets import Column, Reference, RowSet

#: Stands for the condition on keys, which is part of an inner SELECT.
KEYS_MARK = "_lading_keys"
#: A foreign key by its table, its columns in any order, and the table that it refers to.
Relation = tuple[RealPlace, frozenset[str], RealPlace]


@dataclass(frozen=True, slots=True)
class ReferringRow:
    """A row that refers to others.

    ``near`` is what it refers by, ``identity`` what tells it apart (all that is read, where it
    has no primary key), ``needed`` what others refer to it by, and ``counted`` its foreign keys
    that an import counts.
    """

    near: Row
    identity: Row
    needed: Row
    counted: Row


class LiveGraph:
    """The live foreign keys that lead to doomed rows, and to all that goes along with these.

    What the records' own deletion and update cover is left out: references, plain fields that
    are foreign keys, owned rows, links and subclasses' rows of the entities that have a tree,
    whether they go or stay.

    Args:
        database: the database; it is only read.
        entities: the catalog's.
        trees: the rows that go, of every entity whose records are brought to what a bundle says.
    """

    def __init__(
        self, database: Database, entities: Entities, trees: Mapping[str, DoomedTree]
    ) -> None:
        self.keys = database.live_keys()
        self.known_as = database.dialect.columns.known_as
        self.places = database.real_places(tables_of(entities))
        #: The names of the columns by which the models tell rows apart.
        self.identities = {
            self.places[table]: tuple(column.name for column in rows.identity_in(table))
            for rows in entities.all_rows()
            for table in rows.tables
        }
        self.own_tables = {place: table for table, place in self.places.items()}
        #: The foreign keys of each of the catalog's tables that an import counts.
        self.counted: dict[RealPlace, list[Column]] = {
            self.places[table]: list(dict.fromkeys(columns))
            for table, columns in counted_columns(entities.roots.values()).items()
        }
        #: The foreign keys that plain fields hold, by row set.
        self.plain: dict[RowSet, list[PlainKey]] = defaultdict(list)
        for plain in plain_keys(entities, self.keys, self.places, self.known_as):
            self.plain[plain.rows].append(plain)
        #: The row sets of a table, where an entity with a tree has it.
        self.row_sets: dict[RealPlace, list[RowSet]] = defaultdict(list)
        self.covered: set[Relation] = set()
        for tree in trees.values():
            for rows in tree.root.tree():
                for table in rows.tables:
                    self.row_sets[self.places[table]].append(rows)
                self.covered.update(self._relations(rows))
        #: The foreign keys that lead to each table, and those of them that nothing covers.
        self.incoming: dict[RealPlace, list[LiveForeignKey]] = defaultdict(list)
        self.uncovered: dict[RealPlace, list[LiveForeignKey]] = defaultdict(list)
        for key in self.keys.foreign:
            self.incoming[key.target].append(key)
            if self.relation_by(key) not in self.covered:
                self.uncovered[key.target].append(key)
        self.outgoing = Counter(key.table for key in self.keys.foreign)
        self.tables = self._reached()
        self.database = _over(database, list(self.tables.values()))

    # Foreign keys

    def _relation(self, table: RealPlace, columns: Sequence[str], target: RealPlace) -> Relation:
        return table, frozenset(map(self.known_as, columns)), target

    def _relations(self, rows: RowSet) -> Iterator[Relation]:
        """Yield the foreign keys that a row set's records set themselves."""
        for reference in all_references(rows):
            yield self.relation_of(reference)
        for plain in self.plain.get(rows, ()):
            yield self.relation_by(plain.key)
        for pairs in (
            *(children.pairs for children in rows.children),
            *(extension.pairs for extension in rows.extensions),
            *(links.local for links in rows.links),
        ):
            near, far = pairs[0]
            names = [column.name for column, _ in pairs]
            yield self._relation(self.places[near.table], names, self.places[far.table])

    def relation_of(self, reference: Reference) -> Relation:
        """Return the foreign key of a reference."""
        names = [column.name for column in reference.columns]
        near, far = reference.columns[0].table, reference.remote[0].table
        return self._relation(self.places[near], names, self.places[far])

    def relation_by(self, key: LiveForeignKey) -> Relation:
        """Return what a foreign key of the database is known by."""
        return self._relation(key.table, key.columns, key.target)

    def _reached(self) -> dict[RealPlace, sa.Table]:
        """Return the tables whose rows may go, and those that refer to them, without types."""
        own = {table for rows in self.row_sets.values() for r in rows for table in tables_in(r)}
        places = dict.fromkeys(self.places[table] for table in own)
        fresh = list(places)
        while fresh:
            further = [
                key.table for p in fresh for key in self.incoming[p] if key.action == CASCADE
            ]
            fresh = [place for place in dict.fromkeys(further) if place not in places]
            places |= dict.fromkeys(fresh)
        reached = places | {key.table: None for p in places for key in self.incoming.get(p, ())}
        columns: dict[RealPlace, dict[str, None]] = {place: {} for place in reached}
        for place in reached:
            columns[place] |= dict.fromkeys(self.identity(place))
        for key in self.keys.foreign:
            if key.table in columns:
                columns[key.table] |= dict.fromkeys(key.columns)
            if key.target in columns:
                columns[key.target] |= dict.fromkeys(key.target_columns)
        for place in columns.keys() & self.own_tables.keys():
            table = self.own_tables[place]
            columns[place] |= {column.name: None for column in table.columns}
        return {place: _untyped(place, names) for place, names in columns.items()}

    def identity(self, place: RealPlace) -> tuple[str, ...]:
        """Return the columns that tell a table's rows apart; none where it has no primary key.

        Where the models have the table these are theirs, as its doomed rows are known by them.
        """
        return self.identities.get(place) or self.keys.primary.get(place, ())

    def needed(self, place: RealPlace) -> tuple[str, ...]:
        """Return the columns by which other tables refer to a table."""
        keys = self.incoming.get(place, ())
        return tuple(dict.fromkeys(name for key in keys for name in key.target_columns))

    def stands_alone(self, place: RealPlace) -> bool:
        """Tell whether it is enough to count the rows of a table that one foreign key reaches.

        Nothing else reaches them, they take nothing along, and no import counts them.
        """
        is_ours = place in self.own_tables
        return not is_ours and self.outgoing[place] == 1 and not self.incoming.get(place)

    def label(self, place: RealPlace) -> str:
        """Name a table for people."""
        schema, name = place
        return name if schema == self.keys.schema else f"{schema}.{name}"

    def relation(self, key: LiveForeignKey) -> str:
        """Name a foreign key for people."""
        return f"{self.label(key.table)}.{'+'.join(key.columns)}"

    # Rows

    def referring(
        self, place: RealPlace, near: Sequence[str], keys: Sequence[Row]
    ) -> Iterator[list[ReferringRow]]:
        """Yield the rows of a table whose columns hold one of the keys, in chunks."""
        identity, needed = self.identity(place), self.needed(place)
        counted = [column.name for column in self.counted.get(place, ())]
        names = [*near, *identity, *needed, *counted]
        ends = list(accumulate(map(len, (near, identity, needed))))
        sql, compared = self._selecting(place, names), self._columns(place, near)
        qualified = self.database.dialect.qualified(compared)
        for part in streamed_among(self.database, sql, compared, qualified, keys):
            yield [
                ReferringRow(
                    row[: ends[0]],
                    row[ends[0] : ends[1]] or row,
                    row[ends[1] : ends[2]],
                    row[ends[2] :],
                )
                for row in part
            ]

    def count(self, place: RealPlace, near: Sequence[str], keys: Sequence[Row]) -> int:
        """Count the rows of a table whose columns hold one of the keys."""
        dialect, compared = self.database.dialect, self._columns(place, near)
        sql = dialect.text_of(sa.select(sa.func.count()).select_from(self.tables[place]))
        rows = rows_among(self.database, sql, compared, dialect.qualified(compared), keys)
        return sum(row[0] for row in rows)

    def examples(self, key: LiveForeignKey, keys: Sequence[Row]) -> list[Row]:
        """Return the key, the primary key of one row and the number of rows, by key referred to."""
        table, near = self.tables[key.table], self._columns(key.table, key.columns)
        identity = self._columns(key.table, self.identity(key.table))
        numbered = sa.select(
            *(column.label(f"c{n}") for n, column in enumerate((*near, *identity))),
            sa.func.count().over(partition_by=near).label("times"),
            sa.func.row_number().over(partition_by=near, order_by=identity or near).label("place"),
        ).select_from(table)
        inner = self.database.dialect.text_of(numbered)
        names = self.database.dialect.qualified(near)
        outer = f"SELECT * FROM ({inner} WHERE {KEYS_MARK}) AS numbered WHERE numbered.place = 1"
        rows = rows_among(self.database, outer, near, names, keys, mark=KEYS_MARK)
        return [tuple(row)[:-1] for row in rows]

    def _selecting(self, place: RealPlace, names: Sequence[str]) -> str:
        """Return the SELECT of some columns; one may come more than once."""
        labelled = [c.label(f"c{n}") for n, c in enumerate(self._columns(place, names))]
        return self.database.dialect.text_of(sa.select(*labelled))

    def _columns(self, place: RealPlace, names: Sequence[str]) -> list[Column]:
        return [self.tables[place].c[name] for name in names]


def tables_in(rows: RowSet) -> list[sa.Table]:
    """Return the tables of a row set and of its links."""
    return [*rows.tables, *(links.table for links in rows.links)]


def _untyped(place: RealPlace, names: Iterable[str]) -> sa.Table:
    """Return a table with columns of no type, which is enough to write its name in SQL."""
    schema, name = place
    columns = [sa.Column(column, sa.types.NullType()) for column in names]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema)


def _over(database: Database, tables: Sequence[sa.Table]) -> Database:
    """Return a database over the same connection that knows these tables by their own names."""
    other = type(database)(database.connection)
    other.facts = database.facts
    dialect, sqlalchemy = other.dialect_class, database.connection.dialect
    other.dialect = dialect(sqlalchemy, {}, translate={}, facts=other.facts)
    real_columns = other.real_columns(tables)
    other.dialect = dialect(sqlalchemy, real_columns, translate={}, facts=other.facts)
    return other
