"""Chapter six: baking, what it takes, and what goes wrong."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from ..models import (
    DepletionReason,
    Event,
    FinishedUnit,
    Ingredient,
    LossCategory,
    ProductionConsumption,
    ProductionLoss,
    ProductionRun,
    ProductionStatus,
    Recipe,
)
from .diary import Diary, money, rounded, stamps
from .pantry import Pantry, in_stock_unit
from .stock import Stock, Use

WHOLE = Decimal(100)


class Oven:
    """Turns ingredients into finished units, and knows what the last ones cost."""

    def __init__(self, diary: Diary, pantry: Pantry, stock: Stock) -> None:
        self.diary = diary
        self.pantry = pantry
        self.stock = stock
        self.unit_costs: dict[FinishedUnit, Decimal] = {}

    def bake(
        self, unit: FinishedUnit, batches: int, when: datetime, event: Event | None = None
    ) -> ProductionRun:
        """Bake some batches, and put what survives on the shelf."""
        expected = batches * per_batch(unit)
        lost = self._lost_of(expected)
        run = ProductionRun(
            uuid=self.diary.uuid(),
            recipe=unit.recipe,
            finished_unit=unit,
            event=event,
            batches=batches,
            expected_yield=expected,
            actual_yield=expected - lost,
            loss_quantity=lost,
            production_status=status(expected, lost),
            produced_at=when,
            notes="To have in stock." if event is None else None,
            **stamps(when),
        )
        self.diary.add(run)
        self._consume(run)
        run.per_unit_cost = Decimal(0)
        if run.actual_yield:
            run.per_unit_cost = money(run.total_ingredient_cost / run.actual_yield)
            self.unit_costs[unit] = run.per_unit_cost
        if lost:
            self._explain(run)
        unit.inventory_count += run.actual_yield
        unit.updated_at = when
        return run

    def _consume(self, run: ProductionRun) -> None:
        use = Use(DepletionReason.production, run.produced_at, production_run=run)
        for ingredient, quantity in needs(run.recipe, Decimal(run.batches)).items():
            run.consumptions.append(
                ProductionConsumption(
                    ingredient=ingredient,
                    quantity=rounded(quantity, 3),
                    unit=ingredient.stock_unit,
                    total_cost=self.stock.take(
                        self.pantry.products[ingredient], rounded(quantity, 3), use
                    ),
                )
            )
        run.total_ingredient_cost = sum(
            (consumption.total_cost for consumption in run.consumptions), Decimal(0)
        )

    def _lost_of(self, expected: int) -> int:
        if self.diary.is_lucky(0.02):
            return expected
        if self.diary.is_lucky(0.25):
            return self.diary.random.randint(1, max(1, expected // 8))
        return 0

    def _explain(self, run: ProductionRun) -> None:
        cost = money(run.total_ingredient_cost / run.expected_yield)
        for category, quantity in self._causes(run.loss_quantity):
            run.losses.append(
                ProductionLoss(
                    finished_unit=run.finished_unit,
                    category=category,
                    quantity=quantity,
                    per_unit_cost=cost,
                    total_cost=cost * quantity,
                    note="The timer was off." if category is LossCategory.burnt else None,
                )
            )

    def _causes(self, lost: int) -> list[tuple[LossCategory, int]]:
        first, second = self.diary.random.sample(list(LossCategory), 2)
        if lost > 1 and self.diary.is_lucky(0.4):
            share = self.diary.random.randint(1, lost - 1)
            return [(first, share), (second, lost - share)]
        return [(first, lost)]


def status(expected: int, lost: int) -> ProductionStatus:
    """How a run that lost so many of its units has ended."""
    if lost == expected:
        return ProductionStatus.total_loss
    return ProductionStatus.partial_loss if lost else ProductionStatus.complete


def per_batch(unit: FinishedUnit) -> int:
    """How many of a unit one batch gives."""
    if unit.items_per_batch is not None:
        return unit.items_per_batch
    return int(WHOLE / (unit.batch_percentage or WHOLE))


def needs(recipe: Recipe, batches: Decimal) -> dict[Ingredient, Decimal]:
    """What so many batches take of each ingredient, the recipes inside included."""
    total: dict[Ingredient, Decimal] = defaultdict(Decimal)
    for line in recipe.ingredients:
        total[line.ingredient] += batches * in_stock_unit(line.quantity, line.unit, line.ingredient)
    for part in recipe.components:
        for ingredient, quantity in needs(part.component_recipe, batches * part.batches).items():
            total[ingredient] += quantity
    return total
