"""What the bakery sells: finished goods, packages, and what each is composed of."""

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import (
    Base,
    Entity,
    Name,
    Notes,
    Quantity,
    Slug,
    UniqueName,
    exactly_one,
    not_negative,
    positive,
)
from .enums import AssemblyType
from .kitchen import FinishedUnit
from .materials import MaterialUnit
from .pantry import Product


class FinishedGood(Entity):
    """A tin, box or bag, filled and closed."""

    __tablename__ = "finished_goods"
    __table_args__ = (*not_negative("inventory_count"),)

    slug: Mapped[Slug]
    display_name: Mapped[Name]
    assembly_type: Mapped[AssemblyType]
    packing_instructions: Mapped[Notes | None]
    inventory_count: Mapped[int] = mapped_column(default=0)

    components: Mapped[list["Composition"]] = relationship(
        back_populates="assembly",
        foreign_keys="Composition.assembly_id",
        order_by="Composition.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class Package(Entity):
    """What a recipient gets: finished goods and whatever lies loose beside them."""

    __tablename__ = "packages"

    name: Mapped[UniqueName]
    description: Mapped[Notes | None]
    is_template: Mapped[bool] = mapped_column(default=False)

    components: Mapped[list["Composition"]] = relationship(
        back_populates="package",
        order_by="Composition.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class Composition(Base):
    """A quantity of one component inside one finished good or one package."""

    __tablename__ = "compositions"
    __table_args__ = (
        exactly_one("parent", "assembly_id", "package_id"),
        exactly_one(
            "component",
            "finished_unit_id",
            "finished_good_id",
            "packaging_product_id",
            "material_unit_id",
        ),
        CheckConstraint("assembly_id <> finished_good_id", name="not_itself"),
        UniqueConstraint("assembly_id", "position"),
        UniqueConstraint("package_id", "position"),
        *positive("quantity"),
        *not_negative("position"),
    )

    assembly_id: Mapped[int | None] = mapped_column(
        ForeignKey("finished_goods.id", ondelete="CASCADE")
    )
    package_id: Mapped[int | None] = mapped_column(ForeignKey("packages.id", ondelete="CASCADE"))
    position: Mapped[int]
    finished_unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("finished_units.id", ondelete="RESTRICT"), index=True
    )
    finished_good_id: Mapped[int | None] = mapped_column(
        ForeignKey("finished_goods.id", ondelete="RESTRICT"), index=True
    )
    packaging_product_id: Mapped[int | None] = mapped_column(
        ForeignKey("products.id", ondelete="RESTRICT"), index=True
    )
    material_unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("material_units.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[Quantity]

    assembly: Mapped[FinishedGood | None] = relationship(
        back_populates="components", foreign_keys=assembly_id
    )
    package: Mapped[Package | None] = relationship(back_populates="components")
    finished_unit: Mapped[FinishedUnit | None] = relationship()
    finished_good: Mapped[FinishedGood | None] = relationship(foreign_keys=finished_good_id)
    packaging_product: Mapped[Product | None] = relationship()
    material_unit: Mapped[MaterialUnit | None] = relationship()
