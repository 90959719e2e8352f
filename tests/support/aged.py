"""One application at two versions, with the changes between them; and smaller ones.

A pantry of version 2 holds the same as one of version 1, said in the newer way, so what an
upgrade makes of the old bundle can be compared byte by byte.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Add, Catalog, Change, Convert, Drop, Each, Owned, Ref, Rename
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to

#: What looks like references and is none.
LOOKALIKE = {
    "slug": "flour",
    "ingredient": {"slug": "flour"},
    "product": {"ingredient": {"slug": "flour"}, "brand": "Mill"},
    "list": [{"slug": "flour"}],
}


def pantry(version: int) -> World:
    """References of every form to keys that version 2 renames, and owned rows at two levels."""
    old = version == 1
    base, catalog = new_base(), Catalog("pantry")
    models = SimpleNamespace(**_models(base, old=old))
    _schemas(models, catalog, old=old)
    if not old:
        pantry_changes(catalog)
    return World(base, catalog, models, lambda session: _fill(session, models, old=old))


def _models(base: Any, *, old: bool) -> dict[str, Any]:
    code, label = ("slug", "name") if old else ("code", "label")
    links = sa.Table(
        "tagged",
        base.metadata,
        sa.Column("recipe_id", sa.ForeignKey("recipes.id"), primary_key=True),
        sa.Column("ingredient_id", sa.ForeignKey("ingredients.id"), primary_key=True),
    )

    class Ingredient(base):  # type: ignore[misc, valid-type]
        __tablename__ = "ingredients"
        id = key()
        locals()[code] = slug()
        title = mapped_column(sa.String(40), unique=True, nullable=False)

    class Category(base):  # type: ignore[misc, valid-type]
        __tablename__ = "categories"
        id = key()
        parent_id = to("categories.id", null=True)
        locals()[label] = text()
        parent = relationship("Category", remote_side=id)

    class Product(base):  # type: ignore[misc, valid-type]
        __tablename__ = "products"
        __table_args__ = (sa.UniqueConstraint("ingredient_id", "brand"),)
        id = key()
        ingredient_id = to("ingredients.id")
        brand = mapped_column(sa.String(40), nullable=False)
        locals()["weight" if old else "grams"] = number()
        ingredient = relationship(Ingredient)

    class Swap(base):  # type: ignore[misc, valid-type]
        __tablename__ = "swaps"
        id = key()
        use_id = to("uses.id")
        instead_id = to("ingredients.id")
        ratio = text(10)
        locals()["words" if old else "remark"] = text(null=True)
        instead = relationship(Ingredient)

    class Use(base):  # type: ignore[misc, valid-type]
        __tablename__ = "uses"
        __table_args__ = (sa.UniqueConstraint("recipe_id", "position"),)
        id = key()
        recipe_id = to("recipes.id")
        position = number()
        ingredient_id = to("ingredients.id")
        product_id = to("products.id", null=True)
        locals()["amount" if old else "grams"] = text(20) if old else number()
        if not old:
            unit = text(10)
        recipe = relationship("Recipe", back_populates="uses")
        ingredient = relationship(Ingredient)
        product = relationship(Product)
        swaps = relationship(Swap)

    class Recipe(base):  # type: ignore[misc, valid-type]
        __tablename__ = "recipes"
        id = key()
        slug = slug()
        category_id = to("categories.id", null=True)
        notes = mapped_column(sa.JSON(none_as_null=True))
        if old:
            rating = number()
        else:
            servings = number()
            count = number()
        category = relationship(Category)
        tagged = relationship(Ingredient, secondary=links)
        uses = relationship(Use, order_by=Use.position, back_populates="recipe")

    class Order(base):  # type: ignore[misc, valid-type]
        __tablename__ = "orders"
        id = key()
        slug = slug()
        product_id = to("products.id")
        use_id = to("uses.id", null=True)
        ingredient_id = to("ingredients.id", null=True)
        product = relationship(Product)
        use = relationship(Use)
        ingredient = relationship(Ingredient)

    class Tool(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tools"
        id = key()
        slug = slug()
        kind = text(10)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "tool"}

    class Mill(Tool):
        __tablename__ = "mills"
        id = mapped_column(sa.ForeignKey("tools.id"), primary_key=True)
        grinds_id = to("ingredients.id")
        locals()["speed" if old else "rounds"] = number()
        if not old:
            blades = number()
        grinds = relationship(Ingredient)
        __mapper_args__ = {"polymorphic_identity": "mill"}

    return dict(locals())


def _schemas(models: SimpleNamespace, catalog: Catalog, *, old: bool) -> None:
    version = 1 if old else 2
    swaps = schema_for(models.Swap, catalog)
    uses = schema_for(
        models.Use,
        catalog,
        {"ingredient": Ref(flat=True), "swaps": Owned(swaps)},
        natural_key=("recipe", "position"),
    )
    schema_for(models.Order, catalog, {"ingredient": Ref(by="title")})
    schema_for(models.Recipe, catalog, {"uses": Owned(uses)}, version=version)
    schema_for(models.Product, catalog, natural_key=("ingredient", "brand"), version=version)
    schema_for(models.Ingredient, catalog, natural_key="slug" if old else "code", version=version)
    schema_for(
        models.Category,
        catalog,
        natural_key=("parent", "name" if old else "label"),
        version=version,
    )
    schema_for(models.Tool, catalog, version=version)


def grams(amount: str) -> int:
    """Read an amount as version 1 has it."""
    return int(amount.split(maxsplit=1)[0])


def pantry_changes(owner: Catalog) -> SimpleNamespace:
    """Declare what leads from version 1 to 2."""

    class Codes(Change):
        """Ingredients have codes, and categories labels."""

        catalog = owner
        upgrades = {"ingredients": (1, 2), "categories": (1, 2)}
        steps = [Rename("ingredients", "slug", "code"), Rename("categories", "name", "label")]

    class Measures(Change):
        """Recipes say how many they serve, and how much of what in grams."""

        catalog = owner
        upgrades = {"recipes": (1, 2), "products": (1, 2)}
        after = [Codes]
        steps = [
            Drop("recipes", "rating"),
            Add("recipes", "servings", 4),
            Add("recipes", "count", lambda record, parent: len(record["uses"])),
            Add("recipes.uses", "unit", "g"),
            Convert("recipes.uses", "amount", grams),
            Rename("recipes.uses", "amount", "grams"),
            Rename("recipes.uses.swaps", "words", "remark"),
            Each("recipes.uses.swaps", _ratio),
            Rename("products", "weight", "grams"),
            Convert("products", "grams", lambda value: value * 1000),
        ]

    class Blades(Change):
        """Mills have blades, and turn in rounds."""

        catalog = owner
        upgrades = {"tools": (1, 2)}
        after = [Codes]
        steps = [Add("tools", "blades", 2), Rename("tools", "speed", "rounds")]

    return SimpleNamespace(Codes=Codes, Measures=Measures, Blades=Blades)


def _ratio(record: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
    return {**record, "ratio": f"{record['ratio']}/{parent['position']}"}


def _fill(session: Session, models: SimpleNamespace, *, old: bool) -> None:
    code, label = ("slug", "name") if old else ("code", "label")
    flour, rye, salt = (
        models.Ingredient(**{code: name, "title": name.upper()})
        for name in ("flour", "rye", "salt")
    )
    deep = None
    for n in range(60):
        deep = models.Category(**{label: f"level {n}", "parent": deep})
    weight = {"weight": 2} if old else {"grams": 2000}
    mill = models.Product(ingredient=flour, brand="Mill", **weight)
    more = {"rating": 3} if old else {"servings": 4}
    for name, count in (("bread", 2), ("cake", 0), ("pie", 3)):
        recipe = models.Recipe(
            slug=name,
            category=deep if name != "cake" else None,
            notes=LOOKALIKE if name != "pie" else None,
            tagged=[flour, salt] if name == "bread" else [],
            **more,
            **({} if old else {"count": count}),
        )
        for n in range(1, count + 1):
            given = {"amount": f"{n * 10} g"} if old else {"grams": n * 10, "unit": "g"}
            swap = {"words" if old else "remark": "dark", "ratio": "1:2" if old else f"1:2/{n}"}
            recipe.uses.append(
                models.Use(
                    position=n,
                    ingredient=flour,
                    product=mill if n == 1 else None,
                    swaps=[models.Swap(instead=rye, **swap)] if n > 1 else [],
                    **given,
                )
            )
        session.add(recipe)
        session.flush()
        use = recipe.uses[0] if recipe.uses else None
        session.add(models.Order(slug=f"o-{name}", product=mill, use=use, ingredient=salt))
    session.add(models.Tool(slug="whisk"))
    speed = {"speed": 9} if old else {"rounds": 9, "blades": 2}
    session.add(models.Mill(slug="stone", grinds=rye, **speed))


def stall(version: int) -> World:
    """References to owned rows and by other fields than keys, and names that all change."""
    old = version == 1
    base, catalog = new_base(), Catalog("stall")
    code, place, lists, name = (
        ("slug", "position", "uses", "name") if old else ("code", "place", "parts", "title")
    )
    table = "recipes" if old else "dishes"
    kind = "kind" if old else "sort"

    class Use(base):  # type: ignore[misc, valid-type]
        __tablename__ = "uses"
        __table_args__ = (sa.UniqueConstraint("recipe_id", place),)
        id = key()
        recipe_id = to(f"{table}.id")
        locals()[place] = number()
        previous_id = to("uses.id", null=True)
        recipe = relationship("Recipe", back_populates=lists)
        previous = relationship("Use", remote_side=id)

    class Recipe(base):  # type: ignore[misc, valid-type]
        __tablename__ = table
        id = key()
        locals()[code] = slug()
        locals()[name] = mapped_column(sa.String(30), unique=True, nullable=False)
        locals()[kind] = text(10)
        locals()[lists] = relationship(Use, back_populates="recipe")
        __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "plain"}

    class Cake(Recipe):
        base_id = mapped_column(sa.ForeignKey(f"{table}.id"), nullable=True)
        base = relationship(Recipe, remote_side=Recipe.id)
        __mapper_args__ = {"polymorphic_identity": "cake"}

    class Order(base):  # type: ignore[misc, valid-type]
        __tablename__ = "orders"
        id = key()
        slug = slug()
        use_id = to("uses.id")
        recipe_id = to(f"{table}.id")
        named_id = to(f"{table}.id")
        kept_id = to(f"{table}.id")
        use = relationship(Use)
        recipe = relationship(Recipe, foreign_keys=recipe_id)
        named = relationship(Recipe, foreign_keys=named_id)
        kept = relationship(Recipe, foreign_keys=kept_id)
        if not old:
            extras = relationship("Extra")

    class Extra(base):  # type: ignore[misc, valid-type]
        __tablename__ = "extras"
        id = key()
        order_id = to("orders.id")
        words = text()

    uses = schema_for(Use, catalog, natural_key=("recipe", place))
    schema_for(Recipe, catalog, {lists: Owned(uses)}, natural_key=code, version=3 * version - 2)
    references = {
        "recipe": Ref(flat=True),
        "named": Ref(by=name),
        "kept": Ref(flat=True, data_key="kept_slug"),
    }
    if old:
        catalog.leaves_out["extras"] = "not yet"
    else:
        references["extras"] = Owned(schema_for(Extra, catalog))  # type: ignore[assignment]
        _stall_changes(catalog)
    schema_for(Order, catalog, references, version=version)

    def fill(session: Session) -> None:
        tart = Recipe(**{code: "tart", name: "Tart"})
        cake = Cake(**{code: "cake", name: "Cake"}, base=tart)
        first = Use(recipe=cake, **{place: 1})
        second = Use(recipe=cake, previous=first, **{place: 2})
        session.add(Order(slug="o", use=second, recipe=tart, named=cake, kept=cake))

    return World(base, catalog, SimpleNamespace(), fill)


def _stall_changes(catalog: Catalog) -> None:
    codes = changed(
        catalog,
        {"recipes": (1, 2)},
        Rename("recipes", "slug", "code"),
        Rename("recipes.uses", "position", "place"),
        name="Codes",
    )
    dishes = changed(
        catalog,
        {"recipes": (2, 3)},
        Rename("recipes", "uses", "parts"),
        Rename("recipes", to="dishes"),
        name="Dishes",
    )
    titles = changed(
        catalog,
        {"dishes": (3, 4)},
        Rename("dishes", "kind", "sort"),
        Rename("dishes", "name", "title"),
        name="Titles",
    )
    later = [codes, dishes, titles]
    changed(catalog, {"orders": (1, 2)}, Add("orders", "extras", []), after=later, name="Extras")


def changed(
    catalog: Catalog, upgrades: Any, *steps: Any, after: Any = (), name: str = "Some"
) -> Any:
    """Declare a change by its parts."""
    body = {
        "__doc__": "What became of it.",
        "catalog": catalog,
        "upgrades": upgrades,
        "steps": list(steps),
        "after": after,
    }
    return type(name, (Change,), body)


def items(version: int = 1, name: str = "items", **columns: Any) -> World:
    """One entity with a slug and some columns, in a catalog of its own."""
    base, catalog = new_base(), Catalog("items")
    body = {"__tablename__": name, "id": key(), "slug": slug(), **columns}
    model = type("Item", (base,), body)
    schema_for(model, catalog, version=version)

    def fill(session: Session) -> None:
        made: dict[str, Any] = {}
        for n in range(1, 4):
            for column in columns:
                made[column] = n * 10
            session.add(model(slug=f"i{n}", **made))

    return World(base, catalog, SimpleNamespace(Item=model), fill)
