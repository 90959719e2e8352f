"""Every value of every type is refused, by record and field, or it comes back as it was.

There is nothing in between.  What is tried is computed in ``support.edges``: the edges of
each type are tried on columns of all the others as well.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import ImportFailed, TargetError, export_all, export_document, import_all
from lading.mapping.columns import kind_of
from support.backends import Backend
from support.declaring import catalog_of, new_base
from support.edges import LITERALS, TYPES, written_edges
from support.raw import raw_values
from support.rewriting import entity_bytes, rewritten
from support.zoo import World

EVERY_TYPE = pytest.mark.parametrize("name", TYPES)
ENTITY, FIELD = "things", "value"


Pair = tuple[sa.Engine, sa.Engine]


@pytest.fixture(scope="module")
def engines(backend: Backend) -> Iterator[Pair]:
    """Two databases of one engine for all types, since some engines take long to make one."""
    with backend.database() as first, backend.database() as second:
        yield first, second


@pytest.fixture
def world(name: str, engines: Pair) -> Iterator[World]:
    """The tables of one type, empty in both databases."""
    made = world_of(TYPES[name])
    for engine in engines:
        made.metadata.create_all(engine)
    yield made
    for engine in engines:
        made.metadata.drop_all(engine)


def world_of(type_: Any) -> World:
    """Declare one entity whose records have a key and one value of this type."""
    base = new_base()
    columns = {
        "__tablename__": ENTITY,
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(20), unique=True, nullable=False),
        FIELD: mapped_column(type_, nullable=True),
    }
    Thing = type("Thing", (base,), columns)
    return World(base, catalog_of(Thing), SimpleNamespace(Thing=Thing), lambda _session: None)


def is_holdable(engine: sa.Engine, world: World, path: Path) -> bool:
    """Export the empty table; tell whether the engine has the type, or says that it hasn't."""
    error = refusal(lambda: export_all(engine, path, catalog=world.catalog))
    if error is not None:
        assert (error.entity, error.field) == (ENTITY, FIELD)
        assert f"{ENTITY}.{FIELD}" in error.problem
    return error is None


def refusal(call: Callable[[], Any]) -> TargetError | None:
    """Return the error that a call is refused with, if it is."""
    try:
        call()
    except TargetError as error:
        return error
    return None


def cells(engine: sa.Engine, world: World) -> list[tuple[str, str, Any]]:
    """Return each row's key, and the stored type and text of its value."""
    kind = kind_of(world.models.Thing.__table__.c[FIELD].type)
    rows = raw_values(engine, world.metadata)[ENTITY]
    found = [{name: cell for name, *cell in row[1:]} for row in rows]
    return sorted((row["slug"][1], *plain(kind, *row[FIELD])) for row in found)


@EVERY_TYPE
def test_a_written_value_is_refused_or_comes_back(
    engines: Pair, world: World, name: str, tmp_path: Path
) -> None:
    """What is imported is exported in the same bytes, and stored the same way a second time."""
    kind = kind_of(TYPES[name])
    assert kind is not None
    first, second = engines
    if not is_holdable(first, world, tmp_path / "a"):
        return
    given = {f"{n:04}": value for n, value in enumerate(written_edges())}
    records = [{"slug": slug, FIELD: value} for slug, value in given.items()]
    rewritten(tmp_path / "a", lambda _name, _records: records)
    with pytest.raises(ImportFailed) as caught:
        import_all(second, tmp_path / "a", catalog=world.catalog)
    assert cells(second, world) == []

    report = import_all(first, tmp_path / "a", catalog=world.catalog, on_error="continue")
    assert [str(p) for p in report.problems] == [str(p) for p in caught.value.report.problems]
    for problem in report.problems:
        assert str(problem.field).split(".")[0] == FIELD, problem
        assert "the database refused" not in problem.message, problem
    refused = {problem.key["slug"] for problem in report.problems}
    kept = {slug: value for slug, value in given.items() if slug not in refused}
    assert report.inserted == len(kept)

    export_all(first, tmp_path / "b", catalog=world.catalog)
    assert exported(tmp_path / "b") == {
        slug: json.dumps(None if value is None else kind.write(kind.read(value)))
        for slug, value in kept.items()
    }
    goes_round(engines, world, tmp_path)

    schema = world.catalog.schemas[0]()  # whatever the compiled way takes, marshmallow takes alike
    for slug, value in kept.items():
        loaded = schema.load({"slug": slug, FIELD: value})[FIELD]
        assert value is None or kind.write(loaded) == kind.write(kind.read(value))


