"""Chooses where the foreign keys of drawn rows lead: to rows that are there, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
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
#: How many combinations of targets are tried where a CHECK speaks of references.
MOST_REARRANGED = 150


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
        owners = [foreign for foreign in plan.owners if self.targets(foreign)]
        if plan.owners and not owners:
            return False
        owner = self.draw(st.sampled_from(owners)) if owners else None
        for foreign in plan.foreign:
            if not instance.has(foreign.kinds):
                continue
            others = foreign in plan.owners and foreign is not owner
            if not foreign.hard or foreign.void or others:
                if not self._null(instance, foreign):
                    return False
            elif not self._lead(instance, foreign, must=foreign is owner or not foreign.optional):
                return False
        return True

    def _lead(self, instance: Instance, foreign: Foreign, *, must: bool) -> bool:
        """Choose a target among the rows that are there."""
        able = self.able(instance, foreign)
        if not able and must:
            return self._itself(instance, foreign)
        most = len(able) - must
        choice = self.draw(st.integers(0, most)) if most > 0 else 0
        if not must and choice == 0:
            return self._null(instance, foreign)
        start = choice - (not must)
        before = instance.rows[foreign.table]
        for far in [*able[start:], *able[:start]][:TRIES]:
            instance.rows[foreign.table] = dict(before)
            instance.lead(foreign, far)
            if self.claims.is_free(instance):
                return True
        instance.rows[foreign.table] = before
        return not must and self._null(instance, foreign)

    def rearranged(self, instance: Instance) -> Iterator[None]:
        """Lead what a CHECK speaks of otherwise, in every combination of a few targets."""
        checked = [
            foreign
            for foreign, far in instance.led.items()
            if foreign.checked and not foreign.void and foreign.own == foreign.columns
            if far is not None or foreign not in instance.plan.owners
        ]
        choices = [self._choices(instance, foreign) for foreign in checked]
        for targets in islice(product(*choices), MOST_REARRANGED):
            for foreign, far in zip(checked, targets, strict=True):
                instance.lead(foreign, far)
            yield

    def _choices(self, instance: Instance, foreign: Foreign) -> list[Instance | None]:
        """Return some targets of a foreign key whose columns nothing else holds, or nowhere."""
        able = self.able(instance, foreign)
        if not foreign.optional or foreign in instance.plan.owners:
            return [*able[:TRIES]] or [instance.led[foreign]]
        return [able[instance.number % len(able)], None] if able else [None]

    def able(self, instance: Instance, foreign: Foreign) -> list[Instance]:
        """Return the targets that agree with what other foreign keys of a row have settled."""
        return [far for far in self.targets(foreign) if fits(instance, foreign, far)]

    def targets(self, foreign: Foreign) -> list[Instance]:
        """Return the rows that a foreign key may lead to."""
        plan = self.plans.of[foreign.target]
        return [
            far
            for far in self.instances.get(plan, ())
            if foreign.target in far.rows and (foreign.wanted is None or far.kind in foreign.wanted)
        ]

    def _itself(self, instance: Instance, foreign: Foreign) -> bool:
        """The first of rows that must refer to their like refers to itself."""
        if foreign.target not in instance.rows or _recurs(instance.plan, foreign):
            return False
        cells = instance.cells(foreign.remote)
        if None in cells:
            return False
        instance.lead(foreign, instance)
        return True

    def _null(self, instance: Instance, foreign: Foreign) -> bool:
        """Leave a foreign key null; ``False`` where what it must hold is set all the same."""
        row = instance.rows[foreign.table]
        instance.led[foreign] = None
        if foreign.own:
            cells = [row.setdefault(column.name, None) for column in foreign.own]
            is_nullable = all(column.nullable for column in foreign.own)
            return is_nullable and all(cell is None for cell in cells)
        cells = instance.cells(foreign.columns)
        if None in cells:
            return True
        far = next(
            (far for far in self.targets(foreign) if far.cells(foreign.remote) == cells), None
        )
        instance.led[foreign] = far
        return far is not None

    def choose_late(self, instance: Instance, foreign: Foreign) -> None:
        """Choose a target among all rows, for a foreign key that may wait for it."""
        self.claims.release(instance)
        self._lead(instance, foreign, must=False)
        self.claims.take(instance)


def fits(instance: Instance, foreign: Foreign, far: Instance) -> bool:
    """Tell whether a target agrees with what other foreign keys have settled."""
    row = instance.rows[foreign.table]
    cells = far.cells(foreign.remote)
    return None not in cells and all(
        near in foreign.own or row.get(near.name, cell) is cell or row.get(near.name) == cell
        for near, cell in zip(foreign.columns, cells, strict=True)
    )


def _recurs(plan: Plan, foreign: Foreign) -> bool:
    """Tell whether a natural key leads through a foreign key, so that no circle may."""
    key = plan.rows.key if plan.rows is not None else ()
    return any(set(getattr(part, "columns", ())) == set(foreign.columns) for part in key)
