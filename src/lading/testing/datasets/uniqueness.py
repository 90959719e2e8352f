"""What drawn rows have claimed for themselves alone: their keys, and whatever else is unique."""

from __future__ import annotations

from typing import Any

from lading.testing.datasets.constraints import Unique
from lading.testing.datasets.dataset import Instance, MadeUp, Varying, folded
from lading.testing.datasets.table_plan import Plan


class Claims:
    """Remembers, for each unique set of columns, what rows hold in it."""

    def __init__(self) -> None:
        self.seen: dict[tuple[Plan, int], set[Any]] = {}

    def take(self, instance: Instance) -> bool:
        """Claim what a row has for itself alone; ``False`` if another row has it already."""
        claims = []
        for place, unique in enumerate(instance.plan.uniques):
            if unique.columns[0].table in instance.rows:
                keys = same_keys(instance, unique)
                seen = self.seen.setdefault((instance.plan, place), set())
                if not seen.isdisjoint(keys):
                    return False
                claims.append((seen, keys))
        for seen, keys in claims:
            seen.update(keys)
        return True

    def release(self, instance: Instance) -> None:
        """Give up what a row has claimed, before it is changed."""
        for place, unique in enumerate(instance.plan.uniques):
            if unique.columns[0].table in instance.rows:
                keys = same_keys(instance, unique)
                self.seen.setdefault((instance.plan, place), set()).difference_update(keys)

    def is_free(self, instance: Instance) -> bool:
        """Tell whether nobody has what the cells that a row has so far would claim."""
        for place, unique in enumerate(instance.plan.uniques):
            if all(c.name in instance.rows.get(c.table, {}) for c in unique.columns):
                keys = same_keys(instance, unique)
                if not self.seen.get((instance.plan, place), set()).isdisjoint(keys):
                    return False
        return True


def same_keys(instance: Instance, unique: Unique) -> list[tuple[Any, ...]]:
    """Return every key that a unique set may hold of a row, on one engine or another.

    Of a type that changes values, what it stores and what it gives back count both.
    """
    cells = instance.cells(unique.columns)
    if not unique.nulls_equal and any(cell is None for cell in cells):
        return []
    keys: list[tuple[Any, ...]] = [()]
    for column, cell in zip(unique.columns, cells, strict=True):
        drawn = [cell.value, cell.fallback] if isinstance(cell, Varying) else [cell]
        fits = instance.fits(column)
        known = {
            _comparable(form, folds=unique.folds)
            for value in drawn
            for form in ([value] if fits is None or value is None else fits.forms(value))
        }
        keys = [(*key, form) for key in keys for form in known]
    return keys


def _comparable(value: Any, *, folds: bool) -> Any:
    if isinstance(value, MadeUp):
        return value.identity
    if folds:
        return folded(value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value) is bool, value)
