"""What was made: production runs in the oven, assembly runs at the packing table."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Entity, Money, Notes, Quantity, exactly_one, not_negative, positive
from .enums import LossCategory, ProductionStatus, Unit
from .events import Event
from .goods import FinishedGood
from .kitchen import FinishedUnit, Recipe
from .materials import MaterialUnit
from .pantry import Ingredient, Product

if TYPE_CHECKING:
    from .stock import InventoryDepletion


class ProductionRun(Entity):
    """Batches of one recipe, baked in one go; without an event, to have in stock."""

    __tablename__ = "production_runs"
    __table_args__ = (
        *positive("batches"),
        *not_negative("expected_yield", "actual_yield", "loss_quantity"),
        *not_negative("total_ingredient_cost", "per_unit_cost"),
    )

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    recipe_id: Mapped[int] = mapped_column(
        ForeignKey("recipes.id", ondelete="RESTRICT"), index=True
    )
    finished_unit_id: Mapped[int] = mapped_column(
        ForeignKey("finished_units.id", ondelete="RESTRICT"), index=True
    )
    event_id: Mapped[int | None] = mapped_column(
        ForeignKey("events.id", ondelete="RESTRICT"), index=True
    )
    batches: Mapped[int]
    expected_yield: Mapped[int]
    actual_yield: Mapped[int]
    production_status: Mapped[ProductionStatus]
    loss_quantity: Mapped[int] = mapped_column(default=0)
    total_ingredient_cost: Mapped[Money]
    per_unit_cost: Mapped[Money]
    produced_at: Mapped[datetime]
    notes: Mapped[Notes | None]

    recipe: Mapped[Recipe] = relationship()
    finished_unit: Mapped[FinishedUnit] = relationship()
    event: Mapped[Event | None] = relationship()
    consumptions: Mapped[list["ProductionConsumption"]] = relationship(
        back_populates="production_run", cascade="all, delete-orphan", passive_deletes=True
    )
    losses: Mapped[list["ProductionLoss"]] = relationship(
        back_populates="production_run", cascade="all, delete-orphan", passive_deletes=True
    )
    depletions: Mapped[list["InventoryDepletion"]] = relationship(back_populates="production_run")


class ProductionConsumption(Base):
    """What a run took of one ingredient, over all lots."""

    __tablename__ = "production_consumptions"
    __table_args__ = (
        UniqueConstraint("production_run_id", "ingredient_id"),
        *positive("quantity"),
        *not_negative("total_cost"),
    )

    production_run_id: Mapped[int] = mapped_column(
        ForeignKey("production_runs.id", ondelete="CASCADE")
    )
    ingredient_id: Mapped[int] = mapped_column(
        ForeignKey("ingredients.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[Quantity]
    unit: Mapped[Unit]
    total_cost: Mapped[Money]

    production_run: Mapped[ProductionRun] = relationship(back_populates="consumptions")
    ingredient: Mapped[Ingredient] = relationship()


class ProductionLoss(Base):
    """Units that a run lost, and how; a loss never outlives its run."""

    __tablename__ = "production_losses"
    __table_args__ = (*positive("quantity"), *not_negative("per_unit_cost", "total_cost"))

    production_run_id: Mapped[int] = mapped_column(
        ForeignKey("production_runs.id", ondelete="CASCADE"), index=True
    )
    # A batch may be cut into several units: what was lost needn't be what the run is for.
    finished_unit_id: Mapped[int] = mapped_column(
        ForeignKey("finished_units.id", ondelete="RESTRICT"), index=True
    )
    category: Mapped[LossCategory]
    quantity: Mapped[int]
    per_unit_cost: Mapped[Money]
    total_cost: Mapped[Money]
    note: Mapped[str | None] = mapped_column(String(200))

    production_run: Mapped[ProductionRun] = relationship(back_populates="losses")
    finished_unit: Mapped[FinishedUnit] = relationship()


class AssemblyRun(Entity):
    """Finished goods, packed in one go; without an event, for the shop window."""

    __tablename__ = "assembly_runs"
    __table_args__ = (
        *positive("quantity_assembled"),
        *not_negative("total_component_cost", "per_unit_cost"),
    )

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    finished_good_id: Mapped[int] = mapped_column(
        ForeignKey("finished_goods.id", ondelete="RESTRICT"), index=True
    )
    event_id: Mapped[int | None] = mapped_column(
        ForeignKey("events.id", ondelete="RESTRICT"), index=True
    )
    quantity_assembled: Mapped[int]
    total_component_cost: Mapped[Money]
    per_unit_cost: Mapped[Money]
    packaging_bypassed: Mapped[bool] = mapped_column(default=False)
    assembled_at: Mapped[datetime]
    notes: Mapped[Notes | None]

    finished_good: Mapped[FinishedGood] = relationship()
    event: Mapped[Event | None] = relationship()
    finished_unit_consumptions: Mapped[list["AssemblyFinishedUnitConsumption"]] = relationship(
        back_populates="assembly_run", cascade="all, delete-orphan", passive_deletes=True
    )
    packaging_consumptions: Mapped[list["AssemblyPackagingConsumption"]] = relationship(
        back_populates="assembly_run", cascade="all, delete-orphan", passive_deletes=True
    )
    depletions: Mapped[list["InventoryDepletion"]] = relationship(back_populates="assembly_run")


class AssemblyFinishedUnitConsumption(Base):
    """Finished units that an assembly run put into its goods."""

    __tablename__ = "assembly_finished_unit_consumptions"
    __table_args__ = (
        UniqueConstraint("assembly_run_id", "finished_unit_id"),
        *positive("quantity"),
        *not_negative("unit_cost", "total_cost"),
    )

    assembly_run_id: Mapped[int] = mapped_column(ForeignKey("assembly_runs.id", ondelete="CASCADE"))
    finished_unit_id: Mapped[int] = mapped_column(
        ForeignKey("finished_units.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[int]
    unit_cost: Mapped[Money]
    total_cost: Mapped[Money]

    assembly_run: Mapped[AssemblyRun] = relationship(back_populates="finished_unit_consumptions")
    finished_unit: Mapped[FinishedUnit] = relationship()


class AssemblyPackagingConsumption(Base):
    """Packaging that an assembly run used: a bought product, or a piece of material."""

    __tablename__ = "assembly_packaging_consumptions"
    __table_args__ = (
        exactly_one("packaging", "product_id", "material_unit_id"),
        *positive("quantity"),
        *not_negative("total_cost"),
    )

    assembly_run_id: Mapped[int] = mapped_column(
        ForeignKey("assembly_runs.id", ondelete="CASCADE"), index=True
    )
    product_id: Mapped[int | None] = mapped_column(
        ForeignKey("products.id", ondelete="RESTRICT"), index=True
    )
    material_unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("material_units.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[Quantity]
    total_cost: Mapped[Money]

    assembly_run: Mapped[AssemblyRun] = relationship(back_populates="packaging_consumptions")
    product: Mapped[Product | None] = relationship()
    material_unit: Mapped[MaterialUnit | None] = relationship()
