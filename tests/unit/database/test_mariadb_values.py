"""MariaDB's raw values: what is read of them, what is bound, and what is refused both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from lading.database.dialects.mariadb_columns import Stored, parsed_type
from lading.database.dialects.mariadb_json import depth_of, valid_json
from lading.database.dialects.mariadb_limits import driver_checks, labels_check, room_of
from lading.database.dialects.mariadb_values import MariaDBCodecs
from lading.errors import TargetError
from support.coding import coders, column_of

UUID = "00000000-0000-0000-0000-0000000000ff"
UTF8 = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}


def stored(full: str, **more: Any) -> Stored:
    """Return a column as the server would describe it."""
    nothing = dict.fromkeys(
        ("length", "octets", "precision", "scale", "fraction", "charset", "collation")
    )
    name = parsed_type(full)[0]
    return Stored(**{**nothing, "name": "value", "type": name, "full": full, "extra": "", **more})


def varchar(length: int, charset: str = "utf8mb4", **more: Any) -> Stored:
    """Return a VARCHAR column."""
    text = {**UTF8, "charset": charset, "length": length, "octets": 4 * length}
    return stored(f"varchar({length})", **{**text, **more})


def decimal(precision: int, scale: int, full: str = "decimal") -> Stored:
    """Return a DECIMAL column."""
    return stored(full, precision=precision, scale=scale)


def codecs(real: Stored, *, is_in_utc: bool = True) -> MariaDBCodecs:
    """Return the codecs of one column."""
    coding = MariaDBCodecs(MySQLDialect_pymysql(), lambda _: real)
    coding.is_in_utc = is_in_utc
    return coding


TEXT = stored("text", **UTF8, length=65_535, octets=65_535)
JSON = stored("longtext", **UTF8, length=2**32 - 1, octets=2**32 - 1)
SIZES = stored("set('b','a')", **UTF8, length=3, octets=12)


@pytest.mark.parametrize(
    ("type_", "real", "raw", "written", "driver"),
    [
        (sa.String(3), varchar(3), "日😀é", "日😀é", "日😀é"),
        (sa.CHAR(3), stored("char(3)", **UTF8, length=3, octets=12), "a", "a", "a"),
        (sa.Text(), TEXT, "a b", "a b", "a b"),
        (sa.Integer(), stored("int(11)"), -5, -5, -5),
        (sa.Boolean(), stored("tinyint(1)"), 1, True, True),
        (sa.Double(), stored("double"), 0.5, 0.5, 0.5),
        (sa.Float(), stored("float"), 0.10000000149011612, 0.1, None),
        (sa.Numeric(6, 2), decimal(6, 2), "3.50", "3.50", "3.50"),
        (sa.Numeric(6, 2), decimal(8, 3), "3.500", "3.50", "3.50"),
        (sa.LargeBinary(), stored("blob", octets=65_535), b"\x00\xff", "AP8=", b"\x00\xff"),
        (sa.Date(), stored("date"), "2025-01-31", "2025-01-31", "2025-01-31"),
        (sa.Time(), stored("time", fraction=0), "08:00:00", "08:00:00", "08:00:00"),
        (
            sa.DateTime(),
            stored("datetime(6)", fraction=6),
            "2025-01-31 08:00:00.500000",
            "2025-01-31T08:00:00.500000",
            "2025-01-31T08:00:00.500000",
        ),
        (
            sa.DateTime(timezone=True),
            stored("datetime", fraction=0),
            "2025-01-31 08:00:00",
            "2025-01-31T08:00:00Z",
            "2025-01-31T08:00:00",
        ),
        (sa.Uuid(), stored("uuid"), UUID, UUID, UUID),
        (sa.JSON(), JSON, '{"b": 1, "a": []}', b'{"a":[],"b":1}', '{"a":[],"b":1}'),
        (sa.JSON(), JSON, "null", b'{"$json":null}', "null"),
        (sa.Enum("a", "b"), stored("enum('b','a')", **UTF8), "a", "a", "a"),
        (mysql.SET("b", "a"), SIZES, "b,a", b'["a","b"]', "a,b"),
        (mysql.SET("b", "a"), SIZES, "", b"[]", ""),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_a_value_is_read_and_bound_again(
    type_: Any, real: Stored, raw: Any, written: Any, driver: Any
) -> None:
    """As the driver takes it."""
    read, bind = coders(codecs(real), type_)
    assert read(raw) == written
    assert type(read(raw)) is type(written)
    if driver is not None:
        assert bind(written) == driver


@pytest.mark.parametrize(
    ("type_", "real", "raw", "problem"),
    [
        (sa.String(3), varchar(9), "abcd", "has 4 characters, its column holds 3"),
        (sa.String(3), varchar(3), b"a", "which is not a string"),
        (sa.CHAR(3), varchar(3), "a ", "whose trailing blanks the model's CHAR would lose"),
        (sa.Integer(), stored("int(11)"), "5", "which is not an integer"),
        (sa.Boolean(), stored("tinyint(1)"), 2, "which is not a boolean (0 or 1)"),
        (sa.Double(), stored("double"), "x", "which is not a float"),
        (sa.Numeric(6, 2), decimal(8, 3), "3.125", "3.125"),
        (sa.Date(), stored("date"), "0000-00-00", "the database holds '0000-00-00', which is not"),
        (sa.Time(), stored("time", fraction=0), "-838:59:59", "which is not a time of day"),
        (sa.DateTime(), stored("datetime"), None, "the database holds NULL"),
        (sa.Enum("a", "b"), stored("enum('b','a')", **UTF8), "", "which is not one of a, b"),
        (sa.Uuid(), varchar(36), UUID.replace("-", ""), None),
        (sa.Uuid(), varchar(36), UUID, "which would be stored as"),
        (mysql.SET("a", "b"), SIZES, 5, "the database holds 5"),
        (mysql.SET("a", "b"), varchar(9), "b,a", "which would be stored as 'a,b'"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_no_record_can_hold_is_refused(
    type_: Any, real: Stored, raw: Any, problem: str | None
) -> None:
    """By what the database holds."""
    read, _ = coders(codecs(real), type_)
    if problem is None:
        assert read(raw)
        return
    with pytest.raises(ValueError) as caught:
        read(raw)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "real", "written", "problem"),
    [
        (sa.String(3), varchar(9), "abcd", "has 4 characters, its column holds 3"),
        (sa.String(9), varchar(3), "abcd", "its column holds 3"),
        (sa.String(9), varchar(3, "latin1"), "ł", "'ł', which character set latin1 can't store"),
        (sa.String(9), varchar(3, "utf8mb3"), "😀", "'😀', which character set utf8mb3"),
        (sa.String(9), stored("char(9)", **UTF8, length=9, octets=36), "a ", "trailing blanks"),
        (sa.Text(), replace(TEXT, octets=4), "ééé", "'ééé' has 6 bytes, its column holds 4"),
        (sa.String(36), stored("uuid"), "x", "is not a uuid in lower case with dashes"),
        (sa.String(9), stored("enum('a')", **UTF8), "b", "isn't a label of its column: a"),
        (sa.Integer(), stored("tinyint(4)"), 128, "128 is outside -128 to 127"),
        (sa.Integer(), stored("int(10) unsigned"), -1, "-1 is outside 0 to 4294967295"),
        (sa.Double(), stored("double"), "NaN", "nan can't be stored by MariaDB"),
        (sa.Float(), stored("float"), 0.1 + 0.2, "changes in a single-precision column"),
        (sa.Double(), stored("double unsigned"), -0.5, "-0.5 is negative, and its column is"),
        (sa.Double(), stored("double(9,2)", precision=9, scale=2), 1e7, "which ends before"),
        (sa.Double(), stored("double(9,2)", precision=9, scale=2), 0.125, "of 2 decimal places"),
        (sa.Numeric(6, 2), decimal(6, 1), "1.25", "1.25 has 2 decimal places"),
        (sa.Numeric(6, 2), decimal(6, 2, "decimal unsigned"), "-1.00", "-1.00 is negative"),
        (sa.Numeric(), decimal(65, 0), "NaN", "NaN can't be stored by MariaDB"),
        (sa.LargeBinary(9), stored("binary(3)", octets=3), "AAE=", "2 bytes would be padded to 3"),
        (sa.LargeBinary(9), stored("blob", octets=1), "AAE=", "more than its column holds: 1"),
        (sa.LargeBinary(1), stored("blob", octets=9), "AAE=", "2 bytes are too many"),
        (sa.Time(), stored("time", fraction=0), "08:00:00.500000", "1 digits of a second"),
        (
            sa.DateTime(timezone=True),
            stored("timestamp", fraction=0),
            "2040-01-01T00:00:00Z",
            "outside of what a TIMESTAMP holds",
        ),
        (sa.Uuid(), stored("uuid"), "ffffffff-ffff-8fff-01ff-ffffffffffff", "own UUID type"),
        (sa.Uuid(), stored("uuid"), UUID.upper(), "is not canonical"),
        (sa.JSON(), JSON, b"[" * 32 + b"]" * 32, "deeper than the 31 levels MariaDB allows"),
        (sa.JSON(), replace(JSON, type="text", octets=3), b"[1,2]", "its column holds 3"),
        (sa.Enum("a", "b"), stored("enum('b')", **UTF8), "a", "isn't a label of its column: b"),
        (mysql.SET("a", "c"), SIZES, b'["c"]', "'c' isn't a label of its column: b, a"),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_what_the_server_would_change_is_not_bound(
    type_: Any, real: Stored, written: Any, problem: str
) -> None:
    """It cuts, rounds and pads, or takes another label."""
    _, bind = coders(codecs(real), type_)
    with pytest.raises(ValueError) as caught:
        bind(written)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("real", "written", "driver"),
    [
        (stored("int(11)"), "7.00", 7),
        (stored("double"), "7.25", "7.25"),
        (decimal(6, 2, "decimal unsigned"), "7.25", "7.25"),
    ],
)
def test_a_decimal_is_bound_as_its_real_column_takes_it(
    real: Stored, written: str, driver: Any
) -> None:
    """Columns of integers take no point."""
    value = coders(codecs(real), sa.Numeric(6, 2))[1](written)
    assert (value, type(value)) == (driver, type(driver))


@pytest.mark.parametrize(
    ("type_", "real", "is_fit"),
    [
        (sa.String(3), TEXT, True),
        (sa.String(3), stored("uuid"), True),
        (sa.String(3), stored("int(11)"), False),
        (sa.Numeric(6, 2), stored("bigint(20)"), True),
        (sa.Numeric(6, 2), stored("float"), False),
        (sa.Integer(), decimal(9, 0), False),
        (sa.Boolean(), stored("int(11)"), True),
        (sa.DateTime(), stored("timestamp"), True),
        (sa.DateTime(), stored("date"), False),
        (sa.JSON(), JSON, True),
        (sa.Enum("a", "b"), stored("enum('b')", **UTF8), True),
        (sa.Enum("a", "b"), stored("enum('c')", **UTF8), False),
        (sa.Enum("a", "b"), varchar(9), True),
        (sa.types.NullType(), stored("geometry"), True),
    ],
    ids=lambda value: repr(value) if isinstance(value, sa.types.TypeEngine) else "",
)
def test_a_real_column_holds_some_of_its_model_s_values_or_is_a_misfit(
    type_: Any, real: Stored, is_fit: bool
) -> None:
    """What only the application knows is never one."""
    told = codecs(real).misfit(column_of(type_))
    assert (told is None) is is_fit
    assert told is None or f"its column is {real.full} in the database" in told


def test_a_timestamp_without_a_zone_wants_a_session_in_utc() -> None:
    """The server shifts it by the session's zone."""
    coding = codecs(stored("timestamp"), is_in_utc=False)
    with pytest.raises(TargetError, match="which the server shifts between UTC and the session"):
        coders(coding, sa.DateTime())
    coders(coding, sa.DateTime(timezone=True))


