"""PostgreSQL's raw values: what is read of them, what is bound, and what is refused both ways."""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from lading.database.dialects.postgresql_columns import PostgreSQLColumn, parsed
from lading.database.dialects.postgresql_encodings import encodable, within
from lading.database.dialects.postgresql_limits import misfit
from lading.database.dialects.postgresql_values import PostgreSQLCodecs
from lading.errors import TargetError
from lading.mapping.columns import kind_of
from support.coding import coders, column_of


def codecs(real: str | None = None) -> PostgreSQLCodecs:
    """Return the codecs of columns as their models say, or of one real type."""
    if real is None:
        return PostgreSQLCodecs(PGDialect_psycopg())
    column = parsed(real)
    return PostgreSQLCodecs(PGDialect_psycopg(), lambda _: column)


UUID = "00000000-0000-0000-0000-0000000000ff"


def sent(length: dt.timedelta) -> bytes:
    """Return an interval as ``interval_send`` gives it."""
    rest = length - dt.timedelta(days=length.days)
    return struct.pack(">qii", rest // dt.timedelta(microseconds=1), length.days, 0)


@pytest.mark.parametrize(
    ("type_", "raw", "written", "driver"),
    [
        (sa.String(3), "abc", "abc", "abc"),
        (sa.CHAR(3), "a  ", "a", "a"),
        (sa.Integer(), -5, -5, -5),
        (sa.Boolean(), True, True, True),
        (sa.Float(), 0.5, 0.5, 0.5),
        (sa.Float(), float("-inf"), "-Infinity", float("-inf")),
        (sa.Numeric(6, 2), "3.50", "3.50", "3.50"),
        (sa.Numeric(6, 0), "3", "3", "3"),
        (sa.Numeric(), "0.100", "0.1", "0.1"),
        (sa.Numeric(), "NaN", "NaN", "NaN"),
        (sa.LargeBinary(), b"\x00\xff", "AP8=", b"\x00\xff"),
        (sa.Date(), "2025-01-31", "2025-01-31", "2025-01-31"),
        (sa.Time(), "08:00:00.5", "08:00:00.500000", "08:00:00.500000"),
        (sa.Time(timezone=True), "08:00:00+02", "08:00:00+02:00", "08:00:00+02:00"),
        (sa.DateTime(), "2025-01-31 08:00:00", "2025-01-31T08:00:00", "2025-01-31T08:00:00"),
        (
            sa.DateTime(timezone=True),
            "2025-01-31 08:00:00.5",
            "2025-01-31T08:00:00.500000Z",
            "2025-01-31T08:00:00.500000Z",
        ),
        (sa.Interval(), sent(-dt.timedelta(seconds=1)), "-PT1S", "P-1DT86399.000000S"),
        (sa.Uuid(), UUID, UUID, UUID),
        (sa.JSON(), '{"b": 1, "a": [null]}', b'{"a":[null],"b":1}', '{"a":[null],"b":1}'),
        (sa.JSON(), "null", b'{"$json":null}', "null"),
        (pg.JSONB(), '"\\u00e9"', '"é"'.encode(), '"é"'),
        (sa.Enum("a", "b"), "b", "b", "b"),
        (pg.ARRAY(sa.Integer()), "{1,NULL}", b"[1,null]", '{"1",NULL}'),
        (pg.ARRAY(sa.String()), '{a,"b c"}', b'["a","b c"]', '{"a","b c"}'),
        (pg.ARRAY(sa.Boolean()), "{t,f}", b"[true,false]", '{"True","False"}'),
        (pg.ARRAY(sa.Numeric(5, 2)), "{1.50}", b'["1.50"]', '{"1.50"}'),
        (pg.ARRAY(sa.LargeBinary()), '{"\\\\x00"}', b'["AA=="]', '{"\\\\x00"}'),
        (pg.ARRAY(pg.JSONB()), '{"{\\"a\\": 1}"}', b'[{"a":1}]', '{"{\\"a\\":1}"}'),
        (
            pg.ARRAY(sa.DateTime(timezone=True)),
            '{"2025-01-31 10:00:00+02"}',
            b'["2025-01-31T08:00:00Z"]',
            '{"2025-01-31T08:00:00Z"}',
        ),
        (pg.ARRAY(pg.INTERVAL()), '{"1 day"}', b'["P1D"]', '{"P1DT0.000000S"}'),
        (pg.ARRAY(sa.Integer(), dimensions=2), "{{1},{2}}", b"[[1],[2]]", '{{"1"},{"2"}}'),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_a_value_is_read_and_bound_again(type_: Any, raw: Any, written: Any, driver: Any) -> None:
    """As text that the server reads as the same value."""
    read, bind = coders(codecs(), type_)
    assert read(raw) == written
    assert type(read(raw)) is type(written)
    assert bind(written) == driver
    assert type(bind(written)) is type(driver)


@pytest.mark.parametrize(
    ("type_", "real", "raw", "problem"),
    [
        (sa.String(3), "text", "abcd", "has 4 characters, its column holds 3"),
        (sa.CHAR(3), "character varying(9)", "a ", "whose trailing blanks the model's CHAR would"),
        (sa.Integer(), None, None, "the database holds NULL, which the model doesn't allow"),
        (sa.Numeric(6, 2), "numeric", "1.125", "1.125"),
        (sa.Date(), None, "infinity", "outside the years 1 to 9999"),
        (sa.Time(), None, "24:00:00", "which is the next day's 00:00:00"),
        (sa.DateTime(), None, "0001-01-01 00:00:00 BC", "outside the years 1 to 9999"),
        (sa.Interval(), None, struct.pack(">qii", 0, 0, 1), "an interval of 1 months"),
        (sa.LargeBinary(2), None, b"abc", "3 bytes are too many"),
        (pg.ARRAY(sa.Integer()), None, "[0:0]={1}", "bounds of its own"),
        (sa.Enum("a", "b"), None, "c", "which is not one of a, b"),
        (sa.JSON(), None, '{"a": 1, "a": 2}', "twice"),
    ],
)
def test_what_no_record_can_hold_is_refused(
    type_: Any, real: str | None, raw: Any, problem: str
) -> None:
    """By what the database holds."""
    read, _ = coders(codecs(real), type_)
    with pytest.raises(ValueError) as caught:
        read(raw)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "real", "written", "problem"),
    [
        (sa.String(3), None, "abcd", "has 4 characters, its column holds 3"),
        (sa.String(9), "character varying(3)", "abcd", "its column holds 3"),
        (sa.String(9), "character(3)", "ab", "would be padded to 3 characters"),
        (sa.String(), None, "a\0", "holds a NUL character, which PostgreSQL can't store"),
        (sa.SmallInteger(), None, 2**15, "32768 is outside -32768 to 32767"),
        (sa.Integer(), "smallint", 2**15, "32768 is outside -32768 to 32767"),
        (sa.Float(), "real", 0.1 + 0.2, "changes in a single-precision column"),
        (sa.Numeric(6, 2), "numeric(6,1)", "1.25", "1.25 has 2 decimal places"),
        (sa.Numeric(6, 2), "integer", "1.50", "1.50 is not whole"),
        (sa.Numeric(6, 2), "double precision", "1.50x", "1.50x"),
        (sa.Numeric(), "numeric(6,2)", "Infinity", "doesn't fit a column with a precision"),
        (sa.DateTime(), "timestamp(0) without time zone", "2025-01-31T08:00:00.5", "canonical"),
        (sa.DateTime(), "timestamp(0) without time zone", "2025-01-31T08:00:00.500000", "finer"),
        (sa.Time(timezone=True), None, "08:00:00+16:00", "16 hours or more from UTC"),
        (pg.INTERVAL(fields="DAY"), None, "PT1H", "would be cut: its column holds multiples"),
        (sa.Uuid(), None, UUID.upper(), "is not canonical"),
        (pg.JSONB(), None, b'"\\u0000"', "holds a NUL character, which JSONB can't store"),
        (pg.ARRAY(sa.SmallInteger()), None, b"[40000]", "40000 is outside"),
        (pg.ARRAY(sa.Integer()), None, b'{"$json":null}', "JSON's null, which no array is"),
        (sa.Enum("a", "b"), "character varying(9)", "c", "'c'"),
    ],
)
def test_what_the_server_would_change_is_not_bound(
    type_: Any, real: str | None, written: Any, problem: str
) -> None:
    """It rounds, cuts and pads without a word."""
    _, bind = coders(codecs(real), type_)
    with pytest.raises(ValueError) as caught:
        bind(written)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("real", "written", "driver"),
    [("integer", "7.00", 7), ("double precision", "7.25", "7.25"), ("numeric", "7.25", "7.25")],
)
def test_a_decimal_is_bound_as_its_real_column_takes_it(
    real: str, written: str, driver: Any
) -> None:
    """Columns of integers take no point."""
    value = coders(codecs(real), sa.Numeric(6, 2))[1](written)
    assert (value, type(value)) == (driver, type(driver))


