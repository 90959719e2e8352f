"""Triggers: what they change in the rows that an import writes is read back and told."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import mapped_column

from lading import (
    AlteredWarning,
    Catalog,
    ImportFailed,
    TargetError,
    export_document,
    import_document,
)
from lading.database.live import database_for
from lading.report import Alteration
from support import zoo
from support.backends import Backend
from support.columns import MOMENT
from support.declaring import catalog_of, new_base, schema_for, table, things
from support.statements import run_sql, statements


def page(**columns: Any) -> Any:
    """Map pages that refer to the page above them."""
    base = new_base()
    at = mapped_column(MOMENT, nullable=False)
    parent_id = mapped_column(sa.ForeignKey("pages.id"))
    return table(base, "pages", at=at, parent_id=parent_id, **columns)


THEN = "2001-02-03T04:05:06"


def pages(above: dict[str, str | None], **values: Any) -> dict[str, Any]:
    """Return a document of pages, in key order, each with the page above it."""
    return {
        "pages": [
            {"slug": slug, "at": THEN, "parent": parent and {"slug": parent}, **values}
            for slug, parent in sorted(above.items())
        ]
    }


def tree(count: int) -> dict[str, str | None]:
    """Return a tree whose keys say nothing of how deep a page is."""
    slugs = [f"p{n * 7919 % 10_007:05}" for n in range(count)]
    return {slug: slugs[(n - 1) // 2] if n else None for n, slug in enumerate(slugs)}


#: A trigger that sets a page's time whenever it is updated.
TOUCH = {
    "sqlite": [
        "CREATE TRIGGER touch AFTER UPDATE ON pages BEGIN "
        "UPDATE pages SET at = '2025-01-01 00:00:00.000000' WHERE id = new.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.at = now(); RETURN new; END $$",
        "CREATE TRIGGER touch BEFORE UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION touch()",
    ],
    "mariadb": ["CREATE TRIGGER touch BEFORE UPDATE ON pages FOR EACH ROW SET new.at = now()"],
}


#: A trigger that drops the third of three pages and adds another.
_EXCHANGED = "INSERT INTO pages (id, slug, at) VALUES (99, 'new', '2001-01-01 00:00:00.000000')"
EXCHANGE = {
    "sqlite": [
        "CREATE TRIGGER other AFTER INSERT ON pages WHEN new.slug = 'c' BEGIN "
        f"DELETE FROM pages WHERE slug = 'c'; {_EXCHANGED}; END"
    ],
    "postgresql": [
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"DELETE FROM pages WHERE slug = 'c'; {_EXCHANGED}; RETURN NULL; END $$",
        "CREATE TRIGGER other AFTER INSERT ON pages FOR EACH ROW WHEN (new.slug = 'c') "
        "EXECUTE FUNCTION other()",
    ],
    "mariadb": [
        "CREATE TRIGGER other BEFORE INSERT ON pages FOR EACH ROW "
        "IF new.slug = 'c' THEN SET new.slug = 'new', new.id = 99; END IF"
    ],
}


#: A trigger that counts a page's children.
COUNTING = {
    "sqlite": [
        "CREATE TRIGGER counting AFTER INSERT ON pages BEGIN "
        "UPDATE pages SET children = children + 1 WHERE id = new.parent_id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION counting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE pages SET children = children + 1 WHERE id = new.parent_id; RETURN NULL; END $$",
        "CREATE TRIGGER counting AFTER INSERT ON pages FOR EACH ROW EXECUTE FUNCTION counting()",
    ],
    "mariadb": [
        "CREATE TRIGGER counting BEFORE INSERT ON pages FOR EACH ROW "
        "SET new.children = new.children + 1"
    ],
}
FAMILY = pages({"a": None, "b": "a", "c": "a", "d": "b"}, children=7)


def test_68_what_triggers_change_is_told(backend: Backend) -> None:
    """Once per column, with the count and an example."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    changed, children = (4, 8) if backend.dialect == "mariadb" else (2, 9)
    with backend.database(model.metadata) as engine:
        run_sql(engine, *COUNTING[backend.dialect])
        with pytest.warns(AlteredWarning, match="name these fields in Meta.volatile"):
            report = import_document(engine, FAMILY, catalog=catalog_of(model))
    (alteration,) = report.altered
    assert alteration == Alteration("pages", "children", changed, {"slug": "a"}, 7, children)
    assert str(report).endswith(
        f"\n  ~ pages, children: {changed} records don't hold what was written; that of "
        f"{{'slug': 'a'}} was 7 and is {children}"
    )
    assert report.committed


