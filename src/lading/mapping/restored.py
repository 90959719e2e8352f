"""Finds references to columns that an import doesn't restore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lading.model.rowsets import Column, Links, Reference, RowSet

if TYPE_CHECKING:
    from lading.schema import EntitySchema


def lost_targets(
    plain: Mapping[type[EntitySchema], RowSet], failed: Mapping[type[EntitySchema], set[str]]
) -> Iterator[tuple[type[EntitySchema], str]]:
    """Yield each schema whose reference would come back leading nowhere, with the mistake.

    So it would where its target is restored without the column that the foreign key holds:
    one that is excluded, or only written.  ``failed`` are the members that were reported
    already, by schema: of a target with such, nothing is said.
    """
    for schema, rows in plain.items():
        for member in rows.members:
            reference = member.reference if isinstance(member, Links) else member
            if not isinstance(reference, Reference) or failed[reference.target.schema]:
                continue
            restored = _restored(reference.target)
            for column in reference.remote:
                if reference.target.in_base(column) not in restored:
                    yield schema, _lost(reference, column)


def _lost(reference: Reference, column: Column) -> str:
    return (
        f"{reference.name} refers to {column}, which {reference.target.schema.__name__} doesn't "
        "restore; carry that column, or leave the reference out with Meta.exclude = "
        f"({reference.name!r},)"
    )


def _restored(rows: RowSet) -> set[Column]:
    """Return the columns that records carry and give back, or that the database computes."""
    lost = {
        value.column
        for value in rows.values
        if not value.writable
        and value.column.computed is None
        and value.column is not rows.surrogate  # made anew, and references follow it
    }
    return rows.carried() - lost
