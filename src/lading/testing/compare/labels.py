"""Describes a database's rows for people: by natural key, and where in a record they are."""

from __future__ import annotations

from lading.model.recursive_keys import Parts, level_parts, recurring
from lading.model.rowsets import Reference, Value
from lading.records.describe import described
from lading.testing.compare.rows import NULL, Nowhere, Row, Side, Target
from lading.testing.compare.stored import is_null


class Said(str):
    """A text that is shown as it stands, for a cell's text is quoted already."""

    __slots__ = ()
    __repr__ = str.__str__


def place_of(side: Side, row: Row) -> tuple[str, str | None]:
    """Return the entity whose record holds a row, and where in it the row is."""
    shape = row.shape
    if row.owner is None or row.way is None:
        key = key_text(side, row, shape.rows.key)
        key = key or f"row {side.top(shape.rows).index(row) + 1}"
        is_orphan = shape.rows in side.scope.owners
        return shape.rows.entity, f"{shape.rows.name} {key} (in no record)" if is_orphan else key
    entity, place = place_of(side, row.owner)
    own = key_text(side, row, row.way.key)
    own = own or f"row {row.owner.owned[row.way].index(row) + 1}"
    return entity, f"{place}, {row.way.written} {own}"


def key_text(side: Side, row: Row, parts: Parts) -> str:
    """Describe a row by these parts of its key: ``slug 'flour'``; empty without any."""
    return described(parts, _key(side, parts, row))


def _key(side: Side, parts: Parts, row: Row) -> tuple[object, ...]:
    own = recurring(parts)
    if own is None:
        return tuple(_part(side, part, row) for part in parts)
    levels: list[tuple[object, ...]] = []
    seen: set[Row] = set()
    here: Target = row
    while isinstance(here, Row) and here not in seen:
        seen.add(here)
        levels.append(tuple(_part(side, part, here) for part in level_parts(parts)))
        here = side.target(own, here)
    return tuple(reversed(levels))


def _part(side: Side, part: Value | Reference, row: Row) -> object:
    if isinstance(part, Value):
        cell = row.cells.get(part.column, NULL)
        return None if is_null(cell) else Said(cell[1])
    target = side.target(part, row)
    if isinstance(target, Row):
        return _key(side, part.parts, target)
    return None if target is None else _unknown(part.parts, target)


def _unknown(parts: Parts, target: Nowhere) -> tuple[object, ...]:
    """Return the key of what isn't there."""
    level = tuple(
        Said(f"({target.text} leads nowhere)")
        if isinstance(part, Value)
        else _unknown(part.parts, target)
        for part in level_parts(parts)
    )
    return level if recurring(parts) is None else (level,)
