"""Chapter three: the recipe book, and the goods and packages that it fills."""

from dataclasses import dataclass, field
from decimal import Decimal

from ..models import (
    AssemblyType,
    Composition,
    FinishedGood,
    FinishedUnit,
    MaterialUnit,
    Package,
    Product,
    Recipe,
    RecipeCategory,
    RecipeComponent,
    RecipeIngredient,
    YieldMode,
)
from .diary import OPENING, Diary, at, stamps
from .goods_data import GOODS, PACKAGES
from .kitchen_data import RECIPES
from .pantry import Pantry
from .tables import amount, blocks


@dataclass
class Book:
    """The recipes, and what is made of them."""

    recipes: dict[str, Recipe] = field(default_factory=dict)
    units: dict[str, FinishedUnit] = field(default_factory=dict)
    goods: dict[str, FinishedGood] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)


def write_book(diary: Diary, pantry: Pantry, wrapping: dict[str, MaterialUnit]) -> Book:
    """Write down every recipe, good and package."""
    book = Book()
    pages = list(blocks(RECIPES))
    for head, _ in pages:
        book.recipes[head[0]] = diary.add(new_recipe(head, book))
    for head, lines in pages:
        fill_recipe(diary, book, pantry, book.recipes[head[0]], lines)
    shelf: dict[str, Product | MaterialUnit] = dict(wrapping)
    for products in pantry.products.values():
        shelf.update({product.ingredient.slug: product for product in products})
    for head, lines in blocks(GOODS):
        book.goods[head[0]] = diary.add(new_good(head, compositions(lines, book, shelf)))
    for head, lines in blocks(PACKAGES):
        book.packages[head[0]] = diary.add(new_package(head, compositions(lines, book, shelf)))
    return book


def new_recipe(head: list[str], book: Book) -> Recipe:
    """A recipe's head, without what goes into it."""
    slug, name, category, minutes, *base = head
    return Recipe(
        slug=slug,
        name=name,
        category=RecipeCategory[category],
        minutes=int(minutes) if minutes else None,
        source="Family notebook" if category in {"cakes", "preserves"} else None,
        base_recipe=book.recipes[base[0]] if base else None,
        variant_name=name.split()[0] if base else None,
        is_archived=False,
        **stamps(at(OPENING, 10)),
    )


def fill_recipe(diary: Diary, book: Book, pantry: Pantry, recipe: Recipe, lines: list[str]) -> None:
    """What goes into a recipe and what comes out of it, line by line."""
    for line in lines:
        if line.startswith("+"):
            recipe.components.append(component(line, book, len(recipe.components)))
        elif line.startswith("="):
            unit = diary.add(finished_unit(line, recipe))
            book.units[unit.slug] = unit
            recipe.default_finished_unit = recipe.default_finished_unit or unit
        elif line.startswith(">"):
            recipe.notes = line.removeprefix(">").strip()
        else:
            recipe.ingredients.append(ingredient(line, pantry, len(recipe.ingredients)))


def ingredient(line: str, pantry: Pantry, position: int) -> RecipeIngredient:
    """An ingredient's line: ``250 g butter, soft``."""
    quantity, unit, words = amount(line)
    slug, _, note = words.partition(", ")
    return RecipeIngredient(
        position=position,
        ingredient=pantry.ingredients[slug],
        quantity=quantity,
        unit=unit,
        note=note or None,
    )


def component(line: str, book: Book, position: int) -> RecipeComponent:
    """A component's line: ``+ 0.5 salted-caramel, swirled in``."""
    _, batches, words = line.split(maxsplit=2)
    slug, _, note = words.partition(", ")
    return RecipeComponent(
        position=position,
        component_recipe=book.recipes[slug],
        batches=Decimal(batches),
        note=note or None,
    )


def finished_unit(line: str, recipe: Recipe) -> FinishedUnit:
    """A unit's line: ``= 24 gingersnap Gingersnap``, or a share of the batch in percent."""
    _, count, slug, name = line.split(maxsplit=3)
    is_share = count.endswith("%")
    return FinishedUnit(
        slug=slug,
        display_name=name,
        recipe=recipe,
        yield_mode=YieldMode.batch_portion if is_share else YieldMode.discrete_count,
        items_per_batch=None if is_share else int(count),
        batch_percentage=Decimal(count.rstrip("%")) if is_share else None,
        inventory_count=0,
        **stamps(at(OPENING, 11)),
    )


def new_good(head: list[str], components: list[Composition]) -> FinishedGood:
    """A good's head, with its contents."""
    slug, name, kind, instructions = head
    return FinishedGood(
        slug=slug,
        display_name=name,
        assembly_type=AssemblyType[kind],
        packing_instructions=instructions or None,
        inventory_count=0,
        components=components,
        **stamps(at(OPENING, 15)),
    )


def new_package(head: list[str], components: list[Composition]) -> Package:
    """A package's head, with its contents."""
    name, description = head
    return Package(
        name=name,
        description=description or None,
        is_template=name == "The Neighbour",
        components=components,
        **stamps(at(OPENING, 16)),
    )


def compositions(
    lines: list[str], book: Book, shelf: dict[str, Product | MaterialUnit]
) -> list[Composition]:
    """The contents of a good or a package; each key belongs to exactly one kind of thing."""
    contents = []
    for position, line in enumerate(lines):
        quantity, key = line.split(maxsplit=1)
        packing = shelf.get(key)
        contents.append(
            Composition(
                position=position,
                quantity=Decimal(quantity),
                finished_unit=book.units.get(key),
                finished_good=book.goods.get(key),
                packaging_product=packing if isinstance(packing, Product) else None,
                material_unit=packing if isinstance(packing, MaterialUnit) else None,
            )
        )
    return contents
