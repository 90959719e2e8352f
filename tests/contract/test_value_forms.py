"""What one engine keeps of intervals, arrays and zoned times, and another, or a driver, wouldn't."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    DeclarationError,
    ImportFailed,
    TargetError,
    export_all,
    export_document,
    import_all,
    import_document,
)
from lading.database.dialects.postgresql_text import MENDED
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for
from support.raw import raw_values
from support.restoring import restored
from support.rewriting import entity_bytes, rewritten
from support.zoo import World


def world_of(field: Any = None, /, **types: Any) -> World:
    """Declare things with a slug and nullable columns of these types; all have ``field``."""
    base, catalog = new_base(), Catalog("things")
    columns = {name: mapped_column(type_, nullable=True) for name, type_ in types.items()}
    ids = {"id": mapped_column(sa.Integer, primary_key=True)}
    ids["slug"] = mapped_column(sa.String(20), unique=True, nullable=False)
    Thing = type("Thing", (base,), {"__tablename__": "things", **ids, **columns})
    schema_for(Thing, catalog, {name: field for name in types if field is not None})
    return World(base, catalog, SimpleNamespace(Thing=Thing), lambda _session: None)


def put(engine: sa.Engine, slug: str, column: str, literal: str) -> None:
    """Store an SQL literal past every processor."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO things (slug, {column}) VALUES ('{slug}', {literal})"
        )


def values_of(path: Path, name: str) -> list[Any]:
    """Return a field's exported values."""
    (data,) = entity_bytes(path).values()
    return [record[name] for record in json.loads(data)["records"]]


def refusal(engine: sa.Engine, world: World, path: Path) -> TargetError:
    """Return the error of an export that leaves nothing behind."""
    with pytest.raises(TargetError) as caught:
        export_all(engine, path, catalog=world.catalog)
    assert not path.exists()
    return caught.value


@pytest.fixture
def lasting() -> World:
    """Things that last."""
    return world_of(lasting=sa.Interval())


# Intervals


@pytest.mark.parametrize(
    ("literal", "parts"),
    [
        ("'1 mon'", "1 months, 0 days and 0.0 seconds"),
        ("'1 year -3 days'", "12 months, -3 days and 0.0 seconds"),
        ("'36:00:00'", "0 months, 0 days and 129600.0 seconds"),
        ("'-1:00:00'", "0 months, 0 days and -3600.0 seconds"),
        ("'2 days -1:00:00'", "0 months, 2 days and -3600.0 seconds"),
    ],
)
def test_an_interval_of_other_parts_than_a_length_gives_is_refused(
    postgresql: Backend, lasting: World, tmp_path: Path, literal: str, parts: str
) -> None:
    """A driver makes 30 days of a month; the parts are read as the server keeps them."""
    with postgresql.database(lasting.metadata) as engine:
        put(engine, "x", "lasting", literal)
        error = refusal(engine, lasting, tmp_path / "a")
        assert str(error) == (
            f"things, lasting: the database holds an interval of {parts}, which a length of time "
            f'alone would not give back (set it to {MENDED}) (in the row with slug "x"). '
            "Correct the row and export again."
        )


def test_the_remedy_for_intervals_keeps_their_length(
    postgresql: Backend, lasting: World, tmp_path: Path
) -> None:
    """What the error says to do is SQL that works, for negative lengths as well."""
    with postgresql.database(lasting.metadata) as engine:
        for slug, literal in (("a", "'36:00:00'"), ("b", "'-1:00'"), ("c", "'2 days -50:00'")):
            put(engine, slug, "lasting", literal)
        with engine.begin() as connection:
            column = sa.column("lasting")
            mended = MENDED.split(";")[0].replace("column", str(column))
            before = connection.exec_driver_sql("SELECT lasting FROM things ORDER BY slug").all()
            connection.exec_driver_sql(f"UPDATE things SET lasting = {mended}")
            after = connection.exec_driver_sql("SELECT lasting FROM things ORDER BY slug").all()
        assert before == after
        export_all(engine, tmp_path / "a", catalog=lasting.catalog)
        assert values_of(tmp_path / "a", "lasting") == ["P1DT12H", "-PT1H", "-PT2H"]


