"""Resolves the references of batches to what foreign keys hold; misses are problems.

References that are deferred stay unresolved, and so do those to rows of the own table that
must be there first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.batch import Batch, ResolvedBatch
from lading.importing.outcomes import EntityOutcome
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.resolvers import Resolvers
from lading.mapping.load_order import LoadOrder, link_name
from lading.messages import Message
from lading.model.hidden import hides
from lading.model.rowsets import Links, Reference, RowSet
from lading.records.describe import described, masked_key
from lading.records.layout import Key
from lading.values.json_text import repeated


class RowPlaces:
    """Says where the rows of a batch stand, for messages.

    ``key`` gives the natural key of a record by its number, ``path`` the path within the
    record of a row's fields, by its place in the batch: ``ingredients.3.``.
    """

    def __init__(self, key: Callable[[int], Any], path: Callable[[int], str]) -> None:
        self.key = key
        self.path = path

    def nested(self, written: str, owners: Sequence[int]) -> RowPlaces:
        """Return the places of owned rows, counted from 1 within each list."""
        positions: list[int] = []

        def path(place: int) -> str:
            if not positions:
                lengths: Counter[int] = Counter()
                for owner in owners:
                    lengths[owner] += 1
                    positions.append(lengths[owner])
            return f"{self.path(owners[place])}{written}.{positions[place]}."

        return RowPlaces(self.key, path)


def places_of_records(outcome: EntityOutcome, batch: Batch) -> RowPlaces:
    """Return the places of rows that are the records themselves."""
    return RowPlaces(
        lambda number: outcome.key_at(batch, batch.numbers.index(number)), lambda _: ""
    )


def places_within(path: str) -> RowPlaces:
    """Return the places of rows of which only the records' numbers and one path are known."""
    return RowPlaces(lambda _: None, lambda _: path)


class ReferenceResolver:
    """Resolves the references of one entity's rows."""

    def __init__(self, resolvers: Resolvers, order: LoadOrder, outcome: EntityOutcome) -> None:
        self.resolvers = resolvers
        self.outcome = outcome
        self.unresolved = order.updated | order.parents_first
        self.deferred = order.deferred

    def resolve(self, rows: RowSet, batch: Batch, places: RowPlaces) -> ResolvedBatch:
        """Resolve a batch's references, but those that are deferred; misses are problems."""
        resolved = ResolvedBatch(batch)
        for reference in rows.references:
            if (rows.name, reference.name) not in self.unresolved:
                resolved.foreign[reference.name] = self._resolve(reference, batch, places)
        for links in rows.links:
            if link_name(rows, links) not in self.deferred:
                lists = batch.links[links.name]
                resolved.links[links.name] = self.links(links, batch.numbers, lists, places)
        for children in rows.children:
            if children.rows.name not in self.deferred:
                nested = batch.children[children.name]
                inner = places.nested(children.written, nested.owners)
                resolved.children[children.name] = self.resolve(children.rows, nested.batch, inner)
        return resolved

    def _resolve(self, reference: Reference, batch: Batch, places: RowPlaces) -> list[Row | None]:
        keys = batch.references[reference.name]
        targets = self.find(reference, keys)
        rows = [targets.get(key) for key in keys]  # type: ignore[arg-type]
        if rows.count(None) == keys.count(None) and AMBIGUOUS not in rows:
            return rows
        for place, (key, row) in enumerate(zip(keys, rows, strict=True)):
            if key is not None and (row is None or row is AMBIGUOUS):
                field = f"{places.path(place)}{reference.written}"
                self._fail(batch.numbers[place], places, field, self.missing(reference, key, row))
                rows[place] = None
        return rows

    def links(
        self,
        links: Links,
        numbers: Sequence[int],
        lists: Sequence[list[Key]],
        places: RowPlaces,
    ) -> list[list[Row]]:
        """Resolve many-to-many lists; a key twice in one list is a problem.

        Args:
            links: the lists' member.
            numbers: the number of each list's record.
            lists: the keys that each list holds.
            places: where the rows stand that hold the lists.

        Returns:
            What the link table holds of each target that exists, list by list.
        """
        reference = links.reference
        targets = self.find(reference, (key for keys in lists for key in keys))
        result = []
        for place, (number, keys) in enumerate(zip(numbers, lists, strict=True)):
            rows = []
            messages = []
            if len(set(keys)) != len(keys):
                twice = described(reference.parts, repeated(keys))
                messages.append(Message("link-repeated", f"holds {twice} twice; remove one"))
            for key in keys:
                row = targets.get(key)
                if row is None or row is AMBIGUOUS:
                    messages.append(self.missing(reference, key, row))
                else:
                    rows.append(row)
            for message in messages:
                self._fail(number, places, f"{places.path(place)}{links.written}", message)
            result.append(rows)
        return result

    def find(self, reference: Reference, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map the keys of a reference's targets that exist to the columns referred to."""
        return self.resolvers.of(reference).find(keys)

    def missing(self, reference: Reference, key: Key, row: Row | None = None) -> Message:
        """Say that a reference has no target, or several, and what to do."""
        target = reference.target.name
        resolver = self.resolvers.of(reference)
        if row is AMBIGUOUS:
            text = described(reference.parts, resolver.unclear(key))
            return Message(
                "reference-ambiguous",
                f"{target}: several records have {text}; make it unique, or refer to them by "
                "another key",
            )
        extension = reference.target.extension_of(reference.remote[0].table)
        record = f"record with a row in {extension.table.fullname}" if extension else "record"
        text = described(reference.parts, key)
        if self.has_failed(reference, key):
            problem = f"{target}: the record with {text} has a problem of its own"
            return Message("target-refused", f"{problem}. Mend that one")
        is_hidden = any(map(hides, reference.parts))
        others = partial(self.further_keys, reference)
        near = None if is_hidden else self.resolvers.nearest(resolver, key, others)
        closest = f"; closest is {near}" if near is not None else ""
        return Message(
            "reference-missing",
            f"{target}: no {record} has {text}{closest}. Add the record to {target}, or correct "
            "the key",
        )

    def further_keys(self, reference: Reference) -> Iterable[Key]:
        """Return keys of a reference's targets beside those that the database has."""
        return ()

    def has_failed(self, reference: Reference, key: Key) -> bool:
        """Tell whether the record that a reference leads to has a problem; no, if it is hidden."""
        if any(map(hides, reference.parts)):
            return False
        portable = masked_key(reference.parts, key)
        return self.outcome.outcomes.failed_keys.holds(reference.target.name, portable)

    def _fail(self, number: int, places: RowPlaces, field: str, message: Message) -> None:
        self.outcome.fail(number, places.key(number), field, message)
