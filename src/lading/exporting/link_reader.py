"""Reads many-to-many links: compiled once, for any number of exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import isnan
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lading.codegen import CodeBuilder
from lading.database.dialects.base import Dialect, Row
from lading.database.lookup import keys_at, rows_among
from lading.errors import TargetError
from lading.exporting.ancestors import ancestors_of
from lading.exporting.query import ReferenceSlot, Selection, ValueSlot
from lading.exporting.reading import Reading
from lading.messages import Message, shown
from lading.model.hidden import HIDDEN, hides_columns, masked_fault
from lading.model.rowsets import Links, RowSet
from lading.records.key_source import order_source, reference_source
from lading.records.layout import KeyLayout, RecordLayout


class LinkReader:
    """Reads the many-to-many links of a chunk of owners, sorted by key.

    Args:
        rows: the owners' row set.
        links: which of its links are read.
        owner: the selection that reads the owners.
        layout: the owners' layout, which has the structs of the links' keys.
        path: the dotted path that leads to the owners from their entity.
    """

    def __init__(
        self, rows: RowSet, links: Links, owner: Selection, layout: RecordLayout, path: str
    ) -> None:
        self.rows = rows
        self.links = links
        self.path = path
        self.hides_owner = hides_columns(rows, (far for _, far in links.local))
        self.place: dict[str, Any] = {"entity": rows.name, "field": links.written}
        dialect = owner.dialect
        selection = Selection(dialect, links.table, anchor=links.reference.columns)
        slot = selection.reference(links.reference, links.table)
        self.ancestors = ancestors_of(selection)
        self.owner_places = [owner.raw(column) for _, column in links.local]
        self.own_places = [selection.raw(links.table.c[near.key]) for near, _ in links.local]
        self.present = slot.present
        self.make = self._compile(selection, slot, layout.keys.get(links.name))
        self.selection = selection
        self.sql = dialect.text_of(selection.statement())
        table = dialect.table(links.table)
        self.names = [f"{table}.{dialect.name(near)}" for near, _ in links.local]

    def _compile(self, selection: Selection, slot: ReferenceSlot, layout: KeyLayout | None) -> Any:
        """Return what makes (key struct, sort key) pairs of rows."""
        reference = self.links.reference
        source = CodeBuilder(f"{self.rows.name}.{self.links.name}")
        struct = key_struct_source(source, selection.dialect, slot, layout)
        variables = ", ".join(f"c{place}" for place in range(len(selection.columns)))
        key = reference_source(reference, "k")
        order = order_source(source, reference.parts, "t")
        return source.compile(
            f"lambda rows, keys: [(k, {order}) for ({variables},) in rows "
            f"for k in ({struct},) for t in ({key},)]"
        )

    def fetch(self, reading: Reading, owners: Sequence[Row]) -> list[list[Any]]:
        """Return each owner's nested keys, sorted."""
        near = [column for column, _ in self.links.local]
        wanted = keys_at(owners, self.owner_places)
        rows = rows_among(reading.database, self.sql, near, self.names, wanted)
        rows = self.selection.completed(reading.database, rows)
        groups = self._by_owner(reading, rows)
        refuse_strangers(groups, wanted, self.links.table, self.rows.name, hides=self.hides_owner)
        tally = reading.tally
        tally.rows[self.links.table.fullname] += len(rows)
        tally.links[f"{self.path}{self.links.written}"] += len(rows)
        for links in groups.values():
            links.sort(key=itemgetter(1))
            if any(first[1] == second[1] for first, second in pairwise(links)):
                text = f"{self.links.table.fullname} holds a link twice, which no bundle can hold"
                remedy = "Remove one of the two rows."
                raise TargetError(Message("link-repeated", text), remedy, **self.place)
        return [[struct for struct, _ in groups.get(owner, ())] for owner in wanted]

    def _by_owner(self, reading: Reading, rows: Sequence[Row]) -> dict[Row, list[tuple[Any, Any]]]:
        """Group the keys of links, with what they sort by, by their owners."""
        keys = [ancestors.fetch(reading, rows) for ancestors in self.ancestors]
        try:
            keys_and_orders = self.make(rows, keys)
        except Exception as error:
            raise self._fault(rows, keys, error) from error
        groups: dict[Row, list[tuple[Any, Any]]] = defaultdict(list)
        owners = keys_at(rows, self.own_places)
        for owner, key_and_order in zip(owners, keys_and_orders, strict=True):
            groups[owner].append(key_and_order)
        return groups

    def _fault(self, rows: Sequence[Row], keys: Sequence[Any], error: Exception) -> TargetError:
        """Return the error that names the first link that can't be written."""
        row, cause = rows[0], error
        for row in rows:
            try:
                self.make([row], keys)
            except Exception as fault:
                cause = fault
                break
        columns = [near.name for near, _ in self.links.local]
        values = [row[place] for place in self.own_places]
        owner = " and ".join(f"{c} {shown(v)}" for c, v in zip(columns, values, strict=True))
        owner = HIDDEN if self.hides_owner else owner
        place = f"the link of {self.links.table.fullname} with {owner}"
        target = self.links.reference.target.table.fullname
        if row[self.present] is None:
            text = f"{place} refers to no row of {target}"
            remedy = "Remove the link, or add the row."
            return TargetError(Message("foreign-key-dangling", text), remedy, **self.place)
        why = masked_fault(self.rows, self.links.written, str(cause))
        text = f"{place} refers to a row of {target} whose key can't be written: {why}"
        return TargetError(Message("value-unwritable", text), "Correct that row.", **self.place)


