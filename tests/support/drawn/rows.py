"""Draws the rows of an application's tables, such as its constraints allow.

Every id is known before anything is inserted, so rows may refer to themselves, to later ones
and to each other in circles; what is inserted is what was drawn, cell by cell.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import networkx as nx

from support.drawn.kinds import Taste, draw_value, made_uuid
from support.drawn.spec import App, Column, ForeignKey, Row, Schema, Table
from support.drawn.uniques import Uniques

Rows = dict[str, list[Row]]
TRIES = 4


class RowDraw:
    """Draws all rows; tame ones have no twins and one parent each, so that nothing is refused."""

    def __init__(
        self,
        app: App,
        rng: random.Random,
        dialect: str,
        *,
        tame: bool,
        most: int,
        each: int | None = None,
    ) -> None:
        self.app = app
        self.rng = rng
        self.tame = tame
        self.most = most
        self.each = each
        self.taste = Taste(rng, dialect, wild=not tame)
        self.rows: dict[Table, list[Row]] = defaultdict(list)
        self.tables = [table for table in app.tables if not table.single or table.base is None]
        self.uniques = {
            table: Uniques(table, self.taste, self._keys(table) if tame else ())
            for table in self.tables
        }
        self.is_classless = False
        self.large = rng.choice(self.tables) if most > 100 else None
        self.next_id = {table: rng.choice((1, 1, 1, 7, 1000)) for table in self.tables}

    def draw(self) -> Rows:
        """Return the rows of every table, link tables included, by full name."""
        order = self._order()
        for table in order:
            self._fill(table, {other for other in order if self.rows.get(other)})
        for table in order:
            self._late(table, order)
        if self.is_classless and self.tame:  # such rows are refused, and others refer to them
            self.rows.clear()
        found: Rows = {table.fullname: self.rows[table] for table in self.tables}
        for link in self.app.links:
            found[link.fullname] = self._linked(link.sides, keyed=link.keyed != "none")
            if link.extra is not None:
                for row in found[link.fullname]:
                    row[link.extra.name] = None
        return found

    def _keys(self, table: Table) -> list[tuple[Column, ...]]:
        keys = [schema.key for schema in self.app.schemas if schema.table is table]
        return keys + [(column,) for column in self.app.referred_by if column in table.columns]

    # Order

    def _hard(self, fk: ForeignKey) -> bool:
        """Tell whether a row's identity or existence waits for this reference."""
        table = fk.table.held
        unique = {c for item in table.uniques for c in item.columns}
        keys = {c for key in self._keys(table) for c in key} if self.tame else set()
        held = set(fk.columns)
        shared = any(held & set(other.columns) for other in table.foreign_keys if other is not fk)
        return shared or not fk.nullable or any(c.pk for c in held) or bool(held & (unique | keys))

    def _order(self) -> list[Table]:
        graph = nx.DiGraph()
        graph.add_nodes_from(self.tables)
        for fk in self.app.foreign_keys():
            if self._hard(fk) and fk.target.held is not fk.table.held:
                graph.add_edge(fk.target.held, fk.table.held)
        circles = [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
        graph.remove_nodes_from([table for group in circles for table in group])
        return list(nx.lexicographical_topological_sort(graph, key=self.tables.index))

    # Rows

    def _fill(self, table: Table, drawn: set[Table]) -> None:
        if table.base is not None:
            self._subclass_rows(table, drawn)
            return
        count = self.rng.choice((0, 1, 2, 3, 5, 8, 12, 20, 30))
        count = min(count, self.most) if self.large is None else count
        count = self.most if table is self.large else count
        count = count if self.each is None else self.each
        for _ in range(count):
            for _ in range(TRIES):
                row = self._row(table, drawn, {})
                if row is not None:
                    self.rows[table].append(row)
                    break

    def _subclass_rows(self, table: Table, drawn: set[Table]) -> None:
        """A joined subclass has a row for each of the base's rows that are of its class."""
        base, name = table.root, table.root.discriminator
        identities = {member.identity for member in table.family()}
        assert name is not None
        assert table.base is not None
        (above,) = table.base.key
        held = {far[above.name] for far in self.rows[table.base.held]}
        for row in list(self.rows[base]):
            # One that couldn't have a row in the table above has none here either.
            if row[name.name] in identities and row[base.key[0].name] in held:
                key = {
                    own.name: row[far.name] for own, far in zip(table.key, base.key, strict=True)
                }
                made = next(filter(None, (self._row(table, drawn, key) for _ in range(20))), None)
                if made is None:
                    self._demote(table, row)
                else:
                    self.rows[table].append(made)

    def _demote(self, table: Table, row: Row) -> None:
        """Give a row whose class can't have what it needs the next class above it."""
        name, above = table.root.discriminator, table.base
        while above is not None and above.identity is None:
            above = above.base
        if above is None or name is None:
            self.is_classless = True
        else:
            row[name.name] = above.identity

    def _row(self, table: Table, drawn: set[Table], fixed: Row) -> Row | None:
        row: Row = dict(fixed)
        members = [item for item in table.family() if item is table or item.single]
        who = self._class(table, row)
        looping: list[ForeignKey] = []
        skipped = self._other_parents(table)
        for member in members:
            for fk in member.foreign_keys:
                is_mine = member is table or member in who
                if not self._refer(fk, row, drawn, looping, wanted=is_mine and fk not in skipped):
                    return None
        for member in members:
            for column in member.columns:
                if column.name not in row and column.filled != "computed":
                    mine = member is table or member in who
                    row[column.name] = self._value(table, column, mine=mine)
        is_whole = self._close(table, row, looping) and not self._is_orphan(table, row)
        holds = is_whole and all(check.holds(row) for check in table.checks)
        return row if holds and self.uniques[table].take(row) else None

    def _close(self, table: Table, row: Row, looping: list[ForeignKey]) -> bool:
        """Let a row refer to itself; return false if that can't be."""
        for fk in looping:
            pairs = zip(fk.columns, fk.remote, strict=True)
            row.update({column.name: row[far.name] for column, far in pairs})
        # A key of its own that is null is none to refer to.
        needed = [c.name for fk in looping for c in fk.columns if not c.nullable]
        is_set = all(row[name] is not None for name in needed)
        return is_set and not (looping and self._dangles(table, row))

    def _is_orphan(self, table: Table, row: Row) -> bool:
        """A tame row of an owned table has one parent exactly."""
        schema = self._schema(table)
        if schema is None or not schema.owners or not self.tame:
            return False
        held = [all(row[c.name] is not None for c in fk.columns) for fk in schema.owners]
        return held.count(True) != 1

    def _dangles(self, table: Table, row: Row) -> bool:
        """A row that refers to itself may have changed what another reference holds."""
        for fk in table.foreign_keys:
            held = [row[column.name] for column in fk.columns]
            if None in held or fk.target.held not in self.rows:
                continue
            targets = [row, *self.rows[fk.target.held]]
            if all([far.get(c.name) for c in fk.remote] != held for far in targets):
                return True
        return False

    def _class(self, table: Table, row: Row) -> list[Table]:
        """Choose a row's class; return the tables that its class has columns of."""
        if table.discriminator is None:
            return []
        able = [member for member in table.family() if member.identity is not None]
        chosen = self.rng.choice(able)
        row[table.discriminator.name] = chosen.identity
        who = [chosen]
        while who[-1].base is not None:
            who.append(who[-1].base)
        return who

    def _other_parents(self, table: Table) -> set[ForeignKey]:
        """An owned row has one parent; wild rows may have several, or none."""
        schema = self._schema(table)
        if schema is None or not schema.owners:
            return set()
        if not self.tame and self.taste.chance(0.03):
            return set()
        chosen = self.rng.choice(schema.owners)
        return {fk for fk in schema.owners if fk is not chosen}

    def _schema(self, table: Table) -> Schema | None:
        return next((item for item in self.app.schemas if item.table is table), None)

    def _refer(
        self,
        fk: ForeignKey,
        row: Row,
        drawn: set[Table],
        looping: list[ForeignKey],
        *,
        wanted: bool,
    ) -> bool:
        """Choose what a reference leads to; return false where it must lead somewhere and can't."""
        is_given = all(column.name in row for column in fk.columns) and fk.columns[0].pk
        if is_given and fk.table.base is not None:
            return True  # a joined subclass's way to its base
        here = fk.target.held is fk.table.held
        if here or fk.target.held in drawn:
            owner = self._schema(fk.table)
            must = (
                owner is not None and fk in owner.owners and (self.tame or self.taste.chance(0.95))
            )
            is_set = wanted and (must or not fk.nullable or self.taste.chance(0.65))
            if is_set or not fk.nullable:
                target = self._choose(fk, row, here=here)
                if target is not None:
                    row.update(target)
                    return True
                free = not any(c.name in row for c in fk.columns) and not self._must_end(fk)
                if here and free and not any(c.pk for c in fk.remote if c in fk.columns):
                    looping.append(fk)
                    row.update(dict.fromkeys((c.name for c in fk.columns), None))
                    return not set(fk.columns) & set(fk.remote)
        for column in fk.columns:
            if column.nullable:  # one that is not gets a value, which leads nowhere
                row.setdefault(column.name, None)
        return any(row.get(column.name, 0) is None for column in fk.columns)

    def _must_end(self, fk: ForeignKey) -> bool:
        """A tame row is not its own ancestor by the reference through which its key recurs."""
        keys = self._keys(fk.table.root) if self.tame and fk.is_self else []
        return any(set(fk.columns) <= set(key) for key in keys)

    def _choose(self, fk: ForeignKey, row: Row, *, here: bool) -> Row | None:
        if here and self.taste.chance(0.06):
            return None  # the row itself
        able = self._targets(fk)
        if self.tame and fk.is_self and not here and self._hard(fk):
            able = self._earlier(fk, row, able)
        if not able:
            return None
        for _ in range(8):
            far = self.rng.choice(able)
            found = {c.name: far[r.name] for c, r in zip(fk.columns, fk.remote, strict=True)}
            if None not in found.values() and all(row.get(n, v) == v for n, v in found.items()):
                return found
        return None

    def _earlier(self, fk: ForeignKey, row: Row, able: list[Row]) -> list[Row]:
        """Keep the targets up to the row itself, as their base has them; circles can't load.

        All of the base's rows are there before those of a subclass's table are drawn.
        """
        root = fk.table.root

        def key_of(table: Table, held: Row) -> tuple[Any, ...]:
            return tuple(held.get(column.name) for column in table.key)

        places = {key_of(root, base): place for place, base in enumerate(self.rows[root])}
        own = places.get(key_of(fk.table, row))
        if own is None:
            return able
        return [far for far in able if places[key_of(fk.target, far)] <= own]

    def _targets(self, fk: ForeignKey) -> list[Row]:
        """A reference to a subclass leads to rows of that class."""
        rows = self.rows[fk.target.held]
        root = fk.target.root
        if fk.target.single and root.discriminator is not None:
            names = {member.identity for member in fk.target.family()}
            return [row for row in rows if row[root.discriminator.name] in names]
        return rows

    def _value(self, table: Table, column: Column, *, mine: bool) -> Any:
        if column.filled == "id":
            return self._id(table, column)
        if column.nullable and (not mine or self.taste.chance(0.25)):
            return _null(column)
        return draw_value(self.taste, column.kind, column.type)

    def _id(self, table: Table, column: Column) -> Any:
        if column.kind == "uuid":
            return made_uuid(self.taste)
        self.next_id[table] += self.rng.choice((1, 1, 1, 2, 50))
        return self.next_id[table]

    # References to what came later

    def _late(self, table: Table, order: list[Table]) -> None:
        for fk in table.foreign_keys:
            soft = not self._hard(fk) and (
                order.index(fk.target.held) >= order.index(table)
                if fk.target.held in order
                else False
            )
            if not soft or not self._targets(fk):
                continue
            schema = self._schema(table)
            if schema is not None and fk in schema.owners:
                continue
            if fk.is_self and self.tame and fk.table.checks:
                # Circles of rows by a reference that a CHECK forbids to defer can't be loaded.
                continue
            for row in self.rows[table]:
                if all(row[c.name] is None for c in fk.columns) and self.taste.chance(0.5):
                    self._set(fk, row, table)

    def _set(self, fk: ForeignKey, row: Row, table: Table) -> None:
        found = self._choose(fk, {}, here=False)
        if found is None:
            return
        self.uniques[table].drop(row)
        before = {name: row[name] for name in found}
        row.update(found)
        if not all(check.holds(row) for check in table.checks) or not self.uniques[table].take(row):
            row.update(before)
            self.uniques[table].take(row)

    def _linked(self, sides: tuple[ForeignKey, ForeignKey], *, keyed: bool) -> list[Row]:
        near, far = (self._targets(side) for side in sides)
        found: dict[str, Row] = {}
        if not near or not far:
            return []
        for _ in range(self.rng.choice((0, 3, 8, 20))):
            row: Row = {}
            for side, targets in zip(sides, (near, far), strict=True):
                target = self.rng.choice(targets)
                row |= {
                    c.name: target[r.name] for c, r in zip(side.columns, side.remote, strict=True)
                }
            found[repr(row)] = row
        rows = list(found.values())
        if rows and not keyed and not self.tame and self.taste.chance(0.1):
            rows.append(rows[0])
        return rows


def _null(column: Column) -> Any:
    """Return SQL NULL; a plain None is JSON's null in some JSON columns."""
    import sqlalchemy as sa

    return sa.null() if column.kind == "json" else None


def draw_rows(
    app: App, dialect: str, *, tame: bool, most: int = 30, each: int | None = None
) -> Rows:
    """Draw the rows of an application for an engine: at most ``most`` a table, or ``each``."""
    rng = random.Random(f"rows {app.seed} {dialect} {tame}")
    return RowDraw(app, rng, dialect, tame=tame, most=most, each=each).draw()