def goes_round(engines: Pair, world: World, path: Path) -> None:
    """Import bundle ``b`` of the first database into the second; bytes and cells are equal."""
    first, second = engines
    report = import_all(second, path / "b", catalog=world.catalog)
    export_all(second, path / "c", catalog=world.catalog)
    assert entity_bytes(path / "b") == entity_bytes(path / "c")
    before, after = cells(first, world), cells(second, world)
    assert report.inserted == len(before)
    assert before == after


def exported(path: Path) -> dict[str, str]:
    """Return each record's value by its key, as JSON text."""
    (data,) = entity_bytes(path).values()
    return {record["slug"]: json.dumps(record[FIELD]) for record in json.loads(data)["records"]}


@EVERY_TYPE
def test_a_stored_value_is_refused_or_comes_back(
    engines: Pair, world: World, name: str, tmp_path: Path
) -> None:
    """Whatever the engine let somebody store is exported as it is, or the export names its row."""
    first, _ = engines
    if not is_holdable(first, world, tmp_path / "a"):
        return
    with first.begin() as connection:
        taken = [n for n, literal in enumerate(LITERALS) if is_taken(connection, n, literal)]
        for _ in list(taken):
            error = refusal(lambda: export_document(connection, catalog=world.catalog))
            if error is None:
                break
            assert (error.entity, error.field) == (ENTITY, FIELD), error
            taken.remove(dropped(connection, error))
    export_all(first, tmp_path / "b", catalog=world.catalog)
    assert len(exported(tmp_path / "b")) == len(taken)
    goes_round(engines, world, tmp_path)


def is_taken(connection: sa.Connection, number: int, literal: str) -> bool:
    """Store a literal past every processor; tell whether the engine let it in."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f"INSERT INTO {ENTITY} (id, slug, {FIELD}) "
                f"VALUES ({number + 1}, '{number:04}', {literal})"
            )
    except sa.exc.DBAPIError:
        return False
    return True


def dropped(connection: sa.Connection, error: TargetError) -> int:
    """Delete the row that an export names as the one that it can't write; return its number."""
    number = int(re.search(r'"(\d{4})"', str(error.key))[1])  # type: ignore[index]
    connection.exec_driver_sql(f"DELETE FROM {ENTITY} WHERE slug = '{number:04}'")
    return number


def plain(kind: Any, stored: str, text: Any) -> tuple[str, Any]:
    """Return a stored cell without what the pages list as normalised."""
    value = text[1:-1] if text.startswith("'") else text
    if kind.name == "decimal" and kind.scale is None and "." in value:
        value = value.rstrip("0").rstrip(".")
    if kind.name == "string" and kind.padded:
        value = value.rstrip(" ")
    if stored == "text" and kind.name in ("date", "time", "datetime", "interval"):
        value = instant(kind.name, value)
    if value != "None" and stored.startswith(("text", "longtext", "JSON")) and kind.name == "array":
        value = repr(json.loads(value, parse_int=float if kind.item.name == "float" else int))
    return stored, value


def instant(name: str, text: str) -> tuple[Any, str]:
    """Return what a moment that is kept as text says, and the digits that Python would cut."""
    made: Any = {"date": dt.date, "time": dt.time}.get(name, dt.datetime)
    finer = re.search(r"[.,][0-9]{6}([0-9]+)", text)
    return made.fromisoformat(text), finer[1].strip("0") if finer else ""
