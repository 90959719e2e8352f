"""What every table of the bakery shares: the base, the column types and the checks."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from sqlalchemy import CheckConstraint, Double, Enum, MetaData, Numeric, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from . import enums

Slug = Annotated[str, mapped_column(String(100), unique=True)]
Name = Annotated[str, mapped_column(String(120))]
UniqueName = Annotated[str, mapped_column(String(120), unique=True)]
Notes = Annotated[str, mapped_column(Text)]

Money = Annotated[Decimal, mapped_column(Numeric(10, 4))]
# A gram of flour costs a tenth of a cent: four decimals would round the price by half.
UnitCost = Annotated[Decimal, mapped_column(Numeric(12, 6))]
Quantity = Annotated[Decimal, mapped_column(Numeric(10, 3))]
# Double, for MariaDB's FLOAT keeps six digits.
Measure = Annotated[float, mapped_column(Double)]


def utc_now() -> datetime:
    """The time in UTC, in whole seconds: MariaDB's DATETIME keeps no fraction."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def named_enum(members: type[StrEnum]) -> Enum:
    """The column type of an enum, with a snake-case name for PostgreSQL.

    The length leaves room for longer members where an enum is stored as text.
    """
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", members.__name__).lower()
    return Enum(members, name=name, length=30)


class Base(DeclarativeBase):
    """The base of all tables: a surrogate id, and a name for every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own declaration
        members: named_enum(members)
        for members in vars(enums).values()
        if isinstance(members, type) and issubclass(members, StrEnum) and members is not StrEnum
    }

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


class Entity(Base):
    """The base of tables that stand alone; owned rows share their parent's timestamps."""

    __abstract__ = True

    created_at: Mapped[datetime] = mapped_column(default=utc_now, sort_order=1)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now, sort_order=1)


def positive(*columns: str) -> list[CheckConstraint]:
    """Checks that each column is above zero."""
    return [CheckConstraint(f"{column} > 0", name=f"{column}_positive") for column in columns]


def not_negative(*columns: str) -> list[CheckConstraint]:
    """Checks that each column is zero or above."""
    return [CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns]


def exactly_one(name: str, *columns: str) -> CheckConstraint:
    """A check that one of the columns is set and the others are null."""
    counted = " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in columns)
    return CheckConstraint(f"{counted} = 1", name=f"one_{name}")
