"""What drawn rows have claimed for themselves alone: their keys, and whatever else is unique."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from lading.testing.datasets.dataset import Instance, folded
from lading.testing.datasets.table_plan import Plan, Unique


class Claims:
    """Remembers, for each unique set of columns, what rows hold in it."""

    def __init__(self) -> None:
        self.claimed_keys: dict[tuple[Plan, int], set[Any]] = {}

    def take(self, instance: Instance) -> bool:
        """Claim what a row has for itself alone; ``False`` if another row has it already."""
        if not self.is_free(instance):
            return False
        for claimed, keys in self._claims(instance):
            claimed.update(keys)
        return True

    def release(self, instance: Instance) -> None:
        """Give up what a row has claimed, before it is changed."""
        for claimed, keys in self._claims(instance):
            claimed.difference_update(keys)

    def is_free(self, instance: Instance) -> bool:
        """Tell whether nobody has what the cells that a row has so far would claim."""
        return all(claimed.isdisjoint(keys) for claimed, keys in self._claims(instance))

    def _claims(self, instance: Instance) -> Iterator[tuple[set[Any], list[Any]]]:
        """Yield, for each unique set of a row, the keys claimed in it, and those of the row.

        Of a row that isn't whole yet, only the sets whose cells are all there.
        """
        for place, unique in enumerate(instance.plan.uniques):
            if all(c.name in instance.rows.get(c.table, ()) for c in unique.columns):
                claimed = self.claimed_keys.setdefault((instance.plan, place), set())
                yield claimed, _keys_of(instance, unique)


def _keys_of(instance: Instance, unique: Unique) -> list[tuple[Any, ...]]:
    """Return every key that a unique set may hold of a row, on one engine or another.

    Of a type that changes values, what it stores and what it gives back count both.
    """
    if not unique.nulls_equal and None in instance.cells(unique.columns):
        return []
    known = [
        {_comparable(form, folds=unique.folds) for form in instance.forms(column)}
        for column in unique.columns
    ]
    return list(product(*known))


def _comparable(value: Any, *, folds: bool) -> Any:
    if folds:
        return folded(value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value) is bool, value)
