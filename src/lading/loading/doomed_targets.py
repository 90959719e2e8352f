"""Finds planned records that would refer to rows which a mirror deletes."""

from __future__ import annotations

from collections.abc import Iterable

from lading.database.dialects.base import Row
from lading.importing.outcomes import EntityOutcome
from lading.importing.references import ReferenceResolver
from lading.importing.resolvers import Resolvers
from lading.loading.planned_keys import PlannedKeys
from lading.mapping.load_order import LoadOrder
from lading.messages import Message
from lading.model.rowsets import Reference
from lading.records.describe import described
from lading.records.layout import Key

#: Stands for a target that stays, or isn't there.
STAYING: Row = ("staying",)


class DoomedTargets(ReferenceResolver):
    """Resolves references only to report those to doomed rows, unless a planned row has their key.

    References ``by`` another field than a key aren't looked at, for several may have its value.
    """

    def __init__(
        self, resolvers: Resolvers, order: LoadOrder, outcome: EntityOutcome, keys: PlannedKeys
    ) -> None:
        super().__init__(resolvers, order.when_loaded(), outcome)
        self.keys = keys

    def find(self, reference: Reference, keys: Iterable[Key | None]) -> dict[Key, Row]:
        """Map all keys but those of doomed rows to what stands for a row."""
        rows = {key: STAYING for key in keys if key is not None}
        if reference.by is not None:
            return rows
        target = reference.target
        resolver = self.resolvers.by(target, reference.parts, target.identity)
        stored = [(key, row) for key, row in resolver.find(rows).items() if key in rows]
        staying = self.keys.doomed.without([(target.table.fullname, *row) for _, row in stored])
        doomed = {key for key, _ in stored}.difference(stored[n][0] for n in staying)
        for key in doomed:
            if self.keys.content(reference, key) is None:
                del rows[key]
        return rows

    def missing(self, reference: Reference, key: Key, row: Row | None = None) -> Message:
        """Say that a target would be deleted, and what to do."""
        del row
        return Message(
            "record-held",
            f"{reference.target.name}: the bundle lacks the record with "
            f"{described(reference.parts, key)}, so it would be deleted. Add it to the bundle, or "
            "correct the key",
        )
