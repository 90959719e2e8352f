"""Columns of every type, and values at and beyond their edges, computed from the types.

Nothing here says what an engine does with a value: only which ones are worth trying.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from support.zoo import NASTY, Cents, Color, Upper, listed


class Slow(sa.TypeDecorator[dt.timedelta]):
    """An interval that is kept doubled."""

    impl = sa.Interval
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value * 2

    def process_result_value(self, value: Any, dialect: Any) -> dt.timedelta | None:
        return None if value is None else value / 2


class Slower(sa.TypeDecorator[dt.timedelta]):
    """A decorator over another."""

    impl = Slow
    cache_ok = True


TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "varchar": sa.String(6),
    "unicode": sa.Unicode(6),
    "unicode-text": sa.UnicodeText(),
    "char": sa.CHAR(6),
    "small": sa.SmallInteger(),
    "integer": sa.Integer(),
    "big": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "checked-boolean": sa.Boolean(create_constraint=True, name="is_boolean"),
    "double": sa.Double(),
    "real": sa.REAL(),
    "float-decimal": sa.Float(asdecimal=True),
    "numeric-9-3": sa.Numeric(9, 3),
    "numeric-30-12": sa.Numeric(30, 12),
    "numeric-5-0": sa.Numeric(5, 0),
    "numeric-float": sa.Numeric(9, 3, asdecimal=False),
    "numeric": sa.Numeric(),
    "date": sa.Date(),
    "time": sa.Time(),
    "zoned-time": sa.Time(timezone=True),
    "datetime": sa.DateTime(),
    "zoned-datetime": sa.DateTime(timezone=True),
    "interval": sa.Interval(),
    "counted-interval": sa.Interval(native=False),
    "coarse-interval": sa.Interval(second_precision=2),
    "decorated-interval": Slow(),
    "twice-decorated-interval": Slower(),
    "uuid": sa.Uuid(),
    "uuid-text": sa.Uuid(as_uuid=False),
    "bytes": sa.LargeBinary(),
    "few-bytes": sa.LargeBinary(6),
    "enum": sa.Enum(Color, name="edge_color"),
    "text-enum": sa.Enum("a", "B", "c d", name="edge_label", native_enum=False, length=9),
    "valued-enum": sa.Enum(
        Color, name="edge_value", values_callable=lambda kind: [item.value for item in kind]
    ),
    "json": sa.JSON(),
    "json-none": sa.JSON(none_as_null=True),
    "upper": Upper(),
    "cents": Cents(),
    "integers": listed(sa.Integer),
    "texts": listed(sa.String(6)),
    "floats": listed(sa.Double, dimensions=1),
    "booleans": listed(sa.Boolean, dimensions=2),
    "numerics": listed(sa.Numeric(9, 3)),
    "dates": listed(sa.Date),
    "zoned-datetimes": listed(sa.DateTime(timezone=True)),
    "intervals": listed(sa.Interval),
    "uuids": listed(sa.Uuid),
    "byteses": listed(sa.LargeBinary),
    "enums": listed(sa.Enum(Color, name="edge_colors")),
    "jsons": listed(sa.JSON, dimensions=1),
}


def around(*numbers: int) -> Iterator[int]:
    """Yield each number and its neighbours."""
    for number in numbers:
        yield from (number - 1, number, number + 1)


def written_edges() -> list[Any]:
    """Return written forms at the edges of every kind; most are wrong for any one column."""
    texts = [*NASTY, "a\0b", "x" * 6, "x" * 7, "🍞" * 6, "e\u0301" * 3, "e\u0301" * 4, "א\u202eب"]
    numbers = {*around(0, *(sign * 2**bits for bits in (15, 31, 53, 63, 64) for sign in (1, -1)))}
    floats = [0.5, -0.0, 1e15, 1e16, 1e300, 5e-324, 1 / 3, 16777217.0, 3.4e38, 3.5e38, 1e-7, 1000.0]
    return [
        *texts,
        *numbers,
        *floats,
        *(True, False, "NaN", "Infinity", "-Infinity"),
        *decimals(),
        *moments(),
        *intervals(),
        *(str(uuid.UUID(int=number)) for number in (0, 1, 2**127, 2**128 - 1)),
        *(
            base64.b64encode(data).decode()
            for data in (b"", b"\0", b"\xff\xfe", b"123456", b"1234567", bytes(range(256)))
        ),
        *(item.name for item in Color),
        *("a", "B", "c d"),
        *json_values(),
        *arrays(),
    ]


def decimals() -> Iterator[str]:
    """Yield decimals around precision and scale, and around what a double holds."""
    for whole, scale in ((6, 3), (18, 12), (5, 0)):
        tail = f".{'9' * scale}" if scale else ""
        yield from (f"{sign}{'9' * whole}{tail}" for sign in ("", "-"))
        yield f"1{'0' * whole}.{'0' * scale}"
        yield f"0.{'0' * scale}1"
        yield f"0.{'0' * (scale - 1)}1" if scale else "0"
        yield f"123456789.{'1' * scale}" if scale else "123456789"
    yield from ("0.000", "-0.001", "1.005", "0.125", "0.1", "12345678901234567890", f"1{'0' * 400}")


def moments() -> Iterator[str]:
    """Yield the first and last dates and times, leap days, fractions and offsets."""
    days = ("0001-01-01", "9999-12-31", "2024-02-29", "2023-02-29", "1900-02-29", "1969-12-31")
    clocks = ("00:00:00", "23:59:59.999999", "00:00:00.000001", "12:30:00.120000", "24:00:00")
    offsets = ("Z", "+02:00", "-15:59:59", "+16:00", "+23:59", "+00:53:28")
    for clock in clocks:
        yield clock
        yield from (f"{clock}{offset}" for offset in offsets)
    for day in days:
        yield day
        yield from (f"{day}T{clock}{zone}" for clock in clocks for zone in ("", "Z"))


def intervals() -> Iterator[str]:
    """Yield lengths around nothing, a day, the ends of a timedelta, and of counting from 1970."""
    epoch, last, first = dt.date(1970, 1, 1), dt.date.max, dt.date.min
    for days in (0, 1, (last - epoch).days, (epoch - first).days, 999_999_999):
        for sign in ("", "-"):
            for more in (0, 1):
                yield f"{sign}P{days + more}D"
                yield f"{sign}P{days + more}DT23H59M59.999999S"
    yield from ("PT0S", "PT0.000001S", "-PT0.000001S", "PT0.120000S", "PT1.120000S", "PT23H")
    yield from ("-PT1H", "P1M", "P1Y", "P1W", "PT24H", "P1DT24H", "PT0.0000001S", "P", "-P1DT2H")


def json_values() -> Iterator[Any]:
    """Yield JSON that some engine changes, refuses, or holds for something else."""
    deep: Any = []
    for _ in range(60):
        deep = [deep]
    yield from (None, {"$json": None}, {"$json": {"$json": 1}}, {}, {"a": None}, {"b": [1.5, deep]})
    yield from ({"a\0": 1}, {"a": "\0"}, {"a": 2**64}, {"a": 1e-7}, {"$json": 1}, {"é": "\u2028"})
    yield {"a": "a\0b", "b": "\U0001f35e"}


def arrays() -> Iterator[Any]:
    """Yield arrays of all of these, in several dimensions, ragged and empty ones too."""
    yield from ([], [None], [[]], [[], []], [[1], [2, 3]], [[1, None], [2, 3]], [[[1]]], [1, [2]])
    yield from ([1, "1"], [True], [[True, None]], ["NULL", "", "{}", 'a"\\'], ["x" * 7], ["a\0"])
    yield from ([0.5, "NaN", "-Infinity", None], [1e-7], [2**31], [2**63], ["1.500", None])
    yield from (["2024-02-29"], ["9999-12-31"], ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    yield from (["PT0S", "-P1DT2H", "P999999999D", None], [str(uuid.UUID(int=1))], ["/w==", ""])
    yield from (["red", None, "blue"], [{"$json": None}, None, [1], {"a": "x"}], [[1], [2]])
    yield [[[[[[[1]]]]]]]


#: SQL literals that somebody may have stored without SQLAlchemy, in a column of any type.
LITERALS = (
    *("0", "1", "-1", "2", "1.5", "0.1", "1e300", "16777217", "9223372036854775807", "0.12345"),
    *("123456789012345678901234567890.5", "''", "'x'", "'abcdefghijk'", "'ab  '", "'1'", "'1.50'"),
    *(
        "'NaN'",
        "'Infinity'",
        "'-Infinity'",
        "'infinity'",
        "'1e400'",
        "'true'",
        "'\u00e9\U0001f35e'",
    ),
    *("'2024-02-29'", "'0044-03-15 BC'", "'10000-01-01'", "'20240229'", "'2024-02-29 00:00:00'"),
    *("'24:00:00'", "'08:30:00'", "'08:30:00.1234567'", "'08:30:00+02'", "'08:30:00.5-15:59:59'"),
    *("'2025-01-01 00:00:00.000000'", "'2025-01-01T00:00:00.1234567'", "'2025-01-01 00:00:00+02'"),
    *("'0001-01-01 00:00:00 BC'", "'294000-01-01 00:00:00'", "'1969-12-31 23:59:59.999999'"),
    *("'1 mon'", "'36:00:00'", "'-1:00:00'", "'1 day -1:00:00'", "'-1 days +23:00:00'", "'P1Y2M'"),
    *("'{}'", "'[]'", "'[2:3]={1,2}'", "'{1,NULL}'", "'{{1,2},{3,4}}'", "'[1,2]'", "'[1, null]'"),
    *("'null'", '\'{"a":1,"a":2}\'', "'{\"a\": 0.1234567890123456789}'", "'[1e400]'", "'[NaN]'"),
    *("'{1 mon}'", "'{infinity}'", "'{36:00:00}'", "'[0:0]={2024-02-29}'", "'{NULL,\"NULL\"}'"),
    *("'0B0E1A2C-3D4E-5F60-7182-93A4B5C6D7E8'", "'0b0e1a2c3d4e5f60718293a4b5c6d7e8'"),
    *("'red'", "'R'", "'B'", "'purple'", "'!x'", "'\\x00ff'", "X'00ff'", "X''", "X'31'"),
)