@pytest.mark.parametrize(
    ("declared", "real", "problem"),
    [
        ("text", "character varying(3)", None),
        ("text", "integer", "its column is integer in the database, and text in the model"),
        ("numeric(6,2)", "integer", None),
        ("numeric(6,2)", "real", None),
        ("integer", "numeric", "its column is numeric"),
        ("integer", "bigint", None),
        ("json", "jsonb", None),
        ("timestamp without time zone", "timestamp with time zone", "are aware datetimes"),
        ("timestamp with time zone", "timestamp without time zone", "values have no zone"),
        ("integer[]", "bigint[]", None),
        ("integer[]", "text[]", "its column is text[]"),
        ("integer", "integer[]", "its column is integer[]"),
        ("inet", "text", None),
    ],
)
def test_a_real_column_holds_some_of_its_model_s_values_or_is_a_misfit(
    declared: str, real: str, problem: str | None
) -> None:
    """What only the application knows is never one."""
    told = misfit(parsed(declared), parsed(real))
    assert (told is None) if problem is None else (told is not None and problem in told)


def test_enumerations_share_a_label_or_are_a_misfit() -> None:
    """With texts they go together."""
    labels = PostgreSQLColumn("", "an enumeration", labels=("a", "b"))
    assert misfit(labels, PostgreSQLColumn("size", "size", labels=("b",))) is None
    assert misfit(labels, parsed("text")) is None
    told = misfit(labels, PostgreSQLColumn("size", "size", labels=("c",)))
    assert told is not None
    assert told.endswith("with none of its labels (a, b)")


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("numeric(10, 2)", {"type": "numeric", "precision": 10, "scale": 2}),
        ("NUMERIC(10)", {"type": "numeric", "precision": 10, "scale": 0}),
        ("varchar(5)", {"type": "character varying", "length": 5}),
        ("char", {"type": "character", "length": 1}),
        ("bpchar", {"type": "character", "length": 1}),
        ("float(24)", {"type": "real"}),
        ("float(25)", {"type": "double precision"}),
        ("timestamp(0) with time zone", {"type": "timestamp with time zone", "precision": 0}),
        ("time", {"type": "time without time zone"}),
        ("interval day to minute", {"type": "interval", "fields": "day to minute"}),
        ("interval second(2)", {"type": "interval", "fields": "second", "precision": 2}),
        ('text COLLATE "C"', {"type": "text"}),
        ("integer[][]", {"type": "integer[]"}),
    ],
)
def test_a_type_s_sql_says_what_its_column_is(sql: str, column: dict[str, Any]) -> None:
    """In the server's names, with its limits."""
    real = parsed(sql)
    assert {name: getattr(real, name) for name in column} == column
    assert real.text == sql


