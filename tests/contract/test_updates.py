"""Imports that update: what differs is written, rows stay themselves, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from lading import (
    ArgumentError,
    Catalog,
    EntitySchema,
    Owned,
    Ref,
    export_all,
    export_document,
    import_all,
    import_document,
)
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


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    """Return a database of six dishes with three steps each, and up to three labels."""
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


def ids(engine: sa.Engine) -> dict[Any, int]:
    """Return the primary keys of dishes and steps."""
    with Session(engine) as session:
        dishes: dict[Any, int] = {d.slug: d.id for d in session.scalars(sa.select(Dish))}
        return dishes | {step.code: step.id for step in session.scalars(sa.select(Step))}


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


def test_an_update_brings_everything_back(engine: sa.Engine) -> None:
    """Swapped numbers and positions, dropped and moved steps, labels and parents; ids stay."""
    before, known = export_document(engine, catalog=CATALOG), ids(engine)
    expected = content(engine)
    change(engine)
    report = import_document(engine, before, catalog=CATALOG, on_conflict="update")
    assert content(engine) == expected
    assert (report.updated, report.unchanged, report.inserted) == (6, 3, 0)
    now = ids(engine)
    # Within a dish a step is known by its position, elsewhere by its code.
    assert {key for key in known if known[key] != now[key]} == {"0.1", "5.0", "5.1"}
    again = import_document(engine, before, catalog=CATALOG, on_conflict="update")
    assert (again.updated, again.unchanged) == (0, 9)


def test_a_mirror_leaves_exactly_the_bundle(engine: sa.Engine) -> None:
    """A new record may have a unique value of one that goes."""
    before, expected = export_document(engine, catalog=CATALOG), content(engine)
    with Session(engine) as session:
        session.delete(session.scalars(sa.select(Dish).where(Dish.slug == "d3")).one())
        session.flush()
        labels = list(session.scalars(sa.select(Label)))
        new = Dish(slug="new", number=3, labels=labels, steps=[Step(position=0, text="x")])
        session.add_all([new, Dish(slug="kid", number=77, parent=new), Label(name="zz")])
        session.commit()
    report = import_document(engine, before, catalog=CATALOG, on_conflict="mirror")
    assert content(engine) == expected
    assert (report.inserted, report.deleted, report.updated) == (1, 3, 0)


def test_an_update_keeps_what_the_bundle_lacks(engine: sa.Engine) -> None:
    """Only a mirror deletes."""
    before = export_document(engine, catalog=CATALOG)
    before["dishes"] = before["dishes"][:1]
    import_document(engine, before, catalog=CATALOG, on_conflict={"dishes": "update"})
    assert len(content(engine)["dishes"]) == 6


def test_volatile_fields_are_written_only_with_others(engine: sa.Engine) -> None:
    """Their difference alone is none; the version is raised by each update."""
    document = export_document(engine, catalog=CATALOG)
    first, second = document["dishes"][:2]
    first["seen"] = second["seen"] = 5
    second["steps"][0]["text"] = "another"
    report = import_document(engine, document, catalog=CATALOG, on_conflict="update")
    assert report.updated == 1
    with Session(engine) as session:
        rows = session.scalars(sa.select(Dish).order_by(Dish.slug).limit(2)).all()
        assert [(dish.seen, dish.edition) for dish in rows] == [(0, 1), (5, 2)]


def test_a_partial_bundle_is_no_mirror(engine: sa.Engine, tmp_path: Any) -> None:
    """It would delete what was left out."""
    export_all(engine, tmp_path / "part", catalog=CATALOG, where={"dishes": Dish.number > 2})
    with pytest.raises(ArgumentError, match="the bundle is partial"):
        import_all(engine, tmp_path / "part", catalog=CATALOG, on_conflict="mirror")


def test_a_mirror_takes_no_problems(engine: sa.Engine) -> None:
    """What a problem leaves out would be deleted."""
    document = export_document(engine, catalog=CATALOG)
    with pytest.raises(ArgumentError, match="'rollback'"):
        import_document(
            engine, document, catalog=CATALOG, on_conflict="mirror", on_error="continue"
        )
