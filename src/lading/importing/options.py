"""The options of one import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lading.model.entities import Entities
from lading.options import check_choice, conflict_modes, entity_names

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
        check_choice("on_error", on_error, ERRORS)
        self.keeps_good = on_error == "continue"
        self.names = entity_names("only", only, entities.roots)
        self.modes = conflict_modes(on_conflict, entities.roots)

    def takes(self, name: str) -> bool:
        """Tell whether an entity is to be loaded."""
        return name in self.names

    def mode(self, name: str) -> str:
        """Return what happens to records of an entity that are there already."""
        return self.modes.get(name, self.modes.get("*", "skip"))
