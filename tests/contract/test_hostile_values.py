"""Values that an import must refuse or an export must name, numbered as hostile inputs."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import mapped_column, relationship

from lading import (
    Catalog,
    ImportFailed,
    Owned,
    TargetError,
    export_document,
    import_document,
)
from support.backends import Backend, PostgreSQL
from support.declaring import catalog_of, new_base, schema_for


def things(**columns: Any) -> tuple[Any, Catalog]:
    """Return a model with a slug and some other columns, and its catalog."""
    table = {
        "__tablename__": "things",
        "id": mapped_column(sa.Integer, primary_key=True),
        "slug": mapped_column(sa.String(4000), unique=True, nullable=False),
        **{name: mapped_column(type_, nullable=True) for name, type_ in columns.items()},
    }
    model = type("Thing", (new_base(),), table)
    return model, catalog_of(model)


def document(*records: dict[str, Any]) -> dict[str, Any]:
    """Return a document of things."""
    return {"schema_versions": {"things": 1}, "things": list(records)}


# Texts that an encoding lacks


@contextmanager
def encoded(server: sa.URL, encoding: str, metadata: sa.MetaData) -> Iterator[sa.Engine]:
    """A database of PostgreSQL's in another encoding."""
    backend = PostgreSQL(
        server, template=f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    with backend.database(metadata) as engine:
        yield engine
    backend.drop_all()


@pytest.mark.parametrize(
    ("encoding", "client"),
    [("LATIN1", None), ("LATIN1", "utf8"), ("WIN1252", "utf8"), ("KOI8R", "utf8")],
)
@pytest.mark.parametrize("field", ["note", "data", "tags"])
def test_48_a_text_that_the_database_s_encoding_lacks_is_located(
    field: str, encoding: str, client: str | None, postgres_server: sa.URL
) -> None:
    """Before anything is written, whichever encoding the connection has."""
    model, catalog = things(note=sa.Text, data=sa.JSON, tags=sa.ARRAY(sa.Text))
    value = {"note": "日", "data": {"日": 1}, "tags": ["日"]}
    records = [
        {"slug": slug, **dict.fromkeys(value), field: value[field] if slug == "b" else None}
        for slug in "ab"
    ]
    server = postgres_server.update_query_dict({"client_encoding": client} if client else {})
    with encoded(server, encoding, model.metadata) as engine:
        with pytest.raises(
            ImportFailed, match=f"'日', which the database's encoding {encoding}"
        ) as caught:
            import_document(engine, document(*records), catalog=catalog)
        (problem,) = caught.value.report.problems
        assert (problem.record, problem.field) == (2, field)
        assert import_document(engine, document(records[0]), catalog=catalog).inserted == 1


# 39: a giant record


@pytest.fixture
def small_packet(mariadb: Backend) -> Iterator[int]:
    """A server that takes statements of 64 KiB at most."""
    with mariadb.database() as engine, engine.connect() as connection:
        before = connection.scalar(sa.text("SELECT @@global.max_allowed_packet"))
        connection.exec_driver_sql("SET GLOBAL max_allowed_packet = 65536")
        yield 65_536
        connection.exec_driver_sql(f"SET GLOBAL max_allowed_packet = {before}")


@pytest.mark.parametrize("make", [lambda size: "x" * size, lambda size: "'" * (size // 2 + 1)])
def test_39_a_record_larger_than_a_statement_is_located(
    make: Callable[[int], str], small_packet: int, mariadb: Backend
) -> None:
    """MariaDB hangs up on it, which would say nothing; smaller ones go in, however many."""
    model, catalog = things(note=sa.Text(2**20))
    with mariadb.database(model.metadata) as engine:
        fine = [{"slug": f"s{n:04}", "note": "y" * 300} for n in range(500)]
        large = {"slug": "zz", "note": make(small_packet)}
        with pytest.raises(ImportFailed, match="raise its max_allowed_packet") as caught:
            import_document(engine, document(*fine, large), catalog=catalog)
        assert [problem.record for problem in caught.value.report.problems] == [501]
        large["note"] = make(small_packet // 2)
        assert import_document(engine, document(*fine, large), catalog=catalog).inserted == 501


def test_39_a_key_longer_than_an_index_takes_is_located(postgresql: Backend) -> None:
    """PostgreSQL's indexes hold about a third of a page."""
    model, catalog = things()
    long = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(3_000))
    with postgresql.database(model.metadata) as engine:
        with pytest.raises(ImportFailed, match=r"index row (requires|size)") as caught:
            import_document(engine, document({"slug": "a"}, {"slug": long}), catalog=catalog)
        assert [problem.record for problem in caught.value.report.problems] == [2]


# 42 to 50: values that a column can't hold as they are

ENGINES = ["sqlite_memory", "postgresql", "mariadb"]
DATETIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mariadb", "mysql")
Level = enum.Enum("Level", ["low", "high"])
#: A column's type and a value that it refuses, by number and name.
REFUSED: dict[str, tuple[Any, Any]] = {
    "43-scale": (sa.Numeric(6, 2), "1.005"),
    "43-precision": (sa.Numeric(6, 2), "12345.00"),
    "43-exponent": (sa.Numeric(6, 2), "1e2"),
    "43-a-float": (sa.Numeric(6, 2), 1.25),
    "44-too-large": (sa.BigInteger, 2**63),
    "44-a-fraction": (sa.Integer, 1.5),
    "44-a-whole-float": (sa.Integer, 1.0),
    "44-a-text": (sa.Integer, "1"),
    "45-aware": (DATETIME, "2025-01-01T08:00:00+02:00"),
    "46-year-10000": (sa.Date, "10000-01-01"),
    "46-infinity": (sa.Date, "infinity"),
    "46-hour-24": (DATETIME, "2025-01-01T24:00:00"),
    "46-no-such-day": (sa.Date, "2025-02-29"),
    "47-months": (sa.Interval, "P1M"),
    "48-too-long": (sa.String(3), "four"),
    "49-enum": (sa.Enum(Level), "medium"),
    "49-boolean": (sa.Boolean, 2),
    "49-boolean-text": (sa.Boolean, "true"),
    "49-uuid": (sa.Uuid, "not-a-uuid"),
    "49-base64": (sa.LargeBinary, "a==="),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", ENGINES)
def test_a_value_that_its_column_would_alter_is_located(
    name: str, case: str, request: pytest.FixtureRequest
) -> None:
    """By record and field, before anything is written."""
    type_, value = REFUSED[case]
    model, catalog = things(value=type_)
    with request.getfixturevalue(name).database(model.metadata) as engine:
        records = [{"slug": "a", "value": None}, {"slug": "b", "value": value}]
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document(*records), catalog=catalog)
        (problem,) = caught.value.report.problems
        assert (problem.record, problem.key) == (2, {"slug": "b"})
        assert (problem.field or "").startswith("value")
        with engine.connect() as connection:
            assert connection.execute(sa.select(model.__table__)).all() == []


@pytest.mark.parametrize("name", ENGINES)
def test_42_a_nul_character_is_kept_or_located(name: str, request: pytest.FixtureRequest) -> None:
    """PostgreSQL can't store it, the others give it back."""
    model, catalog = things(value=sa.String(20))
    with request.getfixturevalue(name).database(model.metadata) as engine:
        record = {"slug": "a", "value": "a\x00b"}
        if name == "postgresql":
            with pytest.raises(ImportFailed, match=r"record 1, value: .*NUL"):
                import_document(engine, document(record), catalog=catalog)
        else:
            import_document(engine, document(record), catalog=catalog)
            assert export_document(engine, catalog=catalog)["things"] == [record]


@pytest.mark.parametrize("name", ENGINES)
def test_50_negative_zeros_and_json_have_one_form(
    name: str, request: pytest.FixtureRequest
) -> None:
    """On every engine."""
    double = sa.Double().with_variant(mysql.DOUBLE(asdecimal=False), "mariadb", "mysql")
    model, catalog = things(number=double, data=sa.JSON)
    with request.getfixturevalue(name).database(model.metadata) as engine:
        record = {"slug": "a", "number": -0.0, "data": {"b": 1, "a": -0.0}}
        import_document(engine, document(record), catalog=catalog)
        (exported,) = export_document(engine, catalog=catalog)["things"]
        assert repr(exported["number"]) == "0.0"
        assert list(exported["data"]) == ["a", "b"]
        assert repr(exported["data"]["a"]) == "0.0"


@pytest.mark.parametrize("type_", [sa.Numeric, sa.Double], ids=["decimal", "double"])
def test_50_nan_is_refused_where_rows_are_found_by_it(postgresql: Backend, type_: Any) -> None:
    """PostgreSQL takes it for a key, and Python never finds it again."""
    base, catalog = new_base(), Catalog("measured")

    class Measure(base):  # type: ignore[misc, valid-type]
        __tablename__ = "measures"
        size = mapped_column(type_, primary_key=True)
        name = mapped_column(sa.String(9), unique=True, nullable=False)
        marks = relationship("Mark")

    class Mark(base):  # type: ignore[misc, valid-type]
        __tablename__ = "marks"
        id = mapped_column(sa.Integer, primary_key=True)
        size = mapped_column(sa.ForeignKey("measures.size"), nullable=False)

    schema_for(Measure, catalog, {"marks": Owned(schema_for(Mark, catalog))}, natural_key="name")
    records = [{"name": "a", "size": "NaN", "marks": [{}]}]
    with postgresql.database(base.metadata) as engine:
        for dry_run in (True, False):
            with pytest.raises(ImportFailed) if not dry_run else nullcontext() as caught:
                plan = import_document(
                    engine, {"measures": records}, catalog=catalog, dry_run=dry_run
                )
            problems = plan.problems if dry_run else caught.value.report.problems
            assert [(problem.field, problem.message) for problem in problems] == [
                (
                    "size",
                    "NaN can't be in a key, for it equals nothing, not even itself. Correct it",
                )
            ]
        with engine.begin() as connection:
            connection.execute(sa.insert(Measure).values(name="a", size=float("nan")))
        with pytest.raises(TargetError, match="NaN can't be in a key"):
            export_document(engine, catalog=catalog)
        with engine.begin() as connection:
            connection.execute(sa.insert(Mark).values(size=float("nan")))
        with pytest.raises(TargetError, match="equals nothing, not even itself"):
            export_document(engine, catalog=catalog)
