"""Models and schemas made inside a test, so that each has a metadata and a catalog of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column

from lading import Catalog, EntitySchema


def new_base() -> Any:
    """Return a declarative base with a metadata of its own."""

    class Base(DeclarativeBase):
        pass

    return Base


def schema_for(model: Any, catalog: Catalog, attributes: Any = None, /, **meta: Any) -> Any:
    """Declare an entity schema: ``attributes`` of the class, ``meta`` as its Meta.

    The class is called ``<Model>Schema``, as an application would.
    """
    options = type("Meta", (), {"model": model, "catalog": catalog, **meta})
    return type(EntitySchema)(
        f"{model.__name__}Schema", (EntitySchema,), {"Meta": options, **(attributes or {})}
    )


def catalog_of(*models: Any, **options: Any) -> Catalog:
    """Return a catalog with a schema of derived fields alone for each model."""
    catalog = Catalog("test", **options)
    for model in models:
        schema_for(model, catalog)
    return catalog


def table(base: Any, name: str, /, **columns: Any) -> Any:
    """Map a table with an id, a unique slug and these columns; ``by_name`` makes ``ByName``."""
    attributes = {
        "__tablename__": name,
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(50), unique=True, nullable=False),
        **columns,
    }
    model = type(base)(name.title().replace("_", ""), (base,), attributes)
    base.metadata.info.setdefault("models", []).append(model)  # which nothing else may hold
    return model


def things(*slugs: str, **values: Any) -> dict[str, Any]:
    """Return a document of things, each with a slug and these values."""
    return {"things": [{"slug": slug, **values} for slug in slugs]}


def slugs(*numbers: int, **values: Any) -> list[dict[str, Any]]:
    """Return a row for each number, with that id, a slug of its own and these values."""
    return [{"id": number, "slug": f"s{number}", **values} for number in numbers]


def to(target: str, *, null: bool = True, **options: Any) -> Any:
    """Return a foreign key's column."""
    return mapped_column(sa.ForeignKey(target, **options), nullable=null)
