"""The records that a dataset must be exported as, worked out from its rows alone.

Nothing of the engine's is used here but each type's written form, so that an export and an
import which err alike are found out.  A record says what its columns' types give back of what
they have stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from lading.model.ordering import as_listed, reference_order
from lading.model.rowsets import Children, Column, Links, Member, Reference, RowSet, Value
from lading.records.canonical import encoded
from lading.testing.cell_values.storable import travelling
from lading.testing.compare.records import ANYTHING
from lading.testing.datasets.dataset import Instance, Resolved

Record = dict[str, Any]


class Written:
    """The records of a resolved dataset."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.dataset = resolved.dataset
        self.plans = self.dataset.plans

    def document(self) -> dict[str, list[Record]]:
        """Return each entity's records, in no order that means anything."""
        roots = {root: self.plans.of[root.table] for root in self.plans.entities.roots.values()}
        return {
            root.name: [self.record(root, instance) for instance in self.dataset.of(plan)]
            for root, plan in roots.items()
        }

    def record(self, rows: RowSet, instance: Instance) -> Record:
        """Return one object's record."""
        return {
            member.written: self._member(member, instance)
            for member in rows.members
            if member.classes is None or instance.kind in member.classes
        }

    def _member(self, member: Member, instance: Instance) -> Any:
        if isinstance(member, Value):
            return self._plain(member, instance)
        if isinstance(member, Reference):
            return self._key(member, instance)
        if isinstance(member, Links):
            links = self._leading(member.table, member.local, instance)
            keys = [self._key(member.reference, link) for link in links]
            return sorted(keys, key=lambda key: reference_order(member.reference, key))
        assert isinstance(member, Children)
        return self._nested(member, instance)

    def _plain(self, member: Value, instance: Instance) -> Any:
        row = instance.rows.get(member.column.table, {})
        if not member.writable or member.column.name not in row:
            return ANYTHING
        value = self.resolved.returned(instance, member.column)
        return None if value is None else member.kind.write(travelling(value))

    def _key(self, reference: Reference, instance: Instance) -> Any:
        """Return the key of what a row leads to by a reference."""
        far = instance.led.get(instance.plan.way(reference.columns))
        if far is None:
            return None
        key = self.key(reference.parts, far)
        return next(iter(key.values())) if reference.flat else key

    def key(self, parts: Iterable[Member], instance: Instance) -> Record:
        """Return what an object holds in its natural key, or in whatever parts name it."""
        return {part.written: self._member(part, instance) for part in parts}

    def _leading(
        self, table: Any, pairs: Iterable[tuple[Column, Column]], instance: Instance
    ) -> list[Instance]:
        """Return the rows of a table that lead to an object by some columns, as they were drawn."""
        plan = self.plans.of[table]
        way = plan.way(column for column, _ in pairs)
        return [row for row in self.dataset.of(plan) if row.led.get(way) is instance]

    def _nested(self, children: Children, instance: Instance) -> list[Record]:
        rows = self._leading(children.rows.table, children.pairs, instance)
        made_up = self.plans.of[children.rows.table].made_up
        if any(column is made_up and descending for column, descending in children.sequence):
            rows.reverse()
        records = [self.record(children.rows, child) for child in rows]
        return as_listed(children, records, partial(encoded, children.rows, omit=ANYTHING))
