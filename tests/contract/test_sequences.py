"""Numbers that databases draw: sequences and counters go on behind what was imported."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    import_document,
)
from lading.testing import assert_round_trip, datasets
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table, things
from support.statements import run_sql, statements


def next_number(engine: sa.Engine, model: Any) -> Any:
    """Insert a row as the application would, and return its number."""
    with Session(engine) as session, session.begin():
        row = model(slug="next")
        session.add(row)
        session.flush()
        return row.number


@pytest.fixture(params=["postgresql", "mariadb"])
def having_sequences(request: pytest.FixtureRequest) -> Backend:
    """Each engine that has sequences."""
    made: Backend = request.getfixturevalue(request.param)
    return made


@pytest.mark.parametrize("default", ["client", "server", "both", "text"])
def test_69_sequences_of_columns_follow(having_sequences: Backend, default: str) -> None:
    """Whoever draws a number for a column that isn't a key, the next one is free."""
    base = new_base()
    sequence = sa.Sequence("numbers", metadata=base.metadata)
    drawn: Any = sequence.next_value()
    type_: Any = sa.Integer
    if default == "text":
        type_, drawn = sa.String(20), sa.func.concat("INV-", drawn)
    options: dict[str, Any] = {"unique": True}
    if default != "client":
        options["server_default"] = drawn
    given = [sequence] if default in ("client", "both") else []
    model = table(base, "things", number=mapped_column(type_, *given, **options))
    numbers = [f"INV-{n}" for n in (1, 2, 12)] if default == "text" else [1, 2, 12]
    records = things("a", "b", "c")
    for record, number in zip(records["things"], numbers, strict=True):
        record["number"] = number
    with having_sequences.database(base.metadata) as engine:
        import_document(engine, records, catalog=catalog_of(model))
        assert next_number(engine, model) == ("INV-13" if default == "text" else 13)


@pytest.mark.parametrize("start", [100, -100])
def test_sequences_are_never_moved_back(having_sequences: Backend, start: int) -> None:
    """Of two tables and a sequence that runs down, the furthest number counts."""
    base = new_base()
    step = 1 if start > 0 else -1
    sequence = sa.Sequence(
        "numbers",
        start=start,
        increment=step,
        minvalue=-1000,
        maxvalue=1000,
        metadata=base.metadata,
    )

    first, second = (
        table(
            base,
            name,
            number=mapped_column(sa.Integer, sequence, server_default=sequence.next_value()),
        )
        for name in ("first", "second")
    )
    records = {
        "first": [{"slug": "a", "number": start + 7 * step}, {"slug": "b", "number": 5000 * step}],
        "second": [{"slug": "a", "number": start - 7 * step}, {"slug": "b", "number": None}],
    }
    with having_sequences.database(base.metadata) as engine:
        import_document(engine, records, catalog=catalog_of(first, second))
        assert next_number(engine, second) == start + 8 * step


def test_sequences_that_only_the_database_knows_follow(postgresql: Backend) -> None:
    """SERIAL and identity columns beside the key, and defaults that no model mentions."""
    model = table(
        new_base(),
        "things",
        number=mapped_column(sa.Integer),
        serial=mapped_column(sa.Integer),
        identity=mapped_column(sa.Integer),
        named=mapped_column(sa.Integer),
    )
    with postgresql.database() as engine:
        run_sql(
            engine,
            'CREATE SEQUENCE "the Numbers"',
            "CREATE SEQUENCE named",
            "CREATE SEQUENCE ids",
            "CREATE TABLE things (id integer PRIMARY KEY DEFAULT nextval('ids'), "
            "slug varchar(20) UNIQUE NOT NULL, "
            "number integer DEFAULT nextval('\"the Numbers\"'), serial serial, "
            "identity integer GENERATED ALWAYS AS IDENTITY, "
            "named integer DEFAULT nextval('named'::text))",
        )
        numbers = {"number": 5, "serial": 6, "identity": 7, "named": 8}
        import_document(engine, things("a", **numbers), catalog=catalog_of(model))
        with engine.begin() as connection:
            row = connection.exec_driver_sql(
                "INSERT INTO things (slug) VALUES ('b') RETURNING id, number, serial, identity, named"
            ).one()
    assert tuple(row) == (2, 6, 7, 8, 9)


def test_sqlite_s_autoincrement_goes_on_behind_imported_ids(sqlite_memory: Backend) -> None:
    """Also where the rows are gone again."""
    model = table(new_base(), "things", __table_args__={"sqlite_autoincrement": True})
    catalog = Catalog("counters")
    schema_for(model, catalog, natural_key="id")
    with sqlite_memory.database(model.metadata) as engine:
        import_document(engine, things("a", id=70), catalog=catalog)
        run_sql(engine, "DELETE FROM things", "INSERT INTO things (slug) VALUES ('b')")
        with engine.connect() as connection:
            assert connection.scalar(sa.select(model.id)) == 71


