"""Draws the tables of an application: keys, plain columns, uniqueness, hierarchies."""

from __future__ import annotations

import random

from support.drawn.kinds import KINDS
from support.drawn.names import Names, class_name
from support.drawn.spec import App, Check, Column, ForeignKey, Table, Unique

SURROGATES = {
    "plain": ("sa.Integer", []),
    "long": ("LONG_ID", []),
    "identity": ("sa.Integer", ["sa.Identity()"]),
    "always": ("sa.Integer", ["sa.Identity(always=True)"]),
    "uuid": ("sa.Uuid", ["default=uuid4"]),
}
#: What the model or the database would make up, and what records say must win over.
MADE_UP = {
    "text": ["default='made up'", "server_default='from server'", "onupdate=lambda: 'updated'"],
    "integer": ["default=lambda: 77", "server_default=sa.text('88')", "onupdate=lambda: 99"],
    "boolean": ["default=True", "server_default=sa.true()"],
    "datetime": ["onupdate=lambda: dt.datetime(1999, 1, 1)", "server_default=sa.func.now()"],
    "date": ["default=dt.date.today", "onupdate=dt.date.today"],
    "json": ["default=dict", "default=lambda: {'made': 'up'}"],
    "uuid": ["default=uuid4"],
}


class TableDraw:
    """Draws all tables, and the foreign keys that are part of a primary key."""

    def __init__(self, app: App, rng: random.Random, names: Names) -> None:
        self.app = app
        self.rng = rng
        self.names = names
        self.schema = "shop" if rng.random() < 0.12 else None

    def draw(self) -> None:
        """Draw 1 to 7 tables, some of them with subclasses."""
        for _ in range(self.rng.choice((1, 2, 2, 3, 3, 4, 4, 5, 6, 7))):
            table = self._new(self.names.table())
            self._key(table)
            for _ in range(self.rng.choice((1, 2, 3, 3, 4, 6, 8))):
                self.value(table)
            self._uniques(table)
            self._swap(table)
            if self.rng.random() < 0.07 and not table.foreign_keys:
                self._hierarchy(table)

    def _new(self, name: str) -> Table:
        taken = {table.model for table in self.app.tables} | {"Base", "Ref", "Owned", "Catalog"}
        table = Table(class_name(name, taken), name)
        if self.schema and self.rng.random() < 0.6:
            table.schema = self.schema
            self.app.features.add("schema")
        self.app.tables.append(table)
        return table

    # Columns

    def column(
        self,
        table: Table,
        name: str,
        kind: str,
        type_: str,
        *,
        attr: str | None = None,
        **more: object,
    ) -> Column:
        """Add a column; its attribute may have another name."""
        taken = {column.name for column in self._columns_of(table)}
        name = Names.fresh(name, taken)
        attr = attr or self.names.attribute(name, table.attrs())
        column = Column(Names.fresh(attr, table.attrs()), name, kind, type_, of=table.held, **more)  # type: ignore[arg-type]
        table.columns.append(column)
        if column.attr != column.name:
            self.app.features.add("attribute named otherwise")
        return column

    def _columns_of(self, table: Table) -> list[Column]:
        """A single-table subclass adds to its base's columns."""
        return [column for item in table.root.family() for column in item.columns]

    def value(self, table: Table, *, keyed: bool = False, nullable: bool | None = None) -> Column:
        """Add a plain column of any kind, or of a kind that can be a key."""
        kinds = [name for name, kind in KINDS.items() if kind.keys or not keyed]
        kind = self.rng.choices(kinds, [KINDS[name].weight for name in kinds])[0]
        sources = KINDS[kind].keys if keyed else KINDS[kind].sources
        null = self.rng.random() < 0.45 if nullable is None else nullable
        taken = {column.name for column in self._columns_of(table)}
        column = self.column(
            table, self.names.column(taken), kind, self.rng.choice(sources), nullable=null
        )
        self.app.features.add(f"type {kind}")
        if not keyed and kind in MADE_UP and self.rng.random() < 0.2:
            option = self.rng.choice(MADE_UP[kind])
            if "as_uuid=False" in column.type:  # a model's UUID is no text, and would be refused
                option = "default=lambda: str(uuid4())"
            column.options.append(option)
            self.app.features.add(column.options[0].partition("=")[0])
        if self.rng.random() < 0.03 and not keyed:
            column.options.append("deferred=True")
        return column

    def _computed(self, table: Table) -> None:
        numbers = [c for c in table.columns if c.kind == "integer" and c.filled == "value"]
        if numbers and self.rng.random() < 0.15:
            name = self.rng.choice(numbers).name
            made = self.column(table, "computed", "integer", "sa.BigInteger", nullable=True)
            made.filled = "computed"
            text = f"sa.func.coalesce(sa.column({name!r}), 7)"
            made.options.append(f"sa.Computed({text}, persisted=True)")
            self.app.features.add("computed")

    def _swap(self, table: Table) -> None:
        """Let two attributes swap names: ``a`` maps column ``b``, and ``b`` column ``a``."""
        self._computed(table)
        plain = [c for c in table.columns if c.attr == c.name and c.filled == "value"]
        if len(plain) > 1 and self.rng.random() < 0.08:
            one, two = self.rng.sample(plain, 2)
            one.attr, two.attr = two.attr, one.attr
            self.app.features.add("swapped names")

    # Keys

    def _key(self, table: Table) -> None:
        # With a key of its own first, the others have something to refer to.
        earlier = [
            item for item in self.app.tables if item is not table and item.key and not item.keyless
        ]
        styles = {"surrogate": 60, "natural": 12, "composite": 8}
        if earlier:
            styles |= {"association": 8 if len(earlier) > 1 else 0, "one to one": 4, "weak": 7}
        style = self.rng.choices(list(styles), list(styles.values()))[0]
        self.app.features.add(f"key {style}")
        if style == "surrogate":
            self._surrogate(table)
        elif style in {"natural", "composite"}:
            for _ in range(1 if style == "natural" else self.rng.choice((2, 2, 3))):
                self.value(table, keyed=True, nullable=False).pk = True
            if self.rng.random() < 0.05:
                table.keyless = True
                self.app.features.add("no primary key")
        else:
            count = 2 if style == "association" else 1
            for target in self.rng.sample(earlier, count):
                self._part(table, target)
            if style == "weak":
                self.column(table, "line_no", "integer", "sa.Integer").pk = True
        for column in table.columns:
            if column.pk and column.kind == "integer" and column.filled == "value":
                column.options.append("autoincrement=False")

    def _surrogate(self, table: Table) -> None:
        style = self.rng.choices(list(SURROGATES), [60, 8, 5, 6, 12])[0]
        type_, options = SURROGATES[style]
        kind = "uuid" if style == "uuid" else "integer"
        name = self.rng.choice(("id", "id", "id", "pk", f"{table.model.lower()}_id"))
        attr = name if self.rng.random() < 0.93 else "ident"
        column = self.column(table, name, kind, type_, attr=attr, pk=True, filled="id")
        column.options += options
        self.app.features.add(f"surrogate {style}")

    def _part(self, table: Table, target: Table) -> None:
        """Make a reference part of the primary key."""
        local = []
        for remote in target.key:
            name = f"{target.model.lower()}_{remote.name}" if remote.name != "id" else "x"
            name = f"{target.model.lower()}_id" if name == "x" else name
            column = self.column(table, name, remote.kind, remote.type, pk=True, filled="reference")
            local.append(column)
        inline = len(local) == 1 and self.rng.random() < 0.8
        table.foreign_keys.append(ForeignKey(table, tuple(local), target, target.key, inline))

    def _uniques(self, table: Table) -> None:
        plain = [c for c in table.columns if c.type in KINDS[c.kind].keys and not c.pk]
        if table.surrogate is not None and self.rng.random() < 0.8:
            self._unique_name(table)
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))):
            if not plain:
                return
            columns = tuple(self.rng.sample(plain, self.rng.choice((1, 1, min(2, len(plain))))))
            style = self.rng.choices(("constraint", "index", "partial"), (5, 4, 1))[0]
            unique = Unique(columns, style)
            others = [c for c in table.columns if c not in columns and c.filled == "value"]
            if style == "partial":
                if not others:
                    continue
                unique.where = self.rng.choice(others)
            if style != "partial" and self.rng.random() < 0.06:
                unique.nulls_equal = True  # PostgreSQL alone can be told so
            if any(column.nullable for column in columns):
                self.app.features.add("nullable unique")
            self.app.features.add(f"unique {style}")
            table.uniques.append(unique)

    def _unique_name(self, table: Table) -> None:
        name = self.rng.choices(("slug", "uuid", "name"), (5, 2, 4))[0]
        kind = "uuid" if name == "uuid" else "text"
        type_ = self.rng.choice(KINDS[kind].keys)
        nullable = self.rng.random() < 0.07
        attr = name if name not in table.attrs() else None
        column = self.column(table, name, kind, type_, attr=attr, nullable=nullable)
        table.uniques.append(Unique((column,), self.rng.choice(("constraint", "index"))))

    # Hierarchies

    def _hierarchy(self, table: Table) -> None:
        if table.surrogate is None:
            return
        table.discriminator = self.column(table, "kind_of", "text", "sa.String(20)", filled="class")
        table.identity = "base" if self.rng.random() < 0.7 else None
        single = self.rng.random() < 0.5
        bases = [table]
        for number in range(self.rng.choice((1, 2, 2))):
            base = self.rng.choice(bases)
            self._subclass(table, base, number, single)
            bases.append(self.app.tables[-1])
        self.app.features.add("single-table hierarchy" if single else "joined hierarchy")

    def _subclass(self, table: Table, base: Table, number: int, single: bool) -> None:
        name = f"{table.name}_sub{number}"
        sub = Table(f"{table.model}Sub{number}", name, table.schema, base=base, single=single)
        sub.identity = f"sub{number}"
        base.subclasses.append(sub)
        self.app.tables.append(sub)
        if not single:
            remote = base.key[0]
            key = self.column(sub, remote.name, remote.kind, remote.type, attr=remote.attr, pk=True)
            key.attr, key.filled = remote.attr, "reference"
            sub.foreign_keys.append(ForeignKey(sub, (key,), base, (remote,), True))
        for _ in range(self.rng.choice((0, 1, 2))):
            self.value(sub, nullable=True if single else None)


