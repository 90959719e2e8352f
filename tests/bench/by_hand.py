"""What code by hand shares: lines of JSON by msgspec, and the fastest INSERT of each engine.

By hand means what a careful developer would write for one schema: Core with joins, typed
structs, no checks on values, no checksums and no report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

CHUNK = 2_000

Item = TypeVar("Item")


class Slug(msgspec.Struct):
    """A reference, or a record that has nothing else."""

    slug: str


def write_lines(
    connection: sa.Connection,
    statement: sa.Select[Any],
    records_of: Callable[[Iterable[Any]], list[Any]],
    path: Path,
) -> None:
    """Stream what a statement selects to a file, one record a line."""
    encode_lines = msgspec.json.Encoder().encode_lines
    result = connection.execute(statement, execution_options={"stream_results": True})
    with path.open("wb") as file:
        for rows in result.partitions(CHUNK):
            file.write(encode_lines(records_of(rows)))


def write_records(records: Iterable[Any], path: Path) -> None:
    """Write records to a file, one a line."""
    encode_lines = msgspec.json.Encoder().encode_lines
    with path.open("wb") as file:
        for chunk in chunks(records):
            file.write(encode_lines(chunk))


def read_lines(path: Path, type_: type[Item]) -> Iterator[list[Item]]:
    """Yield a file's records in chunks."""
    decode = msgspec.json.Decoder(type_).decode
    with path.open("rb") as file:
        while lines := file.readlines(400_000):
            yield [decode(line) for line in lines]


def insert(connection: sa.Connection, model: Any, columns: str, rows: Iterable[Any]) -> None:
    """Insert rows, by COPY where there is one."""
    table = model.name if isinstance(model, sa.Table) else model.__tablename__
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.dbapi_connection
        sql = f"COPY {table} ({columns}) FROM STDIN"
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(columns.split(",")))
    for chunk in chunks(rows):
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)


def ids_by_slug(connection: sa.Connection, model: Any) -> dict[str, int]:
    """Return the ids of a small table."""
    return dict(connection.execute(sa.select(model.slug, model.id)).all())


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield items in lists of at most so many."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
