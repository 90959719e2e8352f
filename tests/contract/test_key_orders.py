"""Natural keys of every type, drawn to be hard to sort and hard to find, on every engine.

What order they must have is computed here from Python's own values. Lookups are tried with
the same keys: an import that finds each record again doesn't insert it twice.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog, export_all, export_document, import_all, import_document
from lading.importing import resolver as resolve
from lading.scratch import sort
from support.backends import Backend, PostgreSQL, SQLiteFile
from support.columns import CLOCK, DECIMAL, INSTANT, KEY_BYTES, MARIADB, MOMENT
from support.declaring import new_base, schema_for
from support.rewriting import entity_bytes
from support.statements import statements
from support.zoo import Cents, Upper, World

ROWS = 160
KEYS = 40
#: Case, accents, blanks, controls, two letters that some language takes for one, and
#: characters whose order in UTF-16 isn't that of their code points.
LETTERS = (
    "aAbBzZ \t!~éÉe\u0301ßẞſsSıİ\x01\x7f\xa0\u0130\ud7ff\ue000\uff5e\uffff\U0001f600\U0010ffff"
)
#: Longer than what a server may compare by itself, in characters of one byte and of three.
PREFIXES = ("", "", "", "x" * 450, "\u20ac" * 350)


class Mood(enum.Enum):
    """Declared in no order that anybody would sort by; labels sort otherwise than values."""

    zeal = "1"
    Awe = "9"
    calm = "5"
    anger = "7"
    joy = "3"


MOODS = list(Mood)
Draw = Callable[[random.Random], Any]


@dataclass(frozen=True)
class Keys:
    """A type of keys: its column, what draws a value, and what the value must sort by."""

    type: Any
    draw: Draw
    order: Callable[[Any], Any] = lambda value: value


def text(rng: random.Random, most: int = 5) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, most)))


def long_text(rng: random.Random) -> str:
    return rng.choice(PREFIXES) + text(rng)


def decimal(scale: int) -> Draw:
    def draw(rng: random.Random) -> Decimal:
        digits = rng.choice((1, 10, 100, 10_000, 10**6, 10**8))
        return Decimal(rng.randint(-digits, digits)).scaleb(-rng.randint(0, scale))

    return draw


def whole(rng: random.Random) -> int:
    most = rng.choice((3, 12, 120, 40_000, 2**31 - 1))
    return rng.randint(-most, most)


def date(rng: random.Random) -> dt.date:
    return dt.date.fromordinal(rng.choice((1, 365_000, 738_000, 3_652_000)) + rng.randint(0, 50))


def moment(rng: random.Random) -> dt.datetime:
    fraction = rng.choice((0, 0, 1, 10, 500_000, 999_999))
    second = rng.randint(0, 3)
    return dt.datetime(rng.choice((1, 999, 2024)), 5, 1, 12, 0, second, fraction)


def instant(rng: random.Random) -> dt.datetime:
    return moment(rng).replace(tzinfo=dt.UTC)


def clock(rng: random.Random) -> dt.time:
    return moment(rng).time().replace(hour=rng.choice((0, 1, 9, 10, 23)))


def length(rng: random.Random) -> dt.timedelta:
    days, seconds = rng.choice((-1000, -10, -9, -1, 0, 0, 9, 10)), rng.randint(-90_000, 90_000)
    return dt.timedelta(days, seconds)


def unique(rng: random.Random) -> uuid.UUID:
    """Return a UUID of any usual version, whose segments' order differs from the whole's."""
    number = rng.getrandbits(128) if rng.random() < 0.7 else rng.getrandbits(12)
    return uuid.UUID(int=number, version=rng.choice((1, 3, 4, 5)))


def octets(rng: random.Random) -> bytes:
    return bytes(rng.choice((0, 1, 32, 97, 127, 128, 255)) for _ in range(rng.randint(0, 4)))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def name_of(mood: Mood) -> str:
    return mood.name


EXACT = sa.Text().with_variant(mysql.LONGTEXT(), *MARIADB)


def collated(sqlite: str, mariadb: str) -> Any:
    """Return a text in a collation that takes different texts for equal, where there are any."""
    theirs = mysql.VARCHAR(700, charset="utf8mb4", collation=mariadb)
    ours = sa.String(700, collation=sqlite)
    return sa.String(700).with_variant(theirs, *MARIADB).with_variant(ours, "sqlite")


VALUES = [mood.value for mood in Mood]

TYPES: dict[str, Keys] = {
    "text": Keys(sa.String(700), long_text),
    "unlimited": Keys(EXACT, long_text),
    "folding": Keys(collated("NOCASE", "utf8mb4_general_ci"), long_text),
    "padding": Keys(collated("RTRIM", "utf8mb4_bin"), long_text),
    "char": Keys(sa.CHAR(5), lambda rng: text(rng).rstrip(" ")),
    "decorated": Keys(Upper(), text),
    "integer": Keys(sa.Integer(), whole),
    "big": Keys(sa.BigInteger(), lambda rng: whole(rng) << rng.randint(0, 31)),
    "boolean": Keys(sa.Boolean(), lambda rng: rng.random() < 0.5),
    "decimal": Keys(sa.Numeric(12, 3), decimal(3)),
    "whole-decimal": Keys(sa.Numeric(12, 0), decimal(0)),
    "free-decimal": Keys(DECIMAL, decimal(6)),
    "cents": Keys(Cents(), lambda rng: decimal(2)(rng).quantize(Decimal("1.00")) % 10**6),
    "date": Keys(sa.Date(), date),
    "datetime": Keys(MOMENT, moment),
    "instant": Keys(INSTANT, instant),
    "time": Keys(CLOCK, clock),
    "interval": Keys(sa.Interval(), length),
    "uuid": Keys(sa.Uuid(), unique, str),
    "uuid-text": Keys(sa.Uuid(as_uuid=False, native_uuid=False), lambda rng: str(unique(rng))),
    "enum": Keys(sa.Enum(Mood, name="mood"), lambda rng: rng.choice(MOODS), name_of),
    "enum-value": Keys(
        sa.Enum(Mood, name="mood_value", values_callable=lambda _: VALUES),
        lambda rng: rng.choice(MOODS),
        name_of,
    ),
    "enum-text": Keys(
        sa.Enum(Mood, name="mood_text", native_enum=False),
        lambda rng: rng.choice(MOODS),
        name_of,
    ),
    "bytes": Keys(KEY_BYTES, octets, base64_of),
}


class SQLiteUTF16(SQLiteFile):
    """SQLite in a file whose text is UTF-16."""

    name = "sqlite-utf16"

    def fresh(self, **options: Any) -> sa.Engine:
        engine = super().fresh(**options)

        @sa.event.listens_for(engine, "connect")
        def encode(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA encoding = 'UTF-16le'")

        return engine


Pair = tuple[sa.Engine, sa.Engine]


@pytest.fixture(scope="module")
def pair(backend: Backend) -> Iterator[Pair]:
    """Two databases for all types, since some engines take long to make one."""
    with backend.database() as first, backend.database() as second:
        yield first, second


@pytest.fixture(scope="module")
def utf16_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two SQLite files in UTF-16."""
    backend = SQLiteUTF16(tmp_path_factory.mktemp("utf16"))
    with backend.database() as first, backend.database() as second:
        yield first, second


