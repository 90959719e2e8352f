"""What a caller may ask for, checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from lading.catalog import Catalog, default_catalog
from lading.errors import LadingError
from lading.mapping.derivation import Entities
from lading.messages import nearest, shown

CONFLICTS = ("skip", "error")
LATER = ("update", "mirror")
ERRORS = ("rollback", "continue")


class ImportOptions:
    """The options of one import: what is loaded, and what happens to conflicts and errors."""

    def __init__(
        self,
        entities: Entities,
        on_conflict: str | Mapping[str, str],
        on_error: str,
        only: Iterable[str] | None,
    ) -> None:
        if on_error not in ERRORS:
            raise LadingError(f"on_error={shown(on_error)}; expected 'rollback' or 'continue'")
        self.keeps_good = on_error == "continue"
        self.only = None if only is None else entity_names("only", only)
        self.modes = dict(on_conflict) if isinstance(on_conflict, Mapping) else {"*": on_conflict}
        for name in (*(self.only or ()), *(self.modes.keys() - {"*"})):
            if name not in entities.roots:
                known = nearest(name, entities.roots)
                raise LadingError(f"{shown(name)} is no entity of this catalog; there are: {known}")
        for mode in self.modes.values():
            if mode not in CONFLICTS:
                later = " yet" if mode in LATER else ""
                raise LadingError(
                    f"on_conflict={shown(mode)} isn't supported{later}; expected 'skip' or 'error'"
                )

    def takes(self, name: str) -> bool:
        """Tell whether an entity is to be loaded."""
        return self.only is None or name in self.only

    def refuses_existing(self, name: str) -> bool:
        """Tell whether a record that is there already is a problem."""
        return self.modes.get(name, self.modes.get("*", "skip")) == "error"


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
