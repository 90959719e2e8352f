"""The foreign keys of a database whose columns records carry as plain fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from lading.database.live.live_keys import LiveForeignKey, LiveKeys, RealPlace
from lading.model.entities import Entities
from lading.model.rowsets import Column, RowSet, Value


@dataclass(frozen=True, slots=True)
class PlainKey:
    """A foreign key that plain fields hold, as of an id that no reference replaces.

    ``values`` stand in the order of the foreign key's columns.
    """

    rows: RowSet
    key: LiveForeignKey
    values: tuple[Value, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The local columns, as references have them."""
        return tuple(value.column for value in self.values)


def plain_keys(
    entities: Entities,
    keys: LiveKeys,
    places: Mapping[sa.Table, RealPlace],
    known_as: Callable[[str], str],
) -> Iterator[PlainKey]:
    """Yield the foreign keys that plain fields hold, of entities and of what they own.

    Args:
        entities: the catalog's.
        keys: the foreign keys of the database.
        places: what these call the catalog's tables.
        known_as: gives the form of a column's name that tells it from others.
    """
    tables = {key.table for key in keys.foreign}
    for rows in entities.all_rows():
        others = _other_keys(rows)
        for table in rows.tables:
            place = places.get(table)
            if place not in tables:
                continue
            values = {known_as(v.column.name): v for v in rows.values if v.column.table is table}
            for key in (key for key in keys.foreign if key.table == place):
                fields = [values.get(known_as(name)) for name in key.columns]
                parts = tuple(value for value in fields if value is not None and value.writable)
                if len(parts) == len(fields) and {v.column for v in parts} not in others:
                    yield PlainKey(rows, key, parts)


def _other_keys(rows: RowSet) -> list[set[Column]]:
    """Return the columns of the foreign keys that a row set's records hold in other ways."""
    return [
        *(set(reference.columns) for reference in rows.references),
        *({own for own, _ in extension.pairs} for extension in rows.extensions),
        set(rows.owner_columns),
    ]