def keyed(keys: Keys, count: int, seed: str) -> World:
    """Make targets by a key of the type, and items by a reference and two values that may be null.

    Every item holds the place that its key must have.
    """
    base, catalog = new_base(), Catalog("keyed")

    class Target(base):  # type: ignore[misc, valid-type]
        __tablename__ = "targets"
        id = mapped_column(sa.Integer, primary_key=True)
        key = mapped_column(keys.type, nullable=False)
        place = mapped_column(sa.Integer, nullable=False)

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        target_id = mapped_column(sa.ForeignKey("targets.id"))
        first = mapped_column(keys.type)
        number = mapped_column(sa.Integer)
        place = mapped_column(sa.Integer, nullable=False)
        target = relationship(Target)

    schema_for(Target, catalog, natural_key="key")
    schema_for(Item, catalog, natural_key=("target", "first", "number"))
    rng = random.Random(f"{seed} {count}")
    drawn = {keys.order(value): value for value in (keys.draw(rng) for _ in range(4 * KEYS))}
    targets = [drawn[order] for order in rng.sample(list(drawn), min(KEYS, len(drawn)))]
    places = {id_: n for n, id_ in enumerate(sorted(range(len(targets)), key=_by(targets, keys)))}

    def one_key() -> tuple[Any, Any, Any]:
        return (
            rng.choice((None, *range(len(targets)))),
            rng.choice((None, drawn[rng.choice(list(drawn))])),
            rng.choice((None, -2, -1, 0, 1, 10)),
        )

    def order(key: tuple[Any, Any, Any]) -> Any:
        target, value, number = key
        return (
            (target is not None, places.get(target)),
            (value is not None, None if value is None else keys.order(value)),
            (number is not None, number),
        )

    items = list({order(key): key for key in (one_key() for _ in range(count))}.values())
    sorted_items = {order(key): n for n, key in enumerate(sorted(items, key=order))}

    def fill(session: Any) -> None:
        session.execute(
            sa.insert(Target),
            [{"id": n + 1, "key": key, "place": places[n]} for n, key in enumerate(targets)],
        )
        session.execute(
            sa.insert(Item),
            [
                {
                    "target_id": None if target is None else target + 1,
                    "first": value,
                    "number": number,
                    "place": sorted_items[order((target, value, number))],
                }
                for target, value, number in items
            ],
        )

    return World(base, catalog, None, fill)  # type: ignore[arg-type]


def _by(targets: list[Any], keys: Keys) -> Callable[[int], Any]:
    return lambda n: keys.order(targets[n])


def check_order(engine: sa.Engine, world: World) -> dict[str, Any]:
    """Export, and compare each record's place with the one that it knows it must have."""
    document = export_document(engine, catalog=world.catalog)
    for name in ("targets", "items"):
        places = [record["place"] for record in document[name]]
        assert places == list(range(len(places))), name
        assert len(places) > 1
    return document


