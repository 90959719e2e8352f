"""What a caller may ask for, checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from lading.catalog import Catalog, default_catalog
from lading.errors import LadingError
from lading.messages import shown


def catalog_of(given: Catalog | None) -> Catalog:
    """Return the catalog to work with: the default one where none is given."""
    if given is None:
        return default_catalog
    if not isinstance(given, Catalog):
        raise LadingError(f"catalog={shown(given)}; expected a Catalog")
    return given


def check_path(path: Any) -> None:
    """Refuse what is no path."""
    if not isinstance(path, str | os.PathLike):
        raise LadingError(f"path={shown(path)}; expected a string or a Path")


def check_watch(progress: Any) -> None:
    """Refuse what can't be called."""
    if progress is not None and not callable(progress):
        raise LadingError(f"progress={shown(progress)}; expected a function that takes a Progress")


def check_max_bytes(max_bytes: Any) -> None:
    """Refuse what is no number of bytes."""
    if max_bytes is not None and (type(max_bytes) is not int or max_bytes < 1):
        raise LadingError(f"max_bytes={shown(max_bytes)}; expected a whole number of bytes")


def refuse_plans(*, dry_run: bool, expect: Any) -> None:
    """Refuse what would silently write, or not compare, until there are import plans."""
    for option, given in (("dry_run", dry_run or None), ("expect", expect)):
        if given is not None:
            raise LadingError(f"{option}={shown(given)} isn't supported yet; leave it out")


def entity_names(option: str, given: str | Iterable[str]) -> set[str]:
    """Return the names that an option lists; one may stand alone."""
    if isinstance(given, str):
        return {given}
    names: list[Any] = list(given) if hasattr(given, "__iter__") else [given]
    if not all(isinstance(name, str) for name in names):
        raise LadingError(f"{option}={shown(given)}; expected a list of entity names")
    return set(names)
