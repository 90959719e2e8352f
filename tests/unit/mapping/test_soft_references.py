"""Columns that hold ids which nothing rewrites are told, and hardly anything else is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import foreign, mapped_column, relationship

from lading import Catalog, LeftOutWarning, export_all
from lading.errors import DeclarationError
from lading.mapping.soft_references import soft_references
from support.declaring import new_base, schema_for
from support.zoo import WORLDS, World


def key() -> Any:
    """A primary key that the database numbers."""
    return mapped_column(sa.Integer, primary_key=True)


def slug() -> Any:
    """A natural key."""
    return mapped_column(sa.String(20), unique=True, nullable=False)


def noted(
    catalog: Catalog, *, notes: Any = None, target: str = "plans", **columns: Any
) -> dict[str, tuple[str, ...]]:
    """Return the soft references of notes with these columns, beside a table of targets."""
    base = new_base()
    plan = type("Plan", (base,), {"__tablename__": target, "id": key(), "slug": slug()})
    note = type("Note", (base,), {"__tablename__": "notes", "id": key(), "slug": slug(), **columns})
    schema_for(plan, catalog)
    schema_for(note, catalog, **(notes or {}))
    return soft_references(catalog.use())


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("plan_id", "plans"),
        ("old_plan_id", "plans"),
        ("category_id", "categories"),
        ("box_id", "boxes"),
        ("address_id", "address"),
        ("plan_id", "tbl_of_plans"),  # by the class
        ("PLAN_ID", "plans"),
    ],
)
def test_a_column_named_after_an_entity_is_told(name: str, target: str) -> None:
    """In the singular or the plural, with words before it."""
    found = noted(Catalog("test"), target=target, **{name: mapped_column(sa.Integer)})
    assert found == {f"notes.{name}": (target,)}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("plan", sa.Integer),
        ("plan_id", sa.String(20)),
        ("plan_id", sa.Uuid),
        ("plan_number", sa.Integer),
        ("explan_id", sa.Integer),
        ("stripe_id", sa.Integer),
        ("paid", sa.Integer),
    ],
)
def test_what_has_another_name_or_type_is_not(name: str, type_: Any) -> None:
    """A warning that is often wrong is never read."""
    assert noted(Catalog("test"), **{name: mapped_column(type_)}) == {}


class Public(sa.TypeDecorator):  # type: ignore[type-arg]
    """Numbers that are shown as texts, which nothing says."""

    impl, cache_ok = sa.Integer, True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else int(value[4:])

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else f"usr_{value}"


class Said(Public):
    """The same, with its Python type."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else f"usr_{value}"


@pytest.mark.parametrize("near", [sa.Integer(), Public(), Said()])
@pytest.mark.parametrize("far", [sa.Integer(), Public(), Said()])
def test_what_a_decorator_makes_of_ids_does_not_matter(near: Any, far: Any) -> None:
    """The column holds numbers that stay, and the ids are numbers that may not."""
    base, catalog = new_base(), Catalog("test")
    own = {"id": mapped_column(far, primary_key=True), "slug": slug()}
    plan = type("Plan", (base,), {"__tablename__": "plans", **own})
    column = {"id": key(), "slug": slug(), "plan_id": mapped_column(near)}
    note = type("Note", (base,), {"__tablename__": "notes", **column})
    schema_for(plan, catalog)
    schema_for(note, catalog)
    assert soft_references(catalog.use()) == {"notes.plan_id": ("plans",)}


@pytest.mark.parametrize(
    "columns",
    [
        {"plan_id": mapped_column("legacy", sa.Integer)},
        {
            "subject_type": mapped_column("st", sa.String(9)),
            "subject_id": mapped_column("legacy", sa.Integer),
        },
    ],
)
def test_an_attribute_has_a_name_as_well(columns: dict[str, Any]) -> None:
    """Records and the application know the column by that, whatever the table calls it."""
    assert "plans" in noted(Catalog("test"), **columns)["notes.legacy"]


