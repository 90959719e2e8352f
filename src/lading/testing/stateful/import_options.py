"""The terms of an import: what its caller asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.importing.options import ERRORS
from lading.testing.stateful.import_model import WAYS


@dataclass(frozen=True)
class Terms:
    """What an import's options are; ``only`` is ``None`` for all entities."""

    on_conflict: str | Mapping[str, str]
    on_error: str
    only: Sequence[str] | None = None

    def way(self, entity: str) -> str | None:
        """Say what happens to an entity's records that are there; ``None`` if none is loaded."""
        if self.only is not None and entity not in self.only:
            return None
        if isinstance(self.on_conflict, str):
            return self.on_conflict
        return self.on_conflict.get(entity, self.on_conflict.get("*", "skip"))

    @property
    def keeps_good(self) -> bool:
        """Whether good records are kept beside bad ones."""
        return self.on_error == "continue"

    def options(self) -> dict[str, Any]:
        """Return them as keyword arguments."""
        given = {"on_conflict": self.on_conflict, "on_error": self.on_error}
        return given if self.only is None else {**given, "only": self.only}


def terms_of(entities: Sequence[str]) -> SearchStrategy[Terms]:
    """Draw terms for a catalog with these entities."""
    ways, names = st.sampled_from(list(WAYS)), st.sampled_from(entities)
    some = st.dictionaries(names, ways, min_size=1, max_size=2)
    mapped = st.tuples(some, ways).map(lambda pair: {**pair[0], "*": pair[1]})
    all_or_some = st.none() | st.lists(names, min_size=1, unique=True)
    return st.builds(Terms, ways | mapped, st.sampled_from(ERRORS), all_or_some)
