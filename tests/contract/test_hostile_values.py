"""Values that an import must refuse or an export must name, by the numbers of the hostile list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import (
    Catalog,
    ImportFailed,
    import_document,
)
from support.backends import Backend, PostgreSQL
from support.declaring import catalog_of, new_base


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
