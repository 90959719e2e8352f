"""Which kind of value a column's type travels as, and what makes columns unique or generated."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from lading.mapping.columns import kind_of
from lading.mapping.generated_values import generates, is_numbered
from lading.model.uniqueness import in_check, unique_columns
from lading.values.arrays import Array
from lading.values.base import Kind
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.scalars import Boolean, Bytes, Choice, Float, Integer, Json, Number, Text, Uuid


class Size(enum.Enum):
    small = "s"
    large = "l"


class Code(sa.TypeDecorator[str]):
    """Text that stays text."""

    impl = sa.String(10)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value and value.upper()


class Plain(sa.TypeDecorator):  # type: ignore[type-arg]
    """A decorator that says nothing travels as what it decorates."""

    impl = sa.Numeric(8, 3)
    cache_ok = True


class Money(sa.TypeDecorator[decimal.Decimal]):
    impl = sa.Numeric(8, 3)
    cache_ok = True


class Cents(sa.TypeDecorator[decimal.Decimal]):
    impl = sa.Integer
    cache_ok = True
    python_type = decimal.Decimal  # type: ignore[assignment]


class SizeText(sa.TypeDecorator):  # type: ignore[type-arg]
    impl = sa.String(10)
    cache_ok = True
    python_type = Size  # type: ignore[assignment]


class UtcTime(sa.TypeDecorator[dt.datetime]):
    impl = sa.DateTime(timezone=True)
    cache_ok = True


class Point(sa.TypeDecorator[tuple]):  # type: ignore[type-arg]
    impl = sa.String(10)
    cache_ok = True
    python_type = tuple  # type: ignore[assignment]


class Tags(sa.TypeDecorator):  # type: ignore[type-arg]
    """What Python sees of its JSON, nobody knows."""

    impl = sa.JSON
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return set(value)


class Delay(sa.TypeDecorator[dt.timedelta]):
    """Says nothing, so it is what it decorates."""

    impl = sa.Interval
    cache_ok = True


class Pause(sa.TypeDecorator[dt.timedelta]):
    """Seconds in the database."""

    impl = sa.Integer
    cache_ok = True
    python_type = dt.timedelta  # type: ignore[assignment]


class ClockText(sa.TypeDecorator[dt.time]):
    impl = sa.Time(timezone=True)
    cache_ok = True
    python_type = dt.time  # type: ignore[assignment]


class Labels(sa.TypeDecorator):  # type: ignore[type-arg]
    impl = sa.ARRAY(sa.Text)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> list[str]:
        return sorted(value)


# What a driver makes of these is no plain value of Python, so a field must be declared.
POSTGRESQL_ONLY = [
    postgresql.HSTORE(),
    postgresql.INET(),
    postgresql.CIDR(),
    postgresql.MACADDR(),
    postgresql.MACADDR8(),
    postgresql.BIT(3),
    postgresql.MONEY(),
    postgresql.OID(),
    postgresql.TSVECTOR(),
    postgresql.INT4RANGE(),
    postgresql.TSTZRANGE(),
    postgresql.DATEMULTIRANGE(),
    postgresql.DOMAIN("positive", sa.Integer),
    postgresql.ARRAY(postgresql.INET),
]


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (sa.String(10), Text()),
        (sa.Text(), Text()),
        (sa.Unicode(), Text()),
        (sa.CHAR(3), Text(padded=True)),
        (sa.NCHAR(3), Text(padded=True)),
        (sa.VARCHAR(), Text()),
        (sa.Boolean(), Boolean()),
        (sa.Integer(), Integer()),
        (sa.BigInteger(), Integer()),
        (sa.SmallInteger(), Integer()),
        (sa.Float(), Float()),
        (sa.Double(), Float()),
        (sa.REAL(), Float()),
        (sa.Numeric(10, 2), Number(10, 2)),
        (sa.Numeric(), Number()),
        (sa.DECIMAL(6), Number(6, None)),
        (sa.Date(), Date()),
        (sa.DateTime(), DateTime()),
        (sa.DateTime(timezone=True), DateTime(aware=True)),
        (sa.TIMESTAMP(), DateTime()),
        (sa.Time(), Time()),
        (sa.Uuid(), Uuid()),
        (sa.Uuid(as_uuid=False), Uuid()),
        (postgresql.UUID(), Uuid()),
        (sa.LargeBinary(), Bytes()),
        (sa.BINARY(4), Bytes()),
        (sa.VARBINARY(4), Bytes()),
        (sa.JSON(), Json()),
        (postgresql.JSONB(), Json()),
        (Code(), Text()),
        (Plain(), Number(8, 3)),
        (Money(), Number(8, 3)),
        (Cents(), Number()),
        (UtcTime(), DateTime(aware=True)),
        (Point(), None),
        (Tags(), None),
        (sa.types.NullType(), None),
        (sa.Time(timezone=True), Time(aware=True)),
        (postgresql.TIME(timezone=True), Time(aware=True)),
        (sa.Interval(), Interval()),
        (sa.Interval(native=False, second_precision=2), Interval()),
        (postgresql.INTERVAL(precision=3), Interval()),
        (Delay(), Interval()),
        (Pause(), Interval()),
        (ClockText(), Time(aware=True)),
        (sa.ARRAY(sa.Numeric(8, 3)), Array(Number(8, 3))),
        (sa.ARRAY(sa.Text, dimensions=2, as_tuple=True), Array(Text(), 2, as_tuple=True)),
        (postgresql.ARRAY(sa.Interval), Array(Interval())),
        (sa.ARRAY(sa.Integer).with_variant(sa.JSON(), "sqlite"), Array(Integer())),
        (Labels(), Array(Text())),
        (sa.ARRAY(Point), None),
        (sa.PickleType(), None),
        *((made, None) for made in POSTGRESQL_ONLY),
    ],
    ids=repr,
)
def test_a_type_travels_as_a_kind(type_: Any, kind: Kind | None) -> None:
    """Each type has one kind, or none where nobody knows its Python type."""
    assert kind_of(type_) == kind


@pytest.mark.parametrize("type_", [sa.Enum(Size), SizeText()])
def test_an_enumeration_travels_by_name(type_: Any) -> None:
    """An enum's names are its written forms, its members the values."""
    kind = kind_of(type_)
    assert isinstance(kind, Choice)
    assert kind.members == {"small": Size.small, "large": Size.large}


