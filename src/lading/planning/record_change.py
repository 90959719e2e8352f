"""One change of one record, as plans and diffs list it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lading.model.hidden import has_hidden, masked
from lading.model.rowsets import RowSet
from lading.records.canonical import in_order

Action = Literal["insert", "update", "delete"]
INSERT: Action = "insert"
UPDATE: Action = "update"
DELETE: Action = "delete"
#: A record's key in portable form, and the fields that an update alters, before and after.
Alteration = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
#: What becomes of a row when the row that it refers to is deleted.
Effect = Literal["deleted", "set to null", "set to default"]


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that would be inserted, updated or deleted.

    ``key`` is its natural key in portable form.  ``before`` is the record as it is (``None`` for
    an insert), ``after`` as it would be (``None`` for a delete); for an update both have the
    fields that differ, each with its whole value.  Hidden values are masked.
    """

    entity: str
    key: Any
    action: Action
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Cascade:
    """Rows outside of the deleted records that the database deletes, or sets to null, with them.

    ``entity`` is the entity whose records are deleted, ``relation`` names the referring column or
    relation (``audit_log.product_id``), ``effect`` is ``"deleted"``, ``"set to null"`` or
    ``"set to default"``, and ``count`` the number of rows.
    """

    entity: str
    relation: str
    effect: Effect
    count: int

    def __str__(self) -> str:
        return f"{self.relation}: {self.count:,} {self.effect}, with {self.entity}"


class ChangeBuilder:
    """Makes changes of one entity's records, with lists in an export's order and masked values."""

    def __init__(self, rows: RowSet) -> None:
        self.rows = rows
        self.has_hidden = has_hidden(rows)
        self.has_lists = bool(rows.links or rows.children)

    def insertion(self, record: Mapping[str, Any]) -> RecordChange:
        """Return the change that inserts a record."""
        return self._change(INSERT, record, None, record)

    def deletion(self, record: Mapping[str, Any]) -> RecordChange:
        """Return the change that deletes a record."""
        return self._change(DELETE, record, record, None)

    def update(
        self, record: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> RecordChange:
        """Return the change that updates a record.

        Args:
            record: anything that has the fields of the record's natural key.
            before: the fields that differ, as they are.
            after: the same fields, as they would be.
        """
        return self._change(UPDATE, record, before, after)

    def _change(
        self,
        action: Action,
        record: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> RecordChange:
        key = {name: record[name] for name in self.rows.key_names}
        return RecordChange(
            self.rows.name, self._shown(key), action, self._shown(before), self._shown(after)
        )

    def _shown(self, record: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if record is None:
            return None
        fields = in_order(self.rows, record) if self.has_lists else dict(record)
        return masked(self.rows.members, fields) if self.has_hidden else fields
