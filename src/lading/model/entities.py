"""A catalog's entities: everything that follows from its declarations, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import marshmallow as ma

from lading.messages import shown
from lading.model.rowsets import RowSet

#: What a document holds beside its entities' lists.
RESERVED_NAMES = ("version", "schema_versions", "exported_at", "source", "include_ids")

Options = ParamSpec("Options")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """The natural key of one entity or owned list, and what it was chosen from.

    ``key`` and each of ``candidates`` are the names of fields; ``reason`` says by which
    rule the key was chosen.  ``guarded`` says whether the database itself refuses a second
    row with the key: a primary key or unique columns without nulls.
    """

    entity: str
    key: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...]
    reason: str
    guarded: bool

    def __str__(self) -> str:
        others = [shown_names(candidate) for candidate in self.candidates if candidate != self.key]
        beside = f"; the other candidates are {'; '.join(others)}" if others else ""
        alone = "" if self.guarded else "; no constraint guards it, lading alone does"
        return f"{self.entity}: {shown_names(self.key)} ({self.reason}){beside}{alone}"


def shown_names(names: tuple[str, ...]) -> str:
    """Return a key's names as ``natural_key`` takes them."""
    return shown(names[0] if len(names) == 1 else names)


@dataclass(eq=False, slots=True)
class Entities:
    """A catalog's entities by name, each a tree of row sets.

    ``name`` is the catalog's, and ``leaves_out`` its reasons for what no bundle carries.
    ``plain`` holds every schema's row set as it stands alone, with the references
    to its owners; references point to these.  ``choices`` say which key each has, and why.
    """

    name: str
    roots: dict[str, RowSet]
    plain: dict[type[ma.Schema], RowSet]
    choices: tuple[KeyChoice, ...]
    leaves_out: Mapping[str, str]
    _results: dict[Any, Any] = field(init=False, default_factory=dict)

    def __getitem__(self, name: str) -> RowSet:
        return self.roots[name]

    def all_rows(self) -> Iterator[RowSet]:
        """Yield every row set, entities by name, parents first."""
        for root in self.roots.values():
            yield from root.tree()

    def once(self, compute: Callable[..., Result], *options: Any) -> Result:
        """Return what a function makes of these entities, computed at the first call.

        A catalog that gets a further schema or change derives new entities, so nothing grows
        stale.  The result is shared, so nobody may alter it.

        Args:
            compute: A function of entities and ``options``.
            options: What the result depends on beside the entities; hashable.

        Returns:
            The same object at each call.
        """
        key = (compute, options)
        if key not in self._results:
            self._results.setdefault(key, compute(self, *options))
        result: Result = self._results[key]
        return result


def computed_once(
    compute: Callable[Concatenate[Entities, Options], Result],
) -> Callable[Concatenate[Entities, Options], Result]:
    """Have a function of entities compute its result once for each catalog; see ``once``."""

    @wraps(compute)
    def remembered(entities: Entities, /, *args: Options.args, **kwargs: Options.kwargs) -> Result:
        assert not kwargs
        return entities.once(compute, *args)

    return remembered
