"""Chooses where the foreign keys of drawn rows lead: to rows that are there, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.model.uniqueness import in_check
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Claims, Instance
from lading.testing.datasets.table_plan import Foreign, Plan

Draw = Callable[[SearchStrategy[Any]], Any]

#: How many targets, and other cells, are tried before a row is left out.
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
        owner = self.draw(st.sampled_from(owners)) if owners else None
        return (owner is not None or not plan.owners) and all(
            self._lead(instance, foreign, self._choices(instance, foreign, owner))
            for foreign in plan.foreign
            if instance.has(foreign.kinds)
        )

    def choose_late(self, instance: Instance, foreign: Foreign) -> None:
        """Choose a target among all rows, for a foreign key that may wait for it."""
        self.claims.release(instance)
        self._lead(instance, foreign, [None, *self.able(instance, foreign)])
        self.claims.take(instance)

    def rearranged(self, instance: Instance) -> Iterator[None]:
        """Lead what a CHECK speaks of otherwise, in every combination of a few targets."""
        choices: dict[Foreign, list[Instance | None]] = {}
        for foreign, far in instance.led.items():
            is_owner = foreign in instance.plan.owners
            is_alone = foreign.own == foreign.columns and not (is_owner and far is None)
            if is_alone and in_check(foreign.table, foreign.columns):
                able = self.able(instance, foreign)[:TRIES] or [far]
                is_sure = is_owner or not foreign.optional
                choices[foreign] = able if is_sure else [able[instance.number % len(able)], None]
        for targets in islice(product(*choices.values()), MOST_REARRANGED):
            for foreign, far in zip(choices, targets, strict=True):
                instance.lead(foreign, far)
            yield

    def able(self, instance: Instance, foreign: Foreign) -> list[Instance | None]:
        """Return the targets that agree with what other foreign keys of a row have settled."""
        row = instance.rows[foreign.table]
        shared = [pair for pair in foreign.pairs() if pair[0] not in foreign.own]
        settled = [(row[near.name], remote) for near, remote in shared if near.name in row]
        return [
            far
            for far in self.targets(foreign)
            if None not in far.cells(foreign.remote)
            and all([cell] == [far.cell(remote)] for cell, remote in settled)
        ]

    def targets(self, foreign: Foreign) -> list[Instance]:
        """Return the rows that a foreign key may lead to."""
        rows = self.instances[self.plans.of[foreign.target]]
        return [far for far in rows if far.suits(foreign)]

    def _choices(
        self, instance: Instance, foreign: Foreign, owner: Foreign | None
    ) -> list[Instance | None]:
        """Return where a foreign key may lead at first: nowhere, to rows, or to its own row."""
        is_other = foreign in instance.plan.owners and foreign is not owner
        if not foreign.hard or is_other:
            return [None]
        able = self.able(instance, foreign)
        if foreign.optional and foreign is not owner:
            return [None, *able]
        return able or [instance] * self._may_lead_to_itself(instance, foreign)

    def _lead(self, instance: Instance, foreign: Foreign, choices: list[Instance | None]) -> bool:
        """Let a foreign key lead to one of some rows, or nowhere; ``False`` where it can't."""
        start = self.draw(st.integers(0, len(choices) - 1)) if len(choices) > 1 else 0
        before = instance.rows[foreign.table]
        in_turn = [*choices[start:], *choices[:start]]
        for far in [*in_turn[:TRIES], *choices[:1]]:
            instance.rows[foreign.table] = dict(before)
            if far is not None:
                instance.lead(foreign, far)
            if (far or self._null(instance, foreign)) and self.claims.is_free(instance):
                return True
        return False

    def _may_lead_to_itself(self, instance: Instance, foreign: Foreign) -> bool:
        """Tell whether the first of rows that must refer to their like can refer to itself.

        Not where its natural key leads through the reference.
        """
        key = instance.plan.rows.key if instance.plan.rows is not None else ()
        recurs = any(set(part.columns) == set(foreign.columns) for part in key)
        is_able = instance.suits(foreign) and None not in instance.cells(foreign.remote)
        return is_able and not recurs

    def _null(self, instance: Instance, foreign: Foreign) -> bool:
        """Leave a foreign key null; ``False`` where what it must hold is set all the same."""
        row = instance.rows[foreign.table]
        instance.led[foreign] = None
        if foreign.own:
            cells = [row.setdefault(column.name, None) for column in foreign.own]
            return foreign.optional and not any(cell is not None for cell in cells)
        cells = instance.cells(foreign.columns)
        same = [far for far in self.targets(foreign) if far.cells(foreign.remote) == cells]
        if same and None not in cells:
            instance.led[foreign] = same[0]
        return bool(same) or None in cells
