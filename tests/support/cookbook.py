"""One small application with every sort of field, for tests that need no database.

Recipes refer to an author (flat) and to a category, whose key recurs; they have tags and
own their steps, in order.  ``rows`` gives the derived row set of an entity.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, Owned, Ref
from lading.model.rowsets import RowSet
from support.declaring import new_base, schema_for, table


def _to(target: str, *, null: bool = True) -> Any:
    return mapped_column(sa.ForeignKey(target), nullable=null)


def cookbook(
    fields: dict[str, Any] | None = None, /, entity: str = "recipes", **meta: Any
) -> Catalog:
    """Declare the application; ``fields`` and ``meta`` are added to the schema of one entity."""
    base, catalog = new_base(), Catalog("cookbook")
    more: dict[str, Any] = {entity: {"attributes": fields or {}, "meta": meta}}

    def declare(model: Any, attributes: dict[str, Any] | None = None, **options: Any) -> Any:
        added = more.get(model.__tablename__, {"attributes": {}, "meta": {}})
        declared = {**(attributes or {}), **added["attributes"]}
        return schema_for(model, catalog, declared, **{**options, **added["meta"]})

    sa.Table(
        "recipe_tags",
        base.metadata,
        sa.Column("recipe_id", sa.ForeignKey("recipes.id"), primary_key=True),
        sa.Column("tag_id", sa.ForeignKey("tags.id"), primary_key=True),
    )
    step = table(
        base,
        "steps",
        slug=None,
        recipe_id=_to("recipes.id", null=False),
        place=mapped_column(sa.Integer, nullable=False),
        words=mapped_column(sa.String(40), nullable=False),
        tag_id=_to("tags.id"),
    )
    category = table(
        base,
        "categories",
        slug=None,
        name=mapped_column(sa.String(20), nullable=False),
        parent_id=_to("categories.id"),
    )
    recipe = table(
        base,
        "recipes",
        minutes=mapped_column(sa.Integer),
        price=mapped_column(sa.Numeric(6, 2)),
        rating=mapped_column(sa.Float),
        is_vegan=mapped_column(sa.Boolean, nullable=False),
        tried_at=mapped_column(sa.DateTime),
        notes=mapped_column(sa.JSON),
        author_id=_to("authors.id"),
        category_id=_to("categories.id"),
        tags=relationship("Tags", secondary="recipe_tags"),
        steps=relationship(step, order_by=step.place),
    )
    declare(table(base, "authors"))
    declare(table(base, "tags"))
    declare(category, natural_key=("parent", "name"))
    declare(recipe, {"author": Ref(flat=True), "steps": Owned(declare(step))})
    return catalog


@cache
def _cookbook() -> Catalog:
    return cookbook()


def rows(entity: str, catalog: Catalog | None = None) -> RowSet:
    """Return the row set of an entity; of the application as it is, if no catalog is given."""
    return (catalog or _cookbook()).use()[entity]


#: A recipe in canonical form, with its fields in the order in which they are written.
RECIPE: dict[str, Any] = {
    "slug": "rye",
    "minutes": 90,
    "price": "3.50",
    "rating": 4.5,
    "is_vegan": True,
    "tried_at": "2025-01-31T08:00:00",
    "notes": {"a": [1, None]},
    "author_slug": "ann",
    "category": {"parent": {"parent": None, "name": "bread"}, "name": "sour"},
    "tags": [{"slug": "old"}, {"slug": "plain"}],
    "steps": [
        {"place": 1, "words": "mix", "tag": None},
        {"place": 2, "words": "bake", "tag": {"slug": "hot"}},
    ],
}
