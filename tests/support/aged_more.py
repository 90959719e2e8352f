"""More applications at two and three versions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import Add, Catalog, Drop, Owned, Rename
from support.aged import changed
from support.declaring import new_base, schema_for
from support.world import World, key, number, slug, text, to


def first_step(record: Any, parent: Any) -> Any:
    """Refer to the first of a recipe's steps."""
    return {"slug": parent["steps"][0]["slug"]} if parent["steps"] else None


def notebook(version: int) -> World:
    """An owned table of two parents, references to an owned one, and classes' own fields."""
    old = version == 1
    base, catalog = new_base(), Catalog("notebook")
    place, warmth = ("position", "heat") if old else ("place", "warmth")

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = key()
        recipe_id = to("recipes.id", null=True)
        menu_id = to("menus.id", null=True)
        locals()[place] = number()
        words = text()
        if not old:
            about_id = to("steps.id", null=True)
            about = relationship("Step")

    class Step(base):  # type: ignore[misc, valid-type]
        __tablename__ = "steps"
        id = key()
        recipe_id = to("recipes.id")
        slug = slug()
        recipe = relationship("Recipe", back_populates="steps")

    class Recipe(base):  # type: ignore[misc, valid-type]
        __tablename__ = "recipes"
        id = key()
        slug = slug()
        notes = relationship(Note)
        steps = relationship(Step, back_populates="recipe")

    class Menu(base):  # type: ignore[misc, valid-type]
        __tablename__ = "menus"
        id = key()
        slug = slug()
        notes = relationship(Note)

    class Kind(base):  # type: ignore[misc, valid-type]
        __tablename__ = "kinds"
        id = key()
        slug = slug()
        kind = text(10)
        locals()[warmth] = number(null=True)
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "base"}

    class Oven(Kind):
        power = mapped_column(sa.Integer, nullable=True)
        locals()["size" if old else "litres"] = mapped_column(sa.Integer, nullable=True)
        __mapper_args__ = {"polymorphic_identity": "oven"}

    notes, steps = schema_for(Note, catalog), schema_for(Step, catalog)
    owned = {"notes": Owned(notes), "steps": Owned(steps)}
    schema_for(Recipe, catalog, owned, version=version)
    schema_for(Menu, catalog, {"notes": Owned(notes)}, version=version)
    schema_for(Kind, catalog, version=version)
    if not old:
        changed(
            catalog,
            {"recipes": (1, 2), "menus": (1, 2)},
            Rename("menus.notes", "position", "place"),
            Rename("recipes.notes", "position", "place"),
            Add("recipes.notes", "about", first_step),
            Add("menus.notes", "about", None),
        )
        changed(
            catalog,
            {"kinds": (1, 2)},
            Drop("kinds", "size"),
            Add("kinds", "litres", lambda record: record["power"]),
            Rename("kinds", "heat", "warmth"),
            name="Kinds",
        )

    def fill(session: Session) -> None:
        step = Step(slug="s1")
        about = {} if old else {"about": step}
        note = Note(words="a", **{place: 1}, **about)
        session.add(Recipe(slug="r", notes=[note], steps=[step]))
        session.add(Menu(slug="m", notes=[Note(words="b", **{place: 2})]))
        session.add(Kind(slug="k", **{warmth: 1}))
        session.add(Oven(slug="o", power=3, **{warmth: 2, "size" if old else "litres": 3}))

    return World(base, catalog, SimpleNamespace(), fill)


def workshop(version: int) -> World:
    """An owned table that begins, is referred to, and is then called otherwise."""
    base, catalog = new_base(), Catalog("workshop")
    code = "slug" if version < 3 else "code"

    class Part(base):  # type: ignore[misc, valid-type]
        __tablename__ = "parts"
        id = key()
        tool_id = to("tools.id")
        locals()[code] = slug()

    class Tool(base):  # type: ignore[misc, valid-type]
        __tablename__ = "tools"
        id = key()
        slug = slug()
        if version > 1:
            parts = relationship(Part)

    class Job(base):  # type: ignore[misc, valid-type]
        __tablename__ = "jobs"
        id = key()
        slug = slug()
        tool_id = to("tools.id")
        tool = relationship(Tool)
        if version > 1:
            part_id = to("parts.id", null=True)
            part = relationship(Part)

    if version == 1:
        catalog.leaves_out["parts"] = "not yet"
    owned = {} if version == 1 else {"parts": Owned(schema_for(Part, catalog, natural_key=code))}
    schema_for(Tool, catalog, owned, version=version)
    schema_for(Job, catalog, version=min(version, 2))
    begun = []
    if version > 1:
        begun = [
            changed(
                catalog,
                {"tools": (1, 2), "jobs": (1, 2)},
                Add("tools", "parts", lambda record: [{"slug": f"part of {record['slug']}"}]),
                Add("jobs", "part", lambda job: {"slug": f"part of {job['tool']['slug']}"}),
                name="Parts",
            )
        ]
    if version > 2:
        changed(
            catalog,
            {"tools": (2, 3)},
            Rename("tools.parts", "slug", "code"),
            after=begun,
            name="Codes",
        )

    def fill(session: Session) -> None:
        session.add(Job(slug="j", tool=Tool(slug="saw")))

    return World(base, catalog, SimpleNamespace(), fill)
