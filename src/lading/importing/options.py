"""The options of one import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lading.errors import LadingError
from lading.messages import nearest, shown
from lading.model.entities import Entities
from lading.options import entity_names

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