def refuse_strangers(
    groups: dict[Row, Any], owners: Sequence[Row], table: sa.Table, entity: str, *, hides: bool
) -> None:
    """Refuse rows that match an owner by the database's collation alone, or by NaN.

    Args:
        groups: the rows of a link table or an owned table, by their foreign key.
        owners: the keys of the owners that were asked for.
        table: the table that holds the rows.
        entity: the entity that an error names.
        hides: whether the owners' keys are hidden.

    Raises:
        TargetError: a foreign key isn't exactly an owner's key.
    """
    for stranger in groups.keys() - set(owners):
        key = HIDDEN if hides else shown(stranger)
        if any(isinstance(value, float | Decimal) and isnan(value) for value in stranger):
            text = (
                f"a row of {table.fullname} refers to {key}, which equals nothing, not even itself"
            )
            remedy = "Correct the row, and its owner's key."
            raise TargetError(Message("value-unwritable", text), remedy, entity=entity)
        raise TargetError(
            Message(
                "collation-clash",
                f"a row of {table.fullname} refers to {key}, which is its owner's key "
                "only by the database's collation",
            ),
            "Write the foreign key exactly as the owner's key is.",
            entity=entity,
        )


def key_struct_source(
    source: CodeBuilder, dialect: Dialect, slot: ReferenceSlot, layout: KeyLayout | None
) -> str:
    """Return source text that makes a nested key, all of whose parts must be set.

    Args:
        source: where functions that the text calls are bound to names.
        dialect: reads the values of the key's parts.
        slot: where the selection has the parts.
        layout: the key's struct; ``None`` for a flat or a recursive key, which has none.

    Returns:
        A Python expression.
    """
    if slot.identity:
        return slot.key_text()
    items = []
    for place, part in enumerate(slot.parts):
        if isinstance(part, ValueSlot):
            x = f"c{part.place}"
            text = source.use(dialect.reader(part.value.carrier, part.value.kind), x)
            items.append(f"(None if {x} is None else {text})" if part.value.nullable else text)
        else:
            nested = None if layout is None else layout.nested.get(place)
            text = key_struct_source(source, dialect, part, nested)
            null = part.is_null()
            items.append(f"(None if {null} else {text})" if part.reference.nullable else text)
    if layout is None:
        return items[0]
    return f"{source.name(layout.struct, 'Key')}({', '.join(items)})"
