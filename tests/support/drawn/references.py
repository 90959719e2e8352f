"""Draws the foreign keys and link tables between an application's tables."""

from __future__ import annotations

import random

from support.drawn.names import Names
from support.drawn.spec import App, Column, ForeignKey, LinkTable, Table
from support.drawn.tables import TableDraw

ROLES = ("parent", "owner", "maker", "next", "origin", "partner", "target", "source", "main")


class ReferenceDraw:
    """Draws foreign keys to any table, the same, a later one, or a subclass."""

    def __init__(self, app: App, rng: random.Random, names: Names, tables: TableDraw) -> None:
        self.app = app
        self.rng = rng
        self.names = names
        self.tables = tables

    def draw(self) -> None:
        """Draw 0 to 3 foreign keys a table, and up to 2 link tables."""
        for place, table in enumerate(self.app.tables):
            for _ in range(self.rng.choice((0, 0, 1, 1, 1, 2, 3))):
                self._foreign_key(table, self._target(table, place))
        for _ in range(self.rng.choices((0, 1, 2), (65, 25, 10))[0]):
            self._link_table()

    def _target(self, table: Table, place: int) -> Table:
        """Mostly an earlier table; sometimes its own or a later one, which makes cycles."""
        roll = self.rng.random()
        if roll < 0.14:
            self.app.features.add("self reference")
            return table
        if roll < 0.24 or place == 0:
            return self.rng.choice(self.app.tables)
        return self.rng.choice(self.app.tables[:place])

    def _remote(self, target: Table) -> tuple[Column, ...]:
        """The primary key, or a unique constraint's columns."""
        keys = [
            unique.columns
            for unique in target.held.uniques
            if unique.style == "constraint" and all(c.filled == "value" for c in unique.columns)
        ]
        if keys and self.rng.random() < 0.15:
            self.app.features.add("reference to a unique column")
            return self.rng.choice(keys)
        key = list(target.key)
        if len(key) > 1 and self.rng.random() < 0.2:
            self.rng.shuffle(key)  # a reference may list the columns in another order
        return tuple(key)

    def _foreign_key(self, table: Table, target: Table) -> None:
        remote = self._remote(target)
        if target.held.keyless:
            return  # no engine takes a foreign key to columns that aren't unique
        if table.single and table.base is not None and len(remote) > 1:
            return  # a single-table subclass has no __table_args__ to say it in
        likely = 0.85 if target.root is table.root or self._is_later(table, target) else 0.45
        nullable = self.rng.random() < likely or (table.single and table.base is not None)
        shared = self._shared(table, remote) if len(remote) > 1 else {}
        role = self.rng.choice((target.model.lower(), target.model.lower(), *ROLES))
        local: list[Column] = []
        for column in remote:
            if column in shared:
                local.append(shared[column])
                self.app.features.add("overlapping foreign keys")
                continue
            odd = self.names.oddity and self.rng.random() < self.names.oddity / 2
            name = self.names.column(()) if odd else f"{role}_{self._suffix(column)}"
            partly = len(remote) > 1 and self.rng.random() < 0.04
            made = self.tables.column(
                table, name, column.kind, column.type, nullable=nullable != partly
            )
            made.filled = "reference"
            local.append(made)
        if len(remote) > 1:
            self.app.features.add("composite reference")
        inline = len(local) == 1 and self.rng.random() < 0.8
        if table.single and not inline:
            inline = True
        foreign_key = ForeignKey(table, tuple(local), target, remote, inline)
        table.foreign_keys.append(foreign_key)
        self._feature(foreign_key)

    def _feature(self, fk: ForeignKey) -> None:
        if self._is_later(fk.table, fk.target):
            self.app.features.add("reference to a later table")
        if fk.target.base is not None:
            self.app.features.add("reference to a subclass")
        if sum(other.target is fk.target for other in fk.table.foreign_keys) > 1:
            self.app.features.add("two references to one table")

    def _is_later(self, table: Table, target: Table) -> bool:
        return self.app.tables.index(target) > self.app.tables.index(table)

    @staticmethod
    def _suffix(column: Column) -> str:
        return "id" if column.filled == "id" else column.name

    def _shared(self, table: Table, remote: tuple[Column, ...]) -> dict[Column, Column]:
        """Let a composite foreign key use a column that another, or the primary key, has.

        SQLAlchemy can't map subclasses of a class whose key refers to a table still to come.
        """
        if table.discriminator is not None or table.base is not None:
            return {}
        for column in remote:
            fit = [
                own
                for own in table.columns
                if (own.kind, own.type) == (column.kind, column.type)
                and (own.pk or own.filled == "reference")
                and own not in remote
            ]
            if fit and self.rng.random() < 0.35:
                return {column: self.rng.choice(fit)}
        return {}

    # Link tables

    def _link_table(self) -> None:
        able = [table for table in self.app.tables if table.key and not table.held.keyless]
        if not able:
            return
        one = self.rng.choice(able)
        two = one if self.rng.random() < 0.2 else self.rng.choice(able)
        number = len(self.app.links)
        name = self.names.table() if self.rng.random() < 0.3 else f"links_{number}"
        keyed = self.rng.choices(("primary key", "unique", "none"), (7, 2, 1))[0]
        sides = tuple(self._side(table, end) for table, end in ((one, "left"), (two, "right")))
        link = LinkTable(f"links_{number}", name, one.schema, sides, keyed)  # type: ignore[arg-type]
        if self.rng.random() < 0.06:
            link.extra = Column("", "since", "date", "sa.Date", nullable=True)
        self.app.links.append(link)
        self.app.features.add("link table to itself" if one is two else "link table")

    def _side(self, table: Table, end: str) -> ForeignKey:
        columns = tuple(
            Column("", f"{end}_{column.name}", column.kind, column.type, filled="reference")
            for column in table.key
        )
        return ForeignKey(table, columns, table, table.key, len(columns) == 1)
