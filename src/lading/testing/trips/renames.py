"""References that say something else, because the field that they go by has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lading.model.rowsets import Children, Links, Reference, RowSet
from lading.testing.compare.records import ANYTHING, plain_text

Record = dict[str, Any]


class Renames:
    """New values of the fields by which references find records, beside natural keys."""

    def __init__(self) -> None:
        #: By entity and field, what each old value has become.
        self.new: dict[tuple[str, str], dict[str, Any]] = {}
        #: The entities of which records are updated, whose owned rows may get other owners.
        self.updated: set[str] = set()

    def add(self, root: RowSet, stored: Record, record: Record) -> None:
        """Note what a record says before and after."""
        self.updated.add(root.name)
        for value in root.values:
            name = value.written
            if name in stored and name in record and stored[name] != record[name]:
                values = self.new.setdefault((root.name, name), {})
                values[plain_text(stored[name])] = record[name]

    def followed(self, rows: RowSet, record: Record) -> Record:
        """Return a record as its rows say it once the targets of its references have changed."""
        members = {member.written: member for member in rows.members}
        return {name: self._followed(members.get(name), value) for name, value in record.items()}

    def _followed(self, member: Any, value: Any) -> Any:
        if isinstance(member, Children) and isinstance(value, list):
            return [self.followed(member.rows, inner) for inner in value]
        if isinstance(member, Links) and isinstance(value, list):
            return [self._followed(member.reference, inner) for inner in value]
        if not isinstance(member, Reference) or value is None:
            return value
        target = member.target
        owners = {part.target.name for part in member.parts if isinstance(part, Reference)}
        if target.is_owned and target.entity in owners & self.updated:
            return ANYTHING  # it names the owner of its target, which may have another now
        if not isinstance(value, Mapping):
            return self._part(member, member.parts[0], value)
        return {
            part.written: self._part(member, part, value[part.written]) for part in member.parts
        }

    def _part(self, reference: Reference, part: Any, value: Any) -> Any:
        if isinstance(part, Reference):
            return self._followed(part, value)
        values = self.new.get((reference.target.name, part.written), {})
        return value if part in reference.target.key else values.get(plain_text(value), value)
