"""How one column's cells are drawn, on columns of every type and fields of every class."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import uuid
from decimal import Decimal
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields, validate
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import mapped_column

from lading import ArgumentError, Catalog, DeclarationError, EngineType
from lading.mapping.columns import kind_of
from lading.model.rowsets import Value
from lading.testing.cell_values.cells import Cells
from lading.testing.cell_values.harmless import sampled
from lading.testing.cell_values.storable import DIALECTS, written_key
from support.declaring import new_base, schema_for
from support.drawn.kit import Colour, Instant, Lowered, Tags
from support.edges import TYPES
from support.lossy import Stripped
from support.zoo import Cents, listed

ENGINES = tuple(DIALECTS)
JSONB = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def column(type_: Any, name: str = "value", **options: Any) -> sa.Column[Any]:
    """A column of a table of its own."""
    return sa.Table("things", sa.MetaData(), sa.Column(name, type_, **options)).c[name]


def declared(type_: Any, field: Any) -> Value:
    """The member of a field that an application declares for a column."""
    catalog = Catalog("cells")
    base = new_base()
    columns = {
        "__tablename__": "things",
        "slug": mapped_column(sa.String(20), primary_key=True),
        "value": mapped_column(type_, nullable=True),
    }
    schema_for(type("Thing", (base,), columns), catalog, {"value": field})
    (rows,) = catalog.use().all_rows()
    return next(item for item in rows.values if item.name == "value")


def cells(type_: Any, field: Any = None, **options: Any) -> Cells:
    """The cells of a column, with the field that an application declares for it."""
    if field is None:
        return Cells(column(type_), **options)
    member = declared(type_, field)
    return Cells(member.column, member, **options)


def hostile(made: Cells, count: int = 100) -> list[Any]:
    """Hostile values, the same in every run."""
    return sampled(made.hostile, count)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_drawn(name: str) -> None:
    """Plain values please every engine that has the type; each hostile one pleases one engine."""
    made = cells(TYPES[name])
    having = [engine for engine in ENGINES if made.holds(made.plain(0), engine)]
    assert having == (["postgresql"] if name == "zoned-time" else list(ENGINES))
    for n in range(30):
        assert all(made.holds(made.plain(n), engine) for engine in having), made.plain(n)
    for value in hostile(made):
        assert value is not None
        assert any(made.holds(value, engine) for engine in ENGINES), value


#: Where there are few: of lists, those that engines without lists keep as JSON.
SMALL = {
    "boolean": 2,
    "checked-boolean": 2,
    "enum": 3,
    "text-enum": 3,
    "valued-enum": 3,
    **dict.fromkeys(["booleans", "numerics", "dates", "zoned-datetimes", "intervals"], 2),
    **dict.fromkeys(["uuids", "byteses", "enums"], 2),
}


@pytest.mark.parametrize("name", TYPES)
def test_plain_values_are_distinct_where_there_are_enough(name: str) -> None:
    """As many different ones as are asked for, or as there are."""
    made = cells(TYPES[name])
    kind = kind_of(TYPES[name])
    assert kind is not None
    keys = {str(written_key(kind, made.plain(n))).casefold() for n in range(200)}
    assert len(keys) == SMALL.get(name, 200)
    assert [made.plain(n) for n in range(5)] == [made.plain(n) for n in range(5)]


@pytest.mark.parametrize(
    "type_", [sa.Text(), sa.String(3), sa.Integer(), sa.Date(), sa.Uuid(), sa.LargeBinary()]
)
def test_columns_of_other_names_have_other_values(type_: Any) -> None:
    """So that it is seen when two columns are swapped."""
    first, second = (Cells(column(type_, name)) for name in ("height", "width"))
    assert all(first.plain(n) != second.plain(n) for n in range(20))


@settings(max_examples=30, database=None)
@given(st.data())
def test_drawing_is_healthy(data: st.DataObject) -> None:
    """Many columns are drawn from in one test, without any health check to suppress."""
    for name in TYPES:
        data.draw(STRATEGIES[name])


STRATEGIES = {name: cells(type_).hostile for name, type_ in TYPES.items()}


def test_hostile_values_reach_the_edges() -> None:
    """What is known to break things is drawn."""
    texts = hostile(cells(sa.String(40)), 2_000)
    for needle in (
        "",
        " ",
        "\0",
        "\u212a",
        "a\u0308",
        "\u2028",
        "\uffff",
        "\U0001f35e",
        "%s",
        "\\",
    ):
        assert needle in texts, needle
    assert {text[-1] for text in texts if len(text) == 40} >= {"x", " ", "\t", "\0", "\U0001f35e"}
    numbers = hostile(cells(sa.Integer()), 300)
    assert {2**31 - 1, -(2**31), 2**63 - 1, 0} <= set(numbers)
    assert {True, False} == set(hostile(cells(sa.Boolean())))


@pytest.mark.parametrize(
    ("type_", "value", "engines"),
    [
        (sa.String(5), "a\0b", {"sqlite", "mariadb"}),
        (sa.String(5), "abcdef", set()),
        (sa.CHAR(5), "a ", set()),
        (sa.Text(), "x" * 65_536, {"sqlite", "postgresql"}),
        (sa.Text(), "\U0001f35e" * 16_384, {"sqlite", "postgresql"}),
        (sa.String(5).with_variant(mysql.VARCHAR(5, charset="latin1"), "mariadb"), "ж", {"sqlite", "postgresql"}),
        (sa.String(5).with_variant(mysql.VARCHAR(5, charset="latin1"), "mariadb"), "é", set(ENGINES)),
        (sa.String(5).with_variant(mysql.VARCHAR(5, charset="ascii"), "mariadb"), "é", {"sqlite", "postgresql"}),
        (sa.SmallInteger(), 2**15, {"sqlite"}),
        (sa.Integer(), 2**31 - 1, set(ENGINES)),
        (sa.Integer(), 2**31, {"sqlite"}),
        (sa.BigInteger(), 2**63 - 1, set(ENGINES)),
        (sa.Integer().with_variant(mysql.INTEGER(unsigned=True), "mariadb"), 2**32 - 1, {"sqlite", "mariadb"}),
        (sa.Integer().with_variant(mysql.TINYINT(), "mariadb"), 128, {"sqlite", "postgresql"}),
        (sa.Numeric(30, 12), Decimal("123456789012345678.123456789012"), {"postgresql", "mariadb"}),
        (sa.Numeric(9, 2), Decimal("1.005"), set()),
        (sa.Numeric(), Decimal("1.5"), {"sqlite", "postgresql"}),
        (sa.Numeric(), Decimal("NaN"), {"postgresql"}),
        (sa.Numeric(9, 2), Decimal("Infinity"), set()),
        (sa.Double(), float("inf"), {"sqlite", "postgresql"}),
        (sa.Double(), float("nan"), {"postgresql"}),
        (sa.Float(), 0.1, set(ENGINES)),
        (sa.Float(), 1 / 3, {"sqlite", "postgresql"}),
        (sa.REAL(), 1 / 3, {"sqlite", "mariadb"}),  # a REAL is a double there
        (sa.DateTime(), dt.datetime(2024, 2, 29, 1, 2, 3, 4), {"sqlite", "postgresql"}),
        (sa.DateTime(), dt.datetime(1, 1, 1), set(ENGINES)),
        (sa.DateTime(timezone=True), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), set(ENGINES)),
        (sa.DateTime(timezone=True), dt.datetime(2024, 1, 1), set()),
        (sa.DateTime(timezone=True), dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5))), {"postgresql"}),
        (sa.DateTime(timezone=True), dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=17))), set()),
        (sa.Time(timezone=True), dt.time(1, tzinfo=dt.UTC), {"postgresql"}),
        (sa.Interval(), dt.timedelta(days=999_999_999), {"postgresql"}),
        (sa.Interval(), dt.timedelta(microseconds=1), {"sqlite", "postgresql"}),
        (sa.Uuid(), uuid.UUID("00000000-0000-0000-8000-000000000000"), set(ENGINES)),
        (sa.Uuid(), uuid.UUID("00000000-0000-8000-8000-000000000000"), {"sqlite", "postgresql"}),
        (sa.Uuid(as_uuid=False), "00000000-0000-4000-8000-00000000000a", set(ENGINES)),
        (sa.LargeBinary(3), b"\xff\xfe\0", set(ENGINES)),
        (sa.LargeBinary(3), b"\xff\xfe\0\1", set()),
        (sa.LargeBinary(4).with_variant(mysql.BINARY(4), "mariadb"), b"abc", {"sqlite", "postgresql"}),
        (sa.JSON(), sa.JSON.NULL, set(ENGINES)),
        (sa.JSON(), 1.0, {"postgresql", "mariadb"}),
        (sa.JSON(), {"$json": None}, set(ENGINES)),
        (JSONB, "\0", {"sqlite", "mariadb"}),
        (JSONB, sa.JSON.NULL, set(ENGINES)),
        (JSONB, {"a": 1e22}, set(ENGINES)),
        (JSONB, {"a": 1e23}, {"sqlite", "mariadb"}),
        (listed(sa.Integer), [1, None], set(ENGINES)),
        (listed(sa.Integer), [[1], [2, 3]], set()),
        (listed(sa.CHAR(3)), ["a", "b "], set()),
        (listed(sa.CHAR(3)), ["a", "b"], set(ENGINES)),
        (sa.ARRAY(sa.Uuid(as_uuid=False)), [str(uuid.UUID(int=7))], {"postgresql"}),
        (listed(sa.Date), [dt.date(2024, 1, 1)], {"postgresql"}),
        (sa.ARRAY(sa.Integer), [1], {"postgresql"}),
        (Cents(), Decimal("1.25"), set(ENGINES)),
        (Cents(), Decimal("1.005"), set(ENGINES)),  # stored as 100 cents
        (Cents(), Decimal(2**53), {"sqlite"}),  # too many cents for an INTEGER
        (Lowered(), "ABC", set(ENGINES)),
        (Lowered(), "abc", set(ENGINES)),
        (Lowered(), "a\0", {"sqlite", "mariadb"}),
        (Lowered(), "x" * 41, set()),
        (Stripped(9), " a ", set(ENGINES)),  # what is stored counts, and not what is read
        (Stripped(9), "a\0 ", {"sqlite", "mariadb"}),
        (Stripped(9), "a" + " " * 9, set()),
    ],
)  # fmt: skip
def test_what_is_held_where(type_: Any, value: Any, engines: set[str]) -> None:
    """By engine, as the table of what each holds has it."""
    try:
        made = cells(type_)
    except DeclarationError:
        made = cells(type_, override=st.just(value))
    assert {engine for engine in ENGINES if made.holds(value, engine)} == engines


def test_values_of_an_unknown_type_of_an_engine_are_asked_for() -> None:
    """The server would refuse most texts; the message says where to give them."""
    with pytest.raises(DeclarationError, match=r"overrides=\{'things\.value': strategy\}"):
        cells(EngineType("postgresql", "hstore"))
    texts = st.just('"a"=>"1"')
    assert cells(EngineType("postgresql", "hstore"), override=texts).plain(0) == '"a"=>"1"'


@pytest.mark.parametrize(("engine", "name"), [("mysql", "year"), ("mariadb", ""), (None, "inet")])
def test_an_engines_type_is_of_a_known_engine_and_has_a_name(engine: Any, name: str) -> None:
    """Else its columns would be of texts everywhere."""
    with pytest.raises(ArgumentError):
        EngineType(engine, name)


def nested(levels: int) -> Any:
    """A list in lists."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_json_is_as_deep_as_an_engine_takes_it() -> None:
    """MariaDB's own check gives up below 31 levels."""
    made = cells(sa.JSON())
    assert made.holds(nested(31), "mariadb")
    assert not made.holds(nested(32), "mariadb")
    assert made.holds(nested(60), "postgresql")