@pytest.mark.parametrize(
    "setting",
    [
        "intervalstyle=sql_standard",
        "intervalstyle=iso_8601",
        "TimeZone=Asia/Kolkata",
        "bytea_output=escape",
    ],
)
def test_settings_of_the_session_change_no_bytes(
    postgresql: Backend, tmp_path: Path, setting: str
) -> None:
    """Intervals, moments and bytes are asked for in forms that no setting touches."""
    world = world_of(
        lasting=sa.Interval(),
        instant=sa.DateTime(timezone=True),
        clock=sa.Time(timezone=True),
        blob=sa.LargeBinary(),
        instants=sa.ARRAY(sa.DateTime(timezone=True)),
    )
    instant = dt.datetime(2025, 6, 1, 8, 30, tzinfo=dt.UTC)
    options = {"connect_args": {"options": f"-c {setting}"}}
    with (
        postgresql.database(world.metadata) as usual,
        postgresql.database(world.metadata, **options) as odd,
    ):
        with Session(usual) as session:
            thing = world.models.Thing(slug="x", lasting=-dt.timedelta(days=1, hours=2))
            thing.instant, thing.blob, thing.instants = instant, b"\0\xff\\", [instant, None]
            thing.clock = dt.time(8, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
            session.add(thing)
            session.commit()
        export_all(usual, tmp_path / "a", catalog=world.catalog)
        import_all(odd, tmp_path / "a", catalog=world.catalog)
        export_all(odd, tmp_path / "b", catalog=world.catalog)
        assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
        again = sa.create_engine(odd.url)
        assert raw_values(usual, world.metadata) == raw_values(again, world.metadata)
        again.dispose()


@pytest.mark.parametrize(
    ("type_", "kept", "cut"),
    [
        (sa.Interval(second_precision=2), "PT1.120000S", "PT1.123000S"),
        (pg.INTERVAL(precision=0), "PT1S", "PT0.500000S"),
        (pg.INTERVAL(fields="DAY TO MINUTE"), "P1DT2M", "P1DT2M1S"),
        (pg.INTERVAL(fields="HOUR"), "P1DT5H", "PT5H1M"),
        (pg.INTERVAL(fields="DAY"), "P3D", "P3DT1H"),
        (pg.INTERVAL(fields="YEAR TO MONTH"), "PT0S", "P40D"),
        (pg.TIMESTAMP(precision=1), "2025-01-01T00:00:00.500000", "2025-01-01T00:00:00.550000"),
        (
            pg.TIMESTAMP(timezone=True, precision=0),
            "2025-01-01T00:00:00Z",
            "2025-01-01T00:00:00.5Z",
        ),
        (pg.TIME(precision=3), "08:30:00.125000", "08:30:00.125500"),
        (pg.TIME(timezone=True, precision=0), "08:30:00+02:00", "08:30:00.500000+02:00"),
        (pg.ARRAY(pg.INTERVAL(precision=0)), ["PT1S"], ["PT0.500000S"]),
    ],
    ids=repr,
)
def test_what_a_column_s_precision_would_cut_is_refused(
    postgresql: Backend, tmp_path: Path, type_: Any, kept: Any, cut: Any
) -> None:
    """PostgreSQL rounds and truncates without a word."""
    world = world_of(held=type_)
    with postgresql.database(world.metadata) as engine:
        export_all(engine, tmp_path / "a", catalog=world.catalog)
        records = [{"slug": "kept", "held": kept}, {"slug": "cut", "held": cut}]
        rewritten(tmp_path / "a", lambda _name, _records: records)
        report = import_all(engine, tmp_path / "a", catalog=world.catalog, on_error="continue")
        (problem,) = report.problems
        assert (problem.record, problem.field) == (2, "held")
        assert "its column holds" in problem.message
        export_all(engine, tmp_path / "b", catalog=world.catalog)
        assert values_of(tmp_path / "b", "held") == [kept]


def test_intervals_are_keys_in_the_order_of_their_length(backend: Backend, tmp_path: Path) -> None:
    """Nine days stand before ten, negative lengths first; and references find them."""
    base, catalog = new_base(), Catalog("spans")

    class Span(base):  # type: ignore[misc, valid-type]
        __tablename__ = "spans"
        id = mapped_column(sa.Integer, primary_key=True)
        length = mapped_column(sa.Interval, unique=True, nullable=False)
        next_id = mapped_column(sa.ForeignKey("spans.id"))
        next = relationship("Span", remote_side=[id])

    schema_for(Span, catalog, natural_key="length")
    days = [10, -9, 9, 0, -10]
    with backend.database(base.metadata) as first, backend.database(base.metadata) as second:
        with Session(first) as session:
            spans = [Span(length=dt.timedelta(days=day, hours=1)) for day in days]
            session.add_all(spans)
            session.flush()
            spans[0].next = spans[1]
            session.commit()
        export_all(first, tmp_path / "a", catalog=catalog)
        lengths = ["-P9DT23H", "-P8DT23H", "PT1H", "P9DT1H", "P10DT1H"]
        assert values_of(tmp_path / "a", "length") == lengths
        assert values_of(tmp_path / "a", "next")[-1] == {"length": "-P8DT23H"}
        import_all(second, tmp_path / "a", catalog=catalog)
        assert import_all(second, tmp_path / "a", catalog=catalog).skipped == len(days)
        assert raw_values(first, base.metadata) == raw_values(second, base.metadata)


# Arrays


@pytest.mark.parametrize("literal", ["'[0:1]={1,2}'", "'[1:2][3:4]={{1,2},{3,4}}'"])
def test_an_array_with_bounds_of_its_own_is_refused(
    postgresql: Backend, tmp_path: Path, literal: str
) -> None:
    """A list begins at 1, so the same items would stand at other places."""
    world = world_of(counts=sa.ARRAY(sa.Integer))
    with postgresql.database(world.metadata) as engine:
        put(engine, "x", "counts", literal)
        error = refusal(engine, world, tmp_path / "a")
        assert (error.entity, error.field) == ("things", "counts")
        assert "ARRAY(SELECT unnest(column))" in str(error)


def test_an_array_where_there_are_none_is_refused_with_what_to_declare(
    sqlite_memory: Backend, postgresql: Backend, tmp_path: Path
) -> None:
    """By export and import alike, before anything is read or written."""
    world = world_of(counts=sa.ARRAY(sa.Integer))
    with postgresql.database(world.metadata) as source, sqlite_memory.database() as target:
        export_all(source, tmp_path / "a", catalog=world.catalog)
        with target.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE things (id INTEGER, slug TEXT, counts TEXT)")
        text = (
            "things, counts: column things.counts: sqlite has no arrays; keep it as JSON there: "
            "ARRAY(...).with_variant(JSON(none_as_null=True), 'sqlite')."
        )
        assert str(refusal(target, world, tmp_path / "b")) == text
        with pytest.raises(TargetError) as caught:
            import_all(target, tmp_path / "a", catalog=world.catalog)
        assert str(caught.value) == text


def test_json_null_in_place_of_an_array_is_not_sql_null(
    sqlite_memory: Backend, postgresql: Backend, tmp_path: Path
) -> None:
    """None in a JSON column is JSON's null unless it says otherwise; no array is."""
    world = world_of(counts=sa.ARRAY(sa.Integer).with_variant(sa.JSON(), "sqlite"))
    with (
        sqlite_memory.database(world.metadata) as first,
        sqlite_memory.database(world.metadata) as second,
        postgresql.database(world.metadata) as third,
    ):
        put(first, "json", "counts", "'null'")
        put(first, "sql", "counts", "NULL")
        export_all(first, tmp_path / "a", catalog=world.catalog)
        assert values_of(tmp_path / "a", "counts") == [{"$json": None}, None]
        import_all(second, tmp_path / "a", catalog=world.catalog)
        assert raw_values(first, world.metadata) == raw_values(second, world.metadata)
        with pytest.raises(ImportFailed, match="it is JSON's null, which no array is"):
            import_all(third, tmp_path / "a", catalog=world.catalog)


def test_a_json_column_that_is_an_array_elsewhere_keeps_its_lists(
    postgresql: Backend, tmp_path: Path
) -> None:
    """The text of an empty array, {}, is an empty object to a reader of JSON."""
    world = world_of(counts=sa.JSON().with_variant(sa.ARRAY(sa.Integer), "postgresql"))
    with (
        postgresql.database(world.metadata) as first,
        postgresql.database(world.metadata) as second,
    ):
        put(first, "empty", "counts", "'{}'")
        put(first, "full", "counts", "'{1,NULL}'")
        export_all(first, tmp_path / "a", catalog=world.catalog)
        assert values_of(tmp_path / "a", "counts") == [[], [1, None]]
        import_all(second, tmp_path / "a", catalog=world.catalog)
        assert raw_values(first, world.metadata) == raw_values(second, world.metadata)


def test_links_that_are_set_later_leave_arrays_alone(backend: Backend, tmp_path: Path) -> None:
    """A cycle is opened by an update of foreign keys only, for arrays can't be unnested."""
    base = new_base()
    as_json = sa.JSON(none_as_null=True)

    class Node(base):  # type: ignore[misc, valid-type]
        __tablename__ = "nodes"
        id = mapped_column(sa.Integer, primary_key=True)
        slug = mapped_column(sa.String(9), unique=True, nullable=False)
        grid = mapped_column(sa.ARRAY(sa.Text).with_variant(as_json, "sqlite", "mysql", "mariadb"))
        other_id = mapped_column(sa.ForeignKey("nodes.id"))
        other = relationship("Node", remote_side=[id], post_update=True)

    catalog = catalog_of(Node)
    with backend.database(base.metadata) as first, backend.database(base.metadata) as second:
        with Session(first) as session:
            one, two = Node(slug="a", grid=[["x", None]]), Node(slug="b", grid=[])
            session.add_all([one, two])
            session.flush()
            one.other, two.other = two, one
            session.commit()
        export_all(first, tmp_path / "a", catalog=catalog)
        import_all(second, tmp_path / "a", catalog=catalog)
        assert raw_values(first, base.metadata) == raw_values(second, base.metadata)


# Bytes


def test_more_bytes_than_declared_are_refused_both_ways(backend: Backend, tmp_path: Path) -> None:
    """An engine may ignore the length; marshmallow's validator doesn't, and nor does the rest."""
    world = world_of(blob=sa.LargeBinary(3))
    with backend.database(world.metadata) as engine:
        export_all(engine, tmp_path / "a", catalog=world.catalog)
        records = [{"slug": "a", "blob": "MTIz"}, {"slug": "b", "blob": "MTIzNA=="}]
        rewritten(tmp_path / "a", lambda _name, _records: records)
        with pytest.raises(ImportFailed) as caught:
            import_all(engine, tmp_path / "a", catalog=world.catalog)
        (problem,) = caught.value.report.problems
        assert (problem.record, problem.field) == (2, "blob")
        with Session(engine) as session:
            session.add(world.models.Thing(slug="x", blob=b"1234"))
            session.commit()
        error = refusal(engine, world, tmp_path / "b")
        assert "4 bytes are too many, its column holds 3" in str(error)
        assert error.field == "blob"


# Times


def test_a_zone_that_the_engine_would_drop_is_refused(
    sqlite_memory: Backend, postgresql: Backend, tmp_path: Path
) -> None:
    """SQLite's TIME keeps no offset; PostgreSQL's keeps the one that it was given."""
    world = world_of(clock=sa.Time(timezone=True))
    with (
        postgresql.database(world.metadata) as source,
        sqlite_memory.database(world.metadata) as target,
    ):
        put(source, "east", "clock", "'08:30:00.5+02'")
        put(source, "utc", "clock", "'08:30+00'")
        export_all(source, tmp_path / "a", catalog=world.catalog)
        assert values_of(tmp_path / "a", "clock") == ["08:30:00.500000+02:00", "08:30:00Z"]
        text = (
            "things, clock: column things.clock: sqlite keeps no zone with a time and would drop "
            "it; use Time() without a zone, or keep a DateTime(timezone=True)."
        )
        assert str(refusal(target, world, tmp_path / "b")) == text
        with pytest.raises(TargetError) as caught:
            import_all(target, tmp_path / "a", catalog=world.catalog)
        assert str(caught.value) == text


@pytest.mark.parametrize(
    ("type_", "literal", "told"),
    [
        (sa.Date(), "'infinity'", "the date infinity, outside the years 1 to 9999"),
        (sa.Date(), "'0044-03-15 BC'", "the date 0044-03-15 BC, outside the years 1 to 9999"),
        (sa.DateTime(), "'10000-01-01'", "the moment 10000-01-01 00:00:00, outside the years 1 to"),
        (sa.DateTime(timezone=True), "'-infinity'", "the moment -infinity, outside the years"),
        (sa.Time(), "'24:00'", "the time 24:00:00, which is the next day's 00:00:00"),
        (sa.Interval(), "'infinity'", "an interval without end"),
        (sa.ARRAY(sa.Date), "'{infinity}'", "the date infinity, outside the years 1 to 9999"),
    ],
    ids=repr,
)
def test_moments_without_a_python_value_name_their_row(
    postgresql: Backend, tmp_path: Path, type_: Any, literal: str, told: str
) -> None:
    """The driver raises at the first such value, and says nothing of where it stands."""
    world = world_of(held=type_)
    with postgresql.database(world.metadata) as engine:
        put(engine, "fine", "held", "NULL")
        put(engine, "x", "held", literal)
        error = refusal(engine, world, tmp_path / "a")
        assert f"the database holds {told}" in str(error)
        assert (error.field, 'slug "x"' in str(error)) == ("held", True)


# What processors do


class AsText(sa.TypeDecorator[Any]):
    """A document, as it is."""

    impl = sa.JSON
    cache_ok = True


class Listed(sa.TypeDecorator[Any]):
    """A set of names, kept as a sorted list."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else sorted(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else set(value)


class SetField(ma.fields.List):
    """A list in a record, a set in Python."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize(None if value is None else sorted(value), attr, obj, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return set(super()._deserialize(value, attr, data, **kwargs))


class Angle:
    """A value that doesn't say when it equals another."""

    def __init__(self, degrees: int) -> None:
        self.degrees = degrees


class Degrees(sa.TypeDecorator[Any]):
    """Angles, kept as numbers."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.degrees

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else Angle(value)


class AngleField(ma.fields.Integer):
    """An angle's degrees."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.degrees

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return Angle(super()._deserialize(value, attr, data, **kwargs))


@pytest.mark.parametrize(
    ("type_", "field", "held"),
    [
        (AsText(), None, [{"b": 1.5, "a": [None]}, [], "x"]),
        (Listed(), SetField(ma.fields.String()), [{"b", "a"}, set()]),
        (Degrees(), AngleField(), [Angle(90), Angle(-1)]),
    ],
    ids=["plain", "set", "objects"],
)
def test_decorated_values_go_round(
    backend: Backend, tmp_path: Path, type_: Any, field: Any, held: list[Any]
) -> None:
    """What a decorator makes of JSON or numbers is written by its kind, or by a declared field."""
    world = world_of(field, doc=type_)
    with backend.database(world.metadata) as first, backend.database(world.metadata) as second:
        with Session(first) as session:
            session.add_all(
                world.models.Thing(slug=str(n), doc=value) for n, value in enumerate(held)
            )
            session.commit()
        export_all(first, tmp_path / "a", catalog=world.catalog)
        import_all(second, tmp_path / "a", catalog=world.catalog)
        assert raw_values(first, world.metadata) == raw_values(second, world.metadata)


def test_a_storage_format_that_drops_digits_is_refused(
    sqlite_memory: Backend, tmp_path: Path
) -> None:
    """SQLite stores a moment in whatever form the model says, even one that forgets a part."""
    form = "%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d"
    world = world_of(held=sqlite.DATETIME(storage_format=form))
    with sqlite_memory.database(world.metadata) as engine:
        export_all(engine, tmp_path / "a", catalog=world.catalog)
        whole, fine = "2025-01-01T00:00:01", "2025-01-01T00:00:01.500000"
        records = [{"slug": "a", "held": whole}, {"slug": "b", "held": fine}]
        rewritten(tmp_path / "a", lambda _name, _records: records)
        with pytest.raises(ImportFailed, match=r"record 2, held: .* would be stored as"):
            import_all(engine, tmp_path / "a", catalog=world.catalog)
        import_all(engine, tmp_path / "a", catalog=world.catalog, on_error="continue")
        export_all(engine, tmp_path / "b", catalog=world.catalog)
        assert values_of(tmp_path / "b", "held") == [whole]


POSTGRESQL_ONLY = {
    "inet": (pg.INET(), ma.fields.String(), "'10.0.0.1/24'", "10.0.0.1/24"),
    "cidr": (pg.CIDR(), ma.fields.String(), "'10.0.0.0/24'", "10.0.0.0/24"),
    "macaddr": (pg.MACADDR(), ma.fields.String(), "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    "bit": (pg.BIT(3), ma.fields.String(), "B'101'", "101"),
    "oid": (pg.OID(), ma.fields.Integer(), "17", 17),
    "tsvector": (pg.TSVECTOR(), ma.fields.String(), "'fat cat:1'", "'cat':1 'fat'"),
    "range": (pg.INT4RANGE(), ma.fields.String(), "'[1,5)'", "[1,5)"),
    "domain": (pg.DOMAIN("count", sa.Integer), ma.fields.Integer(), "5", 5),
    "inets": (pg.ARRAY(pg.INET), ma.fields.List(ma.fields.String()), "'{10.0.0.1}'", ["10.0.0.1"]),
    "enum": (pg.ENUM("b", "a", name="letters"), None, "'a'", "a"),
    "jsonb": (pg.JSONB(none_as_null=True), None, '\'{"b": 1, "a": 2}\'', {"a": 2, "b": 1}),
}


@pytest.mark.parametrize("name", POSTGRESQL_ONLY)
def test_types_of_postgresql_alone_go_round_by_a_declared_field(
    postgresql: Backend, tmp_path: Path, name: str
) -> None:
    """Undeclared they are a mistake in the declarations, for nobody knows their Python type."""
    type_, field, literal, written = POSTGRESQL_ONLY[name]
    if field is not None:
        with pytest.raises(DeclarationError, match=r"declare held = fields\.…"):
            world_of(held=type_).catalog.use()
    world = world_of(field, held=type_)
    with (
        postgresql.database(world.metadata) as first,
        postgresql.database(world.metadata) as second,
    ):
        put(first, "x", "held", literal)
        put(first, "y", "held", "NULL")
        export_all(first, tmp_path / "a", catalog=world.catalog)
        assert values_of(tmp_path / "a", "held") == [written, None]
        import_all(second, tmp_path / "a", catalog=world.catalog)
        assert raw_values(first, world.metadata) == raw_values(second, world.metadata)


def test_floats_of_single_precision_come_back(backend: Backend) -> None:
    """Their shortest text is what they give back, down to the smallest."""
    values = [0.1, 0.25, 3.4e38, -7.5e-9, 1e-40, 1.4e-44, 1e-45]
    type_ = sa.REAL().with_variant(mysql.FLOAT(), "mysql", "mariadb")
    world = world_of(value=type_)
    records = [{"slug": f"s{n}", "value": value} for n, value in enumerate(values)]
    with backend.database(world.metadata) as engine:
        import_document(engine, {"things": records}, catalog=world.catalog)
        assert export_document(engine, catalog=world.catalog)["things"] == records


def test_json_of_a_lone_number_comes_back(backend: Backend) -> None:
    """SQLite stores it as a number; what it kept, it can have again."""
    world = world_of(data=sa.JSON())
    values = [1e22, 1e300, 1e17, 5, 0.1, "1e5", [1e20], {"a": -0.0}]
    rows = [{"slug": str(n), "data": value} for n, value in enumerate(values)]
    restored(backend, world.base, world.catalog, things=rows)


def test_json_of_a_lone_number_keeps_its_last_digit(backend: Backend) -> None:
    """SQLite doesn't read every number's text as the nearest double."""
    world = world_of(data=sa.JSON())
    values = [1.5044752326288456e-304, -2.2250738585072014e-308, 1.7976931348623157e308]
    records = [{"slug": f"s{n}", "data": value} for n, value in enumerate(values)]
    with backend.database(world.metadata) as engine:
        import_document(engine, {"things": records}, catalog=world.catalog)
        exported = export_document(engine, catalog=world.catalog)["things"]
        assert [record["data"] for record in exported] == values


def test_uuids_kept_as_text_come_back(backend: Backend) -> None:
    """``native_uuid=False`` means 32 digits on PostgreSQL as well, whatever Python has."""
    world = world_of(
        code=sa.Uuid(native_uuid=False), name=sa.Uuid(as_uuid=False, native_uuid=False)
    )
    code = uuid.UUID(int=5)
    rows = [{"slug": "a", "code": code, "name": str(code)}]
    document = restored(backend, world.base, world.catalog, things=rows)
    assert document["things"] == [{"slug": "a", "code": str(code), "name": str(code)}]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("extra_float_digits", "0"),
        ("standard_conforming_strings", "off"),
        ("DateStyle", "'German'"),
        ("array_nulls", "off"),
        ("quote_all_identifiers", "on"),
    ],
)
def test_settings_that_change_values_are_refused(
    setting: str, value: str, postgresql: Backend
) -> None:
    """Floats would be rounded, bytes and dates misread, nulls in arrays become texts."""
    world = world_of()
    with postgresql.database(world.metadata) as engine, Session(engine) as session:
        session.execute(sa.text(f"SET LOCAL {setting} = {value}"))
        with pytest.raises(TargetError, match=f"PostgreSQL's {setting} is"):
            export_document(session, catalog=world.catalog)