def test_an_enumeration_of_strings_is_its_own_value() -> None:
    """An Enum over plain strings has no members."""
    kind = kind_of(sa.Enum("small", "large"))
    assert isinstance(kind, Choice)
    assert kind.members == {"small": "small", "large": "large"}


def table(*items: Any) -> sa.Table:
    """Make a table of columns and constraints."""
    return sa.Table("t", sa.MetaData(), *items)


def test_unique_columns_come_from_constraints_indexes_and_flags() -> None:
    """All three ways of saying unique count, in the table's column order, each set once."""
    made = table(
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer, unique=True),
        sa.Column("c", sa.Integer, index=True, unique=True),
        sa.UniqueConstraint("c", "a"),
        sa.UniqueConstraint("a", "b"),
        sa.Index("twice", "b", "a", unique=True),
        sa.Index("plain", "a"),
    )
    groups = [tuple(column.name for column in group) for group in unique_columns(made)]
    assert sorted(map(set, groups), key=sorted) == [{"a", "b"}, {"a", "c"}, {"b"}, {"c"}]
    assert len(groups) == 4


def test_partial_indexes_and_expressions_make_nothing_unique() -> None:
    """Rows outside of a partial index may be twins."""
    a = sa.Column("a", sa.String)
    made = table(
        sa.Column("id", sa.Integer, primary_key=True),
        a,
        sa.Index("part", "a", unique=True, sqlite_where=sa.text("a <> ''")),
        sa.Index("part2", "a", unique=True, postgresql_where=sa.text("a <> ''")),
        sa.Index("lower", sa.func.lower(a), unique=True),
    )
    assert unique_columns(made) == []


@pytest.mark.parametrize(
    ("column", "numbered", "made_up"),
    [
        (sa.Column("id", sa.Integer, primary_key=True), True, True),
        (sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), False, False),
        (sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), True, True),
        (sa.Column("id", sa.Integer, sa.Sequence("s"), primary_key=True), True, True),
        (
            sa.Column("id", sa.Integer, primary_key=True, server_default=sa.text("nextval('s')")),
            True,
            True,
        ),
        (sa.Column("id", sa.Integer, primary_key=True, default=lambda: 7), False, True),
        (sa.Column("id", sa.Uuid, primary_key=True, default=uuid.uuid4), False, True),
        (sa.Column("id", sa.String, default=sa.func.hex("a")), False, True),
        (sa.Column("id", sa.String, server_default=sa.func.now()), False, True),
        (sa.Column("id", sa.String, server_default=sa.text("(uuid())")), False, True),
        (sa.Column("id", sa.String, server_default=sa.FetchedValue()), False, True),
        (sa.Column("id", sa.String, default="main"), False, False),
        (sa.Column("id", sa.String, server_default="main"), False, False),
        (sa.Column("id", sa.String, server_default=sa.text("'x''y'")), False, False),
        (sa.Column("id", sa.String, server_default=sa.text("'x'::text")), False, False),
        (sa.Column("id", sa.Integer, server_default=sa.text("(-7)")), False, False),
        (sa.Column("id", sa.Boolean, server_default=sa.true()), False, False),
        (sa.Column("id", sa.String, primary_key=True), False, False),
    ],
)
def test_what_makes_up_values_is_told_from_what_is_the_same_for_all(
    column: sa.Column[Any], numbered: bool, made_up: bool
) -> None:
    """The database numbers integers alone; a constant default makes up nothing."""
    made = table(column).c.id
    assert (is_numbered(made), generates(made)) == (numbered, made_up)


def test_checks_are_searched_for_words() -> None:
    """A CHECK mentions a column by its whole name, in any case."""
    made = table(
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner_id", sa.Integer),
        sa.Column("owner", sa.Integer),
        sa.Column("other", sa.Integer),
        sa.CheckConstraint("OWNER_ID IS NOT NULL OR other > 0"),
    )
    assert in_check(made, (made.c.owner_id,))
    assert in_check(made, (made.c.id, made.c.other))
    assert not in_check(made, (made.c.owner,))
