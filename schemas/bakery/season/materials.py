"""Chapter four: the wrapping shelf, and what is cut from its rolls."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from math import ceil

from ..models import (
    Material,
    MaterialBasis,
    MaterialCategory,
    MaterialProduct,
    MaterialPurchase,
    MaterialSubcategory,
    MaterialUnit,
)
from . import materials_data as data
from .diary import OPENING, Diary, at, money, rounded, stamps
from .pantry import Pantry
from .stock import market_day
from .tables import cells, table


class Wrapping:
    """The materials, by the name of what is cut from them, and how much is left of each."""

    def __init__(self, diary: Diary, pantry: Pantry) -> None:
        self.diary = diary
        self.pantry = pantry
        self.prices: dict[MaterialProduct, Decimal] = {}
        self.units: dict[str, MaterialUnit] = {}
        self.left: dict[MaterialProduct, Decimal] = defaultdict(Decimal)
        self.unit_costs: dict[MaterialProduct, Decimal] = {}
        self._add_units(self._add_products(self._add_materials(self._add_categories())))

    def use(self, unit: MaterialUnit, count: Decimal, when: datetime) -> Decimal:
        """Cut so many pieces, buying first if the roll is too short, and say what they cost."""
        product = unit.material_product
        needed = count * unit.quantity_per_unit
        if self.left[product] < needed:
            self._buy(product, needed - self.left[product], when)
        self.left[product] -= needed
        return money(needed * self.unit_costs[product])

    def _buy(self, product: MaterialProduct, needed: Decimal, when: datetime) -> None:
        packages = ceil(needed / product.package_quantity)
        percent = self.diary.random.randint(95, 108)
        price = rounded(self.prices[product] * percent / 100, 2)
        day = market_day(when)
        purchase = MaterialPurchase(
            uuid=self.diary.uuid(),
            material_product=product,
            supplier=product.supplier or self.pantry.suppliers["harbour-grocers"],
            purchase_date=day,
            packages_purchased=packages,
            package_price=price,
            units_added=packages * product.package_quantity,
            unit_cost=rounded(price / product.package_quantity, 6),
            notes=None if product.supplier else "From the counter display.",
            **stamps(self.diary.moment(day, 12)),
        )
        self.left[product] += purchase.units_added
        self.unit_costs[product] = purchase.unit_cost
        self.diary.add(purchase)

    def _add_categories(self) -> dict[str, MaterialSubcategory]:
        subcategories = {}
        for order, (name, parts) in enumerate(table(data.CATEGORIES)):
            category = MaterialCategory(name=name, sort_order=order, **stamps(at(OPENING)))
            self.diary.add(category)
            for suborder, part in enumerate(cells(parts, ";")):
                subcategories[part] = self.diary.add(
                    MaterialSubcategory(
                        category=category, name=part, sort_order=suborder, **stamps(at(OPENING))
                    )
                )
        return subcategories

    def _add_materials(self, subcategories: dict[str, MaterialSubcategory]) -> dict[str, Material]:
        return {
            slug: self.diary.add(
                Material(
                    slug=slug,
                    name=name,
                    subcategory=subcategories[subcategory],
                    basis=MaterialBasis[basis],
                    **stamps(at(OPENING)),
                )
            )
            for slug, name, subcategory, basis in table(data.MATERIALS)
        }

    def _add_products(self, materials: dict[str, Material]) -> dict[str, MaterialProduct]:
        products = {}
        for slug, material, name, brand, package, price, supplier in table(data.PRODUCTS):
            product = MaterialProduct(
                slug=slug,
                name=name,
                material=materials[material],
                brand=brand or None,
                sku=f"{slug[:3].upper()}-{self.diary.random.randrange(10**5):05}"
                if brand
                else None,
                package_quantity=Decimal(package),
                supplier=self.pantry.suppliers.get(supplier),
                is_hidden=False,
                **stamps(at(OPENING)),
            )
            products[slug] = self.diary.add(product)
            self.prices[product] = Decimal(price)
        return products

    def _add_units(self, products: dict[str, MaterialProduct]) -> None:
        for slug, name, quantity in table(data.UNITS):
            self.units[f"{slug}: {name}"] = self.diary.add(
                MaterialUnit(
                    material_product=products[slug],
                    name=name,
                    quantity_per_unit=Decimal(quantity),
                    notes="Cut on the slant." if quantity in {"90", "120"} else None,
                    **stamps(at(OPENING, 14)),
                )
            )
