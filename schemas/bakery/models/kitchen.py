"""The recipe book: recipes, what goes into them, and the units they yield."""

from decimal import Decimal
from typing import Optional

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Entity, Name, Notes, Quantity, Slug, not_negative, positive
from .enums import RecipeCategory, Unit, YieldMode
from .pantry import Ingredient


class Recipe(Entity):
    """One batch of something, from ingredients and from other recipes."""

    __tablename__ = "recipes"
    __table_args__ = (*positive("minutes"),)

    slug: Mapped[Slug]
    name: Mapped[Name]
    category: Mapped[RecipeCategory]
    minutes: Mapped[int | None]
    source: Mapped[str | None] = mapped_column(String(200))
    variant_name: Mapped[str | None] = mapped_column(String(80))
    base_recipe_id: Mapped[int | None] = mapped_column(
        ForeignKey("recipes.id", ondelete="RESTRICT"), index=True
    )
    # Units need a recipe, and a recipe names one of its units: the tables form a cycle.
    default_finished_unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("finished_units.id", ondelete="SET NULL", use_alter=True), index=True
    )
    is_archived: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[Notes | None]

    base_recipe: Mapped[Optional["Recipe"]] = relationship(
        back_populates="variants", foreign_keys=base_recipe_id, remote_side="Recipe.id"
    )
    variants: Mapped[list["Recipe"]] = relationship(
        back_populates="base_recipe", foreign_keys=base_recipe_id
    )
    default_finished_unit: Mapped[Optional["FinishedUnit"]] = relationship(
        foreign_keys=default_finished_unit_id, post_update=True
    )
    finished_units: Mapped[list["FinishedUnit"]] = relationship(
        back_populates="recipe", foreign_keys="FinishedUnit.recipe_id"
    )
    ingredients: Mapped[list["RecipeIngredient"]] = relationship(
        back_populates="recipe",
        order_by="RecipeIngredient.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    components: Mapped[list["RecipeComponent"]] = relationship(
        back_populates="recipe",
        foreign_keys="RecipeComponent.recipe_id",
        order_by="RecipeComponent.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    used_in: Mapped[list["RecipeComponent"]] = relationship(
        back_populates="component_recipe", foreign_keys="RecipeComponent.component_recipe_id"
    )


class RecipeIngredient(Base):
    """A line of a recipe's list of ingredients."""

    __tablename__ = "recipe_ingredients"
    __table_args__ = (
        UniqueConstraint("recipe_id", "position"),
        *positive("quantity"),
        *not_negative("position"),
    )

    recipe_id: Mapped[int] = mapped_column(ForeignKey("recipes.id", ondelete="CASCADE"))
    position: Mapped[int]
    ingredient_id: Mapped[int] = mapped_column(
        ForeignKey("ingredients.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[Quantity]
    unit: Mapped[Unit]
    note: Mapped[str | None] = mapped_column(String(200))

    recipe: Mapped[Recipe] = relationship(back_populates="ingredients")
    ingredient: Mapped[Ingredient] = relationship()


class RecipeComponent(Base):
    """A recipe inside a recipe, in batches: half a batch of caramel in the brownies."""

    __tablename__ = "recipe_components"
    __table_args__ = (
        UniqueConstraint("recipe_id", "component_recipe_id"),
        CheckConstraint("recipe_id <> component_recipe_id", name="not_itself"),
        *positive("batches"),
        *not_negative("position"),
    )

    recipe_id: Mapped[int] = mapped_column(ForeignKey("recipes.id", ondelete="CASCADE"))
    position: Mapped[int]
    component_recipe_id: Mapped[int] = mapped_column(
        ForeignKey("recipes.id", ondelete="RESTRICT"), index=True
    )
    batches: Mapped[Quantity]
    note: Mapped[str | None] = mapped_column(String(200))

    recipe: Mapped[Recipe] = relationship(back_populates="components", foreign_keys=recipe_id)
    component_recipe: Mapped[Recipe] = relationship(
        back_populates="used_in", foreign_keys=component_recipe_id
    )


class FinishedUnit(Entity):
    """One thing that a recipe yields, ready to be boxed."""

    __tablename__ = "finished_units"
    __table_args__ = (
        *positive("items_per_batch", "batch_percentage"),
        *not_negative("inventory_count"),
        CheckConstraint("batch_percentage <= 100", name="batch_percentage_of_batch"),
        CheckConstraint(
            "yield_mode <> 'discrete_count' OR items_per_batch IS NOT NULL", name="counted"
        ),
        CheckConstraint(
            "yield_mode <> 'batch_portion' OR batch_percentage IS NOT NULL", name="portioned"
        ),
    )

    slug: Mapped[Slug]
    display_name: Mapped[Name]
    recipe_id: Mapped[int] = mapped_column(
        ForeignKey("recipes.id", ondelete="RESTRICT"), index=True
    )
    yield_mode: Mapped[YieldMode]
    items_per_batch: Mapped[int | None]
    batch_percentage: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    inventory_count: Mapped[int] = mapped_column(default=0)

    recipe: Mapped[Recipe] = relationship(back_populates="finished_units", foreign_keys=recipe_id)
