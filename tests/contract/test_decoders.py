"""Both ways into a record, the compiled decoder and marshmallow's, take the same texts.

The compiled one is quick and lax where nobody checks: it would take decimals that are no
numbers, durations of other forms, a seventh digit, padding that means nothing, and the last
of two keys. Each way is tried by itself here, with the other switched off.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column, relationship

from lading import Catalog
from lading.database.live import database_for
from lading.importing import decode
from lading.importing.decode import RecordDecoder
from support.backends import Backend
from support.columns import CLOCK, DECIMAL, FLOAT, INSTANT, MOMENT
from support.declaring import new_base, schema_for
from support.edges import written_edges
from support.zoo import Color

TYPES: dict[str, Any] = {
    "text": sa.String(40),
    "integer": sa.Integer(),
    "boolean": sa.Boolean(),
    "float": FLOAT,
    "decimal": sa.Numeric(12, 3),
    "free": DECIMAL,
    "date": sa.Date(),
    "time": CLOCK,
    "moment": MOMENT,
    "instant": INSTANT,
    "interval": sa.Interval(),
    "uuid": sa.Uuid(),
    "bytes": sa.LargeBinary(300),
    "enum": sa.Enum(Color, name="color"),
    "json": sa.JSON(),
}
#: Texts that one decoder or another takes and no record may hold, and some that one may.
HOSTILE = [
    *('"NaN"', '"sNaN"', '"-sNaN"', '"nan"', '"Infinity"', '"inf"', '"-Inf"', '"1e400"', '"1e5"'),
    *('"1E5"', '" 1"', '"1 "', '"+1"', '"1_000"', '"١"', '"-0.000"', '".5"', '"5."', '"00.5"'),
    *(
        "NaN",
        "Infinity",
        "1e400",
        "-1e400",
        "1e5",
        "1.0",
        "-0.0",
        "-0",
        "1E+2",
        "18446744073709551616",
    ),
    *('"2025-01-01T00:00:00z"', '"2025-01-01t00:00:00Z"', '"2025-01-01T00:00:00Z"'),
    *('"2025-01-01 00:00:00Z"', '"2025-01-01T00:00:00+00:00"', '"2025-01-01T00:00:00-00:00"'),
    *('"2025-01-01T24:00:00"', '"2025-01-01T23:59:60"', '"20250101T000000"', '"2025-W01-1"'),
    *('"2025-01-01T00:00:00.1234567"', '"2025-01-01T00:00:00.1234567Z"', '"08:30:00.1234567"'),
    *('"2025-01-01T00:00:00.9999999"', '"2025-01-01T00:00:00.120000"', '"2025-01-01T00:00:00,5"'),
    *('"2025-01-01T00:00:00.12Z"', '"2025-01-01T00:00"', '"2025-01-01"', '"08:30"', '"08:30:00"'),
    *('"2025-1-1"', '"0000-01-01"', '"9999-12-31T23:59:59-01:00"', '"08:30:00Z"', '"١٢:30:00"'),
    *('"P1W"', '"P1Y"', '"P1M"', '"PT36H"', '"P1DT"', '"pt1s"', '"PT1,5S"', '"+P1D"', '"P-1D"'),
    *('"PT0S"', '"-PT0S"', '"P0D"', '"PT1.5S"', '"PT1.500000S"', '"PT1.1234567S"', '"P1D"', '"P"'),
    *('"AAE"', '"AAE=\\n"', '"AAF="', '"AAE=="', '"_-8="', '"/+8="', '"AA E="', '"====", "AAE="'),
    *('"12345678-1234-5678-1234-567812345678"', '"{12345678-1234-5678-1234-567812345678}"'),
    *('"12345678123456781234567812345678"', '"ABCDEF12-1234-5678-1234-567812345678"'),
    *('"urn:uuid:12345678-1234-5678-1234-567812345678"', "true", "false", '"true"', '"yes"', "1"),
    *(
        "0",
        '"1"',
        "null",
        '"\\ud800"',
        '"\\u0000"',
        '"\\u0041"',
        '"red"',
        '"R"',
        '"RED"',
        '"red\\n"',
    ),
    *("[]", "{}", '{"a":1,"a":2}', '{"b":1,"a":2}', '[1,{"a":[{"b":1,"b":1}]}]', '{"$json":null}'),
    *(
        '{"$json":1}',
        "[" * 60 + "]" * 60,
        "1e20",
        "[1e20,1.50,-0.0]",
        '"a" ',
        "1.",
        "01",
        "'a'",
        "tru",
    ),
]


def variations(texts: list[str]) -> Iterator[str]:
    """Yield the texts with a character dropped, doubled, replaced or put elsewhere."""
    rng = random.Random("decoders")
    for text in texts:
        yield text
        for _ in range(2):
            place = rng.randrange(len(text))
            letter = rng.choice('0159-+.:TZzPeE=" /_aA\\')
            yield rng.choice(
                (
                    text[:place] + text[place + 1 :],
                    text[:place] + letter + text[place + 1 :],
                    text[:place] + letter + text[place:],
                )
            )


def texts() -> list[str]:
    """Return values' texts as they might stand in a file."""
    edges = [json.dumps(value, ensure_ascii=False) for value in written_edges()]
    short = [text for text in edges if len(text) < 2_000]
    return list(dict.fromkeys(variations([*HOSTILE, *short])))


