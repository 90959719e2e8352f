"""What planned rows will hold in the columns that references share, as far as it is known.

The database numbers rows when they are inserted; until then a text stands for each such id.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lading.importing.batch import Batch
from lading.importing.shared_columns import shared_columns
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import Children, Column, Reference, RowSet
from lading.records.layout import Key


class ValueOfTarget(NamedTuple):
    """What a reference of a row set holds in one of its columns, once its target is there.

    Without a reference it is what the stored row of a natural key has in its primary key.
    """

    rows: str
    reference: str | None
    place: int
    key: Key | None


#: A row's value in a column, or where it comes from.
Origin = Any | ValueOfTarget


@computed_once
def compared_columns(entities: Entities) -> dict[str, tuple[Column, ...]]:
    """Return the columns that references share, and those of their targets, by row set.

    What carries such a column leads to another row's column, which is among them as well.
    """
    columns: dict[tuple[str, Column], None] = {}
    for rows in entities.all_rows():
        for reference in rows.references:
            for place, column in shared_columns(reference):
                _add(entities, rows, column, columns)
                _add_remote(entities, reference, place, columns)
        for links in rows.links:
            owners = dict(links.local)
            for place, column in shared_columns(links.reference):
                _add(entities, rows, owners[column], columns)
                _add_remote(entities, links.reference, place, columns)
    by_rows: dict[str, tuple[Column, ...]] = {}
    for name, column in columns:
        by_rows[name] = (*by_rows.get(name, ()), column)
    return by_rows


def _add(
    entities: Entities, rows: RowSet, column: Column, columns: dict[tuple[str, Column], None]
) -> None:
    if (rows.name, column) in columns:
        return
    columns[rows.name, column] = None
    for reference in rows.references:
        if column in reference.carried_columns:
            _add_remote(entities, reference, reference.columns.index(column), columns)
    children = _list_of(rows)
    for down, up in children.pairs if children is not None else ():
        if down is column and rows.parent is not None:
            _add(entities, rows.parent, up, columns)


def _add_remote(
    entities: Entities, reference: Reference, place: int, columns: dict[tuple[str, Column], None]
) -> None:
    remote = reference.target.in_base(reference.remote[place])
    for rows in entities.all_rows():
        if rows.table is reference.target.table:
            _add(entities, rows, remote, columns)


def _list_of(rows: RowSet) -> Children | None:
    """Return the list that holds the rows of an owned row set."""
    lists = rows.parent.children if rows.parent is not None else ()
    return next((children for children in lists if children.rows is rows), None)


def origins(
    rows: RowSet,
    columns: Sequence[Column],
    batch: Batch,
    above: Sequence[Mapping[Column, Origin]],
    *,
    are_new: bool,
) -> Iterator[dict[Column, Origin]]:
    """Yield the values of some columns of a batch's rows, or where they come from.

    Args:
        rows: the row set of the batch.
        columns: the columns.
        batch: the rows.
        above: the same of each row's owner; empty for an entity's rows.
        are_new: whether the database lacks the rows.
    """
    places = {column: n for n, column in enumerate(v.column for v in rows.values if v.writable)}
    carriers = {column: r for r in rows.references for column in r.carried_columns}
    children = _list_of(rows)
    owners = dict(children.pairs) if children is not None else {}
    for n, key in enumerate(batch.keys):
        row: dict[Column, Origin] = {}
        for column in columns:
            if column in places:
                row[column] = batch.values[n][places[column]]
            elif column in carriers:
                carrier = carriers[column]
                target = batch.references[carrier.name][n]
                place = carrier.columns.index(column)
                row[column] = ValueOfTarget(rows.name, carrier.name, place, target)
            elif column in owners:
                row[column] = above[n][owners[column]]
            elif are_new or column not in rows.identity:
                row[column] = id_text(rows, key)
            else:
                row[column] = ValueOfTarget(rows.name, None, rows.identity.index(column), key)
        yield row


def id_text(rows: RowSet, key: Key) -> str:
    """Return the text that stands for the id of a planned row."""
    return f"{rows.table.fullname} {key!r}"


def packed(row: Mapping[Column, Origin]) -> bytes:
    """Return the values of a row, by the names of its columns, as bytes."""
    return pickle.dumps({str(column): origin for column, origin in row.items()})


def unpacked(content: bytes) -> dict[str, Origin]:
    """Return what was packed."""
    values: dict[str, Origin] = pickle.loads(content) if content else {}  # noqa: S301 - our own file
    return values