# Fields of the application's own


class Shade(enum.Enum):
    """An enumeration of a field's own."""

    light = "l"
    dark = "d"


def is_even(value: int) -> None:
    if value % 2:
        raise ma.ValidationError("is odd")


def is_one_text(value: str) -> None:
    if value != "one text alone":
        raise ma.ValidationError("is another text")


@pytest.mark.parametrize(
    ("type_", "field", "check"),
    [
        (sa.String(60), fields.Email(), lambda value: "@" in value),
        (sa.String(200), fields.Url(), lambda value: value.startswith("http")),
        (sa.String(60), fields.String(validate=validate.Email()), lambda value: "@" in value),
        (sa.String(8), fields.String(validate=validate.Regexp(r"[A-Z]{2}-\d{3}$")), lambda value: len(value.rstrip("\n")) == 6),
        (sa.Text(), fields.String(validate=validate.Regexp(r"ab|c")), lambda value: value.startswith(("ab", "c"))),
        (sa.Text(), fields.String(validate=validate.Regexp(r"x # a comment", 64)), lambda value: value.startswith("x")),
        (sa.String(20), fields.String(validate=validate.Length(min=3, max=5)), lambda value: 3 <= len(value) <= 5),
        (sa.String(20), fields.String(validate=validate.Length(equal=4)), lambda value: len(value) == 4),
        (sa.String(20), fields.String(validate=validate.NoneOf(["a", ""])), lambda value: value not in ("a", "")),
        (sa.String(20), fields.String(validate=validate.ContainsOnly("xyz")), lambda value: set(value) <= set("xyz")),
        (sa.Integer(), fields.Integer(validate=validate.Range(min=100_000)), lambda value: value >= 100_000),
        (sa.Integer(), fields.Integer(validate=validate.Range(max=-5)), lambda value: value <= -5),
        (sa.Integer(), fields.Integer(validate=[validate.Range(min=0), is_even]), lambda value: value >= 0 and not value % 2),
        (sa.Integer(), fields.Integer(validate=validate.And(validate.Range(min=0), validate.Range(max=3))), lambda value: 0 <= value <= 3),
        (sa.Numeric(9, 2), fields.Decimal(as_string=True, validate=validate.Range(min=0, min_inclusive=False)), lambda value: value > 0),
        (sa.Double(), fields.Float(validate=validate.Range(min=0.5, max=1.5)), lambda value: 0.5 <= value <= 1.5),
        (sa.Date(), fields.Date(validate=validate.Range(min=dt.date(2020, 1, 1))), lambda value: value >= dt.date(2020, 1, 1)),
        (Instant(), fields.AwareDateTime(), lambda value: value.tzinfo is not None),
        (Tags(), fields.List(fields.String(validate=validate.OneOf(["x", "y"]))), lambda value: set(value) <= {"x", "y"}),
        (sa.PickleType(), fields.Integer(), lambda value: type(value) is int),
        (sa.PickleType(), fields.Boolean(), lambda value: type(value) is bool),
        (sa.PickleType(), fields.Float(), lambda value: type(value) is float),
        (sa.PickleType(), fields.Decimal(as_string=True), lambda value: value.is_finite()),
        (sa.PickleType(), fields.UUID(), lambda value: isinstance(value, uuid.UUID)),
        (sa.PickleType(), fields.DateTime(), lambda value: isinstance(value, dt.datetime)),
        (sa.PickleType(), fields.NaiveDateTime(), lambda value: value.tzinfo is None),
        (sa.PickleType(), fields.Date(), lambda value: type(value) is dt.date),
        (sa.PickleType(), fields.Time(), lambda value: isinstance(value, dt.time)),
        (sa.PickleType(), fields.TimeDelta(precision="microseconds"), lambda value: isinstance(value, dt.timedelta)),
        (sa.PickleType(), fields.Enum(Shade), lambda value: isinstance(value, Shade)),
        (sa.PickleType(), fields.Enum(Shade, by_value=True), lambda value: isinstance(value, Shade)),
        (sa.PickleType(), fields.List(fields.Integer()), lambda value: all(type(n) is int for n in value)),
        (sa.PickleType(), fields.List(fields.Integer(), validate=validate.Length(equal=2)), lambda value: len(value) == 2),
        (sa.PickleType(), fields.Tuple((fields.String(), fields.Integer())), lambda value: type(value[1]) is int),
        (sa.PickleType(), fields.Dict(fields.String(), fields.Date()), lambda value: isinstance(value, dict)),
        (sa.PickleType(), fields.Nested(ma.Schema.from_dict({"a": fields.Integer()})), lambda value: type(value["a"]) is int),
        (sa.PickleType(), fields.Nested(ma.Schema.from_dict({"a": fields.Integer()}), many=True), lambda value: isinstance(value, list)),
        (sa.PickleType(), fields.IP(), lambda value: value.version in (4, 6)),
        (sa.PickleType(), fields.Raw(), lambda value: value is not None),
        (sa.PickleType(), fields.Constant(7), lambda value: value == 7),
        (postgresql.INET(), fields.IPv4(), lambda value: isinstance(value, ipaddress.IPv4Address)),
        (postgresql.CIDR(), fields.IPv6(), lambda value: isinstance(value, ipaddress.IPv6Address)),
        (sa.JSON(), fields.List(fields.Integer()), lambda value: all(type(n) is int for n in value)),
        (sa.JSON(), fields.Raw(), lambda value: value is not None),
    ],
)  # fmt: skip
def test_fields_and_validators_are_heeded(type_: Any, field: Any, check: Any) -> None:
    """Values are what the field deserializes to, and none that a validator refuses."""
    member = declared(type_, field)
    made = Cells(member.column, member)
    for value in [*(made.plain(n) for n in range(20)), *hostile(made, 60)]:
        assert check(value), value
        member.field._validate(value)


