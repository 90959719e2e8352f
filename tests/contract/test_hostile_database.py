"""What databases and other writers do to an import or export, numbered as hostile inputs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, mapped_column, relationship

from lading import (
    Catalog,
    LeftOutWarning,
    OutcomeUnknown,
    TargetError,
    export_document,
    import_document,
)
from support import dishes
from support.backends import Backend
from support.declaring import catalog_of, new_base, schema_for, table, things

SERVERS = ["postgresql", "mariadb"]


def server(request: pytest.FixtureRequest, name: str) -> Backend:
    """Return a server's backend, by name."""
    made: Backend = request.getfixturevalue(name)
    return made


def categories(*, unique: bool = False) -> tuple[Any, Catalog]:
    """Return a model whose key (a parent and a name) has a null part, or a unique name for key."""
    base = new_base()

    class Category(base):
        __tablename__ = "categories"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.String(20), nullable=False, unique=unique)
        parent_id = mapped_column(sa.ForeignKey("categories.id"))
        parent = relationship("Category", remote_side=[id])

    catalog = Catalog("test")
    schema_for(Category, catalog, natural_key="name" if unique else ("parent", "name"))
    return Category, catalog


def document(*names: str) -> dict[str, Any]:
    """Return a document of categories without parents."""
    items = [{"parent": None, "name": name} for name in names]
    return {"schema_versions": {"categories": 1}, "categories": items}


def count(engine: sa.Engine, model: Any) -> int:
    """Count a table's rows in a transaction of its own."""
    with Session(engine) as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)


# 64, 65: a target that isn't empty, or lacks something


@pytest.mark.parametrize("name", ["sqlite_memory", *SERVERS])
def test_64_what_a_target_has_already_is_skipped_and_counted(
    name: str, request: pytest.FixtureRequest
) -> None:
    """A key with null parts is found again as well."""
    model, catalog = categories()
    with server(request, name).database(model.metadata) as engine:
        import_document(engine, document("a"), catalog=catalog)
        report = import_document(engine, document("a", "b"), catalog=catalog)
        assert (report.inserted, report.skipped, count(engine, model)) == (1, 1, 2)


@pytest.mark.parametrize("name", ["sqlite_memory", *SERVERS])
@pytest.mark.parametrize("lacks", ["table", "column"])
def test_65_what_a_target_lacks_is_named(
    lacks: str, name: str, request: pytest.FixtureRequest
) -> None:
    """With what to do, before anything is written, by imports and exports."""
    _, catalog = categories()
    bare = sa.MetaData()
    if lacks == "column":
        sa.Table("categories", bare, sa.Column("id", sa.Integer, primary_key=True))
    with server(request, name).database(bare) as engine:
        for work in (
            lambda: import_document(engine, document("a"), catalog=catalog),
            lambda: export_document(engine, catalog=catalog),
        ):
            with pytest.raises(TargetError, match=f"no {lacks} .*categories") as caught:
                work()
            assert caught.value.remedy


# 66: disconnect and deadlock; a lost reply to COMMIT


LIMITS = {
    "lock_timeout": "raise lock_timeout",
    "statement_timeout": "Raise statement_timeout",
}


@pytest.mark.parametrize("setting", LIMITS)
def test_66_a_time_limit_says_which_to_raise(setting: str, postgresql: Backend) -> None:
    """PostgreSQL's own code tells a wait for a lock from a slow statement."""
    model, catalog = categories()
    with postgresql.database(model.metadata) as engine, engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE categories IN ACCESS EXCLUSIVE MODE")
        with Session(engine) as session:
            session.execute(sa.text(f"SET {setting} = '20ms'"))
            with pytest.raises(TargetError, match=LIMITS[setting]):
                import_document(session, document("a"), catalog=catalog)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("mode", ["skip", "update", "mirror"])
