"""The canonical written form and order of every type of value."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import json
import math
import random
import struct
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.values.arrays import Array, LabelSet
from lading.values.base import Kind, article
from lading.values.datetimes import Date, DateTime, Interval, Time
from lading.values.json_text import (
    DEEPEST_RECORD,
    canonical_json,
    json_text,
    parse_json,
    plain_json_text,
    repeated,
)
from lading.values.scalars import (
    JSON_NULL,
    Boolean,
    Bytes,
    Choice,
    Float,
    Integer,
    Json,
    Number,
    Text,
    Uuid,
    plain_digits,
    scaled_digits,
)


class Colour(enum.Enum):
    red = 1
    blue = 2


class Other(enum.Enum):
    red = 1


COLOURS = Choice(dict(Colour.__members__))
LABELS = Choice({"small": "small", "large": "large"})
ALLERGENS = LabelSet(("nuts", "milk", "eggs"))
SOME_UUID = uuid.UUID("0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8")
EAST = dt.timezone(dt.timedelta(hours=2))

# kind, Python value, written form: both ways
CANONICAL: list[tuple[Kind, Any, Any]] = [
    (Text(), "", ""),
    (Text(), "Crème brûlée\n\x00", "Crème brûlée\n\x00"),
    (Text(), "trailing ", "trailing "),
    (Text(padded=True), "ab", "ab"),
    (Integer(), 0, 0),
    (Integer(), -(2**70), -(2**70)),
    (Boolean(), True, True),
    (Boolean(), False, False),
    (Float(), 0.1, 0.1),
    (Float(), math.inf, "Infinity"),
    (Float(), -math.inf, "-Infinity"),
    (Float(), 5e-324, 5e-324),
    (Number(), Decimal("1.5"), "1.5"),
    (Number(), Decimal(100), "100"),
    (Number(), Decimal("1e20"), "100000000000000000000"),
    (Number(), Decimal("1e-10"), "0.0000000001"),
    (Number(), Decimal("-Infinity"), "-Infinity"),
    (Number(10, 2), Decimal("12.50"), "12.50"),
    (Number(10, 2), Decimal("-0.01"), "-0.01"),
    (Number(10, 0), Decimal(7), "7"),
    (Number(2, 2), Decimal("0.25"), "0.25"),
    (Date(), dt.date(2025, 12, 24), "2025-12-24"),
    (Date(), dt.date(1, 1, 1), "0001-01-01"),
    (Time(), dt.time(8, 30), "08:30:00"),
    (Time(), dt.time(8, 30, 0, 5), "08:30:00.000005"),
    (Time(aware=True), dt.time(8, 30, tzinfo=dt.UTC), "08:30:00Z"),
    (Time(aware=True), dt.time(8, 30, tzinfo=EAST), "08:30:00+02:00"),
    (
        Time(aware=True),
        dt.time(8, 30, 0, 5, dt.timezone(dt.timedelta(hours=-1, seconds=1))),
        "08:30:00.000005-00:59:59",
    ),
    (Interval(), dt.timedelta(0), "PT0S"),
    (Interval(), dt.timedelta(3, 4 * 3600 + 5 * 60 + 6, 7), "P3DT4H5M6.000007S"),
    (Interval(), dt.timedelta(7), "P7D"),
    (Interval(), -dt.timedelta(1, 7200), "-P1DT2H"),
    (Interval(), -dt.timedelta(microseconds=1), "-PT0.000001S"),
    (Interval(), dt.timedelta(minutes=61), "PT1H1M"),
    (Interval(), dt.timedelta.max, "P999999999DT23H59M59.999999S"),
    (Interval(), dt.timedelta.min, "-P999999999D"),
    (Array(Integer()), [], []),
    (Array(Integer()), [1, None, -2], [1, None, -2]),
    (Array(Integer()), [[1, 2], [None, 4]], [[1, 2], [None, 4]]),
    (Array(Number(5, 2)), [Decimal("1.50")], ["1.50"]),
    (Array(COLOURS), [Colour.red, None], ["red", None]),
    (Array(Interval(), as_tuple=True), (dt.timedelta(1),), ["P1D"]),
    (Array(Integer(), 2, as_tuple=True), ((1,), (2,)), [[1], [2]]),
    (Array(Json()), [[1], {"b": 1}, JSON_NULL, None], [[1], {"b": 1}, {"$json": None}, None]),
    (Array(Json(), 2), [[[1], "x"]], [[[1], "x"]]),
    (Array(Text()), JSON_NULL, {"$json": None}),
    (DateTime(), dt.datetime(2025, 12, 24, 18), "2025-12-24T18:00:00"),
    (DateTime(), dt.datetime(2025, 12, 24, 18, 0, 0, 120000), "2025-12-24T18:00:00.120000"),
    (DateTime(aware=True), dt.datetime(2025, 1, 1, tzinfo=dt.UTC), "2025-01-01T00:00:00Z"),
    (Uuid(), SOME_UUID, str(SOME_UUID)),
    (Bytes(), b"", ""),
    (Bytes(), b"\xff\x00a", "/wBh"),
    (COLOURS, Colour.blue, "blue"),
    (LABELS, "large", "large"),
    (ALLERGENS, {"nuts", "eggs"}, ["eggs", "nuts"]),
    (ALLERGENS, set(), []),
    (Json(), {"b": [1, 2.5, None], "a": "é"}, {"a": "é", "b": [1, 2.5, None]}),
    (Json(), JSON_NULL, {"$json": None}),
    (Json(), {"$json": None}, {"$json": {"$json": None}}),
    (Json(), {"$json": 5}, {"$json": {"$json": 5}}),
    (Json(), {"$json": 5, "more": 6}, {"$json": 5, "more": 6}),
    (Json(), [], []),
    (Json(), False, False),
]


@pytest.mark.parametrize(("kind", "value", "written"), CANONICAL)
def test_a_value_is_written_canonically(kind: Kind, value: Any, written: Any) -> None:
    """The written form is pinned, type and all: a bundle outlives its writer."""
    made = kind.write(value)
    assert made == written
    assert type(made) is type(written)


@pytest.mark.parametrize(("kind", "value", "written"), CANONICAL)
def test_a_written_form_is_read_back(kind: Kind, value: Any, written: Any) -> None:
    """Reading gives the very value, of the very type."""
    made = kind.read(written)
    assert made == value
    assert type(made) is type(value)


# kind, Python value, written form: where several values are written alike
NORMALISED: list[tuple[Kind, Any, Any]] = [
    (Text(padded=True), "ab   ", "ab"),
    (Float(), -0.0, 0.0),
    (Float(), 3, 3.0),
    (Number(), Decimal("1.500"), "1.5"),
    (Number(), Decimal("-0.0"), "0"),
    (Number(), Decimal("1E+2"), "100"),
    (Number(), 7, "7"),
    (Number(), 0.1, "0.1"),
    (Number(), Decimal("sNaN"), "NaN"),
    (Number(8, 3), Decimal("1.5"), "1.500"),
    (Number(8, 3), Decimal("-0"), "0.000"),
    (Number(8, 3), Decimal("1.50000"), "1.500"),
    (DateTime(aware=True), dt.datetime(2025, 1, 1, 1, tzinfo=EAST), "2024-12-31T23:00:00Z"),
    (Uuid(), "0B0E1A2C-3D4E-5F60-7182-93A4B5C6D7E8", str(SOME_UUID)),
    (Bytes(), bytearray(b"a"), "YQ=="),
    (Bytes(), memoryview(b"a"), "YQ=="),
    (Json(), (1, 2), [1, 2]),
    (Json(), 1e20, 100000000000000000000),
    (Json(), -0.0, 0.0),
    (Json(), {"x": {"b": 1, "a": 2}}, {"x": {"a": 2, "b": 1}}),
]


@pytest.mark.parametrize(("kind", "value", "written"), NORMALISED)
def test_equal_values_are_written_alike(kind: Kind, value: Any, written: Any) -> None:
    """The few normalisations, and no others."""
    made = kind.write(value)
    assert made == written
    assert type(made) is type(written)
    if isinstance(written, float):
        assert math.copysign(1, made) == math.copysign(1, written)


def test_nan_is_a_word() -> None:
    """NaN has no number in JSON; it goes out and comes in as a word."""
    assert Float().write(math.nan) == "NaN"
    assert math.isnan(Float().read("NaN"))
    assert Number().write(Decimal("NaN")) == "NaN"
    assert Number().read("NaN").is_nan()


UNWRITABLE: list[tuple[Kind, Any]] = [
    (Text(), 5),
    (Text(), None),
    (Text(), b"a"),
    (Text(), "\ud800"),
    (Integer(), True),
    (Integer(), 1.0),
    (Integer(), "1"),
    (Boolean(), 1),
    (Boolean(), "true"),
    (Float(), True),
    (Float(), "1.0"),
    (Float(), 2**53 + 1),
    (Float(), Decimal("1.5")),
    (Float(), 10**309),
    (Number(), "1.5"),
    (Number(), True),
    (Number(8, 2), Decimal("1.005")),
    (Number(4, 2), Decimal("123.00")),
    (Date(), dt.datetime(2025, 1, 1)),
    (Date(), "2025-01-01"),
    (Time(), dt.time(1, tzinfo=dt.UTC)),
    (DateTime(), dt.date(2025, 1, 1)),
    (DateTime(), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)),
    (DateTime(aware=True), dt.datetime(2025, 1, 1)),
    (DateTime(aware=True), dt.datetime(1, 1, 1, tzinfo=EAST)),
    (Uuid(), "0b0e1a2c3d4e5f60718293a4b5c6d7e8"),
    (Uuid(), 5),
    (Bytes(), "text"),
    (COLOURS, "green"),
    (COLOURS, 1),
    (LABELS, "Large"),
    (ALLERGENS, ["nuts"]),
    (ALLERGENS, {"Nuts"}),
    (Json(), math.nan),
    (Json(), {1: "a"}),
    (Json(), {"a": {1, 2}}),
    (Json(), Decimal(1)),
    (Json(), ["\udfff"]),
    (Json(), {"\udfff": 1}),
]


@pytest.mark.parametrize(("kind", "value"), UNWRITABLE)
def test_what_is_not_of_the_kind_is_never_written(kind: Kind, value: Any) -> None:
    """Only a ``ValueError`` is expected of a kind, so anything else would escape."""
    with pytest.raises(ValueError):
        kind.write(value)


def test_a_member_of_another_enumeration_is_refused() -> None:
    """Two enumerations may share a name and mean different things."""
    with pytest.raises(ValueError):
        COLOURS.write(Other.red)


UNREADABLE: list[tuple[Kind, Any]] = [
    (Text(), 5),
    (Text(), None),
    (Text(), ["a"]),
    (Integer(), True),
    (Integer(), 1.0),
    (Integer(), 1.9),
    (Integer(), "1"),
    (Boolean(), 1),
    (Boolean(), "true"),
    (Float(), True),
    (Float(), "1.5"),
    (Float(), "nan"),
    (Float(), "inf"),
    (Float(), math.nan),
    (Float(), math.inf),
    (Float(), 2**53 + 1),
    (Float(), 10**309),
    (Float(), None),
    (Float(), [1.0]),
    (Number(), 1.5),
    (Number(), 1),
    (Number(), "1e5"),
    (Number(), "1E5"),
    (Number(), " 1"),
    (Number(), "+1"),
    (Number(), "01"),
    (Number(), ".5"),
    (Number(), "5."),
    (Number(), "1_000"),
    (Number(), "١"),
    (Number(), "nan"),
    (Number(), "sNaN"),
    (Number(), "1\n"),
    (Number(8, 2), "1.005"),
    (Number(4, 2), "123.00"),
    (Date(), "2025-1-1"),
    (Date(), "20250101"),
    (Date(), "2025-02-30"),
    (Date(), "2025-W01-1"),
    (Date(), "2025-01-01T00:00:00"),
    (Date(), "2025-01-01\n"),
    (Date(), "٢٠٢٥-01-01"),
    (Date(), 20250101),
    (Time(), "8:30:00"),
    (Time(), "08:30"),
    (Time(), "25:00:00"),
    (Time(), "08:30:00.1234567"),
    (Time(), "08:30:00Z"),
    (Time(), "08:30:00,5"),
    (Time(), "08:30:00+02:00"),
    (Time(aware=True), "08:30:00"),
    (Time(aware=True), "08:30:00+02"),
    (Time(aware=True), "08:30:00+0200"),
    (Time(aware=True), "08:30:00+24:00"),
    (Time(aware=True), "08:30:00z"),
    (Time(aware=True), "24:00:00Z"),
    (DateTime(), "2025-12-31T24:00:00"),
    (DateTime(aware=True), "2025-12-24T08:30:00+05:75"),
    (Interval(), "P1M"),
    (Interval(), "P1Y"),
    (Interval(), "P1W"),
    (Interval(), "P"),
    (Interval(), "PT"),
    (Interval(), "P1DT"),
    (Interval(), "PT24H"),
    (Interval(), "PT60M"),
    (Interval(), "PT60S"),
    (Interval(), "PT1.5H"),
    (Interval(), "PT1,5S"),
    (Interval(), "PT0.0000001S"),
    (Interval(), "P-1D"),
    (Interval(), "+P1D"),
    (Interval(), "p1d"),
    (Interval(), "P1D\n"),
    (Interval(), "P١D"),
    (Interval(), "P1000000000D"),
    (Interval(), "-P999999999DT1S"),
    (Interval(), "1 day"),
    (Interval(), 86400),
    (Array(Integer()), 1),
    (Array(Integer()), "[1]"),
    (Array(Integer()), {"0": 1}),
    (Array(Integer()), ["1"]),
    (Array(Integer()), [True]),
    (Array(Integer()), [[]]),
    (Array(Integer()), [[1], []]),
    (Array(Integer()), [[1], [2, 3]]),
    (Array(Integer()), [[1], 2]),
    (Array(Integer()), [[1], None]),
    (Array(Integer()), [[1], [[2]]]),
    (Array(Integer()), [[[[[[[1]]]]]]]),
    (Array(Integer(), 1), [[1]]),
    (Array(Integer(), 2), [1]),
    (Array(Text(), 2), [None]),
    (Array(Float()), ["nan"]),
    (DateTime(), "2025-01-01"),
    (DateTime(), "2025-01-01 00:00:00"),
    (DateTime(), "2025-01-01T00:00"),
    (DateTime(), "2025-01-01T00:00:00Z"),
    (DateTime(), "2025-01-01T00:00:00+00:00"),
    (DateTime(), "2025-01-01T00:00:00.1234567"),
    (DateTime(), "2025-13-01T00:00:00"),
    (DateTime(), None),
    (DateTime(aware=True), "2025-01-01T00:00:00"),
    (DateTime(aware=True), "2025-01-01T00:00:00z"),
    (DateTime(aware=True), "2025-01-01T00:00:00+02"),
    (DateTime(aware=True), "2025-01-01T00:00:00+02:00:00"),
    (DateTime(aware=True), "2025-01-01T00:00:00ZZ"),
    (DateTime(aware=True), "0001-01-01T00:00:00+02:00"),
    (Uuid(), "0b0e1a2c3d4e5f60718293a4b5c6d7e8"),
    (Uuid(), "{0b0e1a2c-3d4e-5f60-7182-93a4b5c6d7e8}"),
    (Uuid(), "not-a-uuid"),
    (Uuid(), 5),
    (Bytes(), "YQ"),
    (Bytes(), "YR=="),
    (Bytes(), "Y Q=="),
    (Bytes(), "YQ==\n"),
    (Bytes(), "_w=="),
    (Bytes(), "é"),
    (Bytes(), None),
    (COLOURS, "RED"),
    (COLOURS, 1),
    (COLOURS, None),
    (ALLERGENS, "nuts"),
    (ALLERGENS, ["nuts", "nuts"]),
    (ALLERGENS, ["salt"]),
    (ALLERGENS, [["nuts"]]),
    (Json(), math.inf),
]


@pytest.mark.parametrize(("kind", "written"), UNREADABLE)
def test_a_form_that_is_not_of_the_kind_is_refused(kind: Kind, written: Any) -> None:
    """Reading is strict: no coercion, no second way to write a thing, no other exception."""
    with pytest.raises(ValueError):
        kind.read(written)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Float(), 3, 3.0),
        (Number(8, 2), "1.5", Decimal("1.50")),
        (Number(8, 2), "1.500", Decimal("1.50")),
        (Number(), "1.500", Decimal("1.5")),
        (Time(), "08:30:00.5", dt.time(8, 30, 0, 500000)),
        (Time(aware=True), "08:30:00.5+00:00", dt.time(8, 30, 0, 500000, dt.UTC)),
        (Interval(), "P0DT1.5S", dt.timedelta(seconds=1, microseconds=500000)),
        (Interval(), "-PT0S", dt.timedelta(0)),
        (Array(Number(3, 1)), ["1", "1.50"], [Decimal("1.0"), Decimal("1.5")]),
        (DateTime(), "2025-01-01T00:00:00.000", dt.datetime(2025, 1, 1)),
        (
            DateTime(aware=True),
            "2025-01-01T02:00:00+02:00",
            dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        ),
        (Uuid(), "0B0E1A2C-3D4E-5F60-7182-93A4B5C6D7E8", SOME_UUID),
    ],
)
def test_a_person_may_write_the_same_value_otherwise(kind: Kind, written: Any, value: Any) -> None:
    """Hand-made files needn't be canonical where the value is certain."""
    assert kind.read(written) == value
    assert kind.read(kind.write(kind.read(written))) == value


