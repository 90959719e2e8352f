"""The options of one import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lading.errors import ArgumentError
from lading.messages import Message, listed
from lading.model.entities import Entities
from lading.options import check_choice, conflict_modes, entity_names

ERRORS = ("rollback", "continue")
#: The modes that write to existing records.
UPDATING = ("update", "mirror")
MIRROR = "mirror"


PARTIAL = "another mode: the bundle is partial, and a mirror would delete what it left out"


class ImportOptions:
    """The options of one import: what is loaded, and what happens to conflicts and errors."""

    def __init__(
        self,
        entities: Entities,
        on_conflict: str | Mapping[str, str],
        on_error: str,
        only: Iterable[str] | None,
        *,
        cascade: bool = False,
        records: bool = False,
    ) -> None:
        check_choice("on_error", on_error, ERRORS)
        self.keeps_good = on_error == "continue"
        self.names = entity_names("only", only, entities.roots)
        #: Whether deletions may take along rows outside of the records.
        self.cascade = cascade
        #: Whether each change is recorded, to be planned or compared with a plan.
        self.records = records
        self.modes = conflict_modes(on_conflict, entities.roots)
        if self.keeps_good and MIRROR in self.modes.values():
            raise ArgumentError(
                "on_error",
                on_error,
                Message(
                    "arguments-disagree", "'rollback', for a mirror deletes nothing after a problem"
                ),
            )

    def refuse_partial(self, names: Iterable[str]) -> None:
        """Refuse to mirror a payload that may lack records of some entities."""
        mirrored = [name for name in names if self.mode(name) == MIRROR]
        if mirrored:
            raise ArgumentError(
                "on_conflict",
                MIRROR,
                Message("mirror-partial", PARTIAL),
                "Export the whole catalog, or use on_conflict='update'.",
                subject=f"on_conflict='mirror' for {listed(mirrored, separator=', ')}",
            )

    def takes(self, name: str) -> bool:
        """Tell whether an entity is to be loaded."""
        return name in self.names

    def mode(self, name: str) -> str:
        """Return what happens to records of an entity that are there already."""
        return self.modes.get(name, self.modes.get("*", "skip"))
