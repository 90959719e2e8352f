"""The types that drawn columns have, and values for each: usual ones, edges, and what breaks.

A value is what Core takes for the type.  ``Taste`` says which engine it must please, and
whether values may be such that no bundle holds them (a text longer than its column, on SQLite).
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from support.drawn.kit import Colour, Rank, State


@dataclass
class Taste:
    """How values are drawn: ``wild`` ones may be refused, others must be carried."""

    rng: random.Random
    dialect: str
    wild: bool = False

    def some(self, *values: Any) -> Any:
        """Return one of some values."""
        return self.rng.choice(values)

    def chance(self, share: float) -> bool:
        """Return true in this share of draws."""
        return self.rng.random() < share


@dataclass(frozen=True)
class Kind:
    """A type of column: its sources, those that can be keys, and what draws its values.

    ``draw`` gets the taste and the type's source.
    """

    sources: tuple[str, ...]
    draw: Callable[[Taste, str], Any]
    keys: tuple[str, ...] = ()
    weight: float = 1.0


LETTERS = "abcdefgh XYZ 0123456789_-"
EDGY = (
    "", " ", "a", "A", "a ", " a", "a\t", "ä", "a\u0308", "é", "e\u0301", "ß", "ss", "😀", "\U0010ffff",
    "\uffff", "\ue000", "\u2028", "%s", "%", "%%", ":x", "?", "'", '"', "\\", "\\n", "\n", "NULL", "null",
    "0", "00", "{}", "a,b", "\x7f", "\x01", "İ", "i", "ı", "-", "\u200b", "\u202e",
)  # fmt: skip


def text(taste: Taste, source: str) -> str:
    """Words, edges, and now and then what fits no column or no engine."""
    limit = _length(source)
    if taste.chance(0.3):
        value = taste.rng.choice(EDGY)
    else:
        value = "".join(taste.rng.choices(LETTERS, k=taste.rng.randint(1, min(limit, 14))))
    if taste.chance(0.03):
        value = (value or "x") * limit
    value = value[:limit]
    if taste.wild and taste.dialect == "sqlite" and taste.chance(0.02):
        value = f"{value}\0"[-limit:] if taste.chance(0.7) else "x" * (limit + 1)
    return value


def _length(source: str) -> int:
    digits = "".join(ch for ch in source.partition("(")[2] if ch.isdigit())
    return int(digits) if digits and "with_variant" not in source else 40


def lowered(taste: Taste, source: str) -> str:
    """Upper-case text that comes back from lower case."""
    return "".join(taste.rng.choices("ABCDE 012", k=taste.rng.randint(0, 12)))


def padded(taste: Taste, source: str) -> str:
    """Text for a CHAR; blanks at its end mean nothing, so there are none."""
    return "".join(taste.rng.choices("abXY 1é", k=taste.rng.randint(0, 6))).rstrip(" ")


def integer(taste: Taste, source: str) -> int:
    """Small numbers, and the ends of the range."""
    bits = 15 if "Small" in source else 63 if "Big" in source or "LONG" in source else 31
    if taste.wild and taste.dialect == "sqlite" and taste.chance(0.03):
        bits = 63
    if taste.chance(0.15):
        return int(taste.some(0, -1, 2**bits - 1, -(2**bits), 2 ** (bits - 1)))
    return taste.rng.randint(-20, 200)


def double(taste: Taste, source: str) -> float:
    """Halves and thirds, zeros of both signs, the ends of the range, and words."""
    if taste.dialect == "mariadb" or "REAL" in source:
        return float(taste.some(0.0, 0.5, -1.25, 1024.0, 3.0, -0.0))
    value = float(taste.some(0.1, 1 / 3, -0.0, 0.0, 1e308, 5e-324, -2.5, 1e16, 123456.789, 1e22))
    if taste.chance(0.1):
        value = float(taste.some("inf", "-inf"))
    # SQLite makes NaN null, which a column may not be.
    return float("nan") if taste.dialect == "postgresql" and taste.chance(0.05) else value


def decimal(taste: Taste, source: str) -> Decimal:
    """Amounts of the column's scale, and sometimes more than SQLite's doubles hold."""
    numbers = [int(part) for part in source.partition("(")[2].rstrip(")").split(",") if part]
    precision, scale = numbers if numbers else (12, 3)
    digits = precision if taste.wild and taste.chance(0.1) else min(precision, 9)
    number = taste.rng.randint(-(10**digits) + 1, 10**digits - 1)
    if taste.chance(0.2):
        number = taste.some(0, 1, -1, 10**digits - 1)
    if not numbers and taste.dialect != "mariadb":
        scale = taste.rng.randint(0, 3)
    return Decimal(f"{number}e-{scale}")


def day(taste: Taste, source: str) -> dt.date:
    """Days from the year 1 to 9999."""
    if taste.chance(0.15):
        return dt.date.fromisoformat(taste.some("1000-01-01", "9999-12-31", "2000-02-29"))
    if taste.chance(0.05) and taste.dialect != "mariadb":
        return dt.date(1, 1, 1)
    return dt.date(2020, 1, 1) + dt.timedelta(days=taste.rng.randint(0, 2000))


def clock(taste: Taste, source: str) -> dt.time:
    """Times of day, with and without a fraction."""
    micro = taste.some(0, 0, 1, 500000, 999999, 120)
    return dt.time(
        taste.rng.randint(0, 23), taste.rng.randint(0, 59), taste.rng.randint(0, 59), micro
    )


def zoned(taste: Taste, source: str) -> dt.time:
    """Times of day with a zone, which the engines that have none would drop."""
    zone = dt.timezone(dt.timedelta(hours=taste.some(0, 1, -11)))
    return clock(taste, source).replace(tzinfo=zone if taste.dialect == "postgresql" else None)


def moment(taste: Taste, source: str) -> dt.datetime:
    """Naive datetimes."""
    return dt.datetime.combine(day(taste, source), clock(taste, source))


def instant(taste: Taste, source: str) -> dt.datetime:
    """Aware datetimes, away from the ends where another zone would leave the range."""
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    return start + dt.timedelta(
        seconds=taste.rng.randint(0, 10**8), microseconds=taste.some(0, 0, 7)
    )


def identifier(taste: Taste, source: str) -> Any:
    """UUIDs, as text where the column has text."""
    value = made_uuid(taste) if taste.chance(0.7) else uuid.UUID(int=0)
    return str(value) if "as_uuid=False" in source else value


def made_uuid(taste: Taste) -> uuid.UUID:
    """Random ones; some wild ones are any 128 bits, but MariaDB's own type takes known variants."""
    is_any = taste.wild and taste.chance(0.03) and taste.dialect != "mariadb"
    version = None if is_any else 4
    return uuid.UUID(int=taste.rng.getrandbits(128), version=version)