def test_the_message_says_what_was_expected() -> None:
    """Each text, pinned once: it ends up in somebody's import report."""
    with pytest.raises(ValueError, match=r"^'1e5' is not a decimal \(digits, at most one point\)$"):
        Number().read("1e5")
    with pytest.raises(ValueError, match=r"^1\.5 is not a decimal \(digits in a string\)$"):
        Number().read(1.5)
    with pytest.raises(ValueError, match=r"^1\.005 has 3 decimal places, its column holds 2$"):
        Number(5, 2).read("1.005")
    with pytest.raises(ValueError, match=r"^1234\.00 has 4 digits before the point, its column ho"):
        Number(5, 2).read("1234")
    with pytest.raises(ValueError, match=r"^5 is not an integer$|^'5' is not an integer$"):
        Integer().read("5")
    with pytest.raises(ValueError, match=r"^'x' is not a date \(YYYY-MM-DD\)$"):
        Date().read("x")
    with pytest.raises(
        ValueError, match=r"^'2025-02-30' is not a date: a number in it is out of range"
    ):
        Date().read("2025-02-30")
    with pytest.raises(ValueError, match=r"^'x' is not a time \(HH:MM:SS, no zone\)$"):
        Time().read("x")
    with pytest.raises(ValueError, match=r"^'x' is not a time \(HH:MM:SS, with Z or an offset\)$"):
        Time(aware=True).read("x")
    with pytest.raises(ValueError, match=r"^dt\.time|has no offset of whole seconds, its column w"):
        Time(aware=True).write(dt.time(8, 30))
    with pytest.raises(ValueError, match=r"^'P1M' is not an interval \(days, hours, minutes and s"):
        Interval().read("P1M")
    with pytest.raises(ValueError, match=r"^'-P999999999DT1S' is longer than 999999999 days$"):
        Interval().read("-P999999999DT1S")
    with pytest.raises(ValueError, match=r"^item 2\.1: '3' is not an integer$"):
        Array(Integer()).read([[1], ["3"]])
    with pytest.raises(
        ValueError, match=r"^\[\[1\], \[\]\] holds lists of different lengths, as no"
    ):
        Array(Integer()).read([[1], []])
    with pytest.raises(ValueError, match=r"^\[1\] is nested 1 deep, its column's arrays 2$"):
        Array(Integer(), 2).read([1])
    with pytest.raises(
        ValueError, match=r"^'x' is not a datetime \(YYYY-MM-DDTHH:MM:SS, no zone\)"
    ):
        DateTime().read("x")
    with pytest.raises(ValueError, match=r"^'x' is not a datetime \(.*, with Z or an offset\)$"):
        DateTime(aware=True).read("x")
    with pytest.raises(ValueError, match=r"has no time zone, its column wants one$"):
        DateTime(aware=True).write(dt.datetime(2025, 1, 1))
    with pytest.raises(ValueError, match=r"has a time zone, its column has none$"):
        DateTime().write(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(ValueError, match=r"^'x' is not a uuid \(36 characters with dashes\)$"):
        Uuid().read("x")
    with pytest.raises(ValueError, match=r"^'x' is not canonical base64$"):
        Bytes().read("x")
    with pytest.raises(ValueError, match=r"^'x' is none of red, blue$"):
        COLOURS.read("x")
    with pytest.raises(ValueError, match=r"holds half a surrogate pair$"):
        Text().write("\ud800")
    with pytest.raises(ValueError, match=r"^'x' is not a float \(a number, or NaN, Infinity, -Inf"):
        Float().read("x")


# Properties

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
doubles = st.floats(allow_nan=False)
moments = st.datetimes()
zones = st.integers(-840, 840).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
aware = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=zones)
decimals = st.decimals(allow_nan=False, allow_infinity=True, places=None).filter(
    lambda number: not number.is_finite() or abs(int(number.as_tuple().exponent)) < 60
)
scaled = st.decimals(-99999, 99999, places=3)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("$json"), inner, max_size=3)
    ),
    max_leaves=8,
)