@pytest.mark.parametrize("name", SERVERS)
def test_66_a_lost_reply_to_commit_leaves_the_outcome_unknown(
    name: str, mode: str, arrives: bool,
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whether COMMIT arrived can't be told; importing again tells, and harms nothing."""
    with dishes.filled(server(request, name)) as engine:
        records = export_document(engine, catalog=dishes.CATALOG)
        if mode == "skip":
            records["dish_labels"].append({"name": "new"})
        else:
            dishes.change(engine)
        ask = "pg_backend_pid()" if name == "postgresql" else "connection_id()"

        def do_commit(connection: Any) -> None:
            if arrives:
                connection.commit()
            cursor = connection.cursor()
            cursor.execute(f"SELECT {ask}")
            (number,) = cursor.fetchone()
            monkeypatch.undo()
            with engine.connect() as other:
                kill = f"SELECT pg_terminate_backend({number})"
                other.exec_driver_sql(kill if name == "postgresql" else f"KILL {number}")
            cursor.execute("COMMIT")

        def load() -> Any:
            return import_document(engine, records, catalog=dishes.CATALOG, on_conflict=mode)

        monkeypatch.setattr(engine.dialect, "do_commit", do_commit)
        with pytest.raises(OutcomeUnknown, match="may have been committed, or nothing") as caught:
            load()
        assert "on_conflict='skip', 'update' or 'mirror'" in caught.value.remedy
        total = load().total
        assert (total.inserted + total.updated > 0) is not arrives
        assert load().total.updated == 0


# 70: rows that a policy or a view hides from an export

POLICY = [
    "ALTER TABLE categories RENAME TO hidden",
    "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY short ON hidden USING (length(name) < 2)",
    "GRANT ALL ON hidden TO clerk",
]
VIEWS = {
    "itself": ["ALTER TABLE hidden RENAME TO categories"],
    "a view that asks as its user": [
        "CREATE VIEW categories WITH (security_invoker = on) AS SELECT * FROM hidden"
    ],
    "a view that asks as its owner": [
        "CREATE VIEW categories AS SELECT * FROM hidden",
        "ALTER VIEW categories OWNER TO clerk",
    ],
    "a view over a view": [
        "CREATE VIEW inner_view WITH (security_invoker = true) AS SELECT * FROM hidden",
        "CREATE VIEW categories WITH (security_invoker) AS SELECT * FROM inner_view WHERE true",
        "GRANT ALL ON inner_view TO clerk",
    ],
}


@pytest.fixture
def clerk(postgresql: Backend) -> Iterator[str]:
    """A role that may read and owns nothing yet."""
    with postgresql.database() as engine, engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE clerk")
    yield "clerk"
    with postgresql.database() as engine, engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE clerk")


@pytest.mark.parametrize("kind", VIEWS)
def test_70_a_policy_below_a_view_is_refused(kind: str, clerk: str, postgresql: Backend) -> None:
    """Whoever it is that the policy holds for: the user, or the owner of a view."""
    model, catalog = categories()
    with postgresql.database(model.metadata) as engine:
        import_document(engine, document("a", "bb"), catalog=catalog)
        with engine.begin() as connection:
            for statement in (*POLICY, *VIEWS[kind], "GRANT ALL ON categories TO clerk"):
                connection.exec_driver_sql(statement)
        with Session(engine) as session:
            session.execute(sa.text("SET ROLE clerk"))
            assert session.scalar(sa.text("SELECT count(*) FROM categories")) == 1
            with pytest.raises(TargetError, match="row-level security is active on "):
                export_document(session, catalog=catalog)


@pytest.mark.parametrize("name", ["sqlite_memory", *SERVERS])
def test_70_a_view_in_a_table_s_place_is_told(name: str, request: pytest.FixtureRequest) -> None:
    """What it hides can't be counted; whoever knows that it hides nothing says so."""
    model, catalog = categories()
    with server(request, name).database(model.metadata) as engine:
        import_document(engine, document("a", "bb"), catalog=catalog)
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE categories RENAME TO whole")
            view = "CREATE VIEW categories AS SELECT * FROM whole WHERE length(name) < 2"
            connection.exec_driver_sql(view)
        with pytest.warns(LeftOutWarning, match="categories is a view; this export holds only"):
            exported = export_document(engine, catalog=catalog)
        assert [item["name"] for item in exported["categories"]] == ["a"]
        catalog.leaves_out["categories"] = "the others are old"
        export_document(engine, catalog=catalog)


# A guard of the engine's is nothing to lift

GUARDS = {
    "postgresql": [
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE"
    ],
    "mariadb": ["SET SESSION TRANSACTION READ ONLY", "SET SESSION tx_isolation = 'SERIALIZABLE'"],
    "sqlite": ["PRAGMA query_only = ON"],
}
LEVELS = {"postgresql": "SHOW transaction_isolation", "mariadb": "SELECT @@tx_isolation"}


@pytest.mark.parametrize("name", ["sqlite_file", *SERVERS])
def test_a_read_only_session_stays_so_and_takes_no_import(
    name: str, request: pytest.FixtureRequest
) -> None:
    """What a pooled connection was told before is true afterwards."""
    model, catalog = categories()
    with server(request, name).database(model.metadata) as free:
        import_document(free, document("a"), catalog=catalog)
        engine = sa.create_engine(free.url, pool_size=1, max_overflow=0)

        @sa.event.listens_for(engine, "connect")
        def guard(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            for statement in GUARDS[engine.dialect.name]:
                cursor.execute(statement)
            connection.commit()

        for _ in range(2):
            exported = export_document(engine, catalog=catalog)
            assert [item["name"] for item in exported["categories"]] == ["a"]
            with pytest.raises(TargetError, match=r"is read-only: .*Give an engine that may write"):
                import_document(engine, document("b"), catalog=catalog)
            with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
                connection.execute(sa.insert(model).values(name="c"))
            with engine.connect() as connection:
                sql = LEVELS.get(engine.dialect.name, "SELECT 'SERIALIZABLE'")
                assert str(connection.scalar(sa.text(sql))).upper() == "SERIALIZABLE"
        engine.dispose()


# 72: a concurrent writer


@pytest.mark.parametrize("kind", ["engine", "session"])
@pytest.mark.parametrize("name", SERVERS)
def test_72_imports_wait_for_each_other_where_no_constraint_guards_a_key(
    name: str, kind: str, request: pytest.FixtureRequest
) -> None:
    """The second finds what the first committed, and skips it."""
    model, catalog = categories()
    reports: list[Any] = []

    def second(engine: sa.Engine) -> None:
        if kind == "engine":
            reports.append(import_document(engine, document("food"), catalog=catalog))
            return
        with Session(engine) as session, session.begin():
            reports.append(import_document(session, document("food"), catalog=catalog))

    with server(request, name).database(model.metadata) as engine:
        beside = threading.Thread(target=second, args=[engine])
        with Session(engine) as session:
            first = import_document(session, document("food"), catalog=catalog)
            beside.start()
            beside.join(0.3)
            assert beside.is_alive()
            session.commit()
        beside.join()
        assert (first.inserted, reports[0].inserted, reports[0].skipped) == (1, 0, 1)
        assert count(engine, model) == 1


@pytest.mark.parametrize("kind", ["engine", "session"])
@pytest.mark.parametrize("name", SERVERS)
def test_72_imports_that_update_the_same_records_wait_for_each_other(
    name: str, kind: str, request: pytest.FixtureRequest
) -> None:
    """The second compares with what the first committed, so no record is a mixture of both."""
    base = new_base()
    model = table(base, "things", x=mapped_column(sa.Integer), y=mapped_column(sa.Integer))
    options: Any = {"catalog": catalog_of(model), "on_conflict": "update"}

    def second(engine: sa.Engine) -> None:
        if kind == "engine":
            import_document(engine, things("a", x=0, y=2), **options)
            return
        with Session(engine) as session, session.begin():
            import_document(session, things("a", x=0, y=2), **options)

    with server(request, name).database(base.metadata) as engine:
        import_document(engine, things("a", x=0, y=0), **options)
        beside = threading.Thread(target=second, args=[engine])
        with Session(engine) as session:
            import_document(session, things("a", x=1, y=1), **options)
            beside.start()
            beside.join(0.3)
            assert beside.is_alive()
            session.commit()
        beside.join()
        exported = export_document(engine, catalog=options["catalog"])
        assert exported["things"] == things("a", x=0, y=2)["things"]


@pytest.mark.parametrize("name", SERVERS)
def test_72_an_update_never_writes_over_what_a_caller_s_snapshot_does_not_show(
    name: str, request: pytest.FixtureRequest
) -> None:
    """It is refused, and the session's own settings are as they were."""
    base = new_base()
    model = table(base, "things", x=mapped_column(sa.Integer), y=mapped_column(sa.Integer))
    options: Any = {"catalog": catalog_of(model), "on_conflict": "update"}
    with server(request, name).database(base.metadata) as engine:
        import_document(engine, things("a", x=0, y=0), **options)
        with Session(engine.execution_options(isolation_level="REPEATABLE READ")) as session:
            session.scalars(sa.select(model)).all()
            import_document(engine, things("a", x=1, y=1), **options)
            with pytest.raises(TargetError, match="in one order with others"):
                import_document(session, things("a", x=0, y=2), **options)
            session.rollback()
            if name == "mariadb":
                setting = "SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'"
                assert session.execute(sa.text(setting)).one()[1] == "OFF"
        if name == "mariadb":
            dirty = engine.execution_options(isolation_level="READ UNCOMMITTED")
            with Session(dirty) as session, pytest.raises(TargetError, match="READ UNCOMMITTED"):
                import_document(session, things("a", x=0, y=2), **options)
        exported = export_document(engine, catalog=options["catalog"])
        assert exported["things"] == things("a", x=1, y=1)["things"]


@pytest.mark.parametrize("name", SERVERS)
def test_72_a_constraint_that_only_the_model_has_guards_nothing(
    name: str, request: pytest.FixtureRequest
) -> None:
    """What counts are the indexes of the database, which migrations may have left out."""
    model, catalog = categories(unique=True)
    bare, _ = categories()
    reports: list[Any] = []
    with server(request, name).database(bare.metadata) as engine:
        beside = threading.Thread(
            target=lambda: reports.append(
                import_document(engine, document("food"), catalog=catalog)
            )
        )
        with Session(engine) as session:
            import_document(session, document("food"), catalog=catalog)
            beside.start()
            beside.join(0.3)
            session.commit()
        beside.join()
        assert (reports[0].inserted, count(engine, model)) == (0, 1)


def test_72_imports_into_guarded_tables_run_beside_each_other(postgresql: Backend) -> None:
    """A unique index keeps twins out by itself, so nobody waits."""
    model, catalog = categories(unique=True)
    with postgresql.database(model.metadata) as engine:
        with Session(engine) as session:
            import_document(session, document("a"), catalog=catalog)
            import_document(engine, document("b"), catalog=catalog)
            session.commit()
        assert count(engine, model) == 2


@pytest.mark.parametrize("name", SERVERS)
def test_72_a_caller_s_older_snapshot_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    """It can't show what others have committed since, and no constraint would."""
    model, catalog = categories()
    with server(request, name).database(model.metadata) as engine:
        repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(repeatable) as session:
            session.scalars(sa.select(model)).all()
            import_document(engine, document("food"), catalog=catalog)
            with pytest.raises(TargetError, match="after your transaction took its snapshot"):
                import_document(session, document("food"), catalog=catalog)
        with Session(repeatable) as session:  # a fresh one waits first, and sees what was written
            report = import_document(session, document("food", "drink"), catalog=catalog)
            session.commit()
        assert (report.inserted, report.skipped) == (1, 1)


def test_72_a_lock_goes_with_the_transaction_that_took_it(mariadb: Backend) -> None:
    """MariaDB's named locks are of a connection: they end with its transaction all the same."""
    model, catalog = categories()
    with mariadb.database(model.metadata) as engine, engine.connect() as connection:
        held = sa.text("SELECT is_used_lock(:name)")
        import_document(connection, document("a"), catalog=catalog)
        name = connection.info["lading_locks"][0]
        import_document(connection, document("b"), catalog=catalog)
        with engine.connect() as other:
            assert other.scalar(held, {"name": name}) is not None
            connection.commit()
            connection.exec_driver_sql("SELECT 1")
            assert other.scalar(held, {"name": name}) is None
        import_document(engine, document("c"), catalog=catalog)
        assert connection.scalar(held, {"name": name}) is None


def test_72_a_user_who_may_not_lock_is_told_what_to_grant(clerk: str, postgresql: Backend) -> None:
    """Where nothing guards a key, and an import can't, it isn't begun."""
    model, catalog = categories()
    with postgresql.database(model.metadata) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("GRANT SELECT, INSERT ON categories TO clerk")
        with Session(engine) as session:
            session.execute(sa.text("SET ROLE clerk"))
            with pytest.raises(TargetError, match="GRANT UPDATE"):
                import_document(session, document("a"), catalog=catalog)
            assert session.scalar(sa.text("SELECT current_user")) == "clerk"
            session.rollback()
