"""One open database each: what runs over a connection, for every engine."""

from __future__ import annotations

import sqlalchemy as sa

from lading.database.live.base import Database, DialectMaker
from lading.database.live.mariadb import MariaDBDatabase
from lading.database.live.postgresql import PostgreSQLDatabase
from lading.database.live.sqlite import SQLiteDatabase
from lading.errors import TargetError
from lading.messages import Message

#: By SQLAlchemy's names; it speaks to a MariaDB server as "mysql" as well.
KNOWN: dict[str, type[Database]] = {
    "sqlite": SQLiteDatabase,
    "postgresql": PostgreSQLDatabase,
    "mariadb": MariaDBDatabase,
    "mysql": MariaDBDatabase,
}
SUPPORTED = "SQLite (sqlite://), PostgreSQL (postgresql+psycopg://) or MariaDB (mariadb+pymysql://)"


def database_for(connection: sa.Connection, make_dialect: DialectMaker | None = None) -> Database:
    """Return the database of a connection; ``TargetError`` for engines not known yet."""
    name = connection.dialect.name
    if name not in KNOWN:
        raise TargetError(
            Message(
                "engine-unsupported", f"the engine {name!r} isn't supported; expected {SUPPORTED}"
            )
        )
    return KNOWN[name](connection, make_dialect)
