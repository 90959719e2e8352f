"""Reads a database's rows, by plain Core statements, as if they had been drawn.

So what an import has made can be compared by value, and further changes be drawn for it.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa

from lading.mapping.columns import kind_of, underlying
from lading.mapping.engine_types import EngineType
from lading.model.rowsets import Column
from lading.testing.datasets.catalog_plan import Plans
from lading.testing.datasets.dataset import Instance, MadeUp
from lading.testing.datasets.insert import ordered
from lading.testing.datasets.table_plan import Plan

Row = dict[str, Any]


def read_rows(engine: sa.Engine, plans: Plans) -> list[Instance]:
    """Return what a database holds, in an order that required references allow."""
    with engine.connect() as connection:
        instances = [
            instance
            for plan in [*plans.order, *plans.links]
            for instance in _instances(connection, plans, plan)
        ]

    @cache
    def targets(remote: tuple[Column, ...]) -> dict[tuple[str, ...], Instance]:
        return {_key(far, remote): far for far in instances if remote[0].table in far.rows}

    for instance in instances:
        for foreign in instance.plan.foreign:
            if instance.has(foreign.kinds) and foreign.table in instance.rows:
                key = _key(instance, foreign.columns)
                instance.led[foreign] = targets(foreign.remote).get(key) if key else None
    for instance in instances:
        if (own := instance.plan.made_up) is not None:
            instance.put(own, MadeUp(instance.plan, instance.number, instance.cell(own)))
        instance.join()
    for instance in instances:
        for foreign, far in instance.led.items():
            if far is not None:
                instance.lead(foreign, far)
        instance.join()
    return ordered(instances)


def _key(instance: Instance, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return what tells keys apart; that of a null is nobody's."""
    cells = instance.cells(columns)
    return () if None in cells else tuple(map(repr, cells))


def _instances(connection: sa.Connection, plans: Plans, plan: Plan) -> list[Instance]:
    instances: dict[tuple[Any, ...], Instance] = {}
    for number, row in enumerate(_rows(connection, plans, plan, plan.table)):
        instance = Instance(plan, number, rows={plan.table: row})
        identity = tuple(row[column.name] for column in plan.table.primary_key.columns)
        if plan.discriminator is not None:
            instance.kind = plan.discriminator.kind.write(row[plan.discriminator.column.name])
        instances[identity] = instance
    for extension in plan.extensions:
        for row in _rows(connection, plans, plan, extension.table):
            own = {base.name: row[own.name] for own, base in extension.pairs}
            identity = tuple(own[column.name] for column in plan.table.primary_key.columns)
            instances[identity].rows[extension.table] = row
    return list(instances.values())


def _rows(connection: sa.Connection, plans: Plans, plan: Plan, table: sa.Table) -> list[Row]:
    """Return a table's rows with the columns that drawn ones have."""
    drawn = {*plan.cells, *table.primary_key.columns}
    drawn |= {column for foreign in plan.foreign for column in foreign.columns}
    drawn |= {plan.discriminator.column} if plan.discriminator is not None else set()
    stored = [plans.as_stored(table).c[column.name] for column in table.columns if column in drawn]
    columns = [_as_drawn(connection, column) for column in stored]
    nulls = [sa.type_coerce(column, sa.String()).is_(None) for column in columns]
    order = sa.select(*columns, *nulls).order_by(*table.primary_key.columns)
    return [
        {
            column.name: None if is_null else _cell(column, value)
            for column, value, is_null in zip(stored, row, row[len(stored) :], strict=False)
        }
        for row in connection.execute(order)
    ]


def _as_drawn(connection: sa.Connection, column: Any) -> Any:
    """Return what is selected of a column, to have its values as they are drawn."""
    if isinstance(column.type, EngineType):  # drivers make objects and bytes of some
        is_number = column.type.python_type is int
        return column + sa.literal_column("0") if is_number else sa.cast(column, sa.Text())
    is_loose = type(column.type) is sa.Numeric and column.type.scale is None
    if is_loose and column.type.asdecimal and connection.dialect.name == "sqlite":
        return sa.type_coerce(column, sa.Float())  # of decimals SQLAlchemy drops digits
    return column


def _cell(column: Column, value: Any) -> Any:
    """Return a value as SQLAlchemy Core is given it, of one that it read."""
    if isinstance(value, float) and type(column.type) is sa.Numeric and column.type.asdecimal:
        return Decimal(repr(value))
    if value is None and isinstance(underlying(column.type), sa.JSON):
        return sa.JSON.NULL
    is_aware = getattr(kind_of(column.type), "aware", False)
    if is_aware and getattr(value, "tzinfo", dt.UTC) is None:
        return value.replace(tzinfo=dt.UTC)  # engines without zones hold UTC
    return value