DRAWN: dict[str, tuple[Kind, st.SearchStrategy[Any]]] = {
    "text": (Text(), texts),
    "padded": (Text(padded=True), texts.map(lambda text: text.rstrip(" "))),
    "integer": (Integer(), st.integers()),
    "boolean": (Boolean(), st.booleans()),
    "float": (Float(), doubles),
    "number": (Number(), decimals),
    "scaled": (Number(8, 3), scaled),
    "date": (Date(), st.dates()),
    "time": (Time(), st.times()),
    "interval": (Interval(), st.timedeltas()),
    "array": (Array(Interval()), st.lists(st.none() | st.timedeltas(), max_size=3)),
    "datetime": (DateTime(), moments),
    "aware": (DateTime(aware=True), aware),
    "uuid": (Uuid(), st.uuids()),
    "bytes": (Bytes(), st.binary(max_size=12)),
    "enum": (COLOURS, st.sampled_from(Colour)),
}
kinds = pytest.mark.parametrize("name", DRAWN)


@kinds
@given(data=st.data())
def test_reading_what_was_written_gives_the_value(name: str, data: st.DataObject) -> None:
    """Nothing is lost on the way out and in."""
    kind, values = DRAWN[name]
    value = data.draw(values)
    assert kind.read(kind.write(value)) == value


