"""Named locks are given back with the connection that holds them."""

from __future__ import annotations

import gc
from typing import Self

import sqlalchemy as sa

from lading.database.live.mariadb_locks import HELD, _release_later


class Driver:
    """A driver's connection and its cursor, which notes what is executed."""

    def __init__(self) -> None:
        self.released: list[str] = []

    def cursor(self) -> Driver:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def execute(self, sql: str, names: tuple[str]) -> None:
        """Note a lock that is released."""
        assert sql == "SELECT RELEASE_LOCK(%s)"
        self.released += names

    def fetchall(self) -> None:
        """A result is read to its end."""


def test_a_pool_gives_locks_back_where_another_lay_in_memory(collected: None) -> None:
    """SQLAlchemy knows listeners by the addresses of what they listen to, also of what is gone."""
    listeners = []
    for number in range(200):
        engine = sa.create_engine("sqlite://")
        driver = Driver()
        with engine.connect() as connection:
            for _ in range(2):
                _release_later(connection)
            connection.info[HELD] = ["lading:a", "lading:b"]
            engine.pool.dispatch.checkin(driver, connection.connection._connection_record)
        assert driver.released == ["lading:a", "lading:b"]
        listeners.append(engine.pool.dispatch.checkin)
        engine.dispose()
        del engine, connection
        if number % 10 == 0:
            gc.collect()
