"""What two databases differ in is said by record and field, whatever is changed in one of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from lading import Catalog, export_all, import_all
from lading.database.tables import tables_of
from lading.model.rowsets import Column, RowSet
from lading.testing.compare.difference import DataDifference
from lading.testing.compare.records import cell_differences, record_differences
from lading.testing.compare.stored import Stored, stored_cells
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Dataset, Resolved
from lading.testing.datasets.expected_records import Written
from lading.testing.datasets.reading import read_rows
from support import worlds, zoo
from support.backends import Backend, SQLiteMemory
from support.depth import examples

SMALL = {name: getattr(worlds, name) for name in ("types", *worlds.ALL)}
WORLDS: dict[str, Callable[[], Any]] = SMALL | zoo.WORLDS
EVERY_WORLD = pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS.keys())
STRANGE = "zz-strange"
#: What may stand in a foreign key of any type that is read, and leads nowhere.
NOWHERE = "f" * 32
NUMBER = 987_654


@cache
def declared(make: Callable[[], Any]) -> Any:
    """Return the one copy of a world that all tests share; none alters it."""
    return make()


def held(engine: sa.Engine, catalog: Catalog) -> Stored:
    """Read all that a catalog carries."""
    return stored_cells(engine, tables_of(catalog.use()))


def moved(source: sa.Engine, target: sa.Engine, world: Any, path: Path) -> None:
    """Export a world and import it into another database."""
    world.filled(source)
    world.metadata.create_all(target)
    with warnings.catch_warnings(action="ignore"):
        export_all(source, path, catalog=world.catalog)
    import_all(target, path, catalog=world.catalog)


@EVERY_WORLD
def test_a_restored_database_holds_the_same(
    sqlite_memory: Backend, make: Any, tmp_path: Path
) -> None:
    """Whatever ids it made up."""
    world = declared(make)
    with sqlite_memory.database() as source, sqlite_memory.database() as target:
        moved(source, target, world, tmp_path / "a")
        before, after = (held(engine, world.catalog) for engine in (source, target))
        assert any(before.values())
        assert cell_differences(world.catalog, before, after) == []
        rows = [records(engine, world.catalog) for engine in (source, target)]
        assert record_differences(world.catalog.use(), *rows) == []


#: What is drawn for a catalog, which takes longer than to compare its rows.
plans_of = cache(Plans)


def records(engine: sa.Engine, catalog: Catalog) -> dict[str, list[Any]]:
    """Return the records of a database's rows, as SQLAlchemy reads them."""
    plans = plans_of(catalog)
    rows = Dataset(plans, read_rows(engine, plans))
    return Written(Resolved(rows, {engine.dialect.name})).document()


@EVERY_WORLD
def test_another_engine_holds_the_same_values(
    sqlite_memory: Backend, postgresql: Backend, make: Any, tmp_path: Path
) -> None:
    """What SQLAlchemy reads is equal where stored cells can't be."""
    world = declared(make)
    with sqlite_memory.database() as source, postgresql.database() as target:
        moved(source, target, world, tmp_path / "a")
        before, after = (records(engine, world.catalog) for engine in (source, target))
        assert any(before.values())
        assert record_differences(world.catalog.use(), before, after) == []


# One thing is changed


def changed(
    engine: sa.Engine, catalog: Catalog, *statements: str, rows: bool = False
) -> list[DataDifference]:
    """Run SQL that no constraint hinders, see what differs, and take it back.

    With ``rows`` what SQLAlchemy reads is compared as well.
    """
    before = held(engine, catalog)
    rows_before = records(engine, catalog) if rows else {}
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        raw = connection.connection.driver_connection
        copy: Any = raw.serialize() if raw is not None else b""
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
        after = held(engine, catalog)
        rows_after = records(engine, catalog) if rows else {}
        connection.connection.driver_connection.deserialize(copy)
    found = cell_differences(catalog, before, after)
    return found + record_differences(catalog.use(), rows_before, rows_after)


def quoted(engine: sa.Engine, table: sa.Table, column: sa.Column[Any]) -> tuple[str, str]:
    """Return a table's and a column's name for SQL."""
    prepare = engine.dialect.identifier_preparer
    return prepare.format_table(table), prepare.format_column(column)


def is_row_number(column: sa.Column[Any]) -> bool:
    """Tell whether a column is SQLite's own number of a row, which holds whole numbers alone."""
    kind = column.type.compile(sqlite.dialect())  # type: ignore[no-untyped-call]
    return [*column.table.primary_key] == [column] and kind == "INTEGER"


def restored(rows: RowSet) -> dict[Column, str]:
    """Return the columns of values that an import gives back, with their names in records."""
    return {value.column: value.written for value in rows.values if value.writable}


def said_of(catalog: Catalog, column: sa.Column[Any]) -> Iterator[tuple[str, str]]:
    """Yield each (entity, name in records) that says what a column holds."""
    plain = catalog.use().plain
    for rows in catalog.use().all_rows():
        if (name := restored(rows).get(column)) is not None:
            yield rows.entity, name
        for reference in (*rows.references, *plain[rows.schema].references):
            if column in reference.columns:
                yield rows.entity, reference.written
        joining = {own: item.table for item in rows.extensions for own, _ in item.pairs}
        if column in joining:
            yield rows.entity, joining[column].fullname
        for links in rows.links:
            if column in tuple(links.table.columns):
                yield rows.entity, links.written
        if rows.parent is not None and column in rows.owner_columns:
            yield rows.entity, rows.name.rpartition(".")[2]