@kinds
@given(data=st.data())
def test_writing_what_was_read_gives_the_form(name: str, data: st.DataObject) -> None:
    """A value has one canonical form, which survives JSON."""
    kind, values = DRAWN[name]
    written = kind.write(data.draw(values))
    again = json.loads(json.dumps(written))
    assert again == written
    assert kind.write(kind.read(again)) == written


@kinds
@given(data=st.data())
def test_the_order_is_the_value_s_own(name: str, data: st.DataObject) -> None:
    """Written forms sort as their values do: numbers and dates by value, text by code point."""
    kind, values = DRAWN[name]
    if name == "enum" or not kind.is_key:
        return
    first, second = data.draw(values), data.draw(values)
    if name == "uuid":
        first, second = str(first), str(second)
    one, two = kind.write(first), kind.write(second)
    if name == "bytes":  # sorted by the code points of their written form
        assert (kind.order(one) < kind.order(two)) == (one < two)
        return
    assert (kind.order(one) < kind.order(two)) == (first < second)
    assert (kind.order(one) == kind.order(two)) == (first == second)


@kinds
@given(data=st.data())
def test_written_sorts_tells_the_truth(name: str, data: st.DataObject) -> None:
    """Where a kind says that written forms sort as they are, ``order`` says the same."""
    kind, values = DRAWN[name]
    if not kind.written_sorts or not kind.is_key:
        return
    one, two = kind.write(data.draw(values)), kind.write(data.draw(values))
    assert (one < two) == (kind.order(one) < kind.order(two))


