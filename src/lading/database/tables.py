"""Checks that a database's tables exist, and counts their rows and links."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import ge
from typing import Any

import sqlalchemy as sa

from lading.catalog import Catalog
from lading.database.columns import require_columns
from lading.database.dialects.base import Dialect
from lading.database.live.base import Database, TableKeys
from lading.errors import DeclarationError, TargetError
from lading.messages import Message, coded, listed
from lading.model.computed import computed_once
from lading.model.entities import Entities
from lading.model.rowsets import RowSet


@computed_once
def tables_of(entities: Entities) -> list[sa.Table]:
    """Return every table that a catalog's records fill."""
    tables: dict[sa.Table, None] = {}
    for rows in entities.all_rows():
        tables.update(dict.fromkeys([*rows.tables, *(links.table for links in rows.links)]))
    return list(tables)


def adopted_entities(catalog: Catalog) -> Entities:
    """Return the entities of a catalog that adopts a database.

    Raises ``TargetError`` if no table of it can be adopted, with the reason for each.
    """
    try:
        return catalog.use()
    except DeclarationError as error:
        if catalog.schemas:
            raise
        raise TargetError(
            coded(str(error), "table-missing"),
            "Let the application create its tables first, each with a primary key, or check the "
            "URL. For tables without one, declare models that say which columns are the key, and "
            "pass --catalog.",
        ) from None


def keys_of(entities: Entities, names: Collection[str] | None = None) -> TableKeys:
    """Map the tables of some entities, by default of all, to the columns of their natural keys."""
    return {
        root.table: frozenset(column.name for part in root.key for column in part.columns)
        for name, root in entities.roots.items()
        if names is None or name in names
    }


def require_tables(database: Database, entities: Entities) -> None:
    """Raise ``TargetError`` for tables or columns that are missing, or that no engine's type fits.

    What the tables' columns really are is asked here, for all of them at once.
    """
    tables = tables_of(entities)
    database.look_up_columns(tables)
    database.dialect.once(_require_fit, entities)
    _refuse_same_rows(database, tables)


def _require_fit(dialect: Dialect, entities: Entities) -> None:
    """Raise ``TargetError`` for missing tables and columns, and for types that don't fit."""
    _require_types(dialect, entities)
    missing = sorted(
        ".".join(filter(None, dialect.place(table)))
        for table in tables_of(entities)
        if not dialect.columns.of(table)
    )
    if missing:
        remedy = "Create the tables first: Base.metadata.create_all(engine), or your migrations."
        if len({table.metadata for table in tables_of(entities)}) > 1:
            remedy += " Where they are in another database, give each a catalog of its own."
        raise TargetError(
            Message(
                "table-missing", f"the database has no table {listed(missing, separator=', ')}"
            ),
            remedy,
        )
    require_columns(dialect, entities.all_rows())


def _refuse_same_rows(database: Database, tables: Sequence[sa.Table]) -> None:
    """Raise ``TargetError`` for a table whose rows another table's records hold already."""
    for table, relation, other in database.same_rows(tables):
        raise TargetError(
            Message(
                "table-covered",
                f"{table.fullname} is {relation} {other.fullname}, so its rows would be written "
                "twice",
            ),
            f"Take {table.fullname} out of the catalog, and excuse it by name: "
            f"leaves_out={{{table.fullname!r}: '{relation} {other.fullname}'}}.",
            entity=table.fullname,
        )


def _require_types(dialect: Dialect, entities: Entities) -> None:
    """Raise ``TargetError`` for a column, all of whose values the engine would refuse or change."""
    for rows in entities.all_rows():
        for value in rows.values:
            refusal = dialect.refusal(value.carrier)
            if refusal is not None:
                raise TargetError(
                    Message("column-unfit", f"column {value.column}: {refusal}"),
                    entity=rows.name,
                    field=value.written,
                )


def counted_columns(roots: Iterable[RowSet]) -> dict[sa.Table, list[sa.Column[Any]]]:
    """Return the tables that records of some entities fill, each with a column of each reference.

    An import counts the rows of these tables, and how many of them have each column set.
    """
    counted: dict[sa.Table, list[sa.Column[Any]]] = {}
    for root in roots:
        for rows in root.tree():
            for table in rows.tables:
                counted.setdefault(table, []).extend(
                    reference.carried_columns[0]
                    for reference in rows.references
                    if reference.carried_columns and reference.carried_columns[0].table is table
                )
            for links in rows.links:
                counted.setdefault(links.table, [])
    return counted


class TableCounts:
    """Rows and set foreign keys of every table that an import writes, in one query a table."""

    def __init__(self, database: Database, roots: list[RowSet]) -> None:
        self.database = database
        self.sees_others = database.sees_others()
        self.counted = counted_columns(roots)
        self.before = {table: self.count(table) for table in self.counted}

    def count(self, table: sa.Table) -> tuple[int, ...]:
        """Return the rows of a table, and how many have each foreign key set."""
        columns = dict.fromkeys(self.counted[table])
        return self.database.fetch(self.database.dialect.counting(table, columns))[0]

    def is_empty(self, rows: RowSet) -> bool:
        """Tell whether a row set's table was empty when the import began."""
        return self.before[rows.table][0] == 0

    def check(self, written: dict[sa.Table, int], linked: dict[sa.Column[Any], int]) -> None:
        """Raise ``TargetError`` if a table gained other rows or links than were written."""
        for table, before in self.before.items():
            wanted = [written.get(table, 0)]
            wanted += [linked.get(column, 0) for column in dict.fromkeys(self.counted[table])]
            gained = [now - then for now, then in zip(self.count(table), before, strict=True)]
            if self.sees_others and all(map(ge, gained, wanted)):
                continue  # others may add rows, but all of ours must be there
            if gained != wanted:
                pairs = zip(gained, wanted, strict=True)
                place = next(n for n, (gain, count) in enumerate(pairs) if gain != count)
                counted = "links" if place else "rows"
                raise TargetError(
                    Message(
                        "rows-altered",
                        f"the {counted} written and those that are there now don't agree: "
                        f"expected {_more(wanted[place])} than before, there are "
                        f"{_more(gained[place])}",
                    ),
                    "Look for triggers, rules or defaults that add, drop or change rows, and for "
                    "others who write at the same time.",
                    entity=table.fullname,
                )


def _more(count: int) -> str:
    """Return a count in words that also say of a loss what it is."""
    return f"{abs(count)} {'fewer' if count < 0 else 'more'}"