def test_mariadb_s_auto_increment_goes_on_behind_imported_numbers(mariadb: Backend) -> None:
    """Of a column that isn't the key."""
    model = table(new_base(), "things", number=mapped_column(sa.Integer, unique=True))
    catalog = Catalog("counters")
    schema_for(model, catalog, natural_key="id")
    with mariadb.database(model.metadata) as engine:
        run_sql(
            engine,
            "ALTER TABLE things MODIFY id integer NOT NULL, "
            "MODIFY number integer NOT NULL AUTO_INCREMENT",
        )
        import_document(engine, things("a", id=70, number=9), catalog=catalog)
        run_sql(engine, "INSERT INTO things (id, slug) VALUES (71, 'b')")
        with engine.connect() as connection:
            assert connection.scalar(sa.select(model.number).where(model.slug == "b")) == 10


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("counts", [True, False])
def test_autoincrement_is_what_the_real_table_has(
    sqlite_memory: Backend, says: bool, counts: bool
) -> None:
    """An id that went isn't given again, or is, by the database's table and not by its model."""
    model = table(new_base(), "things", __table_args__={"sqlite_autoincrement": says})
    with sqlite_memory.database() as engine:
        run_sql(
            engine,
            f"CREATE TABLE Things (id INTEGER PRIMARY KEY {'AUTOINCREMENT' * counts}, "
            "slug TEXT NOT NULL UNIQUE)",
            "INSERT INTO things (id, slug) VALUES (50, 'gone')",
            "DELETE FROM things",
        )
        import_document(engine, things("a", "b"), catalog=catalog_of(model))
        with engine.connect() as connection:
            ids = connection.scalars(sa.select(model.id).order_by(model.slug)).all()
    assert ids == ([51, 52] if counts else [1, 2])


def guests() -> tuple[Any, Catalog]:
    """Map guests whose number is an identity and part of a foreign key.

    SQLAlchemy doesn't call such a column an autoincrement column.
    """
    base, catalog = new_base(), Catalog("rooms")

    class Room(base):
        __tablename__ = "rooms"
        floor = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
        number = mapped_column(sa.Integer, primary_key=True, autoincrement=False)

    class Guest(base):
        __tablename__ = "guests"
        __table_args__ = (
            sa.ForeignKeyConstraint(["floor", "number"], ["rooms.floor", "rooms.number"]),
        )
        number = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)
        floor = mapped_column(sa.Integer, nullable=True)
        room = relationship(Room)

    schema_for(Room, catalog)
    schema_for(Guest, catalog, natural_key="number")
    return Guest, catalog


def test_an_identity_in_a_foreign_key_counts_on_behind_what_came(postgresql: Backend) -> None:
    """Its sequence is one whatever SQLAlchemy calls it."""
    Guest, catalog = guests()
    records = [{"number": number, "room": None} for number in (1, 2, 3)]
    with postgresql.database(Guest.metadata) as engine:
        import_document(engine, {"rooms": [], "guests": records}, catalog=catalog)
        with Session(engine) as session:
            guest = Guest(floor=None)
            session.add(guest)
            session.flush()
            assert guest.number == 4


def test_the_kit_fills_identities_that_are_in_foreign_keys(postgresql: Backend) -> None:
    """The database insists on its own numbers, unless it is told not to."""
    _, catalog = guests()
    counts: list[int] = []

    @settings(max_examples=15, database=None, phases=[Phase.generate])
    @given(datasets(catalog))
    def run(dataset: Any) -> None:
        counts.append(dataset.counts().get("guests", 0))
        assert_round_trip(catalog, dataset, engine_factory=postgresql.database)

    run()
    assert any(counts)


def test_a_sequence_that_lags_behind_is_moved_before_rows_need_it(postgresql: Backend) -> None:
    """Somebody loaded ids by hand; one that doesn't lag costs no statement."""
    base, catalog = new_base(), Catalog("test")
    slug = mapped_column(sa.String(20), unique=True, nullable=False)
    schema_for(table(base, "items", slug=slug), catalog)
    with postgresql.database(base.metadata) as engine:
        run_sql(
            engine, "INSERT INTO items (id, slug) SELECT n, 'i' || n FROM generate_series(1, 9) n"
        )
        for document in ({"items": [{"slug": "a"}, {"slug": "b"}]}, {"items": [{"slug": "c"}]}):
            with statements(engine) as seen:
                assert import_document(engine, document, catalog=catalog).inserted
            assert sum("setval" in sql for sql in seen) == (2 if len(document["items"]) == 2 else 1)
        with engine.connect() as connection:
            ids = connection.scalars(sa.text("SELECT id FROM items ORDER BY id")).all()
    assert ids[:9] == list(range(1, 10))
    assert len(ids) == 12