@pytest.mark.parametrize(
    ("type_", "field", "size"),
    [
        (sa.String(20), fields.String(validate=validate.OneOf(["kg", "g", "ml"])), 3),
        (sa.String(20), fields.String(validate=validate.Equal("kg")), 1),
        (sa.Integer(), fields.Integer(validate=validate.Range(min=10, max=14)), 5),
        (sa.Integer(), fields.Integer(validate=validate.Range(min=10, max=14, max_inclusive=False)), 4),
        (sa.Integer(), fields.Integer(validate=[validate.OneOf([1, 2, 3]), validate.OneOf([2, 3, 4])]), 2),
        (sa.Integer(), fields.Integer(validate=validate.And(validate.Range(min=0), validate.Range(max=3))), 4),
        (sa.PickleType(), fields.Enum(Colour), 4),
        (sa.String(9), fields.String(validate=validate.Regexp(r"[kK][gG] ?$")), 1),
        (sa.String(9), fields.String(validate=validate.Regexp(r"[ab]$")), 2),
    ],
)  # fmt: skip
def test_few_values_are_counted(type_: Any, field: Any, size: int) -> None:
    """A unique column can't have more rows than that."""
    made = cells(type_, field)
    assert len({repr(made.plain(n)) for n in range(50)}) == size