#: A trigger that sets the children of pages that are updated to nine.
NINE = {
    "sqlite": [
        "CREATE TRIGGER nine AFTER UPDATE ON pages BEGIN "
        "UPDATE pages SET children = 9 WHERE id = new.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION nine() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN new.children = 9; RETURN new; END $$",
        "CREATE TRIGGER nine BEFORE UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION nine()",
    ],
    "mariadb": ["CREATE TRIGGER nine BEFORE UPDATE ON pages FOR EACH ROW SET new.children = 9"],
}


def test_68_what_triggers_change_of_updated_records_is_told(backend: Backend) -> None:
    """As of records that are inserted."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    catalog = catalog_of(model)
    with backend.database(model.metadata) as engine:
        import_document(engine, FAMILY, catalog=catalog)
        run_sql(engine, *NINE[backend.dialect])
        document = pages({"a": None, "b": "a", "c": "a", "d": "b"}, children=8)
        with pytest.warns(AlteredWarning, match="4 records don't hold what was written"):
            report = import_document(engine, document, catalog=catalog, on_conflict="update")
    assert report.altered == [Alteration("pages", "children", 4, {"slug": "a"}, 8, 9)]


def test_a_row_that_a_trigger_writes_first_is_told(sqlite_memory: Backend) -> None:
    """A log that triggers fill is full before its records come; without them all is as it was."""
    with sqlite_memory.database() as engine:
        run_sql(
            engine,
            "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TABLE logs (id INTEGER PRIMARY KEY, name TEXT)",
            "CREATE TRIGGER logging AFTER INSERT ON goods BEGIN "
            "INSERT INTO logs (name) VALUES (new.name); END",
        )
        records = [{"id": 1, "name": "bread"}]
        document = {"goods": records, "logs": records}
        catalog = Catalog.from_metadata(engine)
        with pytest.raises(ImportFailed) as caught:
            import_document(engine, document, catalog=catalog)
        (problem,) = caught.value.report.problems
        assert "a trigger, or somebody else, wrote it during this import" in problem.message
        import_document(engine, document, catalog=catalog, only=["goods"])
        assert export_document(engine, catalog=catalog)["logs"] == records


def test_what_triggers_change_in_volatile_fields_is_not_told(sqlite_memory: Backend) -> None:
    """The declaration says that it is to be expected."""
    model, catalog = page(children=mapped_column(sa.Integer, nullable=False)), Catalog("counting")
    schema_for(model, catalog, volatile=("children",))
    with sqlite_memory.database(model.metadata) as engine:
        run_sql(engine, *COUNTING["sqlite"])
        assert import_document(engine, FAMILY, catalog=catalog).altered == []


def test_a_warning_of_triggers_that_is_made_an_error_rolls_back(sqlite_memory: Backend) -> None:
    """Nothing that was changed is committed."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    with sqlite_memory.database(model.metadata) as engine:
        run_sql(engine, *COUNTING["sqlite"])
        with pytest.raises(AlteredWarning), warnings.catch_warnings():
            warnings.simplefilter("error")
            import_document(engine, FAMILY, catalog=catalog_of(model))
        with engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(model)) == 0


def test_triggers_that_change_nothing_are_not_told(sqlite_memory: Backend) -> None:
    """Owned rows and links are read back as they were written."""
    world = zoo.recipes()
    with sqlite_memory.database() as source, sqlite_memory.database(world.metadata) as engine:
        world.filled(source)
        document = export_document(source, catalog=world.catalog)
        run_sql(
            engine,
            *(
                f"CREATE TRIGGER {name}_t AFTER INSERT ON {name} BEGIN SELECT 1; END"
                for name in world.metadata.tables
            ),
        )
        assert import_document(engine, document, catalog=world.catalog).altered == []


