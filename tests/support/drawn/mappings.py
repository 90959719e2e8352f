"""Draws what the classes say beyond their tables: relationships, properties, hybrids."""

from __future__ import annotations

import random
from collections.abc import Sequence

from support.drawn.names import Names
from support.drawn.spec import App, Column, ForeignKey, LinkTable, Relationship, Table


class MappingDraw:
    """Draws relationships over the foreign keys and link tables, and other attributes."""

    def __init__(self, app: App, rng: random.Random) -> None:
        self.app = app
        self.rng = rng

    def draw(self) -> None:
        """Draw for each foreign key none, one or several relationships, from either side."""
        for fk in self.app.foreign_keys():
            if fk.table.base is not None and fk.columns[0].pk and not fk.table.single:
                continue  # a joined subclass's way to its base
            self._foreign_key(fk)
        for link in self.app.links:
            self._link(link)
        for table in self.app.tables:
            self._extras(table)

    def _foreign_key(self, fk: ForeignKey) -> None:
        chance = 0.97 if len(fk.columns) > 1 else 0.8
        there = self.rng.random() < chance
        back = self.rng.random() < 0.5
        up = self._up_name(fk)
        down = self._fresh(fk.target, f"{fk.table.model.lower()}s") if back else None
        if there:
            ways = f", back_populates={down!r}" if down else ""
            fk.relationships.append(self._add(fk.table, up, _many_to_one(fk, ways)))
        if down:
            ways = f", back_populates={up!r}" if there else ""
            order = self._order(fk.table)
            text = _one_to_many(fk, f"{ways}{order}")
            made = self._add(fk.target, down, text, many=True)
            made.ordered = bool(order)
            fk.relationships.append(made)
        if there and self.rng.random() < 0.06:
            name = self._fresh(fk.table, f"{up}_again")
            more = f', overlaps="{up},{down or ""}"'
            fk.relationships.append(self._add(fk.table, name, _many_to_one(fk, more)))
            self.app.features.add("two relationships over one column")
        if self.rng.random() < 0.07:
            name = self._fresh(fk.table, f"{up}_view")
            self._add(fk.table, name, _many_to_one(fk, ", viewonly=True"), viewonly=True)
            self.app.features.add("viewonly")

    def _up_name(self, fk: ForeignKey) -> str:
        attr = fk.columns[0].attr
        if self.rng.random() < 0.7 and attr.endswith("_id"):
            return self._fresh(fk.table, attr.removesuffix("_id"))
        return self._fresh(fk.table, f"{fk.target.model.lower()}_ref")

    def _fresh(self, table: Table, name: str) -> str:
        return Names.fresh(name, table.attrs())

    def _add(
        self, table: Table, attr: str, source: str, *, many: bool = False, viewonly: bool = False
    ) -> Relationship:
        made = Relationship(attr, source, many, viewonly)
        table.relationships.append(made)
        return made

    def _order(self, child: Table) -> str:
        """An order makes a list of children a sequence."""
        if self.rng.random() < 0.4:
            return ""
        columns = [c for c in child.columns if c.kind not in {"json", "array", "pickle", "tags"}]
        if not columns:
            return ""
        column = self.rng.choice(columns)
        if child.surrogate is not None and self.rng.random() < 0.6:
            column = child.surrogate
        tail = self.rng.choice(("", "", ".desc()"))
        return f", order_by=lambda: {child.model}.{column.attr}{tail}"

    def _link(self, link: LinkTable) -> None:
        one, two = (side.target for side in link.sides)
        both = self.rng.random() < 0.4
        near = self._fresh(one, f"{two.model.lower()}_list")
        far = self._fresh(two, f"{one.model.lower()}_by_{link.variable}")
        back = f", back_populates={far!r}" if both else ""
        self._add(one, near, _many_to_many(link, 0, back), many=True)
        if both:
            back = f", back_populates={near!r}"
            self._add(two, far, _many_to_many(link, 1, back), many=True)
            self.app.features.add("link table from both sides")
        if self.rng.random() < 0.08:
            name = self._fresh(one, f"{near}_view")
            self._add(one, name, _many_to_many(link, 0, ", viewonly=True"), viewonly=True)

    def _extras(self, table: Table) -> None:
        texts = [c for c in table.columns if c.kind == "text" and not c.pk and c.filled == "value"]
        if not texts:
            return
        column = self.rng.choice(texts)
        if self.rng.random() < 0.08:
            name = self._fresh(table, "labelled")
            table.extras.append(f"{name} = column_property(sa.func.coalesce({column.attr}, '-'))")
            self.app.features.add("column property")
        if self.rng.random() < 0.08:
            name = self._fresh(table, "shouted")
            table.extras.append(
                f"{name} = hybrid_property(lambda self: (self.{column.attr} or '').upper())"
            )
            self.app.features.add("hybrid")
        if self.rng.random() < 0.05:
            table.extras.append(f"{self._fresh(table, 'alias_of')} = synonym({column.attr!r})")
            self.app.features.add("synonym")


def _listed(table: Table, columns: Sequence[Column]) -> str:
    return f"lambda: [{', '.join(f'{table.model}.{column.attr}' for column in columns)}]"


def _join(fk: ForeignKey) -> str:
    """Several foreign keys between two tables, or shared columns, leave the way unclear."""
    pairs = zip(fk.columns, fk.remote, strict=True)
    texts = [f"{fk.table.model}.{own.attr} == {fk.target.model}.{far.attr}" for own, far in pairs]
    return f"lambda: {texts[0]}" if len(texts) == 1 else f"lambda: sa.and_({', '.join(texts)})"


def _is_clear(fk: ForeignKey) -> bool:
    roots = [
        other
        for table in (*fk.table.root.family(), *fk.target.root.family())
        for other in table.foreign_keys
        if {other.table.root, other.target.root} == {fk.table.root, fk.target.root}
    ]
    return len(roots) == 1 and not fk.is_self and fk.table.root is fk.table


def _how(fk: ForeignKey, *, remote: str) -> str:
    if _is_clear(fk):
        return ""
    text = f", foreign_keys={_listed(fk.table, fk.columns)}"
    if len(fk.columns) > 1 or fk.is_self or fk.target.base is not None:
        text += f", primaryjoin={_join(fk)}"
    if fk.is_self:
        text += f", remote_side={remote}"
    return text


def _many_to_one(fk: ForeignKey, more: str) -> str:
    how = _how(fk, remote=_listed(fk.target, fk.remote))
    return f'relationship("{fk.target.model}"{how}{more})'


def _one_to_many(fk: ForeignKey, more: str) -> str:
    how = _how(fk, remote=_listed(fk.table, fk.columns))
    return f'relationship("{fk.table.model}", uselist=True{how}{more})'


def _many_to_many(link: LinkTable, near: int, more: str) -> str:
    one, two = link.sides[near], link.sides[1 - near]
    text = f'relationship("{two.target.model}", secondary={link.variable}'
    if one.target.root is two.target.root:
        for name, side in (("primaryjoin", one), ("secondaryjoin", two)):
            parts = [
                f"{side.target.model}.{far.attr} == {link.variable}.c[{own.name!r}]"
                for own, far in zip(side.columns, side.remote, strict=True)
            ]
            text += f", {name}=lambda: sa.and_({', '.join(parts)})"
    return f"{text}{more})"
