"""A catalog's entities: everything that follows from its declarations, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import marshmallow as ma

from lading.messages import shown
from lading.model.computed import Computed
from lading.model.rowsets import RowSet

#: What a document holds beside its entities' lists.
RESERVED_NAMES = ("version", "schema_versions", "exported_at", "source", "include_ids")


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """The natural key of one entity or owned list, and what it was chosen from.

    ``key`` and each of ``candidates`` are the names of fields; ``reason`` says by which
    rule the key was chosen.  ``guarded`` says whether the database itself refuses a second
    row with the key: a primary key or unique columns without nulls.  ``fields`` pairs fields of an
    adopted entity with what was decided about each, and why; see :meth:`Catalog.from_metadata`.
    ``is_default`` says whether a declared schema gets the key without naming it.
    """

    entity: str
    key: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...]
    reason: str
    guarded: bool
    fields: tuple[tuple[str, str], ...] = ()
    is_default: bool = True

    def __str__(self) -> str:
        others = [shown_names(candidate) for candidate in self.candidates if candidate != self.key]
        beside = f"; the other candidates are {'; '.join(others)}" if others else ""
        alone = "" if self.guarded else "; no constraint guards it, lading alone does"
        fields = "".join(f"; {name} {decision}" for name, decision in self.fields)
        return f"{self.entity}: {shown_names(self.key)} ({self.reason}){beside}{alone}{fields}"


def shown_names(names: tuple[str, ...]) -> str:
    """Return a key's names as ``natural_key`` takes them."""
    return shown(names[0] if len(names) == 1 else names)


@dataclass(eq=False, slots=True)
class Entities(Computed):
    """A catalog's entities by name, each a tree of row sets.

    ``name`` is the catalog's, and ``leaves_out`` its reasons for what no bundle carries;
    ``left_out`` are those by which an adopted database's tables and columns are left out.
    ``plain`` holds every schema's row set as it stands alone, with the references
    to its owners; references point to these.  ``choices`` say which key each has, and why.
    ``is_adopted`` says whether some of them are of tables that nobody declared.
    """

    name: str
    roots: dict[str, RowSet]
    plain: dict[type[ma.Schema], RowSet]
    choices: tuple[KeyChoice, ...]
    leaves_out: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    is_adopted: bool = False

    def __getitem__(self, name: str) -> RowSet:
        return self.roots[name]

    def all_rows(self) -> Iterator[RowSet]:
        """Yield every row set, entities by name, parents first."""
        for root in self.roots.values():
            yield from root.tree()
