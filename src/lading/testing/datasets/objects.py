"""Drawn objects as their models' attributes show them, for schemas whose hooks must see them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lading.model.rowsets import Children, Links, Member, Reference, RowSet, Value
from lading.testing.compare.records import ANYTHING
from lading.testing.datasets.dataset import Instance
from lading.testing.datasets.expected_records import Written


class Objects:
    """Makes what a schema can dump of the objects of a resolved dataset."""

    def __init__(self, written: Written) -> None:
        self.written = written

    def of(self, rows: RowSet, instance: Instance) -> SimpleNamespace:
        """Return an object with the attributes that a schema's fields ask for."""
        made = SimpleNamespace()
        for member in rows.members:
            if member.classes is None or instance.kind in member.classes:
                value = self._member(member, instance)
                if value is not ANYTHING:
                    setattr(made, member.field.attribute or member.name, value)
        return made

    def _member(self, member: Member, instance: Instance) -> Any:
        if isinstance(member, Value):
            name = member.column.name
            row = instance.rows.get(member.column.table, {})
            if name not in row:
                return ANYTHING
            return self.written.resolved.returned(instance, member.column)
        if isinstance(member, Reference):
            return self._target(member, self.written.led(member, instance))
        if isinstance(member, Links):
            linked = self.written.linked(member, instance)
            return [self._target(member.reference, far) for far in linked]
        assert isinstance(member, Children)
        return [self.of(member.rows, item) for item in self.written.owned(member, instance)]

    def _target(self, reference: Reference, far: Instance | None) -> SimpleNamespace | None:
        """Return what a nested key is written from."""
        if far is None:
            return None
        parts = {part.name: self._member(part, far) for part in reference.parts}
        return SimpleNamespace(**parts)
