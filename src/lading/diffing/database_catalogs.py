"""By which catalog a database is read for a diff: its own, where the other side's is of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lading.catalog import Catalog
from lading.errors import DeclarationError
from lading.model.shape import shape_of

#: What fields must have in common for their values to be compared.
_PARTS = ("type", "aware", "scale", "stored", "entity", "by", "flat", "order")


def side_catalog(source: Any, catalog: Catalog, names: set[str]) -> Catalog:
    """Return the catalog to read a database by.

    Engines keep values of a kind in columns of different types, which only a database's own
    catalog knows.

    Args:
        source: What the database is read by.
        catalog: The catalog of both sides.
        names: The entities to compare.

    Returns:
        The database's own, if the other is of another database and both have the same records.
    """
    try:
        own = catalog.of_database(source)
        is_alike = own is not None and _forms(own, names) == _forms(catalog, names)
    except DeclarationError:
        return catalog  # it has no such tables, which is said where they are read
    return own if own is not None and is_alike else catalog


def _forms(catalog: Catalog, names: set[str]) -> dict[str, Any]:
    """Return what the records of entities are like; an entity that isn't there has nothing."""
    entities = catalog.use()
    return {name: _form(shape_of(entities[name])) for name in names & set(entities.roots)}


def _form(shape: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what two shapes must have in common, at any depth."""
    fields = {
        name: (*(field.get(part) for part in _PARTS), "fields" in field and _form(field))
        for name, field in shape["fields"].items()
    }
    return fields, set(shape["key"])
