"""Rows of one row set on their way into a database, column by column, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lading.database.dialects.base import Row
from lading.records.layout import Key


@dataclass(slots=True)
class Nested:
    """Owned rows of a batch; ``owners`` holds each one's place among its parents."""

    batch: Batch
    owners: list[int]


@dataclass(slots=True)
class Batch:
    """Rows of one row set on their way into a database.

    ``numbers`` says which record of the file each belongs to, ``values`` are
    tuples of driver values in the members' order; ``references`` and ``links``
    hold keys, by member.  ``lines`` are the records' texts (of entities only), ``classes``
    the written discriminators of a hierarchy's rows.  ``is_exact`` says that the lines have the
    form that equal JSON has.
    """

    numbers: list[int]
    keys: list[Key]
    values: list[tuple[Any, ...]]
    references: dict[str, list[Key | None]] = field(default_factory=dict)
    links: dict[str, list[list[Key]]] = field(default_factory=dict)
    children: dict[str, Nested] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)
    classes: list[Any] = field(default_factory=list)
    is_exact: bool = False

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, places: Sequence[int]) -> Batch:
        """Return the rows at some places, with what they nest."""
        if list(places) == list(range(len(self.numbers))):
            return self
        return Batch(
            [self.numbers[place] for place in places],
            [self.keys[place] for place in places],
            [self.values[place] for place in places],
            {name: [keys[place] for place in places] for name, keys in self.references.items()},
            {name: [keys[place] for place in places] for name, keys in self.links.items()},
            {name: _nested_at(nested, places) for name, nested in self.children.items()},
            [self.lines[place] for place in places] if self.lines else [],
            [self.classes[place] for place in places] if self.classes else [],
            self.is_exact,
        )

    def without(self, numbers: set[int]) -> Batch:
        """Return the rows whose records aren't among these."""
        if not numbers:
            return self
        places = [place for place, number in enumerate(self.numbers) if number not in numbers]
        return self.take(places)


def _nested_at(nested: Nested, places: Sequence[int]) -> Nested:
    new_places = {place: new for new, place in enumerate(places)}
    inner_places = [n for n, owner in enumerate(nested.owners) if owner in new_places]
    return Nested(
        nested.batch.take(inner_places), [new_places[nested.owners[n]] for n in inner_places]
    )


def joined(batches: Sequence[Batch]) -> Batch:
    """Return the rows of several batches of one row set as one."""
    first, *rest = batches
    if not rest:
        return first
    whole = Batch(
        list(first.numbers),
        list(first.keys),
        list(first.values),
        {name: list(keys) for name, keys in first.references.items()},
        {name: list(keys) for name, keys in first.links.items()},
        {name: Nested(n.batch, list(n.owners)) for name, n in first.children.items()},
        list(first.lines),
        list(first.classes),
        all(batch.is_exact for batch in batches),
    )
    for batch in rest:
        before = len(whole)
        whole.numbers += batch.numbers
        whole.keys += batch.keys
        whole.values += batch.values
        whole.lines += batch.lines
        whole.classes += batch.classes
        for name, keys in batch.references.items():
            whole.references[name] += keys
        for name, lists in batch.links.items():
            whole.links[name] += lists
        for name, nested in batch.children.items():
            joined_rows = whole.children[name]
            joined_rows.batch = joined([joined_rows.batch, nested.batch])
            joined_rows.owners += [owner + before for owner in nested.owners]
    return whole


@dataclass(slots=True)
class ResolvedBatch:
    """A batch with its foreign keys' values, by member and row (``None`` for a null).

    ``owner_values`` are what the owners of owned rows give to each, ``ids`` the generated ids
    of rows that have theirs already.
    """

    batch: Batch
    foreign: dict[str, list[Row | None]] = field(default_factory=dict)
    links: dict[str, list[list[Row]]] = field(default_factory=dict)
    children: dict[str, ResolvedBatch] = field(default_factory=dict)
    owner_values: list[Row] = field(default_factory=list)
    ids: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.batch)

    def __getitem__(self, part: slice) -> ResolvedBatch:
        return self.take(range(len(self))[part])

    def take(self, places: Sequence[int]) -> ResolvedBatch:
        """Return the rows at some places, with what they nest."""
        if list(places) == list(range(len(self))):
            return self
        chosen = set(places)
        children = {}
        for name, nested in self.children.items():
            owners = self.batch.children[name].owners
            children[name] = nested.take([n for n, owner in enumerate(owners) if owner in chosen])
        return ResolvedBatch(
            self.batch.take(places),
            {name: [rows[place] for place in places] for name, rows in self.foreign.items()},
            {name: [rows[place] for place in places] for name, rows in self.links.items()},
            children,
            [self.owner_values[place] for place in places] if self.owner_values else [],
            None if self.ids is None else [self.ids[place] for place in places],
        )

    def without(self, numbers: set[int]) -> ResolvedBatch:
        """Return the rows whose records aren't among these."""
        if not numbers:
            return self
        return self.take(
            [n for n, number in enumerate(self.batch.numbers) if number not in numbers]
        )


def bare(batch: Batch) -> Batch:
    """Return rows without those that they nest."""
    children = {name: Nested(n.batch.take([]), []) for name, n in batch.children.items()}
    return replace(batch, children=children, lines=list(batch.lines))


def unresolved(batch: Batch) -> ResolvedBatch:
    """Return rows whose references lead nowhere yet."""
    children = {name: unresolved(nested.batch) for name, nested in batch.children.items()}
    return ResolvedBatch(batch, children=children)