def blob(taste: Taste, source: str) -> bytes:
    """Bytes of any value."""
    return taste.rng.randbytes(taste.some(0, 1, 3, 20))


def choice(taste: Taste, source: str) -> Any:
    """A member, or a plain name."""
    if "Colour" in source:
        return taste.rng.choice(list(Colour))
    if "Rank" in source:
        return taste.rng.choice(list(Rank))
    if "State" in source:
        return taste.rng.choice(list(State))
    return taste.some("one", "Two", "three")


def document(taste: Taste, source: str, depth: int = 0) -> Any:
    """JSON: scalars, JSON's own null, big numbers, nests."""
    roll = taste.rng.random()
    if roll < 0.25 and depth < 3:
        return [document(taste, source, depth + 1) for _ in range(taste.some(0, 1, 3))]
    if roll < 0.55 and depth < 3:
        names = taste.rng.sample(
            ("a", "b", "$json", "", "é", "A", "a b", "😀"), taste.some(0, 1, 2)
        )
        return {name: document(taste, source, depth + 1) for name in names}
    if roll < 0.6 and depth == 0:
        return _deep(taste.some(2, 10, 20 if taste.dialect == "mariadb" else 40))
    scalars = [None, True, False, 0, -1, 2**53, "", "text", "é😀", 0.5, 1e-7, 1e22, 123456789012]
    if taste.wild:
        scalars += [2**70 + 1, -0.0, 1.0]
    value = taste.rng.choice(scalars)
    if value is None and depth == 0:
        return sa.JSON.NULL
    return value


def _deep(levels: int) -> Any:
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


