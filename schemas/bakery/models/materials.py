"""What gifts are wrapped in: materials, how they are bought and how they are used."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import (
    Entity,
    Money,
    Name,
    Notes,
    Quantity,
    Slug,
    UniqueName,
    UnitCost,
    not_negative,
    positive,
)
from .enums import MaterialBasis
from .pantry import Supplier


class MaterialCategory(Entity):
    """The top of the materials' shelf plan, such as ribbons or paper."""

    __tablename__ = "material_categories"

    name: Mapped[UniqueName]
    sort_order: Mapped[int] = mapped_column(default=0)

    subcategories: Mapped[list["MaterialSubcategory"]] = relationship(back_populates="category")


class MaterialSubcategory(Entity):
    """A division of a category, named within it."""

    __tablename__ = "material_subcategories"
    __table_args__ = (UniqueConstraint("category_id", "name"),)

    category_id: Mapped[int] = mapped_column(
        ForeignKey("material_categories.id", ondelete="RESTRICT")
    )
    name: Mapped[Name]
    sort_order: Mapped[int] = mapped_column(default=0)

    category: Mapped[MaterialCategory] = relationship(back_populates="subcategories")
    materials: Mapped[list["Material"]] = relationship(back_populates="subcategory")


class Material(Entity):
    """A kind of wrapping, whatever the brand."""

    __tablename__ = "materials"

    slug: Mapped[Slug]
    name: Mapped[Name]
    subcategory_id: Mapped[int] = mapped_column(
        ForeignKey("material_subcategories.id", ondelete="RESTRICT"), index=True
    )
    basis: Mapped[MaterialBasis]

    subcategory: Mapped[MaterialSubcategory] = relationship(back_populates="materials")
    products: Mapped[list["MaterialProduct"]] = relationship(back_populates="material")


class MaterialProduct(Entity):
    """A material as it is sold: a roll, a ream, a pack."""

    __tablename__ = "material_products"
    __table_args__ = (*positive("package_quantity"),)

    slug: Mapped[Slug]
    name: Mapped[Name]
    material_id: Mapped[int] = mapped_column(
        ForeignKey("materials.id", ondelete="RESTRICT"), index=True
    )
    brand: Mapped[str | None] = mapped_column(String(80))
    sku: Mapped[str | None] = mapped_column(String(40))
    package_quantity: Mapped[Quantity]
    supplier_id: Mapped[int | None] = mapped_column(
        ForeignKey("suppliers.id", ondelete="SET NULL"), index=True
    )
    is_hidden: Mapped[bool] = mapped_column(default=False)

    material: Mapped[Material] = relationship(back_populates="products")
    supplier: Mapped[Supplier | None] = relationship()
    units: Mapped[list["MaterialUnit"]] = relationship(back_populates="material_product")
    purchases: Mapped[list["MaterialPurchase"]] = relationship(back_populates="material_product")


class MaterialUnit(Entity):
    """A piece of a material product as it goes into a box: 60 cm of that ribbon."""

    __tablename__ = "material_units"
    __table_args__ = (
        UniqueConstraint("material_product_id", "name"),
        *positive("quantity_per_unit"),
    )

    material_product_id: Mapped[int] = mapped_column(
        ForeignKey("material_products.id", ondelete="RESTRICT")
    )
    name: Mapped[Name]
    quantity_per_unit: Mapped[Quantity]
    notes: Mapped[Notes | None]

    material_product: Mapped[MaterialProduct] = relationship(back_populates="units")


class MaterialPurchase(Entity):
    """Packages of a material product, bought in one go."""

    __tablename__ = "material_purchases"
    __table_args__ = (
        *positive("packages_purchased", "units_added"),
        *not_negative("package_price", "unit_cost"),
    )

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    material_product_id: Mapped[int] = mapped_column(
        ForeignKey("material_products.id", ondelete="RESTRICT"), index=True
    )
    supplier_id: Mapped[int] = mapped_column(
        ForeignKey("suppliers.id", ondelete="RESTRICT"), index=True
    )
    purchase_date: Mapped[date]
    packages_purchased: Mapped[int]
    package_price: Mapped[Money]
    units_added: Mapped[Quantity]
    unit_cost: Mapped[UnitCost]
    notes: Mapped[Notes | None]

    material_product: Mapped[MaterialProduct] = relationship(back_populates="purchases")
    supplier: Mapped[Supplier] = relationship()
