"""What drawn applications import: types and enumerations such as applications define."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

#: MariaDB keeps no fraction of a second unless it is asked for.
CLOCK = sa.Time().with_variant(mysql.TIME(fsp=6), "mysql", "mariadb")
NAIVE = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
AWARE = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
#: Nor can it make a VARCHAR without a length.
ENDLESS = sa.String().with_variant(sa.String(200), "mysql", "mariadb")
LISTED = sa.ARRAY(sa.Integer).with_variant(sa.JSON(none_as_null=True), "sqlite", "mysql", "mariadb")
#: Only INTEGER counts up by itself on SQLite.
LONG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Colour(enum.Enum):
    """Names that sort otherwise than they are declared, and values unlike the names."""

    red = "r"
    green = "g"
    Blue = "b"
    aqua = 4


class Rank(enum.IntEnum):
    """An enumeration of numbers."""

    low = 1
    high = 10


class State(enum.StrEnum):
    """An enumeration whose values are stored."""

    open = "is open"
    shut = "is shut"


class Lowered(sa.TypeDecorator[str]):
    """Kept in lower case, upper case for Python."""

    impl = sa.String(40)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        # Upper case first, lest "ß" come back as what is kept otherwise.
        return None if value is None else value.upper().casefold()

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.upper()


class Cents(sa.TypeDecorator[Decimal]):
    """An amount, kept as a whole number of cents."""

    impl = sa.Integer
    cache_ok = True
    python_type = Decimal  # type: ignore[assignment]

    def process_bind_param(self, value: Any, dialect: Any) -> int | None:
        return None if value is None else int(Decimal(value) * 100)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value) / 100


class Tags(sa.TypeDecorator[Any]):
    """A list, kept as one text; nothing says so but its code."""

    impl = sa.String(200)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else ",".join(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.split(",")


class Slug(sa.TypeDecorator[str]):
    """A plain text under a name of the application's."""

    impl = sa.String(40)
    cache_ok = True


class Instant(sa.TypeDecorator[dt.datetime]):
    """Aware for Python, and a naive UTC time in the database."""

    impl = NAIVE
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)