def cents(taste: Taste, source: str) -> Decimal:
    """Amounts in whole cents."""
    return Decimal(taste.rng.randint(-10_000, 10_000)).scaleb(-2)


def tags(taste: Taste, source: str) -> list[str]:
    """A list that its text says in one way only."""
    return [taste.some("x", "y", "z") for _ in range(taste.rng.randint(1, 3))]


def interval(taste: Taste, source: str) -> dt.timedelta:
    """Spans of days and microseconds, of both signs."""
    return dt.timedelta(taste.rng.randint(-400, 400), taste.rng.randint(0, 86399), taste.some(0, 5))


def numbers(taste: Taste, source: str) -> list[int]:
    """A list of whole numbers."""
    return [taste.rng.randint(-5, 5) for _ in range(taste.some(0, 1, 4))]


KINDS: dict[str, Kind] = {
    "text": Kind(
        ("sa.String(40)", "sa.Text", "sa.Unicode(30)", "ENDLESS"),
        text,
        ("sa.String(40)", "sa.String(12)", "sa.Unicode(30)"),
        5,
    ),
    "char": Kind(("sa.CHAR(6)",), padded, ("sa.CHAR(6)",), 0.7),
    "integer": Kind(
        ("sa.Integer", "sa.SmallInteger", "sa.BigInteger"),
        integer,
        ("sa.Integer", "sa.BigInteger", "sa.SmallInteger"),
        4,
    ),
    "boolean": Kind(("sa.Boolean",), lambda taste, _: taste.chance(0.5), (), 2),
    "float": Kind(("sa.Float", "sa.Double", "sa.REAL"), double),
    "decimal": Kind(
        ("sa.Numeric(12, 4)", "sa.Numeric(9, 0)", "sa.Numeric(30, 12)", "sa.Numeric"),
        decimal,
        ("sa.Numeric(12, 4)",),
        2,
    ),
    "date": Kind(("sa.Date",), day, ("sa.Date",), 1.5),
    "time": Kind(("CLOCK",), clock, ("CLOCK",), 0.7),
    "datetime": Kind(("NAIVE",), moment, ("NAIVE",), 1.5),
    "aware": Kind(("AWARE",), instant, ("AWARE",)),
    "uuid": Kind(
        ("sa.Uuid", "sa.Uuid(as_uuid=False)", "sa.Uuid(native_uuid=False)"),
        identifier,
        ("sa.Uuid", "sa.Uuid(as_uuid=False)", "sa.Uuid(native_uuid=False)"),
        1.5,
    ),
    "bytes": Kind(("sa.LargeBinary", "sa.LargeBinary(20)"), blob),
    "enum": Kind(
        (
            "sa.Enum(Colour)",
            "sa.Enum(Colour, native_enum=False, length=20)",
            "sa.Enum(Rank)",
            "sa.Enum(State, values_callable=lambda e: [m.value for m in e], name='stored_state')",
            "sa.Enum('one', 'Two', 'three', name='plain_names')",
        ),
        choice,
        ("sa.Enum(Colour)", "sa.Enum('one', 'Two', 'three', name='plain_names')"),
        2,
    ),
    "json": Kind(("sa.JSON", "sa.JSON(none_as_null=True)", "JSONB"), document, (), 2),
    "lowered": Kind(("Lowered",), lowered, ("Lowered",), 0.8),
    "slug": Kind(("Slug",), text, ("Slug",), 0.5),
    "cents": Kind(("Cents",), cents, ("Cents",), 0.7),
    "tags": Kind(("Tags",), tags, (), 0.4),
    "instant": Kind(("Instant",), instant, (), 0.4),
    "interval": Kind(("sa.Interval",), interval, ("sa.Interval",), 0.5),
    # Where an engine has no arrays, an application keeps them as JSON, or can't be there.
    "array": Kind(("LISTED", "LISTED", "sa.ARRAY(sa.Integer)"), numbers, (), 0.2),
    "pickle": Kind(("sa.PickleType",), numbers, (), 0.03),
    "zoned": Kind(("sa.Time(timezone=True)",), zoned, (), 0.04),
}


def draw_value(taste: Taste, kind: str, source: str) -> Any:
    """Return a value, never null, for a column of this kind and type."""
    return KINDS[kind].draw(taste, source)
