"""Ways to plant a mistake in a running library: in what leaves, in what arrives, in values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import msgspec
import sqlalchemy as sa

from lading.codegen import Expression
from lading.database.dialect_cache import DialectCache
from lading.database.dialects.base import Dialect
from lading.database.dialects.codecs import Codecs
from lading.database.dialects.sqlite_values import SQLiteCodecs
from lading.database.live.sqlite import SQLiteDatabase
from lading.database.tables import TableCounts
from lading.exporting.export_run import Export
from lading.values.base import Kind

Row = dict[str, Any]
Patch = Any


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """Replace an attribute by what ``make`` makes of it."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


@contextmanager
def together(*patches: Patch) -> Iterator[None]:
    """Several patches as one."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


# What leaves


def exported_whole(entity: str, change: Callable[[list[Row]], Iterable[Row]]) -> Patch:
    """Change the list of an entity's records on their way into a bundle."""

    def make(plain: Any) -> Any:
        def records(self: Any, name: str) -> Any:
            chunks = plain(self, name)
            if name != entity:
                yield from chunks
                return
            held = [msgspec.json.decode(line) for lines in chunks for line in lines]
            yield [msgspec.json.encode(record) for record in change(held)]

        return records

    return replaced(Export, "records", make)


def exported(entity: str, change: Callable[[Row], Any]) -> Patch:
    """Change each of an entity's records in place on its way into a bundle."""

    def all_of(records: list[Row]) -> list[Row]:
        for record in records:
            change(record)
        return records

    return exported_whole(entity, all_of)


# What arrives


def _changed(
    table: str, columns: Iterable[sa.Column[Any]], rows: Iterable[Any], change: Any
) -> tuple[list[sa.Column[Any]], list[Any]]:
    known = {column.name: column for column in columns}
    made = list(change([dict(zip(known, row, strict=True)) for row in rows]))
    kept = [known[name] for name in (made[0] if made else known)]
    return kept, [tuple(row.values()) for row in made]


def inserted_whole(table: str, change: Callable[[list[Row]], Iterable[Row]]) -> Patch:
    """Change the rows of one insert into a table; a name that they lack isn't inserted."""

    def make(plain: Any) -> Any:
        def insert(self: Any, into: sa.Table, columns: Any, rows: Any) -> None:
            if into.name == table:
                columns, rows = _changed(table, columns, rows, change)
            if rows:
                plain(self, into, columns, rows)

        return insert

    return together(replaced(SQLiteDatabase, "insert", make), unchecked())


def inserted(table: str, change: Callable[[Row], Any]) -> Patch:
    """Change each row in place on its way into a table."""

    def all_of(rows: list[Row]) -> list[Row]:
        for row in rows:
            change(row)
        return rows

    return inserted_whole(table, all_of)


def updated(table: str, keep: Callable[[tuple[Any, ...]], bool]) -> Patch:
    """Set later only some of the references that were inserted as null."""

    def make(plain: Any) -> Any:
        def update(self: Any, into: sa.Table, key: Any, columns: Any, rows: Any) -> None:
            if into.name == table:
                rows = [row for row in rows if keep(row)]
            if rows:
                plain(self, into, key, columns, rows)

        return update

    return together(replaced(SQLiteDatabase, "update", make), unchecked())


def unchecked() -> Patch:
    """Take away what the library itself would notice: that other rows are there than written."""
    return mock.patch.object(TableCounts, "check", return_value=None)


# Values


def _every(name: str, kind: type[Kind], change: Callable[[Any], Any], *, after: bool) -> Patch:
    def make(plain: Any) -> Any:
        def expression(self: Any, column: Any, of: Kind) -> Expression:
            made: Expression = plain(self, column, of)
            if not isinstance(of, kind):
                return made
            old = made.function()

            def altered(value: Any) -> Any:
                return change(old(value)) if after else old(change(value))

            return Expression("altered({x})", {"altered": altered})

        return expression

    classes = {owner for owner in (SQLiteCodecs, Codecs) if name in vars(owner)}
    return together(*(replaced(owner, name, make) for owner in classes), uncompiled())


def uncompiled() -> Patch:
    """Have everything compiled anew for each call, with the mistake, and nothing of it kept."""

    def dialect(_: Any, dialect_class: type[Dialect], *arguments: Any, **options: Any) -> Dialect:
        return dialect_class(*arguments, **options)

    return mock.patch.object(DialectCache, "dialect", dialect)


def read_as(kind: type[Kind], change: Callable[[Any], Any]) -> Patch:
    """Change what an export writes of every value of a kind."""
    return _every("reader", kind, change, after=True)


def written_as(kind: type[Kind], change: Callable[[Any], Any]) -> Patch:
    """Change what an import makes of every written value of a kind, before it looks at it."""
    return _every("binder", kind, change, after=False)


def stored_as(kind: type[Kind], change: Callable[[Any], Any]) -> Patch:
    """Change what an import gives to the database for every value of a kind."""
    return _every("binder", kind, change, after=True)
