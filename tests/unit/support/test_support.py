"""The tests' own tools: raw dumps see what exports hide, and the counter sees every statement."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lading.database.live import database_for
from support import branch_limit, worlds
from support.backends import Backend
from support.raw import raw_values
from support.statements import statements
from support.worlds import World


def filled(backend: Backend, world: World) -> sa.Engine:
    """Return an engine over a fresh database with a world's data."""
    return world.filled(backend.fresh())


@pytest.mark.parametrize("name", ["types", "shelves", "kitchen", "nested", "oddities"])
def test_equal_databases_have_equal_dumps(name: str, backend: Backend) -> None:
    """Whatever ids they made up."""
    world = getattr(worlds, name)()
    one, two = filled(backend, world), backend.fresh()
    world.metadata.create_all(two)
    with two.connect() as connection:  # other ids in the second
        for table in world.metadata.sorted_tables:
            column = table.autoincrement_column
            if column is not None and two.dialect.name == "postgresql":
                sequence = connection.scalar(
                    sa.select(
                        sa.func.pg_get_serial_sequence(
                            f'"{table.name.replace(chr(34), chr(34) * 2)}"', column.name
                        )
                    )
                )
                connection.execute(sa.select(sa.func.setval(sequence, 1000)))
        connection.commit()
    with Session(two) as session:
        world.fill(session)
        session.commit()
    assert raw_values(one, world.metadata) == raw_values(two, world.metadata)
    backend.drop(one)
    backend.drop(two)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("types", "UPDATE things SET doc = NULL WHERE code = 'json null'"),
        ("types", "UPDATE things SET price = price + 0.0001 WHERE code = 'full'"),
        ("types", "UPDATE things SET upper = 'x' WHERE code = 'edges'"),
        ("types", "DELETE FROM things WHERE code = 'nulls'"),
        ("shelves", "UPDATE books SET editor_id = NULL"),
        ("shelves", "UPDATE loans SET since = '2020-01-01' WHERE since = '2025-01-01'"),
        ("kitchen", "UPDATE parts SET other_id = dish_id"),
        ("kitchen", "UPDATE cuisines SET parent_id = id WHERE parent_id IS NOT NULL"),
        ("kitchen", "DELETE FROM dish_cuisines WHERE cuisine_id = (SELECT min(id) FROM cuisines)"),
    ],
)
def test_a_changed_cell_shows(name: str, change: str, backend: Backend) -> None:
    """A value, a type, a reference, a link, a row."""
    world = getattr(worlds, name)()
    engine = filled(backend, world)
    before = raw_values(engine, world.metadata)
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    assert raw_values(engine, world.metadata) != before
    backend.drop(engine)


def test_a_stored_type_shows_on_sqlite(sqlite_memory: Backend) -> None:
    """7 and 7.0 read alike and aren't the same cell."""
    world = worlds.types()
    engine = filled(sqlite_memory, world)
    before = raw_values(engine, world.metadata)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE things SET blob = CAST('' AS TEXT) WHERE code = 'edges'")
    assert raw_values(engine, world.metadata) != before
    sqlite_memory.drop(engine)


def test_a_statement_s_own_percent_signs_survive(backend: Backend) -> None:
    """Names with signs that drivers give a meaning reach the database as they are."""
    world = worlds.oddities()
    with backend.database(world.metadata) as engine, engine.begin() as connection:
        table = world.Order.__table__
        columns = [column for column in table.columns if column.computed is None]
        database = database_for(connection)
        database.look_up_columns([table])
        dialect = database.dialect
        database.insert(table, columns, [(1, "a", 2, 3, "new", None), (2, "b", 4, 5, "new", None)])
        database.update(table, [table.c["select"]], [table.c["100% :x"]], [(1, 7), (2, 8)])
        database.synchronise([table.c["select"]])
        names = [dialect.name(table.c["100% :x"])]
        clause, values = dialect.among([table.c["100% :x"]], names, [(7,), (9,)])
        sql = f"SELECT {names[0]} FROM {dialect.table(table)} {clause}"
        assert database.fetch(sql, values) == [(7,)]
        assert database.allocate(table, table.c["select"], 1) == [3]


def test_statements_are_counted_with_copies(backend: Backend) -> None:
    """A bulk insert is one statement, by COPY where the driver has it."""
    world = worlds.shelves()
    with backend.database(world.metadata) as engine:
        table = world.metadata.tables["people"]
        columns = [table.c.id, table.c.email]
        with engine.begin() as connection:
            database = database_for(connection)
            database.look_up_columns([table])
            with statements(engine) as seen:
                database.insert(table, columns, [(n, f"{n}") for n in range(1, 51)])
        assert len(seen) == 1
        assert seen[0].startswith("COPY" if backend.dialect == "postgresql" else "INSERT")
        with engine.connect() as connection:
            connection.execute(sa.select(1))
        assert len(seen) == 1


def test_a_dropped_database_is_gone(sqlite_file: Backend) -> None:
    """Nothing is left on disk."""
    engine = sqlite_file.fresh()
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
        connection.commit()
    path = Path(str(engine.url.database))
    assert path.exists()
    sqlite_file.drop(engine)
    assert not path.exists()


def test_foreign_keys_are_enforced(engine: sa.Engine) -> None:
    """On SQLite only where each connection asks for it; ours do."""
    world = worlds.shelves()
    world.metadata.create_all(engine)
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.insert(world.Book), [{"uuid": UUID(int=1), "owner_email": "nobody"}])


@pytest.mark.parametrize(("covered", "fault"), [(970, None), (969, "at least 97 % must be taken")])
def test_too_few_branches_end_a_run(
    covered: int, fault: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines don't count, which are more easily reached."""
    summary = {"covered_branches": covered, "missing_branches": 1000 - covered, "covered_lines": 9}
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"summary": summary}))
    assert branch_limit.main(str(file), "97") == fault
    assert capsys.readouterr().out == f"branches: {covered} of 1,000 taken, {covered / 10:.2f} %\n"
