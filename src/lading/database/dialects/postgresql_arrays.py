"""PostgreSQL's arrays: texts that are read and written item by item, as outside of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect as SQLAlchemyDialect

from lading.codegen import Expression, calling
from lading.database.dialects.postgresql_columns import DeclaredPostgreSQLColumns, PostgreSQLColumn
from lading.database.dialects.postgresql_stored import StoredCodecs
from lading.database.dialects.postgresql_text import array_text, loader_of, parsed_array
from lading.database.dialects.real_columns import Describes
from lading.model.rowsets import Column
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.datetimes import DateTime, Interval, utc_written
from lading.values.json_text import json_text, parse_json
from lading.values.scalars import Boolean, Bytes, Float, Integer


class ArrayCodecs(StoredCodecs):
    """The codecs of arrays, by those of their items."""

    def __init__(
        self, dialect: SQLAlchemyDialect, columns: Describes[PostgreSQLColumn] | None = None
    ) -> None:
        self.declared = DeclaredPostgreSQLColumns(dialect)
        #: The columns of arrays' items, which no table has.
        self.items: dict[Any, PostgreSQLColumn] = {}
        super().__init__(dialect, columns or self.declared)

    def real_column(self, column: sa.ColumnElement[Any]) -> PostgreSQLColumn:
        """Return what a column really is, or the items of an array's."""
        item_column = self.items.get(column)
        real: PostgreSQLColumn = self.columns(column) if item_column is None else item_column
        return real

    def item_of(self, column: Column, type_: Any = None) -> Column:
        """Return a column of an array's items."""
        array: Any = column.type if type_ is None else type_
        item_column: Column = sa.Column(column.name, array.item_type)
        self.items[item_column] = self.real_column(column).item or self.declared(item_column)
        return item_column

    def read_array(self, column: Column, kind: Array) -> Expression:
        """The text of an array, item by item as outside of one."""
        read = self._item_reader(self.item_of(column), kind.item)
        return calling(lambda text: kind.text(kind.mapped(parsed_array(text), read)))

    def _item_reader(self, item_column: Column, kind: Kind) -> Callable[[str], Any]:
        """Return a function from an item's text to its written form."""
        load = loader_of(self.underlying(item_column.type))
        read: Callable[[str], Any]
        if not self.is_usual(item_column, kind) or isinstance(kind, Interval):
            read = self.processed(item_column, kind, load).read
        elif isinstance(kind, DateTime) and kind.aware:
            return lambda text: utc_written(load(text))
        elif isinstance(kind, Integer | Float | Boolean | Bytes):
            plain = self.reader(item_column, kind).function()
            return lambda text: plain(load(text))
        else:
            read = self.reader(item_column, kind).function()
        return (lambda text: parse_json(read(text))) if kind.is_json else read

    def bind_array(self, column: Column, kind: Array) -> Expression:
        """The text of an array, item by item as outside of one."""
        bind = self._item_binder(self.item_of(column), kind.item)

        def text(written: bytes) -> str:
            items = kind.canonical(parse_json(written))
            if type(items) is dict:
                raise ValueError(
                    "it is JSON's null, which no array is; where it comes from, keep it as "
                    "JSON(none_as_null=True), and set such rows to NULL"
                )
            return array_text(kind.mapped(items, bind))

        return calling(text)

    def _item_binder(self, item_column: Column, kind: Kind) -> Callable[[Any], Any]:
        bind = self.binder(item_column, kind).function()
        return (lambda written: bind(json_text(written))) if kind.is_json else bind


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change the items of nested lists that aren't null."""
    if isinstance(value, list | tuple):
        return [each(element, change) for element in value]
    return None if value is None else change(value)