def values_of(world: Any) -> set[sa.Column[Any]]:
    """Return the columns whose cells are compared."""
    return {column for rows in world.catalog.use().plain.values() for column in restored(rows)}


def names(found: list[DataDifference], said: set[tuple[str, str]]) -> bool:
    """Tell whether a difference names one of these entities, and the field or owned list."""
    return any(
        item.entity == entity and name in f"{item.key} {item.field}".split()
        for item in found
        for entity, name in said
    )


def columns_of(world: Any) -> list[sa.Column[Any]]:
    """List the columns that something can be written to."""
    tables = tables_of(world.catalog.use())
    return [c for table in tables for c in table.columns if c.computed is None]


def said_in(found: list[DataDifference], column: Any) -> str:
    """Show what was found."""
    return "\n".join([str(column), *map(str, found)])


@EVERY_WORLD
def test_a_change_in_any_column_is_found(sqlite_memory: Backend, make: Any) -> None:
    """By entity and field, in the first row and the last; only made-up ids change unseen.

    What joins a subclass's row to its base's must lead somewhere, else nothing can be read.
    """
    world = declared(make)
    values = values_of(world)
    plain = world.catalog.use().plain.values()
    extensions = [extension for rows in plain for extension in rows.extensions]
    joining = {column for item in extensions for pair in item.pairs for column in pair}
    with sqlite_memory.database() as engine:
        world.filled(engine)
        for column in set(columns_of(world)) - joining:
            name, field = quoted(engine, column.table, column)
            strange = STRANGE if column in values else NOWHERE
            value = NUMBER if is_row_number(column) else f"'{strange}'"
            said = set(said_of(world.catalog, column))
            for end in ("min", "max"):
                some = f"SELECT {end}(rowid) FROM {name}"
                some += "" if column in values else f" WHERE {field} IS NOT NULL"
                sql = f"UPDATE {name} SET {field} = {value} WHERE rowid = ({some})"
                found = changed(
                    engine, world.catalog, sql, rows=bool(said) and column not in values
                )
                assert names(found, said) if said else found == [], said_in(found, column)


@EVERY_WORLD
def test_a_row_that_is_gone_is_found(sqlite_memory: Backend, make: Any) -> None:
    """Of every table, by the entity, or the record that owned or linked it."""
    world = declared(make)
    values = values_of(world)
    with sqlite_memory.database() as engine:
        world.filled(engine)
        for table in tables_of(world.catalog.use()):
            said = {pair for column in table.columns for pair in said_of(world.catalog, column)}
            name, _ = quoted(engine, table, next(iter(table.columns)))
            for end in ("min", "max"):
                some = f"rowid = (SELECT {end}(rowid) FROM {name})"
                sql, rows = f"DELETE FROM {name} WHERE {some}", values.isdisjoint(table.columns)
                found = changed(engine, world.catalog, sql, rows=rows)
                entities = {item.entity for item in found}
                assert entities & {entity for entity, _ in said}, said_in(found, table)
                assert all(str(item) for item in found)


@EVERY_WORLD
def test_a_row_that_is_there_twice_is_found(sqlite_memory: Backend, make: Any) -> None:
    """Though its key is, too; in one or few differences of its own."""
    world = declared(make)
    with sqlite_memory.database() as engine:
        before = held(world.filled(engine), world.catalog)
    for table in dict.fromkeys(rows.table for rows in world.catalog.use().plain.values()):
        after = before | {table.fullname: [*before[table.fullname], before[table.fullname][0]]}
        found = cell_differences(world.catalog, before, after)
        entities = {item.entity for item in found}
        said = {pair for column in table.columns for pair in said_of(world.catalog, column)}
        assert entities & {entity for entity, _ in said}, said_in(found, table)


@EVERY_WORLD
def test_the_order_of_rows_does_not_matter(sqlite_memory: Backend, make: Any) -> None:
    """In whichever order a database gives them."""
    world = declared(make)
    with sqlite_memory.database() as engine:
        before = held(world.filled(engine), world.catalog)
    after = {name: rows[::-1] for name, rows in before.items()}
    assert cell_differences(world.catalog, before, after) == []


@cache
def kept(name: str) -> tuple[Catalog, Stored]:
    """Return a world's catalog, and what a database that it filled holds."""
    world = declared(WORLDS[name])
    with SQLiteMemory().database() as engine:
        return world.catalog, held(world.filled(engine), world.catalog)


@given(name=st.sampled_from(list(WORLDS)), data=st.data())
@settings(max_examples=examples(50))
def test_no_disorder_is_too_much(name: str, data: st.DataObject) -> None:
    """Swapped cells, doubled keys, circles, lost rows: found both ways, and never an exception."""
    catalog, before = kept(name)
    after = {name: [dict(row) for row in rows] for name, rows in before.items()}
    tables = [name for name, rows in after.items() if rows]
    for table in data.draw(st.lists(st.sampled_from(tables), min_size=1, max_size=5)):
        rows = after[table]
        one, other = (rows[data.draw(st.integers(0, len(rows) - 1))] for _ in range(2))
        column = data.draw(st.sampled_from(sorted(one)))
        one[column], other[column] = other[column], one[column]
        if data.draw(st.booleans()) and len(rows) > 1:
            rows.remove(other)
    found, back = cell_differences(catalog, before, after), cell_differences(catalog, after, before)
    assert bool(found) == bool(back)
    assert all(str(item) for item in found + back)
    tables = [rows.table.fullname for rows in catalog.use().plain.values()]
    lost = [table for table in tables if len(before[table]) != len(after[table])]
    assert found or not lost