def test_enums_sort_by_their_names() -> None:
    """Labels sort by code point, not by declaration, on every engine."""
    assert sorted(["red", "blue"], key=COLOURS.order) == ["blue", "red"]


def test_decimals_sort_at_their_ends() -> None:
    """Infinities stand at the ends and NaN above all, as PostgreSQL has it."""
    written = ["-Infinity", "-2", "-0.5", "0", "9", "10", "Infinity", "NaN"]
    shuffled = random.Random(1).sample(written, len(written))
    assert sorted(shuffled, key=Number().order) == written


def test_an_aware_moment_with_a_fraction_sorts_above_one_without() -> None:
    """The text's Z would sort above the point."""
    kind = DateTime(aware=True)
    assert kind.order("2025-01-01T00:00:00Z") < kind.order("2025-01-01T00:00:00.000001Z")
    assert not kind.written_sorts
    assert DateTime().written_sorts


@given(json_values)
def test_json_survives(value: Any) -> None:
    """A JSON value is read back as it was written, and its canonical form is final."""
    written = Json().write(value)
    assert Json().write(Json().read(written)) == written
    assert json_text(Json().write(parse_json(json_text(canonical_json(value))))) == json_text(
        written
    )


@given(st.text(max_size=20) | st.binary(max_size=20) | st.integers() | st.floats() | st.none())
def test_no_kind_raises_anything_but_value_error(value: Any) -> None:
    """Whatever a file holds, only ``ValueError`` says that it doesn't fit."""
    for kind, _ in DRAWN.values():
        for way in (kind.read, kind.write):
            with contextlib.suppress(ValueError):
                way(value)


