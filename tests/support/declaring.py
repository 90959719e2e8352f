"""Models and schemas made inside a test, so that each has a metadata and a catalog of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import DeclarativeBase

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