def test_a_type_beside_an_id_may_mean_any_entity() -> None:
    """Type and id together name a row of whatever table."""
    columns = {"thing_id": mapped_column(sa.Integer), "thing_type": mapped_column(sa.String(9))}
    assert noted(Catalog("test"), **columns) == {"notes.thing_id": ("notes", "plans")}


def test_a_parent_id_means_its_own_table() -> None:
    """Trees are often kept so."""
    parent = mapped_column(sa.Integer)
    assert noted(Catalog("test"), parent_id=parent) == {"notes.parent_id": ("notes",)}


def test_nothing_is_told_where_ids_are_kept_or_the_column_is_left_out() -> None:
    """The reference holds then, or nobody restores it."""
    plan_id = {"plan_id": mapped_column(sa.Integer)}
    assert noted(Catalog("test", keep_ids=True), **plan_id) == {}
    plan_id = {"plan_id": mapped_column(sa.Integer)}
    assert noted(Catalog("test"), notes={"exclude": ("plan_id",)}, **plan_id) == {}


def test_a_generic_relationship_is_told_and_is_no_reference() -> None:
    """The mapper pairs the column with ids of several tables, under conditions."""
    base, catalog = new_base(), Catalog("test")

    class Remark(base):
        __tablename__ = "remarks"
        id = key()
        slug = slug()
        about = mapped_column(sa.Integer)
        what = mapped_column(sa.String(9))
        photo = relationship(
            "Photo",
            primaryjoin="and_(foreign(Remark.about) == Photo.id, Remark.what == 'photo')",
            overlaps="remarks",
        )

    class Photo(base):
        __tablename__ = "photos"
        id = key()
        slug = slug()

    class Post(base):
        __tablename__ = "posts"
        id = key()
        slug = slug()
        remarks = relationship(
            Remark,
            primaryjoin=lambda: sa.and_(foreign(Remark.about) == Post.id, Remark.what == "post"),
            overlaps="photo",
        )

    for model in (Remark, Photo, Post):
        schema_for(model, catalog)
    entities = catalog.use()
    assert soft_references(entities) == {"remarks.about": ("photos", "posts")}
    assert [member.name for member in entities["remarks"].members] == ["slug", "about", "what"]


def test_a_soft_reference_is_excused_by_name() -> None:
    """An excuse for what is none is a mistake, as any other."""
    catalog = Catalog("test", leaves_out={"notes.plan_id": "an audit trail"})
    noted(catalog, plan_id=mapped_column(sa.Integer))
    assert catalog.coverage() == {"notes.plan_id": "an audit trail"}
    with pytest.raises(DeclarationError, match=r"leaves_out names 'notes.plan_id'"):
        noted(Catalog("test", leaves_out={"notes.plan_id": "x"}), plan_id=mapped_column(sa.Uuid))


@pytest.mark.parametrize("excuse", [{}, {"notes.plan_id": "an audit trail"}])
def test_an_export_warns_unless_it_is_excused(excuse: dict[str, str], tmp_path: Path) -> None:
    """With the ways out; the manifest doesn't list the column, which it carries."""
    catalog = Catalog("test", leaves_out=excuse)
    noted(catalog, plan_id=mapped_column(sa.Integer))
    (metadata,) = {rows.table.metadata for rows in catalog.use().all_rows()}
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata.create_all(engine)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        manifest = export_all(engine, tmp_path / "b", catalog=catalog)
    assert manifest.left_out == {}
    if excuse:
        assert not said
        return
    assert said[0].category is LeftOutWarning
    assert str(said[0].message) == (
        "notes.plan_id (of plans): what looks like a reference by id holds ids that catalog 'test' "
        "doesn't carry, so an import may number them anew; carry them (keep_ids=True, or keep_id = "
        "True in the entity's Meta), or excuse the column by name: "
        "leaves_out={'notes.plan_id': 'the reason'}"
    )
    assert said[0].filename == __file__


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS.keys())
def test_no_world_has_a_soft_reference(make: Callable[[], World]) -> None:
    """Whatever they call their columns, their references have foreign keys."""
    assert soft_references(make().catalog.use()) == {}
