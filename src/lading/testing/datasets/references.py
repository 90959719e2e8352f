"""Chooses where the foreign keys of drawn rows lead: to rows that are there, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Instance
from lading.testing.datasets.table_plan import Foreign, Plan
from lading.testing.datasets.uniqueness import Claims

Draw = Callable[[SearchStrategy[Any]], Any]

#: How many targets are tried before a row is left out.
TRIES = 12
#: How many optional references of one row are tried in every combination.
MOST_CHECKED = 5


class References:
    """Settles foreign keys among the ``instances`` that are drawn so far, by plan."""

    def __init__(
        self, draw: Draw, plans: Plans, instances: dict[Plan, list[Instance]], claims: Claims
    ) -> None:
        self.draw = draw
        self.plans = plans
        self.instances = instances
        self.claims = claims

    def settle(self, instance: Instance) -> bool:
        """Settle the foreign keys that a row can't wait for; ``False`` where it can't have one."""
        plan = instance.plan
        owners = [item for item in plan.owners if self.targets(item)]
        if plan.owners and not owners:
            return False
        owner = self.draw(st.sampled_from(owners)) if owners else None
        for item in plan.foreign:
            if not instance.has(item.kinds):
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
        able = [far for far in self.targets(item) if fits(instance, item, far)]
        if not able and must:
            return self._itself(instance, item)
        most = len(able) - must
        choice = self.draw(st.integers(0, most)) if most > 0 else 0
        if not must and choice == 0:
            return self._null(instance, item)
        start = choice - (not must)
        for place in range(min(len(able), TRIES)):
            self.lead(instance, item, able[(start + place) % len(able)])
            if self.claims.is_free(instance):
                return True
            self._unset(instance, item)
        return not must and self._null(instance, item)

    def rearranged(self, instance: Instance) -> Iterator[None]:
        """Lead what a CHECK speaks of otherwise: first null or not, then elsewhere."""
        checked = [
            item
            for item in instance.led
            if item.checked and not item.void and item.own == item.columns
        ]
        free = [item for item in checked if item.optional and item not in instance.plan.owners]
        ways = product((True, False), repeat=len(free)) if len(free) <= MOST_CHECKED else []
        for way in ways:
            for item, is_set in zip(free, way, strict=True):
                self._unset(instance, item)
                able = [far for far in self.targets(item) if fits(instance, item, far)]
                if is_set and able:
                    self.lead(instance, item, able[instance.number % len(able)])
                else:
                    self._null(instance, item)
            yield
        for item in checked:
            if instance.led[item] is not None:
                self._unset(instance, item)
                able = [far for far in self.targets(item) if fits(instance, item, far)]
                for far in able[:TRIES]:
                    self.lead(instance, item, far)
                    yield

    def targets(self, item: Foreign) -> list[Instance]:
        """Return the rows that a foreign key may lead to."""
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
        self.lead(instance, item, instance)
        return True

    def lead(self, instance: Instance, item: Foreign, far: Instance) -> None:
        """Let a foreign key lead to a row."""
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
        far = next((far for far in self.targets(item) if far.cells(item.remote) == cells), None)
        instance.led[item] = far
        return far is not None

    def choose_late(self, instance: Instance, item: Foreign) -> None:
        """Choose a target among all rows, for a foreign key that may wait for it."""
        able = [far for far in self.targets(item) if None not in far.cells(item.remote)]
        choice = self.draw(st.integers(0, len(able))) if able else 0
        if choice == 0:
            return
        self.claims.release(instance)
        self.lead(instance, item, able[choice - 1])
        if not self.claims.take(instance):
            instance.led[item] = None
            instance.rows[item.table].update({column.name: None for column in item.columns})
            self.claims.take(instance)


def fits(instance: Instance, item: Foreign, far: Instance) -> bool:
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
