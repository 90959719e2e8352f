"""What the bakery bakes for: recipients, events, and who gets which package."""

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Entity, Notes, UniqueName, positive
from .enums import EventState, FulfillmentStatus
from .goods import FinishedGood, Package
from .kitchen import Recipe


class Recipient(Entity):
    """Someone who is given a package."""

    __tablename__ = "recipients"

    name: Mapped[UniqueName]
    household: Mapped[str | None] = mapped_column(String(120))
    address: Mapped[Notes | None]
    preferences: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))

    packages: Mapped[list["EventRecipientPackage"]] = relationship(back_populates="recipient")


class Event(Entity):
    """An occasion with a date, and what has to be ready by then."""

    __tablename__ = "events"
    __table_args__ = (*positive("expected_guests"),)

    name: Mapped[UniqueName]
    event_date: Mapped[date]
    state: Mapped[EventState] = mapped_column(default=EventState.draft)
    expected_guests: Mapped[int | None]
    notes: Mapped[Notes | None]

    production_targets: Mapped[list["EventProductionTarget"]] = relationship(
        back_populates="event", cascade="all, delete-orphan", passive_deletes=True
    )
    assembly_targets: Mapped[list["EventAssemblyTarget"]] = relationship(
        back_populates="event", cascade="all, delete-orphan", passive_deletes=True
    )
    recipient_packages: Mapped[list["EventRecipientPackage"]] = relationship(back_populates="event")


class EventProductionTarget(Base):
    """How many batches of a recipe an event needs."""

    __tablename__ = "event_production_targets"
    __table_args__ = (UniqueConstraint("event_id", "recipe_id"), *positive("target_batches"))

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    recipe_id: Mapped[int] = mapped_column(
        ForeignKey("recipes.id", ondelete="RESTRICT"), index=True
    )
    target_batches: Mapped[int]
    note: Mapped[str | None] = mapped_column(String(200))

    event: Mapped[Event] = relationship(back_populates="production_targets")
    recipe: Mapped[Recipe] = relationship()


class EventAssemblyTarget(Base):
    """How many of a finished good an event needs."""

    __tablename__ = "event_assembly_targets"
    __table_args__ = (
        UniqueConstraint("event_id", "finished_good_id"),
        *positive("target_quantity"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    finished_good_id: Mapped[int] = mapped_column(
        ForeignKey("finished_goods.id", ondelete="RESTRICT"), index=True
    )
    target_quantity: Mapped[int]
    note: Mapped[str | None] = mapped_column(String(200))

    event: Mapped[Event] = relationship(back_populates="assembly_targets")
    finished_good: Mapped[FinishedGood] = relationship()


class EventRecipientPackage(Entity):
    """Which package a recipient gets at an event, and how far it has come."""

    __tablename__ = "event_recipient_packages"
    __table_args__ = (
        UniqueConstraint("event_id", "recipient_id", "package_id"),
        *positive("quantity"),
        CheckConstraint(
            "fulfillment_status <> 'delivered' OR delivered_at IS NOT NULL", name="delivery_dated"
        ),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="RESTRICT"))
    recipient_id: Mapped[int] = mapped_column(
        ForeignKey("recipients.id", ondelete="RESTRICT"), index=True
    )
    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="RESTRICT"), index=True
    )
    quantity: Mapped[int]
    fulfillment_status: Mapped[FulfillmentStatus] = mapped_column(default=FulfillmentStatus.pending)
    # The courier's moment, and the courier may be in another time zone.
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    delivered_to: Mapped[str | None] = mapped_column(String(120))
    notes: Mapped[Notes | None]

    event: Mapped[Event] = relationship(back_populates="recipient_packages")
    recipient: Mapped[Recipient] = relationship(back_populates="packages")
    package: Mapped[Package] = relationship()
