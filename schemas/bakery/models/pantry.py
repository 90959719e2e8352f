"""What the bakery buys and from whom: suppliers, ingredients, products."""

from typing import TYPE_CHECKING, Any, Optional

from sqlalchemy import JSON, Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Entity, Measure, Name, Notes, Quantity, Slug, UniqueName, positive
from .enums import SupplierKind, Unit

if TYPE_CHECKING:
    from .stock import InventoryItem, Purchase

ingredient_allergens = Table(
    "ingredient_allergens",
    Base.metadata,
    Column("ingredient_id", ForeignKey("ingredients.id", ondelete="CASCADE"), primary_key=True),
    Column("allergen_id", ForeignKey("allergens.id", ondelete="RESTRICT"), primary_key=True),
)


class Supplier(Entity):
    """A shop, market stall or wholesaler."""

    __tablename__ = "suppliers"

    slug: Mapped[Slug]
    name: Mapped[UniqueName]
    kind: Mapped[SupplierKind]
    city: Mapped[str | None] = mapped_column(String(80))
    website: Mapped[str | None] = mapped_column(String(200))
    opening_hours: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))
    is_active: Mapped[bool] = mapped_column(default=True)
    notes: Mapped[Notes | None]

    purchases: Mapped[list["Purchase"]] = relationship(back_populates="supplier")


class Allergen(Entity):
    """An allergen that the law wants on the label."""

    __tablename__ = "allergens"

    slug: Mapped[Slug]
    name: Mapped[Name]
    label_text: Mapped[str] = mapped_column(String(200))


class Ingredient(Entity):
    """What recipes ask for, whatever the brand; groups are ingredients with children."""

    __tablename__ = "ingredients"
    __table_args__ = (*positive("density_g_per_ml", "shelf_life_days"),)

    slug: Mapped[Slug]
    display_name: Mapped[Name]
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("ingredients.id", ondelete="RESTRICT"), index=True
    )
    stock_unit: Mapped[Unit]
    density_g_per_ml: Mapped[Measure | None]
    shelf_life_days: Mapped[int | None]
    nutrition: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    notes: Mapped[Notes | None]

    parent: Mapped[Optional["Ingredient"]] = relationship(
        back_populates="children", remote_side="Ingredient.id"
    )
    children: Mapped[list["Ingredient"]] = relationship(back_populates="parent")
    allergens: Mapped[list[Allergen]] = relationship(secondary=ingredient_allergens)
    products: Mapped[list["Product"]] = relationship(back_populates="ingredient")


class Product(Entity):
    """An ingredient as one brand sells it, in one package."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("ingredient_id", "brand", "product_name", "package_size"),
        *positive("package_quantity"),
    )

    ingredient_id: Mapped[int] = mapped_column(ForeignKey("ingredients.id", ondelete="RESTRICT"))
    brand: Mapped[str] = mapped_column(String(80))
    product_name: Mapped[Name]
    package_size: Mapped[str] = mapped_column(String(40))
    package_quantity: Mapped[Quantity]
    package_unit: Mapped[Unit]
    gtin: Mapped[str | None] = mapped_column(String(14), unique=True)
    preferred_supplier_id: Mapped[int | None] = mapped_column(
        ForeignKey("suppliers.id", ondelete="SET NULL"), index=True
    )
    is_preferred: Mapped[bool] = mapped_column(default=False)
    is_hidden: Mapped[bool] = mapped_column(default=False)

    ingredient: Mapped[Ingredient] = relationship(back_populates="products")
    preferred_supplier: Mapped[Supplier | None] = relationship()
    purchases: Mapped[list["Purchase"]] = relationship(back_populates="product")
    inventory_items: Mapped[list["InventoryItem"]] = relationship(back_populates="product")