# Values that an application supplies, and columns that nobody knows


def test_an_override_draws_instead() -> None:
    """Plain values come from it as well, in one fixed order."""
    made = cells(sa.String(9), override=st.sampled_from(["kg", "g", "ml"]))
    assert {made.plain(n) for n in range(9)} == {"kg", "g", "ml"}
    assert set(hostile(made)) == {"kg", "g", "ml"}
    twice = cells(sa.String(9), override=st.sampled_from(["kg", "g"] * 3))
    assert {twice.plain(n) for n in range(2)} == {"kg", "g"}
    endless = cells(sa.Integer(), override=st.integers(0, 10**6))
    assert len({endless.plain(n) for n in range(300)}) == 300


@settings(max_examples=5, database=None)
@given(st.data())
def test_an_override_may_be_asked_while_another_strategy_draws(data: st.DataObject) -> None:
    """A dataset's strategy makes its columns' when it is first drawn from."""
    made = cells(sa.Integer(), override=st.integers(0, 50))
    assert made.holds(data.draw(made.hostile), "sqlite")


@pytest.mark.parametrize(
    ("type_", "field", "given", "why"),
    [
        (sa.String(3), None, "abcdef", "draw values of its type, length and range"),
        (Lowered(), None, 7, "no attribute 'upper'"),
        (sa.Integer(), fields.Integer(validate=validate.Range(min=0)), -1, "greater than or equal"),
        (sa.Integer(), None, 2**63, "draw values of its type, length and range"),
    ],
)
def test_an_override_that_no_engine_holds_is_named(
    type_: Any, field: Any, given: Any, why: str
) -> None:
    """Nothing else is drawn in its place, whenever it comes."""
    good = "abc" if isinstance(type_, sa.String | Lowered) else 1
    for strategy in (st.just(given), st.sampled_from([good, given])):
        with pytest.raises(DeclarationError) as caught:
            hostile(cells(type_, field, override=strategy))
        assert f"overrides for things.value gave {given!r}" in str(caught.value)
        assert why in str(caught.value)


