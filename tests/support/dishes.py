"""Dishes with steps and labels, whose unique values, owned rows and links move about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from lading import Catalog, EntitySchema, Owned, Ref, export_document
from support.backends import Backend

CATALOG = Catalog("dishes")


class Base(DeclarativeBase):
    """Dishes, whose steps and tags move about."""


DISH_TAGS = sa.Table(
    "dish_tags",
    Base.metadata,
    sa.Column("dish_id", sa.ForeignKey("dishes.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("dish_labels.id"), primary_key=True),
)


class Label(Base):
    """What dishes are linked to."""

    __tablename__ = "dish_labels"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(30), unique=True)


class Dish(Base):
    """A dish, with a unique number beside its key, a parent, steps and labels."""

    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(30), unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    seen: Mapped[int] = mapped_column(default=0)
    edition: Mapped[int] = mapped_column(default=1)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dishes.id"))
    parent: Mapped[Dish | None] = relationship(remote_side=[id])
    steps: Mapped[list[Step]] = relationship(
        order_by="Step.position", back_populates="dish", cascade="all, delete-orphan"
    )
    labels: Mapped[list[Label]] = relationship(secondary=DISH_TAGS)
    __mapper_args__ = {"version_id_col": edition}


class Step(Base):
    """A step, whose position is unique in its dish."""

    __tablename__ = "dish_steps"
    __table_args__ = (sa.UniqueConstraint("dish_id", "position"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    dish_id: Mapped[int] = mapped_column(sa.ForeignKey("dishes.id"))
    position: Mapped[int]
    code: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    text: Mapped[str] = mapped_column(sa.String(60))
    dish: Mapped[Dish] = relationship(back_populates="steps")


class LabelSchema(EntitySchema):
    """Labels by name."""

    class Meta:
        model = Label
        natural_key = "name"
        catalog = CATALOG


class StepSchema(EntitySchema):
    """Steps within a dish."""

    class Meta:
        model = Step
        catalog = CATALOG


class DishSchema(EntitySchema):
    """Dishes by slug."""

    steps = Owned(StepSchema)
    labels = Ref()
    parent = Ref()

    class Meta:
        model = Dish
        natural_key = "slug"
        volatile = ("seen",)
        catalog = CATALOG


@contextmanager
def filled(backend: Backend) -> Iterator[sa.Engine]:
    """Yield a database of six dishes with three steps each, and up to three labels."""
    with backend.database() as made:
        Base.metadata.create_all(made)
        with Session(made) as session:
            labels = [Label(name=name) for name in "abc"]
            session.add_all(
                Dish(
                    slug=f"d{n}",
                    number=n,
                    labels=labels[: n % 3 + 1],
                    steps=[
                        Step(position=p, code=f"{n}.{p}", text=f"step {p} of {n}") for p in range(3)
                    ],
                )
                for n in range(6)
            )
            session.commit()
        yield made


def content(engine: sa.Engine) -> dict[str, Any]:
    """Return the records of a database, without the editions that each update raises."""
    document = export_document(engine, catalog=CATALOG)
    for dish in document["dishes"]:
        del dish["edition"]
    return {name: document[name] for name in ("dishes", "dish_labels")}


def change(engine: sa.Engine) -> None:
    """Swap numbers, move and drop steps, and change labels, parents and texts."""
    with Session(engine) as session:
        dishes = {dish.slug: dish for dish in session.scalars(sa.select(Dish))}
        for n, dish in enumerate(dishes.values()):
            dish.number = 100 + n
        session.flush()
        for n, dish in enumerate(dishes.values()):
            dish.number = (n + 1) % 6
        dishes["d1"].labels = []
        dishes["d2"].labels = dishes["d2"].labels[:1]
        dishes["d3"].parent = dishes["d4"]
        session.delete(dishes["d0"].steps[1])
        session.flush()
        moved = dishes["d4"].steps[2]
        moved.dish, moved.position = dishes["d0"], 7
        first, second = dishes["d5"].steps[:2]
        first.position, second.position = 50, 60
        session.flush()
        first.position, second.position = 1, 0
        session.commit()
