"""Engines and drivers that lading can't use are told, with the URL of one that it can."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from lading import TargetError, export_document
from lading.database.live import database_for
from support.declaring import catalog_of, new_base


def connection_of(name: str, driver: str, paramstyle: str) -> Any:
    """Return what a connection says of its dialect."""
    preparer = sa.create_engine("sqlite://").dialect.identifier_preparer
    dialect = SimpleNamespace(
        name=name, driver=driver, paramstyle=paramstyle, identifier_preparer=preparer
    )
    return SimpleNamespace(dialect=dialect, get_execution_options=dict)


def test_an_engine_that_is_not_supported_names_those_that_are() -> None:
    """MySQL isn't one of them, though MariaDB goes by its name."""
    with pytest.raises(
        TargetError, match="the engine 'oracle' isn't supported; expected"
    ) as caught:
        database_for(connection_of("oracle", "oracledb", "named"))
    assert "mariadb+pymysql://" in str(caught.value)
    assert "mysql" not in str(caught.value).replace("pymysql", "")


@pytest.mark.parametrize(
    ("name", "driver", "style", "url"),
    [
        ("postgresql", "asyncpg", "numeric_dollar", "postgresql\\+psycopg://"),
        ("sqlite", "other", "named", "sqlite:///"),
    ],
)
def test_a_driver_that_is_not_supported_names_a_url(
    name: str, driver: str, style: str, url: str
) -> None:
    """Of a driver of the same engine, which works with asyncio as well."""
    with pytest.raises(TargetError, match=f"the driver '{driver}' isn't supported.*{url}"):
        database_for(connection_of(name, driver, style))


def test_an_asyncio_engine_outside_of_asyncio_is_told() -> None:
    """The error of SQLAlchemy's speaks of greenlets."""
    base = new_base()

    class Thing(base):
        __tablename__ = "things"
        slug = sa.orm.mapped_column(sa.String(9), primary_key=True)

    engine = create_async_engine("sqlite+aiosqlite://").sync_engine
    with pytest.raises(TargetError, match=r"this engine is for asyncio.*run_sync"):
        export_document(engine, catalog=catalog_of(Thing))
