"""A table's CHECK constraints, asked row by row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from lading.testing.cell_values.checks import Checks
from support.drawn.kit import Colour, State
from support.zoo import Cents


def table(*items: Any) -> sa.Table:
    """A table of these columns and constraints, and the columns that most have."""
    return sa.Table(
        "things",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.ForeignKey("things.id"), nullable=False, unique=True),
        sa.Column("a", sa.Integer, nullable=False),
        sa.Column("b", sa.Integer),
        sa.Column("name", sa.String(20)),
        sa.Column("price", sa.Numeric(9, 2)),
        sa.Column("start", sa.Date),
        sa.Column("stop", sa.Date),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("cents", Cents()),
        sa.Column("key", sa.Uuid()),
        sa.Column("box", sa.ARRAY(sa.Integer)),
        sa.Column("tiny", mysql.TINYINT()),
        sa.Column("ip", postgresql.INET()),
        sa.Column("odd name", sa.Integer),
        sa.Column("an", sa.Integer),
        sa.Column("twice", sa.Integer, sa.Computed("a * 2")),
        *items,
    )


DAY = dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ("a > 3", {"a": 4}, {"a": 3}),
        ("a > 3 AND b < 3", {"a": 4, "b": 2}, {"a": 4, "b": 3}),
        ("(a IS NULL) <> (b IS NULL)", {"a": 1}, {"a": 1, "b": 1}),
        ("(a IS NULL) <> (b IS NULL)", {"b": 1}, {}),
        ("price >= 0.01", {"price": Decimal("0.01")}, {"price": Decimal("0.00")}),
        ("start <= stop", {"start": DAY, "stop": DAY}, {"start": DAY, "stop": dt.date(2024, 2, 28)}),
        ("start > '2024-01-01'", {"start": DAY}, {"start": dt.date(2023, 1, 1)}),
        ("at >= '2024-01-01'", {"at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}, {"at": dt.datetime(2023, 1, 1, tzinfo=dt.UTC)}),
        ("length(name) BETWEEN 2 AND 3", {"name": "éé"}, {"name": "é"}),
        ("char_length(name) >= 2", {"name": "ab"}, {"name": "a"}),
        ("name IN ('x', 'it''s')", {"name": "it's"}, {"name": "its"}),
        ("name LIKE 'a%'", {"name": "ab"}, {"name": "Ab"}),
        ("name REGEXP '^a'", {"name": "ab"}, {"name": "ba"}),
        ("btrim(name) <> ''", {"name": " a "}, {"name": "   "}),
        ("num_nonnulls(a, b) = 1", {"a": 1}, {"a": 1, "b": 1}),
        ("cents > 100", {"cents": Decimal("1.01")}, {"cents": Decimal("1.00")}),
        ("coalesce(a, b, 0) <> 0", {"b": 1}, {}),
        ('"odd name" % 2 = 0', {"odd name": 2}, {"odd name": 1}),
        ("tiny < 3", {"tiny": 2}, {"tiny": 3}),
        ("a < 18446744073709551615", {"a": 1}, {"a": 2**64 - 1}),
        (sa.column("a").between(1, 2), {"a": 1}, {"a": 3}),
        (sa.column("name").in_(["x", "y"]), {"name": "x"}, {"name": "z"}),
    ],
)  # fmt: skip
def test_a_row_is_taken_or_refused(condition: Any, good: Any, bad: Any) -> None:
    """By its CHECKs alone: not by NOT NULL, uniques or foreign keys."""
    checks = Checks(table(sa.CheckConstraint(condition)))
    assert len(checks.known) == 1
    assert checks.holds(good)
    assert not checks.holds(bad)
    assert checks.holds(good)


def test_a_table_without_checks_takes_everything() -> None:
    """And costs nothing."""
    checks = Checks(table())
    assert checks.holds({"a": "anything", "nonsense": object()})
    assert checks.connection is None


def test_an_expression_over_the_tables_own_columns() -> None:
    """The table's name doesn't stand in its CHECKs."""
    made = table()
    made.append_constraint(sa.CheckConstraint(made.c.a > made.c.b))
    checks = Checks(made)
    assert checks.holds({"a": 2, "b": 1})
    assert not checks.holds({"a": 1, "b": 1})


def test_types_bring_checks_of_their_own() -> None:
    """Booleans and enumerations that are kept as something else."""
    checks = Checks(
        table(
            sa.Column("flag", sa.Boolean(create_constraint=True, name="flags")),
            sa.Column("colour", sa.Enum(Colour, native_enum=False, create_constraint=True)),
        )
    )
    assert len(checks.known) == 2
    assert checks.holds({"flag": True, "colour": Colour.red})
    assert not checks.holds({"flag": 2})
    assert not checks.holds({"colour": "purple"})


def test_a_columns_own_check_counts() -> None:
    """SQLAlchemy keeps it with the column and not with the table."""
    checks = Checks(table(sa.Column("score", sa.Integer, sa.CheckConstraint("score < 5"))))
    assert checks.holds({"score": 4})
    assert not checks.holds({"score": 5})


@pytest.mark.parametrize("condition", ["name ~ '^a'", "a::text <> ''", "no_such_function(a) > 1"])
def test_what_sqlite_cannot_read_is_listed(condition: str) -> None:
    """The others are asked all the same."""
    checks = Checks(table(sa.CheckConstraint(condition), sa.CheckConstraint("b > 1")))
    assert checks.known == ["b > 1"]
    assert checks.holds({"a": 1, "b": 2})
    assert not checks.holds({"a": 1, "b": 1})


@pytest.mark.parametrize(
    ("condition", "column", "values"),
    [
        ("a > 3", "a", [3, 4, 2]),
        ("a > -3", "a", [-3, -2, -4]),
        ("a IN (1, 5)", "a", [1, 2, 0, 5, 6, 4]),
        ("a > 3", "b", []),
        ("name IN ('x', 'it''s')", "name", ["x", "it's"]),
        ("length(name) = 3", "name", ["xxx", "xxxx", "xx"]),
        ("price > 0.5", "price", [Decimal("0.5"), Decimal("0.51"), Decimal("0.49")]),
        ("start > '2024-02-29'", "start", [DAY]),
        ("at > '2024-02-29 00:00:00'", "at", [dt.datetime(2024, 2, 29, tzinfo=dt.UTC)]),
        ("at > '2024-02-29'", "at", [dt.datetime(2024, 2, 29, tzinfo=dt.UTC)]),
        ("cents IN (100, 250)", "cents", [Decimal(n) / 100 for n in (100, 101, 99, 250, 251, 249)]),
        ('"odd name" = 7', "odd name", [7, 8, 6]),
        ("start > 'no date'", "start", []),
        ("ip <> 'x'", "ip", ["x"]),
        ("an > 3", "a", []),
    ],
)
def test_literals_are_values_of_the_column(condition: str, column: str, values: Any) -> None:
    """Numbers with their neighbours, texts of the length that is named."""
    made = table(sa.CheckConstraint(condition))
    assert Checks(made).literals(made.c[column]) == values


def test_literals_of_an_enumeration_are_members() -> None:
    """By what is stored."""
    made = table(
        sa.Column(
            "state",
            sa.Enum(State, native_enum=False, values_callable=lambda e: [m.value for m in e]),
        ),
        sa.CheckConstraint("state <> 'is shut' OR a > 1"),
    )
    assert Checks(made).literals(made.c.state) == [State.shut]


def test_a_row_costs_one_statement() -> None:
    """However many checks there are."""
    checks = Checks(table(sa.CheckConstraint("a > 3"), sa.CheckConstraint("start <= stop")))
    assert checks.connection is not None
    seen: list[str] = []
    checks.connection.set_trace_callback(seen.append)
    for _ in range(20):
        checks.holds({"a": 4, "start": DAY, "stop": DAY})
    assert len(seen) == 20
