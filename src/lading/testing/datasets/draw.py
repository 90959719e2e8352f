"""Draws the rows of a whole catalog, from its declarations alone.

Each row begins as harmless, distinct values; a few of its cells are then drawn, and lean to
what breaks things.  What a database would refuse (twins, a failed CHECK, a missing target) is
mended or left out on the spot, so that no example is thrown away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from lading.model.rowsets import Value
from lading.testing.cell_values.cells import Cells
from lading.testing.cell_values.harmless import sampled
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import ENGINES, Claims, Dataset, Instance, MadeUp, Varying
from lading.testing.datasets.references import TRIES, Draw, References
from lading.testing.datasets.table_plan import Plan, identities

#: Of a row every so manieth cell is drawn, lest any of its columns be met too rarely.
SHARE = 2
#: About how many rows, and cells, an example has at most: Hypothesis takes no larger ones.
ROWS, CELLS = 400, 1_500
#: Beside each drawn cell that is null, so many others aren't.
NULLS = 3
#: How often rows of one table are drawn, and how many at most, before its CHECKs are hopeless.
SAMPLES, MOST = 30, 5


class Drawing:
    """Draws one dataset, of each plan ``least`` rows at least, 0 or 1, as far as they are possible.

    ``onto`` are rows that are there already: new ones may refer to them, and don't clash.
    ``begin`` is the number of the first rows, by which harmless values differ; ``parts`` says of
    how many drawings as large as this one an example consists.
    """

    def __init__(
        self,
        draw: Draw,
        plans: Plans,
        wanted: Collection[Plan],
        most: int,
        *,
        least: int = 0,
        onto: Iterable[Instance] = (),
        begin: int = 0,
        parts: int = 1,
    ) -> None:
        self.draw = draw
        self.plans = plans
        self.wanted = wanted
        parts *= max(1, len(wanted))
        most = min(most, max(1, ROWS // parts))
        least = min(least, ROWS // parts)
        # Some rows are likelier than none, for without targets much else stays out.
        counts = [count for count in (0, 1, 2, 3, most, 2, most) if least <= count <= most]
        self.counts = st.sampled_from(counts)
        self.share = max(1, CELLS // (parts * most))
        self.begin = begin
        self.refused: set[Plan] = set()
        self.instances: defaultdict[Plan, list[Instance]] = defaultdict(list)
        self.order: list[Instance] = []
        self.claims = Claims()
        for instance in onto:
            self.instances[instance.plan].append(instance)
            self.claims.take(instance)
        self.references = References(draw, plans, self.instances, self.claims)

    def dataset(self) -> Dataset:
        """Draw all rows, targets first, then the references that may lead anywhere."""
        for plan in self.plans.order:
            self._fill(plan)
        for instance in self.order:
            for foreign in instance.plan.foreign:
                if not foreign.hard and instance.has(foreign.kinds):
                    self.references.choose_late(instance, foreign)
        for link in self.plans.links:
            self._fill(link)
        return Dataset(self.plans, self.order)

    def _fill(self, plan: Plan) -> None:
        if plan not in self.wanted and plan.rows is not None:
            return
        instances = self.instances[plan]
        start = max((row.number + 1 for row in instances), default=self.begin)
        for number in range(start, start + self.draw(self.counts)):
            instance = self._instance(plan, number)
            if instance is not None:
                instances.append(instance)
                self.order.append(instance)

    # Rows

    def _instance(self, plan: Plan, number: int) -> Instance | None:
        """Draw a row; ``None`` where no database would take one."""
        instance = Instance(plan, number)
        if plan.discriminator is not None:
            self._classed(instance, plan.discriminator)
        for table, kinds in plan.tables.items():
            if instance.has(kinds):
                instance.rows.setdefault(table, {})
        if plan.made_up is not None:
            instance.put(plan.made_up, MadeUp(plan, number))
        instance.join()
        if not self.references.settle(instance):
            return None
        for drawn in plan.cells.values():
            if (row := instance.rows.get(drawn.column.table)) is not None:
                cell = harmless(drawn, number) if instance.has(drawn.classes) else None
                row.setdefault(drawn.column.name, cell)
        able = [drawn for drawn in plan.cells.values() if is_free(instance, drawn)]
        self.touch(instance, able)
        return instance if self._settle(instance, able) else None

    def _classed(self, instance: Instance, discriminator: Value) -> None:
        """Draw a row's class; the base comes first."""
        assert instance.plan.rows is not None
        identity = self.draw(st.sampled_from(identities(instance.plan.rows.mapper)))
        instance.kind = discriminator.kind.write(identity)
        instance.rows[instance.plan.table] = {discriminator.column.name: identity}

    def touch(self, instance: Instance, able: Sequence[Cells], *, least: int = 0) -> list[Cells]:
        """Draw a few cells anew, and return which."""
        count = min(len(able), self.share)
        least = max(least, min(2, count), count // SHARE)
        # By number, since such strategies are kept.
        places = st.lists(st.integers(0, len(able) - 1), min_size=least, max_size=2 * least)
        touched = [able[place] for place in self.draw(places)] if able else []
        for drawn in touched:
            instance.put(drawn.column, self._cell(drawn, instance.number))
        return touched

    def _cell(self, drawn: Cells, number: int) -> Any:
        is_null = drawn.nullable and self.draw(st.integers(0, NULLS)) == NULLS
        value = None if is_null else self.draw(drawn.hostile)
        if value is None:
            return None  # an override may say so
        is_text = any(isinstance(form, str) for form in drawn.forms(value))
        if not is_text and all(drawn.holds(value, engine) for engine in ENGINES):
            return value
        return Varying(value, drawn.plain(number), drawn.holds)

    # What a database would refuse

    def _settle(self, instance: Instance, able: list[Cells]) -> bool:
        """Keep a row that every rule allows, if need be with harmless cells for drawn ones."""
        if any(self.takes(instance) for _ in self._attempts(instance, able)):
            return True
        if not instance.is_allowed():
            self.refused.add(instance.plan)
            self._refuse_hopeless(instance.plan)
        return False

    def _refuse_hopeless(self, plan: Plan) -> None:
        """Raise an error if CHECKs take none of the rows that are drawn for a plan alone.

        What one example meets mustn't depend on others, so all of them ask the same rows.
        """
        if plan.is_hopeless is None:
            plan.is_hopeless = False  # while these rows are drawn

            @st.composite
            def is_refused(draw: Draw) -> bool:
                drawing = Drawing(draw, self.plans, self.plans.needed([plan]), MOST, least=1)
                return not drawing.dataset().of(plan) and plan in drawing.refused

            plan.is_hopeless = all(sampled(is_refused(), SAMPLES) or [False])
        if plan.is_hopeless:
            raise plan.checks_unmet()

    def _attempts(self, instance: Instance, able: list[Cells]) -> Iterator[None]:
        """Try a row as it was drawn, then with harmless cells, other ones, and other targets."""
        yield
        _calm(instance, able)
        yield
        for attempt in range(1, TRIES):
            for place, drawn in enumerate(able):
                instance.put(drawn.column, self._other(drawn, instance, attempt, place))
                yield
        _calm(instance, able)
        yield from self.references.rearranged(instance)

    def takes(self, instance: Instance) -> bool:
        """Claim what a row has for itself alone, if CHECKs allow it."""
        instance.join()
        return instance.is_allowed() and self.claims.take(instance)

    def _other(self, drawn: Cells, instance: Instance, attempt: int, place: int) -> Any:
        """Return another cell; columns that one CHECK names walk its values at different paces."""
        checks = instance.plan.checks[drawn.column.table]
        named = [] if drawn.override is not None else checks.literals(drawn.column)
        choices = [*named, *([None] if drawn.nullable else [])]
        if choices and attempt % 2:
            step = (attempt + instance.number) // 2
            return choices[(step * (place + 1) + place) % len(choices)]
        return drawn.plain(instance.number + attempt)


def _calm(instance: Instance, items: Sequence[Cells]) -> None:
    """Put harmless values into some cells."""
    for drawn in items:
        instance.put(drawn.column, harmless(drawn, instance.number))


def harmless(drawn: Cells, number: int) -> Any:
    """Return a harmless cell; now and then null where that may be."""
    is_null = drawn.nullable and (number + len(drawn.column.name)) % 3 == 2
    return None if is_null else drawn.plain(number)


def is_free(instance: Instance, drawn: Cells) -> bool:
    """Tell whether a row has a column whose value no foreign key that is set decides."""
    led = (key.columns for key, far in instance.led.items() if far is not None)
    return instance.has(drawn.classes) and not any(drawn.column in columns for columns in led)