def test_zones_are_those_of_the_type_and_of_its_variant() -> None:
    """The server would shift values between the two."""
    type_ = sa.DateTime().with_variant(sa.DateTime(timezone=True), "postgresql")
    column = column_of(type_)
    kind = kind_of(type_)
    assert kind is not None
    with pytest.raises(TargetError, match="but not in both; PostgreSQL would shift its values"):
        codecs().reader(column, kind)


def test_a_set_has_no_column() -> None:
    """The refusal says what to keep instead."""
    refusal = codecs().refusal(mysql.SET("a"))
    assert refusal == "postgresql has no SET; keep the labels as rows of a table, or as JSON, there"
    assert codecs().refusal(pg.ARRAY(sa.Integer())) is None


@pytest.mark.parametrize(
    ("encoding", "fine", "lacking"),
    [("WIN1252", "é€", "ł"), ("KOI8R", "Ж", "é"), ("LATIN1", "é", "€"), ("EUC_JP", "日", "€")],
)
def test_an_encoding_lacks_characters(encoding: str, fine: str, lacking: str) -> None:
    """In lists as well; the server decides of those that Python doesn't know."""
    check = encodable(encoding)
    assert check([fine, None, 5]) == [fine, None, 5]
    for value in (f"a{lacking}", ["a", [f"{lacking}"]]):
        with pytest.raises(ValueError, match=f"'{lacking}', which the database's encoding"):
            check(value)
    assert encodable("MULE_INTERNAL")(lacking) == lacking
    _, bind = coders(codecs(), sa.String())
    assert bind(lacking) == lacking
    binder = within([encoding], codecs().binder(column_of(sa.String()), kind_of(sa.String())))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="can't store"):
        binder.function()(lacking)
