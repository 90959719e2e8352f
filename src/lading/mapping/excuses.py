"""What a catalog leaves out, soft references included, and the excuses that it has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lading.mapping.reference_names import coverage
from lading.mapping.soft_references import soft_references
from lading.messages import nearest

if TYPE_CHECKING:
    from lading.mapping.derivation import Entities


def told_coverage(entities: Entities) -> dict[str, str | None]:
    """List what no schema carries and what looks like soft references; see ``Catalog.coverage``."""
    excuses = entities.catalog.leaves_out
    soft = {name: excuses.get(name) for name in soft_references(entities)}
    return dict(sorted({**soft, **coverage(entities)}.items()))


def stale_excuses(entities: Entities) -> list[str]:
    """An excuse that excuses nothing is misspelt, or hides that something is carried by now."""
    left = told_coverage(entities)
    return [
        f"leaves_out names {name!r}, which is no table or column that is left out; "
        f"left out are: {nearest(name, left)}"
        for name in entities.catalog.leaves_out
        if name not in left
    ]
