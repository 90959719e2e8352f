"""The options of an import, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lading.importing.import_options import ERRORS, MIRROR, UPDATING

#: What ``on_conflict`` may say.
MODES = ("skip", "error", *UPDATING)


def drawn_options(entities: Sequence[str], *, may_cascade: bool) -> SearchStrategy[dict[str, Any]]:
    """Draw the options of an import into a catalog with these entities, as keyword arguments.

    ``expect`` says whether the import is held to its plan, which takes that one's place.

    Args:
        entities: Their names.
        may_cascade: Whether rows outside of the entities may go along with deleted ones.
    """
    modes, names = st.sampled_from(MODES), st.sampled_from(entities)
    some = st.dictionaries(names, modes, min_size=1, max_size=2)
    options = st.fixed_dictionaries(
        {
            "on_conflict": modes | st.builds(lambda few, mode: {**few, "*": mode}, some, modes),
            "on_error": st.sampled_from(ERRORS),
            "only": st.none() | st.lists(names, min_size=1, unique=True),
            "expect": st.booleans(),
            "cascade": st.booleans() if may_cascade else st.just(value=False),
        }
    )
    return options.filter(
        lambda drawn: drawn["on_error"] == ERRORS[0] or MIRROR not in repr(drawn["on_conflict"])
    )
