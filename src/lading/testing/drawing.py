"""Strategies that draw whole datasets, and records, from a catalog's declarations alone.

Each row begins as harmless, distinct values; a few of its cells are then drawn, and lean to
what breaks things.  What a database would refuse (twins, a failed CHECK, a missing target) is
mended or left out on the spot, so that no example is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.declare.catalog import Catalog
from lading.declare.rowsets import Kinds
from lading.declare.schema import EntitySchema
from lading.errors import DeclarationError, listed, shown
from lading.testing.dataset import ENGINES, Dataset, Instance, MadeUp, Varying, same
from lading.testing.plans import Drawn, Foreign, Overrides, Plan, Plans
from lading.testing.written import Written

Draw = Callable[[SearchStrategy[Any]], Any]

#: How many records of one entity are drawn at most, unless the caller says so.
MOST = 5
#: At most so many cells of a row are drawn; the others are harmless.
TOUCHED = 3
#: How many targets or spare values are tried before a row is left out.
TRIES = 12


def datasets(
    catalog: Catalog,
    *,
    only: Iterable[str] | None = None,
    max_records: int = MOST,
    overrides: Overrides | None = None,
) -> SearchStrategy[Dataset]:
    """Draw consistent rows for all tables of a catalog, at most ``max_records`` of an entity.

    ``only`` lists the entities that get records; others get those that these must refer to.
    ``overrides`` maps fields (``"products.unit"``: the entity and the field, or the table and
    the column) to strategies of Python values, for columns that only the application
    understands.  Raises ``DeclarationError`` when first drawn from, if a column's type can't be
    drawn.
    """
    plans = _once(catalog, overrides)
    names = None if only is None else frozenset(only)

    @st.composite
    def dataset(draw: Draw) -> Dataset:
        made = plans()
        return Drawing(draw, made, _wanted(made, names), max_records).dataset()

    return dataset()


def records(
    schema: type[EntitySchema], *, overrides: Overrides | None = None
) -> SearchStrategy[dict[str, Any]]:
    """Draw a record of one entity, as a bundle holds it and ``schema().load`` takes it.

    What it refers to isn't drawn with it; a record that can't be without a target refers to
    one all the same, by its natural key.
    """
    plans = _once(schema.catalog, overrides)

    @st.composite
    def record(draw: Draw) -> dict[str, Any]:
        made = plans()
        assert schema.rows is not None
        plan = made.of[schema.rows.table]
        drawing = Drawing(draw, made, _wanted(made, frozenset({plan.name})), 2, first=plan)
        dataset = drawing.dataset()
        if not dataset.of(plan):
            reject()
        return Written(dataset.resolved(ENGINES)).record(schema.rows, dataset.of(plan)[0])

    return record()


def _once(catalog: Catalog, overrides: Overrides | None) -> Callable[[], Plans]:
    """Derive the plans when they are first needed: models may not all be there before."""
    held: list[Plans] = []

    def plans() -> Plans:
        if not held:
            held.append(Plans(catalog, overrides))
        return held[0]

    return plans


def _wanted(plans: Plans, only: frozenset[str] | None) -> set[Plan]:
    """Return the plans of which rows are drawn: those named, and what these must refer to."""
    if only is None:
        return {plan for plan in plans.plans() if plan.rows is not None} | set(plans.links)
    roots = plans.entities.roots
    unknown = sorted(only - roots.keys())
    if unknown:
        raise DeclarationError(
            f"only names {shown(unknown[0])}, which is no entity; the entities are {listed(roots)}"
        )
    found: set[Plan] = set()
    waiting = [plans.of[rows.table] for name in only for rows in roots[name].tree()]
    while waiting:
        plan = waiting.pop()
        if plan not in found:
            found.add(plan)
            must = [item for item in plan.foreign if item.hard and not item.optional]
            waiting += [plans.of[item.target] for item in (*must, *plan.owners[:1])]
    names = {rows.name for rows in (plan.rows for plan in found) if rows is not None}
    return found | {link for link in plans.links if _leads_within(plans, link, names)}


def _leads_within(plans: Plans, link: Plan, names: Collection[str]) -> bool:
    return all(plans.of[item.target].name in names for item in link.foreign)


class Drawing:
    """Draws one dataset; ``first`` names a plan that gets a row at least."""

    def __init__(
        self, draw: Draw, plans: Plans, wanted: set[Plan], most: int, *, first: Plan | None = None
    ) -> None:
        self.draw = draw
        self.plans = plans
        self.wanted = wanted
        self.first = first
        self.counts = st.sampled_from([0, *_counts(most)])
        self.some = st.sampled_from(_counts(most))
        self.instances: dict[Plan, list[Instance]] = {}
        self.order: list[Instance] = []
        self.seen: dict[tuple[Plan, int], set[Any]] = {}

    def dataset(self) -> Dataset:
        """Draw all rows, targets first, then the references that may lead anywhere."""
        for plan in self.plans.order:
            self._fill(plan)
        for plan in self.plans.order:
            for instance in self.instances.get(plan, ()):
                for item in plan.foreign:
                    if not (item.hard or item.void) and _has(instance, item.kinds):
                        self._late(instance, item)
        for link in self.plans.links:
            self._fill(link)
        return Dataset(self.plans, self.order)

    def _fill(self, plan: Plan) -> None:
        found = self.instances.setdefault(plan, [])
        if plan not in self.wanted and plan.rows is not None:
            return
        count = self.draw(self.some if self.first is not None else self.counts)
        for number in range(count):
            instance = self._instance(plan, number)
            if instance is not None:
                found.append(instance)
                self.order.append(instance)

    # Rows

    def _instance(self, plan: Plan, number: int) -> Instance | None:
        """Draw a row; ``None`` where no database would take one."""
        instance = Instance(plan, number)
        if plan.classes:
            self._classed(instance)
        for table, kinds in plan.tables():
            if _has(instance, kinds):
                instance.rows[table] = instance.rows.get(table, {})
        if plan.made_up is not None:
            instance.rows[plan.table][plan.made_up.name] = MadeUp(plan, number)
        self._join(instance)
        mine = [item for item in plan.drawn if _has(instance, item.kinds)]
        if not self._refer(instance):
            return None
        for item in (item for item in mine if item.cells is not None):
            instance.rows[item.column.table].setdefault(item.column.name, _plain(item, number))
        for item in plan.drawn:
            if item not in mine and item.column.table in instance.rows:
                instance.rows[item.column.table].setdefault(item.column.name, None)
        able = [item for item in mine if item.cells is not None and _is_free(instance, item)]
        touched = self._touch(instance, able)
        return instance if self._settle(instance, touched, able) else None

    def _classed(self, instance: Instance) -> None:
        rows = instance.plan.rows
        assert rows is not None
        assert rows.discriminator is not None
        identity = self.draw(st.sampled_from(instance.plan.classes))
        instance.kind = rows.discriminator.kind.write(identity)
        instance.rows[rows.table] = {rows.discriminator.column.name: identity}

    def _join(self, instance: Instance) -> None:
        """A subclass's row has its base's primary key."""
        rows = instance.plan.rows
        for extension in rows.extensions if rows is not None else ():
            if extension.table in instance.rows:
                for own, base in extension.pairs:
                    instance.rows[extension.table][own.name] = instance.cell(base)

    def _touch(self, instance: Instance, able: Sequence[Drawn]) -> list[Drawn]:
        """Draw a few cells."""
        touched: list[Drawn] = []
        if able:
            touched = self.draw(st.lists(st.sampled_from(able), max_size=TOUCHED))
        for item in touched:
            row = instance.rows[item.column.table]
            row[item.column.name] = self._cell(item, instance.number)
        return touched

    def _cell(self, item: Drawn, number: int) -> Any:
        assert item.cells is not None
        if item.nullable and self.draw(st.booleans()):
            return None
        value = self.draw(item.cells.hostile)
        is_text = isinstance(value, str)
        if not is_text and all(item.cells.holds(value, engine) for engine in ENGINES):
            return value
        return Varying(value, item.cells.plain(number), item.cells.holds)

    # What a database would refuse

    def _settle(self, instance: Instance, touched: list[Drawn], able: list[Drawn]) -> bool:
        """Keep a row that every rule allows, if need be with harmless cells in place of drawn ones."""
        for items in (touched, []):
            self._join(instance)
            if self._checks(instance) and self._take(instance):
                return True
            if items:
                for item in touched:
                    instance.rows[item.column.table][item.column.name] = _plain(item, instance.number)
        return self._searched(instance, able)

    def _searched(self, instance: Instance, able: list[Drawn]) -> bool:
        """Try other harmless values, and those that CHECKs name, cell by cell."""
        for attempt in range(1, TRIES):
            for item in able:
                row = instance.rows[item.column.table]
                row[item.column.name] = self._other(item, instance, attempt)
                self._join(instance)
                if self._checks(instance) and self._take(instance):
                    return True
        return False

    def _other(self, item: Drawn, instance: Instance, attempt: int) -> Any:
        assert item.cells is not None
        named = instance.plan.checks[item.column.table].literals(item.column)
        choices = [*named, *([None] if item.nullable else [])]
        place = attempt + instance.number
        if choices and attempt % 2:
            return choices[(place // 2) % len(choices)]
        return item.cells.plain(instance.number + attempt)

    def _checks(self, instance: Instance) -> bool:
        for table, row in instance.rows.items():
            checks = instance.plan.checks[table]
            plain = {name: _value(cell, fallback=False) for name, cell in row.items()}
            spare = {name: _value(cell, fallback=True) for name, cell in row.items()}
            if not (checks.holds(plain) and checks.holds(spare)):
                return False
        return True

    def _take(self, instance: Instance) -> bool:
        """Claim what a row has for itself alone; ``False`` if another row has it already."""
        return self._is_new(instance, instance.plan, claim=True)

    def _is_new(self, instance: Instance, plan: Plan, *, claim: bool) -> bool:
        claims = []
        for place, unique in enumerate(plan.uniques):
            if unique.columns[0].table not in instance.rows:
                continue
            keys = same(instance.cells(unique.columns), unique)
            seen = self.seen.setdefault((plan, place), set())
            if not seen.isdisjoint(keys):
                return False
            claims.append((seen, keys))
        if claim:
            for seen, keys in claims:
                seen.update(keys)
        return True

    def _release(self, instance: Instance) -> None:
        for place, unique in enumerate(instance.plan.uniques):
            if unique.columns[0].table in instance.rows:
                keys = same(instance.cells(unique.columns), unique)
                self.seen.setdefault((instance.plan, place), set()).difference_update(keys)

    # References

    def _refer(self, instance: Instance) -> bool:
        """Settle the foreign keys that a row can't wait for; ``False`` where it can't have one."""
        plan = instance.plan
        owner = self.draw(st.sampled_from(plan.owners)) if plan.owners else None
        for item in plan.foreign:
            if not _has(instance, item.kinds):
                continue
            others = item in plan.owners and item is not owner
            if not item.hard or item.void or others:
                if not self._null(instance, item):
                    return False
            elif not self._lead(instance, item, must=item is owner or not item.optional):
                return False
        return True

    def _lead(self, instance: Instance, item: Foreign, *, must: bool) -> bool:
        """Choose a target among the rows that are there."""
        able = [far for far in self._targets(item) if _fits(instance, item, far)]
        if not able and must:
            return self._itself(instance, item)
        choice = self.draw(st.integers(0, len(able) + (not must) - 1)) if len(able) + (not must) > 1 else 0
        if not must and choice == 0:
            return self._null(instance, item)
        start = choice - (not must)
        for place in range(min(len(able), TRIES)):
            self._set(instance, item, able[(start + place) % len(able)])
            if self._is_new_so_far(instance):
                return True
            self._unset(instance, item)
        return not must and self._null(instance, item)

    def _is_new_so_far(self, instance: Instance) -> bool:
        """Tell whether the unique sets that foreign keys alone make are still free."""
        for place, unique in enumerate(instance.plan.uniques):
            names = [(column.table, column.name) for column in unique.columns]
            if all(name in instance.rows.get(table, {}) for table, name in names):
                keys = same(instance.cells(unique.columns), unique)
                if not self.seen.get((instance.plan, place), set()).isdisjoint(keys):
                    return False
        return True

    def _targets(self, item: Foreign) -> list[Instance]:
        plan = self.plans.of[item.target]
        return [
            far
            for far in self.instances.get(plan, ())
            if item.target in far.rows and (item.wanted is None or far.kind in item.wanted)
        ]

    def _itself(self, instance: Instance, item: Foreign) -> bool:
        """The first of rows that must refer to their like refers to itself."""
        if item.target not in instance.rows or _recurs(instance.plan, item):
            return False
        cells = instance.cells(item.remote)
        if None in cells:
            return False
        self._set(instance, item, instance)
        return True

    def _set(self, instance: Instance, item: Foreign, far: Instance) -> None:
        instance.led[item] = far
        row = instance.rows[item.table]
        for near, remote in zip(item.columns, item.remote, strict=True):
            row[near.name] = far.cell(remote)

    def _unset(self, instance: Instance, item: Foreign) -> None:
        instance.led.pop(item, None)
        for column in item.columns:
            others = [far for other, far in instance.led.items() if column in other.columns]
            if not others:
                instance.rows[item.table].pop(column.name, None)

    def _null(self, instance: Instance, item: Foreign) -> bool:
        """Leave a foreign key null; ``False`` where what it must hold is set all the same."""
        row = instance.rows[item.table]
        instance.led[item] = None
        for column in item.own:
            row.setdefault(column.name, None)
        if item.own:
            return all(row[column.name] is None for column in item.own) and all(
                column.nullable for column in item.own
            )
        cells = instance.cells(item.columns)
        if None in cells:
            return True
        far = next((far for far in self._targets(item) if far.cells(item.remote) == cells), None)
        instance.led[item] = far
        return far is not None

    def _late(self, instance: Instance, item: Foreign) -> None:
        """Choose a target among all rows, for a foreign key that may wait for it."""
        able = [far for far in self._targets(item) if None not in far.cells(item.remote)]
        choice = self.draw(st.integers(0, len(able))) if able else 0
        if choice == 0:
            return
        self._release(instance)
        self._set(instance, item, able[choice - 1])
        if not self._take(instance):
            instance.led[item] = None
            instance.rows[item.table].update({column.name: None for column in item.columns})
            self._take(instance)


def _counts(most: int) -> list[int]:
    """Some rows are likelier than none, for without targets much else stays out."""
    return [count for count in (2, 1, 3, most, 2, most, 1) if count <= most] or [most]


def _has(instance: Instance, kinds: Kinds) -> bool:
    return kinds is None or instance.kind in kinds


def _plain(item: Drawn, number: int) -> Any:
    """Return a harmless cell; now and then null where that may be."""
    if item.cells is None or (item.nullable and (number + len(item.column.name)) % 3 == 2):  # noqa: PLR2004
        return None
    return item.cells.plain(number)


def _value(cell: Any, *, fallback: bool) -> Any:
    if isinstance(cell, Varying):
        return cell.fallback if fallback else cell.value
    return cell.number + 1 if isinstance(cell, MadeUp) else cell


def _is_free(instance: Instance, item: Drawn) -> bool:
    """Tell whether no foreign key that is set decides a column's value."""
    led = [key for key, far in instance.led.items() if far is not None]
    return not any(item.column in key.columns for key in led)


def _fits(instance: Instance, item: Foreign, far: Instance) -> bool:
    """Tell whether a target agrees with what other foreign keys have settled."""
    row = instance.rows[item.table]
    cells = far.cells(item.remote)
    return None not in cells and all(
        row.get(near.name, cell) is cell or row.get(near.name, cell) == cell
        for near, cell in zip(item.columns, cells, strict=True)
    )


def _recurs(plan: Plan, item: Foreign) -> bool:
    """Tell whether a natural key leads through a foreign key, so that no circle may."""
    key = plan.rows.key if plan.rows is not None else ()
    return any(set(getattr(part, "columns", ())) == set(item.columns) for part in key)


def tables_of(plans: Plans) -> set[sa.Table]:
    """Return every table that rows are drawn for."""
    found = {table for plan in plans.plans() for table, _ in plan.tables()}
    return found | {link.table for link in plans.links}
