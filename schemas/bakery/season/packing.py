"""Chapter seven: filling tins and boxes, and putting them into parcels."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ..models import (
    AssemblyFinishedUnitConsumption,
    AssemblyPackagingConsumption,
    AssemblyRun,
    Composition,
    DepletionReason,
    Event,
    FinishedGood,
    FinishedUnit,
    MaterialUnit,
    Package,
    Product,
)
from .diary import Diary, money, stamps
from .materials import Wrapping
from .oven import Oven
from .stock import Stock, Use


@dataclass
class Parts:
    """What something is made of; goods inside goods are taken apart to their units."""

    units: Counter[FinishedUnit] = field(default_factory=Counter)
    goods: Counter[FinishedGood] = field(default_factory=Counter)
    products: Counter[Product] = field(default_factory=Counter)
    wrappings: Counter[MaterialUnit] = field(default_factory=Counter)

    def add(self, components: Iterable[Composition], times: int, *, open_goods: bool) -> None:
        """Count components so many times over."""
        for component in components:
            count = int(component.quantity) * times
            if component.finished_unit:
                self.units[component.finished_unit] += count
            elif component.packaging_product:
                self.products[component.packaging_product] += count
            elif component.material_unit:
                self.wrappings[component.material_unit] += count
            elif component.finished_good and open_goods:
                self.add(component.finished_good.components, count, open_goods=True)
            elif component.finished_good:
                self.goods[component.finished_good] += count


class PackingTable:
    """Turns finished units and packaging into finished goods."""

    def __init__(self, diary: Diary, stock: Stock, wrapping: Wrapping, oven: Oven) -> None:
        self.diary = diary
        self.stock = stock
        self.wrapping = wrapping
        self.oven = oven

    def assemble(
        self, good: FinishedGood, quantity: int, when: datetime, event: Event | None = None
    ) -> AssemblyRun:
        """Fill so many of a good from what is on the shelf."""
        parts = Parts()
        parts.add(good.components, quantity, open_goods=True)
        bypassed = self.diary.is_lucky(0.05)
        run = AssemblyRun(
            uuid=self.diary.uuid(),
            finished_good=good,
            event=event,
            quantity_assembled=quantity,
            packaging_bypassed=bypassed,
            assembled_at=when,
            notes="Returned tins and boxes were used again." if bypassed else None,
            **stamps(when),
        )
        self.diary.add(run)
        costs = self._fill(run, parts) + (Decimal(0) if bypassed else self._wrap(run, parts))
        run.total_component_cost = costs
        run.per_unit_cost = money(costs / quantity)
        good.inventory_count += quantity
        good.updated_at = when
        return run

    def hand_out(self, package: Package, quantity: int, when: datetime) -> None:
        """Take a package's goods and loose parts off the shelf."""
        parts = Parts()
        parts.add(package.components, quantity, open_goods=False)
        for good, count in parts.goods.items():
            good.inventory_count -= count
            good.updated_at = when
        for unit, count in parts.units.items():
            unit.inventory_count -= count
            unit.updated_at = when
        use = Use(DepletionReason.packing, when, notes=f"Package: {package.name}")
        for product, count in parts.products.items():
            self.stock.take([product], Decimal(count), use)
        for wrapping, count in parts.wrappings.items():
            self.wrapping.use(wrapping, Decimal(count), when)

    def _fill(self, run: AssemblyRun, parts: Parts) -> Decimal:
        for unit, count in parts.units.items():
            unit_cost = self.oven.unit_costs[unit]
            run.finished_unit_consumptions.append(
                AssemblyFinishedUnitConsumption(
                    finished_unit=unit,
                    quantity=count,
                    unit_cost=unit_cost,
                    total_cost=unit_cost * count,
                )
            )
            unit.inventory_count -= count
            unit.updated_at = run.assembled_at
        return sum((row.total_cost for row in run.finished_unit_consumptions), Decimal(0))

    def _wrap(self, run: AssemblyRun, parts: Parts) -> Decimal:
        use = Use(DepletionReason.assembly, run.assembled_at, assembly_run=run)
        for product, count in parts.products.items():
            cost = self.stock.take([product], Decimal(count), use)
            run.packaging_consumptions.append(
                AssemblyPackagingConsumption(
                    product=product, quantity=Decimal(count), total_cost=cost
                )
            )
        for wrapping, count in parts.wrappings.items():
            cost = self.wrapping.use(wrapping, Decimal(count), run.assembled_at)
            run.packaging_consumptions.append(
                AssemblyPackagingConsumption(
                    material_unit=wrapping, quantity=Decimal(count), total_cost=cost
                )
            )
        return sum((row.total_cost for row in run.packaging_consumptions), Decimal(0))