# JSON


def test_json_text_is_canonical() -> None:
    """Sorted keys, no spaces, UTF-8 without escapes beyond JSON's own."""
    assert json_text({"b": 1, "a": ["é", "\n", 1.5]}) == '{"a":["é","\\n",1.5],"b":1}'.encode()


def test_json_null_is_not_sql_null() -> None:
    """Null means SQL NULL; JSON's own null is wrapped."""
    assert Json().read({"$json": None}) is JSON_NULL
    assert Json().read(None) is None
    assert Json().text(JSON_NULL) == b'{"$json":null}'
    assert repr(JSON_NULL) == "JSON_NULL"


@pytest.mark.parametrize("written", [{"$json": 5}, {"$json": []}, {"$json": {"a": 1}}])
def test_a_needless_wrapper_is_refused(written: Any) -> None:
    """A value has one written form: only null and wrappers are wrapped."""
    with pytest.raises(ValueError):
        Json().read(written)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '[{"b":{"a":1,"a":1}}]',
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e400",
        "1e-400",
        "0.12345678901234567890",
        "{",
        "",
        "[" * 100_000,
        "1" * 5000,
    ],
)
def test_strict_json_refuses(text: str) -> None:
    """What a parser would lose, merge or choke on is an error."""
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", 1.1),
        ("1e2", 100.0),
        ("1E+2", 100.0),
        ("18446744073709551616", 2**64),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
        ('"\\u00e9"', "é"),
        (b'{"a":null}', {"a": None}),
    ],
)
def test_strict_json_takes_what_is_exact(text: str | bytes, value: Any) -> None:
    """Another way to write the same number is no loss."""
    assert parse_json(text) == value


