"""Finds the text that a SQLite database holds and that isn't UTF-8, once the driver refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from lading.errors import TargetError
from lading.messages import Message, shown
from lading.model.rowsets import Column, RowSet

#: The driver's message about such a text, for which there is no code.
REFUSAL = "Could not decode to UTF-8"


def not_utf8(connection: sa.Connection, root: RowSet) -> TargetError | None:
    """Return the error that names the first such text of an entity's rows, if there is one."""
    for rows in root.tree():
        for table in rows.tables:
            for identity, column, data in _undecodable_texts(connection, table):
                fields = [value.written for value in rows.values if value.column is column]
                return TargetError(
                    Message(
                        "text-undecodable",
                        f"the row with {identity} holds text that isn't UTF-8: {shown(data)}",
                    ),
                    f"Correct it there, in {table.fullname}.{column.name}: where it is Latin-1, by "
                    "its decoded text; or declare the column as bytes.",
                    entity=rows.name,
                    field=fields[0] if fields else column.name,
                )
    return None


def _undecodable_texts(
    connection: sa.Connection, table: sa.Table
) -> Iterator[tuple[str, Column, bytes]]:
    keys = list(table.primary_key.columns)
    columns = [column for column in table.columns if column not in keys]
    raw: Any = connection.connection.driver_connection
    factory, raw.text_factory = raw.text_factory, _Undecoded
    try:
        for row in connection.execute(_statement([*keys, *columns])):
            for column, data in zip([*keys, *columns], row, strict=True):
                if isinstance(data, _Undecoded) and not _is_utf8(data):
                    identity = ", ".join(
                        f"{key.name} {shown(_plain(value))}"
                        for key, value in zip(keys, row, strict=False)
                    )
                    yield identity, column, bytes(data)
    finally:
        raw.text_factory = factory


class _Undecoded(bytes):
    """A text as it is stored, which the driver leaves to us."""


def _statement(columns: list[Column]) -> Any:
    # Select without the columns' types, which would decode the texts.
    bare = [sa.type_coerce(column, sa.types.NullType()) for column in columns]
    return sa.select(*bare)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, _Undecoded) else value