def test_trees_wait_where_triggers_could_fire(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With triggers, even rows whose parents come in later chunks need no update."""
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", 20)
    model = page()
    records = pages({**tree(150), "a": "b", "b": "a"})
    with backend.database(model.metadata) as engine:
        run_sql(engine, *TOUCH[backend.dialect])
        with pytest.warns(AlteredWarning, match="pages, at: 1 record doesn't hold"):
            report = import_document(engine, records, catalog=catalog_of(model))
        stored = export_document(engine, catalog=catalog_of(model))["pages"]
    assert [alteration.key for alteration in report.altered] in ([{"slug": "a"}], [{"slug": "b"}])
    changed = [(was, now) for was, now in zip(records["pages"], stored, strict=True) if was != now]
    assert len(changed) == 1


def test_reading_back_costs_as_much_for_each_chunk(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With triggers a chunk costs some statements more, without any an import one in all.

    Parents are looked up: only where no trigger may change them are new rows remembered.
    """
    monkeypatch.setattr("lading.importing.entity_reader.CHUNK", 50)
    model = page()
    counts: dict[bool, list[int]] = {}
    for triggers in (False, True):
        for chunks in (6, 7, 8):
            records = pages(
                {f"p{n:04}": f"p{n // 2:04}" if n else None for n in range(50 * chunks)}
            )
            with backend.database(model.metadata) as engine:
                run_sql(engine, *(TOUCH[backend.dialect] if triggers else []))
                with statements(engine) as seen:
                    import_document(engine, records, catalog=catalog_of(model))
            counts.setdefault(triggers, []).append(len(seen))
    plain, reading = counts[False], counts[True]
    assert plain[2] - plain[1] == plain[1] - plain[0]
    assert reading[2] - reading[1] == reading[1] - reading[0] <= plain[1] - plain[0] + 2


def test_changed_ids_are_no_alteration(postgresql: Backend) -> None:
    """A trigger that numbers rows by itself changes nothing that a record says."""
    model = table(new_base(), "things", words=mapped_column(sa.String(20)))
    with postgresql.database(model.metadata) as engine:
        run_sql(
            engine,
            "CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN new.id = new.id + 100; new.words = upper(new.words); RETURN new; END $$",
            "CREATE TRIGGER number BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION number()",
        )
        with pytest.warns(AlteredWarning):
            report = import_document(engine, things("a", "b", words="x"), catalog=catalog_of(model))
    assert report.altered == [Alteration("things", "words", 2, {"slug": "a"}, "x", "X")]


def test_rows_that_triggers_exchange_for_others_fail_the_import(backend: Backend) -> None:
    """One dropped and one added agree in number; what was written is missed all the same."""
    model = page()
    records = pages({"a": None, "b": "a", "c": None})
    with backend.database(model.metadata) as engine:
        run_sql(engine, *EXCHANGE[backend.dialect])
        with pytest.raises(TargetError, match="the record with slug 'c' was written and isn't"):
            import_document(engine, records, catalog=catalog_of(model))
        with engine.connect() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(model)) == 0


@pytest.mark.parametrize("clause", ["ON CONFLICT REPLACE", "on\n conflict  replace"])
def test_68_defaults_that_replace_nulls_are_told(sqlite_memory: Backend, clause: str) -> None:
    """SQLite's clause of NOT NULL stores a default where a record says null."""
    model = table(new_base(), "things", words=mapped_column(sa.String(20)))
    with sqlite_memory.database() as engine:
        run_sql(
            engine,
            "CREATE TABLE things (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, "
            f"words TEXT NOT NULL {clause} DEFAULT 'none')",
        )
        with pytest.warns(AlteredWarning, match="things, words"):
            report = import_document(
                engine, things("a", "b", words=None), catalog=catalog_of(model)
            )
    assert report.altered == [Alteration("things", "words", 2, {"slug": "a"}, None, "none")]


def test_users_who_may_not_be_told_of_triggers_are_read_back(mariadb: Backend) -> None:
    """Where the server may keep triggers from a user, what was written is compared anyway."""
    model = page(children=mapped_column(sa.Integer, nullable=False))
    with mariadb.database(model.metadata) as engine:
        name = engine.url.database
        for user, grants, told in (
            ("app", "SELECT, INSERT, UPDATE, DELETE", True),
            ("own", "ALL PRIVILEGES", False),
        ):
            run_sql(
                engine,
                f"CREATE USER {user}_{name}@localhost",
                f"GRANT {grants} ON {name}.* TO {user}_{name}@localhost",
            )
            other = sa.create_engine(engine.url.set(username=f"{user}_{name}"))
            with other.connect() as connection:
                database = database_for(connection)
                assert database.may_alter([model.__table__]) is told
            other.dispose()
            run_sql(engine, f"DROP USER {user}_{name}@localhost")
