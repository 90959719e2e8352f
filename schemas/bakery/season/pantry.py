"""Chapter one: the suppliers, the ingredients, and the products that the bakery buys."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from ..models import Allergen, Ingredient, Product, StorageLocation, Supplier, SupplierKind, Unit
from . import pantry_data as data
from .diary import OPENING, Diary, at, rounded, stamps
from .tables import UNITS, amount, table

MILLILITRES = {Unit.teaspoon: Decimal(5), Unit.tablespoon: Decimal(15), Unit.millilitre: Decimal(1)}
THOUSANDS = {Unit.kilogram, Unit.litre}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


@dataclass
class Pantry:
    """What can be bought, and where it is kept."""

    suppliers: dict[str, Supplier] = field(default_factory=dict)
    ingredients: dict[str, Ingredient] = field(default_factory=dict)
    places: dict[Ingredient, StorageLocation] = field(default_factory=dict)
    products: dict[Ingredient, list[Product]] = field(default_factory=dict)
    prices: dict[Product, Decimal] = field(default_factory=dict)


def open_pantry(diary: Diary) -> Pantry:
    """Write down all that there is to buy."""
    pantry = Pantry()
    add_suppliers(diary, pantry)
    add_ingredients(diary, pantry)
    add_products(diary, pantry)
    return pantry


def add_suppliers(diary: Diary, pantry: Pantry) -> None:
    """The suppliers, with their hours where they keep any."""
    notes = dict(table(data.SUPPLIER_NOTES))
    for slug, name, kind, city, web, days in table(data.SUPPLIERS):
        pantry.suppliers[slug] = diary.add(
            Supplier(
                slug=slug,
                name=name,
                kind=SupplierKind[kind],
                city=city or None,
                website=f"https://{slug}.example" if web else None,
                opening_hours=opening_hours(days) if days else None,
                is_active=True,
                notes=notes.get(slug),
                **stamps(at(OPENING)),
            )
        )


def opening_hours(days: str) -> dict[str, list[str]]:
    """Opening and closing times by weekday."""
    hours = {}
    if "weekdays" in days:
        hours.update({day: ["08:00", "18:30"] for day in WEEKDAYS})
    if "saturday" in days:
        hours["sat"] = ["07:00", "13:00"]
    return hours


def add_ingredients(diary: Diary, pantry: Pantry) -> None:
    """The groups of ingredients, and the ingredients in them."""
    allergens = {
        slug: diary.add(Allergen(slug=slug, name=name, label_text=label, **stamps(at(OPENING))))
        for slug, name, label in table(data.ALLERGENS)
    }
    for slug, name, parent in table(data.GROUPS):
        pantry.ingredients[slug] = diary.add(
            Ingredient(
                slug=slug,
                display_name=name,
                parent=pantry.ingredients.get(parent),
                stock_unit=Unit.piece if slug == "packaging" else Unit.gram,
                notes="A group: recipes ask for its members.",
                **stamps(at(OPENING)),
            )
        )
    nutrition = dict(nutrition_labels())
    for slug, name, group, unit, days, place, density, contained in table(data.INGREDIENTS):
        ingredient = Ingredient(
            slug=slug,
            display_name=name,
            parent=pantry.ingredients[group],
            stock_unit=UNITS[unit],
            shelf_life_days=int(days) if days else None,
            density_g_per_ml=float(density) if density else None,
            nutrition=nutrition.get(slug),
            allergens=[allergens[allergen] for allergen in contained.split()],
            **stamps(at(OPENING)),
        )
        pantry.ingredients[slug] = diary.add(ingredient)
        pantry.places[ingredient] = StorageLocation[place]


def nutrition_labels() -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """What the labels say, by ingredient."""
    for slug, kcal, protein, carbohydrate in table(data.NUTRITION):
        grams = {"protein_g": float(protein), "carbohydrate_g": float(carbohydrate)}
        yield slug, {"per_100g": {"kcal": float(kcal), **grams}}


def add_products(diary: Diary, pantry: Pantry) -> None:
    """The products; an ingredient's first one is preferred."""
    for slug, brand, name, size, price, supplier in table(data.PRODUCTS):
        ingredient = pantry.ingredients[slug]
        quantity, unit, _ = amount(size)
        siblings = pantry.products.setdefault(ingredient, [])
        product = Product(
            ingredient=ingredient,
            brand=brand,
            product_name=name,
            package_size=size,
            package_quantity=quantity,
            package_unit=unit,
            gtin=barcode(diary) if diary.is_lucky(0.6) else None,
            preferred_supplier=pantry.suppliers.get(supplier),
            is_preferred=not siblings,
            is_hidden=False,
            **stamps(at(OPENING), at(OPENING + timedelta(days=diary.random.randrange(60)))),
        )
        siblings.append(diary.add(product))
        pantry.prices[product] = Decimal(price)


def barcode(diary: Diary) -> str:
    """A GTIN-13 of the range for use within a shop, with its check digit."""
    digits = f"2{diary.random.randrange(10**11):011}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def in_stock_unit(quantity: Decimal, unit: Unit, ingredient: Ingredient) -> Decimal:
    """A quantity in the unit that the ingredient is stocked in; spoons go by its density."""
    if unit in THOUSANDS:
        quantity *= 1000
    elif unit in MILLILITRES:
        quantity *= MILLILITRES[unit]
        if ingredient.stock_unit is Unit.gram:
            quantity *= Decimal(str(ingredient.density_g_per_ml))
    return rounded(quantity, 3)