@pytest.mark.parametrize(
    ("ddl", "name", "arguments"),
    [
        ("NUMERIC(9, 3) UNSIGNED", "numeric", ["9", "3"]),
        ("DOUBLE PRECISION", "double precision", [""]),
        ("DOUBLE UNSIGNED", "double", [""]),
        ("DOUBLE(9, 2) UNSIGNED", "double", ["9", "2"]),
        ("NATIONAL VARCHAR(5)", "national varchar", ["5"]),
        ("ENUM('a','it''s')", "enum", ["a", "it''s"]),
        ("SET('a,b')", "set", ["a,b"]),
        ("5", "5", []),
    ],
)
def test_a_type_s_ddl_has_a_name_and_arguments(ddl: str, name: str, arguments: list[str]) -> None:
    """As SQLAlchemy writes it."""
    assert parsed_type(ddl) == (name, arguments)


def test_a_column_says_what_it_is() -> None:
    """By the server's description of it."""
    plain = stored("int(10) unsigned", extra="auto_increment")
    assert (plain.range, plain.counts_up, plain.characters) == ((0, 2**32 - 1), True, None)
    computed = stored("datetime", extra="STORED GENERATED")
    assert (computed.is_generated, computed.updates_itself) == (True, False)
    assert stored("timestamp", extra="on update current_timestamp()").updates_itself
    assert stored(r"enum('a','it''s','b\\n')", **UTF8).labels == ("a", "it's", "b\\n")
    assert (varchar(5).characters, TEXT.characters) == (5, 65_535)
    assert (varchar(5).by_code_point, varchar(5, collation="latin1_bin").by_code_point) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("real", "parameter", "cast"),
    [
        (varchar(5), "%s", "CONVERT(%s USING utf8mb4) COLLATE utf8mb4_nopad_bin"),
        (
            varchar(5, "latin1", collation="latin1_bin"),
            "CONVERT(%s USING latin1) COLLATE latin1_bin",
            "CONVERT(%s USING latin1) COLLATE latin1_bin",
        ),
        (decimal(6, 2), "CAST(%s AS DECIMAL(6,2))", "CAST(%s AS DECIMAL(6,2))"),
        (stored("datetime(3)", fraction=3), "%s", "CAST(%s AS DATETIME(3))"),
        (stored("uuid"), "%s", "CAST(%s AS UUID)"),
        (stored("int(11)"), "%s", "%s"),
    ],
    ids=lambda value: value.full if isinstance(value, Stored) else "",
)
def test_a_parameter_is_compared_in_the_column_s_type(
    real: Stored, parameter: str, cast: str
) -> None:
    """So that an index still serves."""
    assert (real.parameter("%s"), real.cast("%s")) == (parameter, cast)


def test_labels_of_a_set_come_in_any_order_and_texts_in_its_own() -> None:
    """A text is given back as it is; labels are told apart by the driver."""
    assert labels_check(SIZES)("a,b") == "a,b"
    assert labels_check(SIZES)("") == ""
    check = driver_checks(SIZES)[str]
    assert check("b,a") == "b,a"
    for text in ("a,b", "a,a"):
        with pytest.raises(ValueError, match=r"would be stored as .* in its SET"):
            check(text)


def test_values_take_room_in_a_statement() -> None:
    """A text's bytes may all be escaped."""
    assert room_of("é") == 2 * 2 + 4
    assert room_of(b"abc") == 2 * 3 + 16
    assert room_of(5) == 40


def test_json_has_a_depth() -> None:
    """Of its deepest value; scalars have none."""
    assert [depth_of(value) for value in (5, [], {"a": [1]}, [[], [[{}]]])] == [0, 1, 2, 4]
    assert valid_json("[" * 31 + "]" * 31)
    with pytest.raises(ValueError, match="deeper than the 31 levels"):
        valid_json("[" * 32 + "]" * 32)
