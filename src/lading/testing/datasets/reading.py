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
    def targets(remote: tuple[Column, ...]) -> dict[str, Instance]:
        rows = [far for far in instances if remote[0].table in far.rows]
        return {repr(far.cells(remote)): far for far in rows}

    for instance in instances:
        for foreign in instance.plan.foreign:
            if instance.has(foreign.kinds) and foreign.table in instance.rows:
                cells = instance.cells(foreign.columns)
                far = None if None in cells else targets(foreign.remote).get(repr(cells))
                instance.led[foreign] = far
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


def _instances(connection: sa.Connection, plans: Plans, plan: Plan) -> list[Instance]:
    instances: dict[tuple[Any, ...], Instance] = {}
    for table in plan.tables:
        key = plan.rows.identity_in(table) if plan.rows is not None else table.primary_key.columns
        for row in _rows(connection, plans, plan, table):
            identity = tuple(row[column.name] for column in key) or (len(instances),)
            instances.setdefault(identity, Instance(plan, len(instances))).rows[table] = row
    if (discriminator := plan.discriminator) is not None:
        for instance in instances.values():
            instance.kind = discriminator.kind.write(instance.cell(discriminator.column))
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