def draw_checks(app: App, rng: random.Random) -> None:
    """Add CHECKs: over values, over two references, and against rows that refer to themselves."""
    for table in app.tables:
        if table.base is not None:
            continue
        nullable = [fk for fk in table.foreign_keys if all(c.nullable for c in fk.columns)]
        if len(nullable) > 1 and rng.random() < 0.25:
            one, two = nullable[0].columns[0].name, nullable[1].columns[0].name
            table.checks.append(
                Check(
                    f"sa.or_(sa.column({one!r}).is_(None), sa.column({two!r}).is_(None))",
                    lambda row, one=one, two=two: row[one] is None or row[two] is None,  # type: ignore[misc]
                )
            )
            app.features.add("check over references")
        for fk in table.foreign_keys:
            if fk.is_self and table.surrogate in fk.remote and rng.random() < 0.25:
                a, b = fk.columns[0].name, fk.remote[0].name
                table.checks.append(
                    Check(
                        f"sa.column({a!r}) != sa.column({b!r})",
                        lambda row, a=a, b=b: row[a] is None or row[a] != row[b],  # type: ignore[misc]
                    )
                )
                app.features.add("check of a self reference")
        numbers = [c.name for c in table.columns if c.kind == "integer" and c.filled == "value"]
        if numbers and rng.random() < 0.1:
            name = rng.choice(numbers)
            table.checks.append(
                Check(
                    f"sa.column({name!r}) > -10",
                    lambda row, name=name: row[name] is None or row[name] > -10,  # type: ignore[misc]
                )
            )
            app.features.add("check of a value")
