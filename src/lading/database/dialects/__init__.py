"""What differs between database engines, one module each."""

from __future__ import annotations

import sqlalchemy as sa

from lading.database.dialects.base import Dialect
from lading.database.dialects.mariadb import MariaDB
from lading.database.dialects.postgresql import PostgreSQL
from lading.database.dialects.sqlite import SQLite
from lading.errors import TargetError

#: By SQLAlchemy's names; it speaks to a MariaDB server as "mysql" as well.
KNOWN: dict[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mariadb": MariaDB,
    "mysql": MariaDB,
}


SUPPORTED = "SQLite (sqlite://), PostgreSQL (postgresql+psycopg://) or MariaDB (mariadb+pymysql://)"


def dialect_for(connection: sa.Connection) -> Dialect:
    """Return the dialect of a connection; ``TargetError`` for engines not known yet."""
    name = connection.dialect.name
    if name not in KNOWN:
        raise TargetError(f"the engine {name!r} isn't supported; expected {SUPPORTED}")
    return KNOWN[name](connection)
