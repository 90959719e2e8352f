"""The options of an import, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.importing.import_options import ERRORS, MIRROR, UPDATING

#: What ``on_conflict`` may say.
MODES = ("skip", "error", *UPDATING)


@dataclass(frozen=True)
class Terms:
    """An import's options; ``only`` is ``None`` for all entities.

    ``expects`` says whether the import is held to its plan.
    """

    on_conflict: str | Mapping[str, str]
    on_error: str = ERRORS[0]
    only: Sequence[str] | None = None
    cascade: bool = False
    expects: bool = False

    def mode(self, entity: str) -> str:
        """Return what happens to an entity's records that are there."""
        if isinstance(self.on_conflict, str):
            return self.on_conflict
        return self.on_conflict.get(entity, self.on_conflict.get("*", "skip"))

    @property
    def keeps_good(self) -> bool:
        """Whether good records are kept beside bad ones."""
        return self.on_error == "continue"

    def options(self) -> dict[str, Any]:
        """Return them as keyword arguments."""
        options = {
            "on_conflict": self.on_conflict, "on_error": self.on_error, "cascade": self.cascade,
        }  # fmt: skip
        return options if self.only is None else {**options, "only": self.only}


def terms_of(entities: Sequence[str], *, may_cascade: bool) -> SearchStrategy[Terms]:
    """Draw the options of an import into a catalog with these entities.

    Args:
        entities: Their names.
        may_cascade: Whether rows outside of the entities may go along with deleted ones.
    """
    modes, names = st.sampled_from(MODES), st.sampled_from(entities)
    some = st.dictionaries(names, modes, min_size=1, max_size=2)
    mapped = st.tuples(some, modes).map(lambda pair: {**pair[0], "*": pair[1]})
    terms = st.builds(
        Terms,
        modes | mapped,
        st.sampled_from(ERRORS),
        st.none() | st.lists(names, min_size=1, unique=True),
        cascade=st.booleans() if may_cascade else st.just(value=False),
        expects=st.booleans(),
    )
    return terms.filter(lambda drawn: not (drawn.keeps_good and MIRROR in repr(drawn.on_conflict)))