def check_finding(engine: sa.Engine, world: World, document: dict[str, Any]) -> None:
    """Import into empty tables, and again: nothing is inserted twice, nothing differs."""
    first = import_document(engine, document, catalog=world.catalog)
    assert first.inserted == len(document["targets"]) + len(document["items"])
    with statements(engine) as seen:
        again = import_document(engine, document, catalog=world.catalog)
    assert (again.inserted, again.skipped, again.differing) == (0, first.inserted, 0)
    assert len(seen) < 60
    after = export_document(engine, catalog=world.catalog)
    assert [after[name] for name in ("targets", "items")] == [
        document[name] for name in ("targets", "items")
    ]


@pytest.mark.parametrize("name", TYPES)
def test_drawn_keys_stand_in_order_and_are_found_again(
    name: str, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By value or by code point, null first, a reference by its target's key, whatever sorts them.

    Large targets are asked by the chunk, one query per pattern of nulls; what an engine's
    collation takes for equal, or stores in another form, is told apart in Python.
    """
    monkeypatch.setattr(resolve, "SMALL", 0)
    monkeypatch.setattr(sort, "RUN_BYTES", 1_000)  # what is sorted by us is merged from runs
    world = keyed(TYPES[name], ROWS, name)
    first, second = pair
    try:
        document = check_order(world.filled(first), world)
        world.metadata.create_all(second)
        check_finding(second, world, document)
    finally:
        for engine in pair:
            world.metadata.drop_all(engine)


@pytest.mark.parametrize("name", ["text", "unlimited", "char", "decorated", "uuid", "enum-text"])
def test_drawn_keys_stand_in_order_in_utf16(name: str, utf16_pair: Pair) -> None:
    """SQLite compares such a file's text by its code units, so that it is sorted by us."""
    world = keyed(TYPES[name], ROWS, name)
    first, second = utf16_pair
    try:
        document = check_order(world.filled(first), world)
        world.metadata.create_all(second)
        check_finding(second, world, document)
        with first.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA encoding").scalar() == "UTF-16le"
    finally:
        for engine in utf16_pair:
            world.metadata.drop_all(engine)


def test_drawn_keys_stand_in_order_in_another_encoding(postgres_server: sa.URL) -> None:
    """A database that keeps Cyrillic in KOI8-R would sort it by that, which is no alphabet."""
    cyrillic = "абвгдежзийклмнопрстуфхцчшщъыьэюяАБЮЯёЁ aZ"
    keys = Keys(sa.String(9), lambda rng: "".join(rng.choices(cyrillic, k=rng.randint(0, 4))))
    world = keyed(keys, ROWS, "koi8")
    options = "TEMPLATE template0 ENCODING 'KOI8R' LC_COLLATE 'C' LC_CTYPE 'C'"
    backend = PostgreSQL(postgres_server, template=options)
    try:
        with backend.database() as first, backend.database(world.metadata) as second:
            check_finding(second, world, check_order(world.filled(first), world))
    finally:
        backend.drop_all()


# What can be said of particular engines


def test_texts_of_now_are_keys_like_any_other(backend: Backend, tmp_path: Path) -> None:
    """SQLite's own now() has no fraction and SQLAlchemy's texts have one; both are found."""
    base, catalog = new_base(), Catalog("log")

    class Event(base):  # type: ignore[misc, valid-type]
        __tablename__ = "events"
        id = mapped_column(sa.Integer, primary_key=True)
        at = mapped_column(MOMENT, server_default=sa.func.now(), nullable=False)
        words = mapped_column(sa.String(9), nullable=False)

    class Note(base):  # type: ignore[misc, valid-type]
        __tablename__ = "notes"
        id = mapped_column(sa.Integer, primary_key=True)
        event_id = mapped_column(sa.ForeignKey("events.id"), nullable=False, unique=True)
        event = relationship(Event)

    schema_for(Event, catalog, natural_key="at")
    schema_for(Note, catalog, natural_key="event")
    with backend.database(base.metadata) as engine:
        with engine.begin() as connection:
            connection.execute(sa.insert(Event).values(id=1, words="now"))
            connection.execute(
                sa.insert(Event).values(id=2, words="then", at=dt.datetime(2020, 1, 1))
            )
            connection.execute(sa.insert(Note), [{"event_id": 1}, {"event_id": 2}])
        export_all(engine, tmp_path / "a", catalog=catalog)
        before = entity_bytes(tmp_path / "a")
        for small in (0, 5_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(resolve, "SMALL", small)
                again = import_all(engine, tmp_path / "a", catalog=catalog)
                assert (again.inserted, again.skipped, again.differing) == (0, 4, 0)
                with engine.begin() as connection:
                    connection.execute(sa.delete(Note))
                assert import_all(engine, tmp_path / "a", catalog=catalog).inserted == 2
        export_all(engine, tmp_path / "b", catalog=catalog)
        assert entity_bytes(tmp_path / "b") == before
