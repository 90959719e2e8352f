"""The story of a diff: two sides, compared entity by entity in the catalog's order.

Applications import this module where they start, so what a diff needs is imported when there is
one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lading.catalog import Catalog, catalog_of
from lading.errors import ArgumentError
from lading.messages import Message
from lading.options import ACCEPTED, DOCUMENT, check_path, entity_names, session_of

if TYPE_CHECKING:
    from lading.planning.plan import Diff


def diff(
    a: Any, b: Any, *, catalog: Catalog | None = None, only: Iterable[str] | None = None
) -> Diff:
    """Say what would have to happen to ``a`` to make it ``b``, record by record and field by field.

    Records are matched by natural key and compared by content, with their links and owned rows.
    Volatile fields alone make no difference, and neither does a set's order.  Bundles and
    documents of older versions are upgraded first.  Nothing is written.

    Args:
        a: a bundle's path, a document (a dictionary of lists of records), or a database, as
            :func:`export_all` takes it: a ``Session``, ``Connection``, ``Engine`` or
            ``sessionmaker``; ``None`` for the catalog's ``bind``.
        b: likewise.
        catalog: the catalog that both are of; by default the default one.
        only: the entities to compare; by default all.  An entity that either side doesn't hold
            isn't compared, and ``unchecked`` names it.

    Returns:
        The changes, which is false if there are none; ``str`` of it says them in a bounded
        number of lines.

    Raises:
        ArgumentError: an argument isn't of these forms.
        BundleError: a bundle is damaged, or isn't one.
        VersionError: this catalog doesn't read the versions of a bundle or document.
        TargetError: a database refuses, or its data fits no bundle, as in :func:`export_all`.
    """
    from lading.diffing.comparison import compared_sides

    catalog = catalog_of(catalog)
    names = entity_names("only", only, catalog.use().roots)
    sides = [_checked(argument, side, catalog) for argument, side in (("a", a), ("b", b))]
    return compared_sides(sides[0], sides[1], catalog, names)


def _checked(argument: str, side: Any, catalog: Catalog) -> Any:
    """Return what to read a side by; refuse what is none."""
    if isinstance(side, Mapping):
        return side
    if isinstance(side, str | os.PathLike):
        check_path(argument, side)
        return side
    try:
        return session_of(side, catalog)
    except ArgumentError as error:
        expected = Message("session-malformed", f"a bundle's path, {DOCUMENT}, or {ACCEPTED}")
        raise ArgumentError(argument, side, expected, error.remedy) from error
