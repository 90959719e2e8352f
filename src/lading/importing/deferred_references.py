"""Sets references that were inserted as null, for their targets came later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from lading.database.dialects.base import Row
from lading.importing.context import LoadContext
from lading.importing.journal import DeferredReference, WriteLog
from lading.importing.late_refusals import LateRefusals
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver
from lading.importing.resolved_keys import AMBIGUOUS
from lading.importing.savepoints import Objection, attempt, insert_or_bisect, path_to
from lading.importing.shared_columns import Disagreement, compare, deferred_carriers
from lading.messages import Message
from lading.model.rowsets import Reference, RowSet
from lading.records.describe import masked_key
from lading.records.layout import Key

#: The record of a row, and its primary key followed by what its foreign key is to hold.
UpdatedRow = tuple[int, Row]


class DeferredReferenceLoader:
    """Sets the deferred values of one reference."""

    def __init__(
        self, context: LoadContext, rows: RowSet, reference: Reference, outcome: EntityOutcome
    ) -> None:
        self.context = context
        self.rows = rows
        self.reference = reference
        self.outcome = outcome
        self.name = (rows.name, reference.name)
        self.field = f"{path_to(rows, outcome.root)}{reference.written}"
        self.references = ReferenceResolver(context.resolvers, context.order, outcome)
        self.refused = LateRefusals(context, outcome)
        self.carriers = deferred_carriers(rows, context.order, reference)
        self.deferred = context.journal.references.pop(self.name, None)
        self.own = [n for n, c in enumerate(reference.columns) if c in reference.carried_columns]

    def load(self) -> None:
        """Set all values that were deferred."""
        for chunk in self._deferred():
            self._update(list(self._updates(chunk)))
        self.refused.report()
        is_own_key = self.rows is self.outcome.root and self.reference.parts == self.rows.key
        if self.outcome.bad and is_own_key:
            self._fail_followers()
        self.context.exclusions.add_bad(self.outcome.root.name, self.outcome.bad)

    def _deferred(self) -> Iterator[list[DeferredReference]]:
        yield from self.deferred or ()

    def _updates(self, chunk: list[DeferredReference]) -> Iterator[UpdatedRow]:
        """Yield the value of each row's foreign key; one that can't be set is a problem."""
        targets = self.references.find(self.reference, (deferred.key for deferred in chunk))
        for deferred, shared in zip(chunk, self._shared(chunk), strict=True):
            row = targets.get(deferred.key)
            if row is None or row is AMBIGUOUS:
                self._fail(
                    deferred.number, self.references.missing(self.reference, deferred.key, row)
                )
                continue
            try:
                compare(self.reference, row, shared)
            except Disagreement as error:
                self._fail(deferred.number, error.message)
            else:
                yield deferred.number, (*deferred.identity, *(row[n] for n in self.own))

    def _shared(self, chunk: list[DeferredReference]) -> list[Sequence[Any]]:
        """Return the values of the reference's columns by other members, also deferred ones."""
        result: list[list[Any]] = [list(deferred.shared) for deferred in chunk]
        for n, (place, other, column) in enumerate(self.carriers):
            targets = self.references.find(other, (deferred.carried[n] for deferred in chunk))
            for deferred, shared in zip(chunk, result, strict=True):
                row = targets.get(deferred.carried[n]) if deferred.carried[n] is not None else None
                shared[place] = None if row is None or row is AMBIGUOUS else row[column]
        return list(result)

    def _update(self, rows: list[UpdatedRow]) -> None:
        for (row,), objection in insert_or_bisect(rows, self._attempt):
            self.refused.add(row[0], self.field, objection)

    def _attempt(self, rows: list[UpdatedRow]) -> Objection | None:
        columns = self.reference.carried_columns
        table: Any = columns[0].table

        def write(log: WriteLog) -> None:
            values = [row for _, row in rows]
            self.context.database.update(table, self.rows.identity_in(table), columns, values)
            log.set_links(self.reference, len(values))

        return attempt(self.context.database, self.context.journal, write)

    def _fail(self, number: int, message: Message, key: Any = None) -> None:
        self.outcome.fail(number, key, self.field, message)

    # Bad records

    def _fail_followers(self) -> None:
        """Fail the records that refer to bad ones of their own entity, directly or not."""
        followers, bad_keys = self._followers()
        while bad_keys:
            bad_key = bad_keys.pop()
            portable = masked_key(self.rows.key, bad_key)
            self.outcome.outcomes.failed_keys.add(self.rows.name, portable)
            for number, own_key in followers.pop(bad_key, ()):
                if number not in self.outcome.bad:
                    message = self.references.missing(self.reference, bad_key)
                    self._fail(number, message, masked_key(self.rows.key, own_key))
                    bad_keys.append(own_key)

    def _followers(self) -> tuple[dict[Key, list[tuple[int, Key]]], list[Key]]:
        """Return the records that refer to each key, by number and own key, and the bad keys."""
        followers: dict[Key, list[tuple[int, Key]]] = defaultdict(list)
        bad_keys: list[Key] = []
        for followed in self.context.journal.followed.get(self.name, ()):
            for number, key, own_key in followed:
                followers[key].append((number, own_key))
        for chunk in self._deferred():
            for deferred in chunk:
                followers[deferred.key].append((deferred.number, deferred.own_key))
                if deferred.number in self.outcome.bad:
                    bad_keys.append(deferred.own_key)
        return followers, bad_keys
