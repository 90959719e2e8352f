"""Chapter two: shopping on Saturdays, and taking the oldest first."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil

from ..models import (
    AssemblyRun,
    DepletionReason,
    Ingredient,
    InventoryDepletion,
    InventoryItem,
    Product,
    ProductionRun,
    Purchase,
    Supplier,
)
from .diary import OPENING, Diary, at, money, rounded, stamps
from .pantry import Pantry, in_stock_unit

SATURDAY = 5
LONG_LIFE = 100  # days
COUNTED = OPENING - timedelta(days=8)


@dataclass(frozen=True)
class Use:
    """Why and when something is taken."""

    reason: DepletionReason
    when: datetime
    production_run: ProductionRun | None = None
    assembly_run: AssemblyRun | None = None
    notes: str | None = None


class Stock:
    """The lots on the shelves, oldest first, and the shopping that fills them."""

    def __init__(self, diary: Diary, pantry: Pantry) -> None:
        self.diary = diary
        self.pantry = pantry
        self.lots: dict[Ingredient, list[InventoryItem]] = defaultdict(list)

    def count_opening_stock(self) -> None:
        """What was on the shelf before the books began: lots without a purchase."""
        for products in self.pantry.products.values():
            if keeps(products[0]) and self.diary.is_lucky(0.6):
                product = products[-1]
                packages = Decimal(self.diary.random.randrange(25, 200)) / 100
                self._receive(product, packages, self.pantry.prices[product], COUNTED)

    def take(self, products: list[Product], quantity: Decimal, use: Use) -> Decimal:
        """Take a quantity of any of the products, first in first out, and say what it cost."""
        cost = Decimal(0)
        while quantity > 0:
            lot = self._oldest(products, use.when) or self._buy(products, quantity, use.when)
            part = min(quantity, lot.quantity_remaining)
            cost += self._deplete(lot, part, use)
            quantity -= part
        return cost

    def take_stock(self, when: datetime) -> None:
        """Throw away what is past its date, and correct a few lots that were miscounted."""
        lots = [lot for shelf in self.lots.values() for lot in shelf]
        for lot in lots:
            if is_expired(lot, when):
                self._discard(lot, when)
        sound = [lot for lot in lots if lot.quantity_remaining > 0]
        for lot in self.diary.random.sample(sound, min(4, len(sound))):
            spilt = rounded(lot.quantity_remaining / 40, 0) or lot.quantity_remaining
            use = Use(DepletionReason.correction, when, notes="Counted less than the books said.")
            self._deplete(lot, spilt, use)

    def shop_ahead(self, when: datetime) -> None:
        """Buy a package of many things that keep, to begin the next season with."""
        for products in self.pantry.products.values():
            if keeps(products[0]) and self.diary.is_lucky(0.4):
                self._buy(products, Decimal(1), when)

    def _oldest(self, products: list[Product], when: datetime) -> InventoryItem | None:
        for lot in list(self.lots[products[0].ingredient]):
            if lot.product not in products:
                continue
            if not is_expired(lot, when):
                return lot
            self._discard(lot, when)
        return None

    def _discard(self, lot: InventoryItem, when: datetime) -> None:
        use = Use(DepletionReason.spoilage, when, notes=f"Best before {lot.best_before}.")
        self._deplete(lot, lot.quantity_remaining, use)

    def _deplete(self, lot: InventoryItem, quantity: Decimal, use: Use) -> Decimal:
        cost = money(quantity * lot.unit_cost)
        lot.quantity_remaining -= quantity
        lot.opened_on = lot.opened_on or use.when.date()
        lot.updated_at = use.when
        if not lot.quantity_remaining:
            self.lots[lot.product.ingredient].remove(lot)
        self.diary.add(
            InventoryDepletion(
                uuid=self.diary.uuid(),
                inventory_item=lot,
                production_run=use.production_run,
                assembly_run=use.assembly_run,
                reason=use.reason,
                quantity=quantity,
                cost=cost,
                depleted_at=use.when,
                notes=use.notes,
                **stamps(use.when),
            )
        )
        return cost

    def _buy(self, products: list[Product], quantity: Decimal, when: datetime) -> InventoryItem:
        product = products[0] if self.diary.is_lucky(0.8) else self.diary.random.choice(products)
        packages = ceil(quantity / package_content(product)) + self.diary.is_lucky(0.15)
        day = market_day(when)
        price = self._price_on(product)
        purchase = self.diary.add(
            Purchase(
                uuid=self.diary.uuid(),
                product=product,
                supplier=self._seller(product),
                purchase_date=day,
                packages_purchased=packages,
                package_price=price,
                notes="On offer." if price < self.pantry.prices[product] * 9 / 10 else None,
                **stamps(self.diary.moment(day, 11)),
            )
        )
        return self._receive(product, Decimal(packages), price, day, purchase)

    def _price_on(self, product: Product) -> Decimal:
        usual = self.pantry.prices[product]
        percent = 85 if self.diary.is_lucky(0.06) else self.diary.random.randint(97, 106)
        return rounded(usual * percent / 100, 2)

    def _seller(self, product: Product) -> Supplier:
        return product.preferred_supplier or self.pantry.suppliers["tin-and-box"]

    def _receive(
        self,
        product: Product,
        packages: Decimal,
        price: Decimal,
        day: date,
        purchase: Purchase | None = None,
    ) -> InventoryItem:
        content = package_content(product)
        life = product.ingredient.shelf_life_days
        lot = InventoryItem(
            uuid=self.diary.uuid(),
            product=product,
            purchase=purchase,
            quantity_received=rounded(packages * content, 3),
            quantity_remaining=rounded(packages * content, 3),
            unit_cost=rounded(price / content, 6),
            received_on=day,
            best_before=day + timedelta(days=life) if life else None,
            location=self.pantry.places[product.ingredient],
            lot_code=f"L{day:%y%j}-{len(self.diary.records):05}" if purchase else None,
            **stamps(purchase.created_at if purchase else at(day)),
        )
        self.lots[product.ingredient].append(lot)
        return self.diary.add(lot)


def is_expired(lot: InventoryItem, when: datetime) -> bool:
    """Whether the lot's date has passed."""
    return lot.best_before is not None and lot.best_before < when.date()


def keeps(product: Product) -> bool:
    """Whether a product may lie for months."""
    life = product.ingredient.shelf_life_days
    return life is None or life > LONG_LIFE


def market_day(when: datetime) -> date:
    """The last Saturday before that day: whatever is baked was bought by then."""
    return when.date() - timedelta(days=(when.weekday() - SATURDAY) % 7 or 7)


def package_content(product: Product) -> Decimal:
    """What one package holds, in the ingredient's stock unit."""
    return in_stock_unit(product.package_quantity, product.package_unit, product.ingredient)