def test_an_override_may_give_null_where_that_may_be() -> None:
    """Else it is an error, and no other value stands in for it."""
    some = st.sampled_from(["kg", None])
    assert set(hostile(Cells(column(sa.String(3)), override=some))) == {"kg", None}
    with pytest.raises(DeclarationError, match=r"overrides for things\.value gave None"):
        hostile(Cells(column(sa.String(3), nullable=False), override=some))


def test_an_override_is_drawn_as_it_is_given() -> None:
    """What the column's type makes of it is the type's own doing."""
    made = cells(Lowered(), override=st.sampled_from(["abc", "Def"]))
    assert set(hostile(made)) == {"abc", "Def"}
    assert {made.returned(value, "sqlite") for value in ("abc", "Def")} == {"ABC", "DEF"}


def test_a_strategy_without_values_gives_none() -> None:
    """Which its column's error tells."""
    assert sampled(st.from_regex(r"a(?!a)a"), 10) == []


class Odd(sa.types.UserDefinedType[Any]):
    """A type that nobody knows."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "ODD"


class Unknown(fields.Field[Any]):
    """A field that nobody knows."""


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        (Odd(), None),
        (postgresql.INET(), None),
        (sa.PickleType(), Unknown()),
        (postgresql.INET(), fields.String()),
        (sa.PickleType(), fields.List(Unknown())),
        (sa.PickleType(), fields.Dict(values=Unknown())),
        (sa.String(9), fields.String(validate=is_one_text)),
        (sa.Integer(), fields.Integer(validate=validate.OneOf([]))),
        (sa.Integer(), fields.Integer(validate=validate.Range(min=3, max=1))),
    ],
)
def test_unknown_values_name_their_column(type_: Any, field: Any) -> None:
    """The error says which column, and how to supply its values."""
    with pytest.raises(DeclarationError) as caught:
        cells(type_, field)
    assert "things.value" in str(caught.value)
    assert "overrides={'things.value': strategy}" in str(caught.value)


def test_an_override_is_enough_for_any_type() -> None:
    """The column that the error names can be supplied."""
    made = Cells(column(Odd()), override=st.sampled_from(["odd", "odder"]))
    assert made.plain(0) in ("odd", "odder")
    assert made.holds("odd", "sqlite")
    made = Cells(column(mysql.SET("a", "b")), override=st.just({"a"}))
    assert made.plain(0) == {"a"}
    assert made.holds({"a"}, "mariadb")


def test_decorated_values_are_drawn_before_their_type_has_changed_them() -> None:
    """What it makes of them is told apart from them, and where it reads two alike they are one."""
    made = cells(Lowered())
    texts = set(hostile(made, 1_000))
    assert {"\u00df", "\u00e4", "a\u0308"} & texts
    assert {made.returned(text, "sqlite") for text in texts} >= {"SS", "A\u0308"}
    assert made.fits["postgresql"].core("Ab") == "ab"
    assert set(made.forms("Ab")) & set(made.forms("aB")) == {"ab", "AB"}
    plain = [made.fits["sqlite"].core(made.plain(n)) for n in range(200)]
    assert len(set(plain)) == 200
    assert " a" in set(hostile(cells(Stripped(9), override=st.just(" a"))))


def test_values_that_another_column_must_hold_are_drawn_as_they_come_back() -> None:
    """A foreign key of another type couldn't hold what a decorator has changed."""
    made = Cells(column(Lowered()), settle=True)
    assert all(text == text.upper().casefold().upper() for text in hostile(made, 300))
    with pytest.raises(DeclarationError, match="a foreign key of another type must hold"):
        Cells(column(Lowered()), settle=True, override=st.just("abc"))
