"""Column types that one engine alone has, whose values travel as that engine gives them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine, UserDefinedType

from lading.errors import ArgumentError
from lading.mapping.columns import AsStored
from lading.messages import is_text

#: What SQLAlchemy calls the dialects of each engine that has types of its own.
DIALECTS = {"postgresql": ("postgresql",), "mariadb": ("mariadb", "mysql")}


def is_mariadb(dialect: sa.Dialect) -> bool:
    """Tell whether a dialect is MariaDB's, also by a mysql:// URL."""
    return dialect.name in DIALECTS["mariadb"]


class ServersType(UserDefinedType[Any]):
    """A type by the name that its server has for it, limits included."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Return the type as a CREATE TABLE has it."""
        return self.name


class EngineType(AsStored):
    """The type of a column that one engine alone has, such as PostgreSQL's ``inet``.

    Values travel as the engine gives them: years and bits of MariaDB as numbers, all others as
    texts.  On other engines the column is of integers or of texts.

    Args:
        engine: ``"postgresql"`` or ``"mariadb"``.
        name: What the engine calls the type, with its limits: ``"bit(8)"``.

    Raises:
        ArgumentError: The engine is another, or the name is no text.
    """

    cache_ok = True

    def __init__(self, engine: str, name: str) -> None:
        if engine not in DIALECTS:
            raise ArgumentError("engine", engine, "'postgresql' or 'mariadb'")
        if not is_text(name) or not name:
            raise ArgumentError("name", name, "what the engine calls the type, such as 'bit(8)'")
        self.engine = engine
        self.name = name
        general = _general(engine, name.lower())
        super().__init__(general.with_variant(ServersType(name), *DIALECTS[engine]))

    @property
    def python_type(self) -> type[Any]:
        """The type of values."""
        return int if isinstance(self.impl, sa.Integer) else str

    def __repr__(self) -> str:
        return f"EngineType({self.engine!r}, {self.name!r})"


def _general(engine: str, name: str) -> TypeEngine[Any]:
    """Return the type of other engines that holds a type's values as they travel."""
    if engine == "mariadb" and name.startswith("year"):
        return sa.SmallInteger()
    if engine == "mariadb" and name.startswith("bit"):
        return mysql.BIGINT(unsigned=True) if name == "bit(64)" else sa.BigInteger()
    return sa.Text()