class Ways:
    """One entity's records by the compiled way alone, and by marshmallow's alone."""

    def __init__(self, connection: sa.Connection, rows: Any) -> None:
        database = database_for(connection)
        database.look_up_server()
        database.look_up_columns([part.table for part in rows.tree()])
        dialect = database.dialect
        self.compiled = RecordDecoder(dialect, rows, "file")
        assert not self.compiled.custom
        self.marshmallow = RecordDecoder(dialect, rows, "file")
        self.marshmallow.custom = True
        self.schema = rows.schema()

    def by_compiling(self, line: bytes) -> Any:
        """Return what goes into the database, or ``None`` if marshmallow would have been asked."""

        def refuse(*_: Any) -> Any:
            raise ma.ValidationError("not asked")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decode, "canonical_record", refuse)
            return content(self.compiled.decode([line], 1))

    def by_marshmallow(self, line: bytes) -> Any:
        """Return the same by ``schema.load``."""
        return content(self.marshmallow.decode([line], 1))


def content(decoded: Any) -> Any:
    """Return a batch's keys, values and references, or ``None`` for a problem."""
    batch, problems = decoded
    if problems:
        return None
    return repr((batch.keys, batch.values, batch.references, batch.links))


@pytest.fixture(scope="module")
def connection(backend: Backend) -> Iterator[sa.Connection]:
    """A connection to a database for all types."""
    with backend.database() as engine, engine.connect() as made:
        yield made


@pytest.mark.parametrize("name", TYPES)
def test_what_is_compiled_takes_what_marshmallow_takes(
    name: str, connection: sa.Connection
) -> None:
    """Each text gives the same values by both ways, or isn't taken by the compiled one.

    What is taken by marshmallow alone is another writing of a value, and never the canonical
    one; and a text is taken by the schema's own ``load`` or by none.
    """

    class Thing(new_base()):  # type: ignore[misc]
        __tablename__ = "things"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        value = mapped_column(TYPES[name])

    catalog = Catalog("decoders")
    schema_for(Thing, catalog)
    Thing.metadata.create_all(connection)
    try:
        ways = Ways(connection, catalog.use()["things"])
        taken = others = 0
        for text in texts():
            line = f'{{"slug":"a","value":{text}}}'.encode(errors="surrogatepass")
            compiled, loaded = ways.by_compiling(line), ways.by_marshmallow(line)
            if compiled is not None:
                taken += 1
                assert compiled == loaded, text
                again = ways.schema.dump(ways.schema.load(json.loads(line)))
                assert ways.by_compiling(json.dumps(again, ensure_ascii=False).encode()) == loaded
            elif loaded is not None:
                others += 1
                again = ways.schema.dump(ways.schema.load(json.loads(line)))
                canonical = json.dumps(again, ensure_ascii=False, separators=(",", ":"))
                assert canonical.encode() != line, text
                assert ways.by_compiling(canonical.encode()) == loaded, text
        assert taken > 2, "nothing to compare"
    finally:
        Thing.metadata.drop_all(connection)
        connection.commit()


@pytest.mark.parametrize(
    "line",
    [
        '{"slug":"a","slug":"a","maker":{"slug":"m"},"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"},"maker":{"slug":"m"},"makers":[]}',
        '{"slug":"a","maker":{"slug":"x","slug":"m"},"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"},"makers":[{"slug":"m","slug":"m"}]}',
        '{"slug":"a","maker":{"slug":"m"},"makers":[],"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"},"makers":[],"more":1}',
        '{"slug":"a","maker":{"slug":"m","more":1},"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"},"makers":[null]}',
        '{"slug":"a","maker":{},"makers":[]}',
        '{"slug":"a","maker":["m"],"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"}}',
        '{"slug":"a","makers":[]}',
        '{"slug":"a","maker":{"slug":null},"makers":[]}',
        '{"slug":"a","maker":{"slug":"m"},"makers":{}}',
        '["a",{"slug":"m"},[]]',
        "{}",
        "null",
    ],
)
def test_neither_way_takes_a_key_twice_or_an_unknown_one(
    line: str, connection: sa.Connection
) -> None:
    """Both decoders by themselves would keep the last of two, at any depth."""
    base, catalog = new_base(), Catalog("decoders")
    links = sa.Table(
        "links",
        base.metadata,
        sa.Column("item_id", sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("maker_id", sa.ForeignKey("makers.id"), primary_key=True),
    )

    class Maker(base):  # type: ignore[misc, valid-type]
        __tablename__ = "makers"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)

    class Item(base):  # type: ignore[misc, valid-type]
        __tablename__ = "items"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(20), unique=True, nullable=False)
        maker_id = mapped_column(sa.ForeignKey("makers.id"))
        maker = relationship(Maker)
        makers = relationship(Maker, secondary=links)

    schema_for(Maker, catalog)
    schema_for(Item, catalog)
    base.metadata.create_all(connection)
    try:
        ways = Ways(connection, catalog.use()["items"])
        fine = b'{"slug":"a","maker":{"slug":"m"},"makers":[{"slug":"m"}]}'
        assert ways.by_compiling(fine) == ways.by_marshmallow(fine) is not None
        assert ways.by_compiling(line.encode()) is None
        assert ways.by_marshmallow(line.encode()) is None
    finally:
        base.metadata.drop_all(connection)
        connection.commit()
