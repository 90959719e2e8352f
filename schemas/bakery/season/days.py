"""Chapter eight: the season, day by day."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil

from ..models import Event, EventAssemblyTarget, EventProductionTarget, FinishedGood, FinishedUnit
from .diary import CLOSING, OPENING, Diary
from .events import hand_over, parcel_counts
from .kitchen import Book
from .oven import Oven, per_batch
from .packing import PackingTable, Parts
from .stock import Stock

WEDNESDAY, FRIDAY = 2, 4
BAKING_DAYS = 4
LARGEST_RUN = 3


@dataclass(frozen=True)
class Order:
    """Batches to bake for an event."""

    event: Event
    unit: FinishedUnit
    batches: int


@dataclass
class Season:
    """The bakery at work: every day it looks at the calendar and does what is due."""

    diary: Diary
    book: Book
    stock: Stock
    oven: Oven
    table: PackingTable
    events: list[Event]
    orders: dict[date, list[Order]] = field(default_factory=lambda: defaultdict(list))

    def live(self) -> None:
        """Live through every day from the opening to the closing."""
        for event in self.events:
            set_targets(event, self._parts_of(event))
        for number in range((CLOSING - OPENING).days + 1):
            day = OPENING + timedelta(days=number)
            for event in self.events:
                self._work_for(event, day)
            self._keep_house(day)
        self.stock.shop_ahead(self.diary.next_moment(CLOSING, 20))

    def _work_for(self, event: Event, day: date) -> None:
        days_left = (event.event_date - day).days
        if days_left == 0:
            self._deliver(event)
        elif days_left == 1:
            self._finish(event, day)
        elif days_left == BAKING_DAYS + 1:
            self._plan_baking(event, day)
        for turn, order in enumerate(self.orders[day]):
            if order.event is event:
                moment = self.diary.next_moment(day, 8 + turn)
                self.oven.bake(order.unit, order.batches, moment, event)

    def _keep_house(self, day: date) -> None:
        if day.weekday() == WEDNESDAY:
            self._bake_ahead(day)
        if day.weekday() == FRIDAY:
            self._fill_window(day)
        if day.day == 1:
            self.stock.take_stock(self.diary.next_moment(day, 19))

    def _plan_baking(self, event: Event, day: date) -> None:
        parts = self._parts_of(event)
        turn = 0
        for unit, count in units_in(parts.goods, parts.units).items():
            missing = ceil((count - unit.inventory_count) / per_batch(unit))
            while missing > 0:
                order = Order(event, unit, min(missing, LARGEST_RUN))
                self.orders[day + timedelta(days=turn % BAKING_DAYS)].append(order)
                missing -= LARGEST_RUN
                turn += 1

    def _finish(self, event: Event, day: date) -> None:
        parts = self._parts_of(event)
        missing = {
            good: count - good.inventory_count
            for good, count in parts.goods.items()
            if count > good.inventory_count
        }
        self._bake_until(units_in(missing, parts.units), day, event)
        for good, count in missing.items():
            self.table.assemble(good, count, self.diary.next_moment(day, 13), event)

    def _deliver(self, event: Event) -> None:
        for name, count in parcel_counts(event).items():
            moment = self.diary.next_moment(event.event_date, 7)
            self.table.hand_out(self.book.packages[name], count, moment)
        hand_over(self.diary, event)

    def _bake_ahead(self, day: date) -> None:
        units = self.diary.random.sample(list(self.book.units.values()), 3)
        units.sort(key=lambda unit: unit.inventory_count / per_batch(unit))
        for unit in units[:2]:
            self.oven.bake(unit, 1, self.diary.next_moment(day, 8))

    def _fill_window(self, day: date) -> None:
        good = self.diary.random.choice(list(self.book.goods.values()))
        if good.inventory_count < LARGEST_RUN:
            self._bake_until(units_in({good: 3}), day)
            self.table.assemble(good, 3, self.diary.next_moment(day, 16))

    def _bake_until(
        self, wanted: Counter[FinishedUnit], day: date, event: Event | None = None
    ) -> None:
        """Bake until there is enough, whatever goes wrong."""
        for unit, count in wanted.items():
            while unit.inventory_count < count:
                self.oven.bake(unit, 1, self.diary.next_moment(day, 9), event)

    def _parts_of(self, event: Event) -> Parts:
        parts = Parts()
        for name, count in parcel_counts(event).items():
            parts.add(self.book.packages[name].components, count, open_goods=False)
        return parts


def units_in(
    goods: dict[FinishedGood, int], loose: Counter[FinishedUnit] | None = None
) -> Counter[FinishedUnit]:
    """The finished units in some goods, and those that lie loose beside them."""
    parts = Parts(units=Counter(loose or {}))
    for good, count in goods.items():
        parts.add(good.components, count, open_goods=True)
    return parts.units


def set_targets(event: Event, parts: Parts) -> None:
    """Write down what an event needs, before anything is on the shelf."""
    for good, count in parts.goods.items():
        note = "Two people at the table." if count > 2 * LARGEST_RUN else None
        event.assembly_targets.append(
            EventAssemblyTarget(finished_good=good, target_quantity=count, note=note)
        )
    batches: Counter[str] = Counter()
    recipes = {}
    for unit, count in units_in(parts.goods, parts.units).items():
        recipes[unit.recipe.slug] = unit.recipe
        batches[unit.recipe.slug] += ceil(count / per_batch(unit))
    for slug, count in batches.items():
        note = "Over several days." if count > LARGEST_RUN else None
        event.production_targets.append(
            EventProductionTarget(recipe=recipes[slug], target_batches=count, note=note)
        )