def test_strict_json_names_the_key_that_stands_twice() -> None:
    """The text, pinned once."""
    with pytest.raises(ValueError, match=r"^key 'a' stands twice in one object$"):
        parse_json('{"a":1,"b":2,"a":3}')


def test_strict_json_says_how_many_digits_an_integer_has_at_most() -> None:
    """Python's own text says how to alter a process, which is no remedy for a file."""
    with pytest.raises(ValueError, match=r"^an integer has more than 4,300 digits, the most"):
        parse_json(f'{{"a":{"1" * 5000}}}')


def test_deep_json_is_a_value_error() -> None:
    """A value nested too deeply is refused and doesn't end the program."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError):
        Json().write(value)
    while value:  # so that its end doesn't recurse either
        value = value[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: "a"}, "1 isn't a key of a JSON object (a string)"),
        ([("a",)], "('a',) isn't a JSON value"),
        ({"a": b""}, "b'' isn't a JSON value"),
    ],
)
def test_the_text_of_plain_json_refuses_what_is_not_plain(value: Any, message: str) -> None:
    """A function of a change may return anything, and JSON would write some of it otherwise."""
    with pytest.raises(ValueError) as caught:
        plain_json_text(value)
    assert str(caught.value) == message


def test_the_text_of_plain_json_has_a_depth() -> None:
    """A value that no reader would take is refused as it is written."""
    value: list[Any] = []
    for _ in range(DEEPEST_RECORD + 1):
        value = [value]
    with pytest.raises(ValueError, match="nested more than"):
        plain_json_text(value)


def test_the_first_item_that_stands_twice_is_named() -> None:
    """Nothing stands twice: that is a mistake of who asks."""
    assert repeated("abcdcb") == "c"
    with pytest.raises(ValueError, match="each item is there once"):
        repeated("abc")


def test_canonical_json_sorts_by_code_point() -> None:
    """Keys sort as code points, which for text above U+FFFF isn't UTF-16's order."""
    assert list(canonical_json({"\U0001f600": 1, "\uffff": 2, "Z": 3, "a": 4})) == [
        "Z",
        "a",
        "\uffff",
        "\U0001f600",
    ]


# Shapes and small helpers


def test_shapes_are_plain_json() -> None:
    """A manifest says of each kind what a reader must know."""
    assert Number(10, 2).shape() == {"type": "decimal", "precision": 10, "scale": 2}
    assert DateTime(aware=True).shape() == {"type": "datetime", "aware": True}
    assert COLOURS.shape() == {"type": "enum", "names": ["red", "blue"]}
    assert Time().shape() == {"type": "time"}
    assert Time(aware=True).shape() == {"type": "time", "aware": True}
    assert Array(Number(3, 1), 2).shape() == {
        "type": "array",
        "items": {"type": "decimal", "precision": 3, "scale": 1},
        "dimensions": 2,
    }
    assert Text().shape() == {"type": "string"}
    for kind, _ in DRAWN.values():
        assert json.loads(json.dumps(kind.shape())) == kind.shape()


def test_which_kinds_are_no_keys() -> None:
    """Equality of floats differs between engines, of zoned times by instant; lists have none."""
    no_keys = (Float(), Json(), Array(Integer()), Time(aware=True))
    assert not any(kind.is_key for kind in no_keys)
    assert all(kind.is_key for kind in (Integer(), Number(), Time(), Interval()))


def test_intervals_sort_by_length() -> None:
    """Their text would put ten days before nine, and negative ones anywhere."""
    written = ["-P10D", "-P9D", "-PT1S", "PT0S", "PT1S", "PT0.500000S", "PT1H", "P9D", "P10D"]
    lengths = sorted(written, key=Interval().order)
    assert lengths == [
        "-P10D",
        "-P9D",
        "-PT1S",
        "PT0S",
        "PT0.500000S",
        "PT1S",
        "PT1H",
        *lengths[7:],
    ]
    assert lengths[7:] == ["P9D", "P10D"]
    assert not Interval().written_sorts


def test_an_array_of_other_writings_is_not_canonical() -> None:
    """The compiled way takes one form of each item, and leaves the others to marshmallow."""
    assert Array(Number(3, 1)).canonical(["1.0"]) == ["1.0"]
    for written in (["1"], ["1.00"]):
        with pytest.raises(ValueError, match="is not canonical"):
            Array(Number(3, 1)).canonical(written)
    with pytest.raises(ValueError, match="is not canonical"):
        Array(Float()).canonical([1])


def test_kinds_are_values() -> None:
    """Two kinds of the same form are equal and hash alike."""
    assert Number(8, 2) == Number(8, 2)
    assert Number(8, 2) != Number(8, 3)
    assert hash(Choice({"a": 1})) == hash(Choice({"a": 1}))


def test_article_fits_the_noun() -> None:
    """Messages are read by people."""
    assert (article("integer"), article("date"), article("enum")) == (
        "an integer",
        "a date",
        "an enum",
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5))
def test_plain_digits_keep_the_value(number: Decimal) -> None:
    """No exponent, no trailing zeros, no negative zero, the same number."""
    text = plain_digits(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert text != "-0"
    assert "." not in text or not text.endswith("0")


def test_scaled_digits_pad_and_refuse() -> None:
    """A scale fills up, and never rounds."""
    assert scaled_digits("1", 2) == "1.00"
    assert scaled_digits("1", 0) == "1"
    assert scaled_digits("1.25", 3) == "1.250"
    with pytest.raises(ValueError, match=r"^1\.25 has 2 decimal places, its column holds 1$"):
        scaled_digits("1.25", 1)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_floats_are_doubles_all_the_same(number: float) -> None:
    """A float of four bytes is written as the double that it is."""
    assert struct.pack("f", Float().read(Float().write(number))) == struct.pack("f", number + 0.0)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (Number(8, 2), "digits in quotes, at most 6 before a point and 2 behind it"),
        (Number(None, 2), "digits in quotes, at most 2 behind a point"),
        (Number(), "digits in quotes, with at most one point"),
        (DateTime(aware=True), '"2025-12-24T08:30:00Z"'),
        (DateTime(), '"2025-12-24T08:30:00"'),
        (Array(Integer(), 1), "a list in brackets, and as each item a whole number"),
        (Choice({"red": "red"}), "one of these names"),
        (LabelSet(("a", "b")), "each once: a, b"),
    ],
)
def test_what_to_write_is_told(kind: Kind, form: str) -> None:
    """A message about a value that isn't of its kind ends with it."""
    assert form in kind.form


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (Date(), "2025-12-24"),
        (Time(), "08:30:00"),
        (Time(aware=True), "08:30:00+02:00"),
        (DateTime(), "2025-12-24T08:30:00"),
        (DateTime(aware=True), "2025-12-24T08:30:00Z"),
        (Interval(), "P3DT4H5M6S"),
    ],
)
def test_the_example_of_a_kind_is_read(kind: Kind, example: str) -> None:
    """Whoever follows the message gets further."""
    assert f'"{example}"' in kind.form
    assert kind.write(kind.read(example)) == example
