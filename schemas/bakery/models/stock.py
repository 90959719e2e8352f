"""What is on the shelf: purchases, the lots they became, and what left each lot."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Optional
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Entity, Money, Notes, Quantity, UnitCost, not_negative, positive
from .enums import DepletionReason, StorageLocation
from .pantry import Product, Supplier

if TYPE_CHECKING:
    from .production import AssemblyRun, ProductionRun


class Purchase(Entity):
    """Packages of one product, bought in one go."""

    __tablename__ = "purchases"
    __table_args__ = (*positive("packages_purchased"), *not_negative("package_price"))

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="RESTRICT"), index=True
    )
    supplier_id: Mapped[int] = mapped_column(
        ForeignKey("suppliers.id", ondelete="RESTRICT"), index=True
    )
    purchase_date: Mapped[date]
    packages_purchased: Mapped[int]
    package_price: Mapped[Money]
    notes: Mapped[Notes | None]

    product: Mapped[Product] = relationship(back_populates="purchases")
    supplier: Mapped[Supplier] = relationship(back_populates="purchases")
    inventory_items: Mapped[list["InventoryItem"]] = relationship(back_populates="purchase")


class InventoryItem(Entity):
    """One lot of a product, in the ingredient's stock unit.

    A lot without a purchase was counted, grown or given.
    """

    __tablename__ = "inventory_items"
    __table_args__ = (
        *positive("quantity_received"),
        *not_negative("quantity_remaining", "unit_cost"),
        CheckConstraint("quantity_remaining <= quantity_received", name="remaining_of_received"),
        CheckConstraint("best_before IS NULL OR best_before >= received_on", name="received_fresh"),
    )

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="RESTRICT"), index=True
    )
    purchase_id: Mapped[int | None] = mapped_column(
        ForeignKey("purchases.id", ondelete="RESTRICT"), index=True
    )
    quantity_received: Mapped[Quantity]
    quantity_remaining: Mapped[Quantity]
    unit_cost: Mapped[UnitCost]
    received_on: Mapped[date]
    opened_on: Mapped[date | None]
    best_before: Mapped[date | None]
    location: Mapped[StorageLocation]
    lot_code: Mapped[str | None] = mapped_column(String(40))

    product: Mapped[Product] = relationship(back_populates="inventory_items")
    purchase: Mapped[Purchase | None] = relationship(back_populates="inventory_items")
    depletions: Mapped[list["InventoryDepletion"]] = relationship(back_populates="inventory_item")


class InventoryDepletion(Entity):
    """A quantity that left one lot, and why."""

    __tablename__ = "inventory_depletions"
    __table_args__ = (
        *positive("quantity"),
        *not_negative("cost"),
        CheckConstraint("reason <> 'production' OR production_run_id IS NOT NULL", name="run_said"),
        CheckConstraint(
            "reason <> 'assembly' OR assembly_run_id IS NOT NULL", name="assembly_said"
        ),
    )

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    inventory_item_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_items.id", ondelete="RESTRICT"), index=True
    )
    production_run_id: Mapped[int | None] = mapped_column(
        ForeignKey("production_runs.id", ondelete="RESTRICT"), index=True
    )
    assembly_run_id: Mapped[int | None] = mapped_column(
        ForeignKey("assembly_runs.id", ondelete="RESTRICT"), index=True
    )
    reason: Mapped[DepletionReason]
    quantity: Mapped[Quantity]
    cost: Mapped[Money]
    depleted_at: Mapped[datetime]
    notes: Mapped[Notes | None]

    inventory_item: Mapped[InventoryItem] = relationship(back_populates="depletions")
    production_run: Mapped[Optional["ProductionRun"]] = relationship(back_populates="depletions")
    assembly_run: Mapped[Optional["AssemblyRun"]] = relationship(back_populates="depletions")
