"""``lading init``: a package that declares a database, and what a further run does to it."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import configure_mappers

from lading import ArgumentError, Catalog, DeclarationError, TargetError
from lading.scaffolding.scaffold import scaffold
from support.backends import Backend
from support.depth import IS_DEEP
from support.zoo import WORLDS

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
#: Worlds with what a generator of models stumbles over; a deep run takes all.
STUMBLING = ("kept_ids", "tags", "accounts", "branches", "joined_tables", "names", "values")

TABLES = (
    "CREATE TABLE shelves (id INTEGER PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE)",
    "CREATE TABLE goods (id INTEGER PRIMARY KEY, label VARCHAR(20), price NUMERIC(8, 2), "
    "shelf_id INTEGER REFERENCES shelves (id))",
    "CREATE TABLE logs (line TEXT)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE)",
    "INSERT INTO shelves VALUES (7, 'low'), (9, 'high')",
    "INSERT INTO goods VALUES (3, 'salt', 1.50, 9), (5, 'salt', 1.50, NULL)",
)
MORE = (
    "ALTER TABLE shelves ADD COLUMN opened DATETIME",
    "CREATE TABLE lots (id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, made DATE, "
    "good_id INTEGER NOT NULL REFERENCES goods (id) ON DELETE CASCADE)",
    "CREATE TABLE good_tags (good_id INTEGER NOT NULL REFERENCES goods (id), tag_id INTEGER NOT "
    "NULL REFERENCES tags (id), PRIMARY KEY (good_id, tag_id))",
    "INSERT INTO lots VALUES (1, 44, '2020-02-29', 3)",
    "DROP TABLE logs",
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sa.Engine]:
    """A small database in a file."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    run(engine, *TABLES)
    yield engine
    engine.dispose()


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_formatted(folder: Path, rules: str = "F,I") -> None:
    """By ruff's formatter, and without a name that isn't used."""
    if RUFF is not None:
        for command in (["format", "--check"], ["check", "--select", rules]):
            subprocess.run(
                [str(RUFF), *command, "--isolated", "--no-cache", "-q", str(folder)], check=True
            )


@pytest.mark.parametrize("name", WORLDS if IS_DEEP else STUMBLING)
def test_a_world_gets_declarations_that_restore_it(name: str, tmp_path: Path) -> None:
    """Written well-formatted, proved at once; a second run changes no byte."""
    world = WORLDS[name]()
    engine = world.filled(sa.create_engine(f"sqlite:///{tmp_path / f'{name}.db'}"))
    result = scaffold(engine, tmp_path / "app")
    assert (result.problems, result.changes) == ([], [])
    assert result.records
    assert_formatted(tmp_path / "app")
    before = files_of(tmp_path / "app")
    again = scaffold(engine, tmp_path / "app")
    assert (again.written, again.added, again.changes) == ([], [], [])
    assert files_of(tmp_path / "app") == before
    engine.dispose()


def test_only_choices_get_a_line(shop: sa.Engine, tmp_path: Path) -> None:
    """With the reason as a comment; what is left out is named."""
    scaffold(shop, tmp_path / "app")
    text = (tmp_path / "app/schemas.py").read_text("utf-8")
    assert (
        "class ShelvesSchema(CatalogSchema):\n    class Meta:\n        model = models.Shelves\n"
        in text
    )
    assert (
        "        # the primary key, for nothing else tells all records apart: it means the same\n"
        '        # record only in databases that share their ids\n        natural_key = "id"\n'
    ) in text
    assert '        "logs": "it has no primary key",\n' in text


def test_a_further_run_adds_what_is_new_and_keeps_every_edit(
    shop: sa.Engine, tmp_path: Path
) -> None:
    """A class and an attribute have other names, a class and its schema are gone."""
    scaffold(shop, tmp_path / "app")
    models, schemas = tmp_path / "app/models.py", tmp_path / "app/schemas.py"
    text = (
        models.read_text("utf-8")
        .replace("Goods", "Good")
        .replace("= relationship", "=  relationship")
    )
    text = text.replace("    label: Mapped", "    # what it says\n    title: Mapped")
    text = text.replace("mapped_column(String(20))", "mapped_column('label', String(20))")
    models.write_text(re.sub(r"class Notes.*?\n\n\n", "", text, flags=re.DOTALL), "utf-8")
    text = schemas.read_text("utf-8").replace("Goods", "Good")
    schemas.write_text(re.sub(r"class Notes.*?\n\n\n", "", text, flags=re.DOTALL), "utf-8")
    edited = [path.read_text("utf-8").splitlines() for path in (models, schemas)]
    run(shop, *MORE)
    result = scaffold(shop, tmp_path / "app")
    assert result.added == [
        "models.py: Shelves.opened",
        "models.py: GoodTags",
        "models.py: Lots",
        "schemas.py: LotsSchema",
        "schemas.py: GoodTagsSchema",
    ]
    assert result.changes == ["models.py: logs is gone from the database"]
    assert result.remarks == ["models.py has no class for notes any more, so no bundle carries it"]
    assert (result.problems, result.records) == ([], 5)
    for path, before in zip((models, schemas), edited, strict=True):
        lines = iter(path.read_text("utf-8").splitlines())
        assert all(line in lines for line in before)
    assert '    good: Mapped["Good"] = relationship("Good")\n' in models.read_text("utf-8")
    before = files_of(tmp_path / "app")
    assert not scaffold(shop, tmp_path / "app").written
    assert files_of(tmp_path / "app") == before


def test_what_the_database_has_otherwise_is_listed_until_it_is_done(
    shop: sa.Engine, tmp_path: Path
) -> None:
    """A column's type, a column that is gone; nothing of it is done."""
    scaffold(shop, tmp_path / "app")
    before = files_of(tmp_path / "app")
    run(
        shop,
        "DROP TABLE notes",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(90) NOT NULL)",
        "ALTER TABLE goods DROP COLUMN price",
    )
    result = scaffold(shop, tmp_path / "app")
    assert result.changes == [
        "models.py: notes: body would be: body: Mapped[str] = mapped_column(String(90), "
        "nullable=False)",
        "models.py: goods: price would be gone",
    ]
    assert files_of(tmp_path / "app") == before
    models = tmp_path / "app/models.py"
    text = models.read_text("utf-8").replace(
        "body: Mapped[Optional[str]] = mapped_column(Text)",
        "body: Mapped[str] = mapped_column(\n        String(90), nullable=False\n    )",
    )
    models.write_text(re.sub(r"    price: .*\n", "", text), "utf-8")
    assert scaffold(shop, tmp_path / "app").changes == []


def test_a_column_that_only_the_database_has_is_named(shop: sa.Engine, tmp_path: Path) -> None:
    """A table of links has no class to add it to, and a person may have removed another."""
    run(
        shop,
        "CREATE TABLE kept (good_id INTEGER NOT NULL REFERENCES goods, note_id INTEGER NOT NULL "
        "REFERENCES notes, PRIMARY KEY (good_id, note_id))",
    )
    scaffold(shop, tmp_path / "app")
    run(shop, "ALTER TABLE kept ADD COLUMN since TEXT")
    models = tmp_path / "app/models.py"
    models.write_text(re.sub(r"    price: .*\n", "", models.read_text("utf-8")), "utf-8")
    result = scaffold(shop, tmp_path / "app")
    assert [text for text in result.remarks if "column" in text] == [
        "models.py has no column goods.price, so no bundle carries it",
        "models.py has no column kept.since, so no bundle carries it",
    ]
    assert result.changes == [
        "models.py: kept holds more than links, and would be a class with: since: "
        "Mapped[Optional[str]] = mapped_column(Text)",
    ]


def test_references_are_named_after_columns_of_any_style(shop: sa.Engine, tmp_path: Path) -> None:
    """Alike where nothing is declared and in what is written; ``paid`` holds no id."""
    columns = ("shelf_id", "reporterId", "ownerID", "paid")
    parts = [f"{column} INTEGER REFERENCES shelves (id)" for column in columns]
    run(shop, f"CREATE TABLE issues (id INTEGER PRIMARY KEY, {', '.join(parts)})")
    expected = {"shelf", "reporter", "owner", "paid"}
    adopted = Catalog.from_metadata(shop).use()["issues"]
    assert {reference.name for reference in adopted.references} == expected
    scaffold(shop, tmp_path / "app")
    models = (tmp_path / "app/models.py").read_text("utf-8")
    names = set(re.findall(r"(\w+): .*\n? *.*relationship\(\s*\"Shelves\"", models))
    assert names - {"shelves"} == expected - {"paid"}


def test_a_renamed_table_is_added_beside_its_links(shop: sa.Engine, tmp_path: Path) -> None:
    """The links' table in the module still leads to the old name, until a person changes that."""
    run(
        shop,
        "CREATE TABLE kept (good_id INTEGER NOT NULL REFERENCES goods, note_id INTEGER NOT NULL "
        "REFERENCES notes, PRIMARY KEY (good_id, note_id))",
    )
    scaffold(shop, tmp_path / "app")
    run(shop, "ALTER TABLE notes RENAME TO remarks")
    result = scaffold(shop, tmp_path / "app")
    assert "models.py: Remarks" in result.added
    assert "models.py: notes is gone from the database" in result.changes


def test_owned_rows_are_declared_before_their_owners(shop: sa.Engine, tmp_path: Path) -> None:
    """Where asked to; a kind of row that comes later is listed, for its owner's schema is there."""
    run(shop, *MORE)
    result = scaffold(shop, tmp_path / "app", owned=True)
    text = (tmp_path / "app/schemas.py").read_text("utf-8")
    assert "from lading import Catalog, EntitySchema, Owned\n" in text
    assert text.index("class LotsSchema") < text.index("    lots = Owned(LotsSchema)\n")
    assert (result.problems, result.entities) == ([], 4)
    assert_formatted(tmp_path / "app")
    run(
        shop,
        "CREATE TABLE prices (id INTEGER PRIMARY KEY, tag_id INTEGER NOT NULL REFERENCES tags (id) "
        "ON DELETE CASCADE)",
    )
    result = scaffold(shop, tmp_path / "app", owned=True)
    assert [change.partition(":")[0] for change in result.changes] == [
        "schemas.py would have",
        "schemas.py",
    ]
    assert [path.name for path in result.written] == ["models.py", "lading.init.json"]
    assert result.remarks == [
        "no bundle carries prices; declare it, or name it in leaves_out with the reason"
    ]


def test_models_that_are_there_get_schemas_alone(shop: sa.Engine, tmp_path: Path) -> None:
    """They are imported from where they are, and a new one gets its schema later."""
    (tmp_path / "their_models.py").write_text(
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base, mapped_column\n"
        "Base = declarative_base()\nclass Shelf(Base):\n    __tablename__ = 'shelves'\n"
        "    id = mapped_column(sa.Integer, primary_key=True)\n"
        "    code = mapped_column(sa.String(20), unique=True, nullable=False)\n",
        "utf-8",
    )
    with importable(tmp_path):
        theirs = importlib.import_module("their_models")
        result = scaffold(shop, tmp_path / "app", models=theirs.Base)
        assert (result.entities, result.records, result.problems) == (1, 2, [])
        assert [path.name for path in result.written] == [
            "__init__.py",
            "schemas.py",
            "lading.init.json",
        ]
        assert "import their_models\n" in (tmp_path / "app/schemas.py").read_text("utf-8")
        assert_formatted(tmp_path / "app", "F")  # whose modules they are isn't known
        exec(
            "class Note(Base):\n    __tablename__ = 'notes'\n"
            "    id = mapped_column(sa.Integer, primary_key=True)\n",
            vars(theirs),
        )
        result = scaffold(None, tmp_path / "app", models=theirs.Base)
        assert (result.added, result.records) == (["schemas.py: NoteSchema"], None)


def test_what_no_schema_can_name_is_adopted_beside_the_schemas(
    shop: sa.Engine, tmp_path: Path
) -> None:
    """Such as the tables of a hierarchy that can't be one entity."""
    (tmp_path / "their_models.py").write_text(
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base, mapped_column\n"
        "Base = declarative_base()\nclass Tag(Base):\n    __tablename__ = 'tags'\n"
        "    id = mapped_column(sa.Integer, primary_key=True)\n"
        "    name = mapped_column(sa.String(20), unique=True, nullable=False)\n"
        "class Note(Base):\n    __tablename__ = 'notes'\n"
        "    id = mapped_column(sa.Integer, primary_key=True)\n"
        "class Shelf(Note):\n    __tablename__ = 'shelves'\n"
        "    id = mapped_column(sa.ForeignKey('notes.id'), primary_key=True)\n"
        "    code = mapped_column(sa.String(20))\n",
        "utf-8",
    )
    run(shop, "INSERT INTO notes VALUES (7, 'x'), (9, 'y')")
    with importable(tmp_path):
        theirs = importlib.import_module("their_models")
        result = scaffold(shop, tmp_path / "app", models=theirs.Base)
        text = (tmp_path / "app/schemas.py").read_text("utf-8")
        assert "catalog = Catalog.from_metadata(\n    their_models.Base,\n" in text
        assert (result.problems, result.entities, result.remarks) == ([], 3, [])
        assert result.added == ["schemas.py: TagSchema"]
        assert_formatted(tmp_path / "app", "F")


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        module = sys.modules.pop("their_models")
        module.Base.registry.dispose()


#: Columns of types that SQLite lacks or changes, and one that no bundle carries.
SERVERS_OWN = {
    "postgresql": (
        "a TEXT[], b INTERVAL, c TIMETZ, d NUMERIC(30, 12), e JSONB, f MONEY",
        "ARRAY['x', NULL], '1 day', '08:00+05:30', 123456789012345678.123456789012, '5.0', 1",
    ),
    "mariadb": (
        "a SET('x', 'y'), b BIGINT UNSIGNED, c DECIMAL(30, 12), d DOUBLE, e POINT",
        "'x,y', 18446744073709551615, 123456789012345678.123456789012, 0.1, POINT(1, 2)",
    ),
}


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_databases_of_servers_get_declarations(name: str, request: Any, tmp_path: Path) -> None:
    """Their own types, checks and defaults don't stop the proof, which says what it can't show."""
    backend = request.getfixturevalue("mariadb" if name == "mariadb" else "postgresql")
    tables = [
        statement.replace("shelves (id)", "shelves(id)").replace(
            "label VARCHAR(20)",
            "label VARCHAR(20) DEFAULT 'none' CHECK (char_length(label) > 1), "
            "made TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        )
        for statement in TABLES[:5]
    ]
    columns, values = SERVERS_OWN[name]
    left_out = "f" if name == "postgresql" else "e"
    with backend.database() as engine:
        run(engine, *tables, "INSERT INTO goods (id, label, price) VALUES (3, 'salt', 1.50)")
        run(engine, f"CREATE TABLE own (id INTEGER PRIMARY KEY, {columns})")
        run(engine, f"INSERT INTO own VALUES (1, {values})")
        result = scaffold(engine, tmp_path / "app")
        assert (result.problems, result.records) == ([], 2)
        assert result.unproved == [
            f"logs, own.{left_out}: no bundle carries them, for the reasons in leaves_out",
            f"CHECK constraints and triggers of {engine.dialect.name}: the scratch database is "
            "SQLite, without them",
        ]
        assert not scaffold(engine, tmp_path / "app").written
        assert_formatted(tmp_path / "app")


@pytest.mark.parametrize("name", ["sqlite_memory", "postgresql"])
def test_indexes_keep_their_expressions_and_conditions(
    name: str, request: Any, tmp_path: Path
) -> None:
    """Without them columns would be unique that aren't, or the module wouldn't be Python."""
    with request.getfixturevalue(name).database() as engine:
        run(
            engine,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, team INTEGER, mail VARCHAR(20), gone INT)",
            "CREATE UNIQUE INDEX by_mail ON users (team, lower(mail))",
            "CREATE UNIQUE INDEX ix_users_team ON users (team) WHERE gone IS NULL",
            "INSERT INTO users VALUES (1, 1, 'a', NULL), (2, 1, 'b', 1)",
        )
        result = scaffold(engine, tmp_path / "app")
        assert (result.problems, result.records) == ([], 2)
    models = (tmp_path / "app/models.py").read_text("utf-8")
    assert "team: Mapped[Optional[int]] = mapped_column(Integer)" in models
    assert ('Index("by_mail", "team", text("lower(' in models) is (name == "postgresql")
    assert_formatted(tmp_path / "app")


def test_models_of_postgresql_create_its_types(postgresql: Backend, tmp_path: Path) -> None:
    """An enumeration is one of its own there, with a name."""
    with postgresql.database() as engine:
        run(
            engine,
            "CREATE TYPE mood AS ENUM ('calm', 'glad')",
            "CREATE TABLE moods (id SERIAL PRIMARY KEY, mood mood NOT NULL DEFAULT 'calm')",
        )
        scaffold(engine, tmp_path / "app")
    models = (tmp_path / "app/models.py").read_text("utf-8")
    assert 'Enum("calm", "glad", name="mood")' in models


@pytest.mark.parametrize(
    ("name", "columns", "values"),
    [
        ("postgresql", "ip inet NOT NULL, words tsvector", ("10.0.0.1/8", "'a':1")),
        (
            "mariadb",
            "year year(4) NOT NULL, flag bit(1) NOT NULL, made DATETIME DEFAULT '0000-00-00'",
            (1901, 1, "0000-00-00"),
        ),
    ],
)
def test_types_that_one_engine_has_are_declared_as_such(
    name: str, columns: str, values: tuple[Any, ...], request: Any, tmp_path: Path
) -> None:
    """By the name that the engine has for each; their values come back like all others."""
    backend: Backend = request.getfixturevalue(name)
    with backend.database() as engine:
        run(engine, f"CREATE TABLE hosts (id INTEGER PRIMARY KEY, {columns})")
        with engine.begin() as connection:
            marks = ", ".join(["%s"] * len(values))
            connection.exec_driver_sql(f"INSERT INTO hosts VALUES (1, {marks})", values)
        result = scaffold(engine, tmp_path / "app")
        assert (result.problems, result.records) == ([], 1)
        assert not any("no bundle carries" in text for text in result.unproved)
        again = scaffold(engine, tmp_path / "app")
        assert (again.added, again.changes) == ([], [])
    models = (tmp_path / "app/models.py").read_text("utf-8")
    assert "from lading import EngineType\n" in models
    own = columns.split()[1]
    assert f'mapped_column(EngineType("{name}", "{own}"), nullable=False)' in models
    assert "stored" not in (tmp_path / "app/schemas.py").read_text("utf-8")


def test_days_that_are_none_are_proved_behind_references(mariadb: Backend, tmp_path: Path) -> None:
    """Both ends of a foreign key have one type, be there a default at one or not."""
    with mariadb.database() as source:
        run(
            source,
            "CREATE TABLE days (id INTEGER PRIMARY KEY, day DATE NOT NULL DEFAULT '0000-00-00', "
            "UNIQUE (day))",
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, slug VARCHAR(9) NOT NULL UNIQUE, day DATE, "
            "FOREIGN KEY (day) REFERENCES days (day))",
            "CREATE TABLE plans (day DATE DEFAULT '0000-00-00', of DATE PRIMARY KEY, "
            "FOREIGN KEY (day) REFERENCES plans (of))",
            "SET sql_mode = ''",
            "INSERT INTO days VALUES (1, '0000-00-00'), (2, '2020-01-01')",
            "INSERT INTO posts VALUES (1, 'a', '0000-00-00'), (2, 'b', '2020-01-01'), (3, 'c', NULL)",
            "INSERT INTO plans VALUES (NULL, '2020-01-01'), ('2020-01-01', '2020-01-02')",
        )
        result = scaffold(source, tmp_path / "app")
        assert (result.problems, result.records) == ([], 7)


def test_a_foreign_key_that_stands_twice_is_written_once(mariadb: Backend, tmp_path: Path) -> None:
    """Migrations leave such twins behind, in an order that isn't always the same."""
    with mariadb.database() as engine:
        run(
            engine,
            *TABLES[:1],
            "CREATE TABLE goods (id INTEGER PRIMARY KEY, shelf_id INTEGER, "
            "CONSTRAINT b FOREIGN KEY (shelf_id) REFERENCES shelves (id), "
            "CONSTRAINT a FOREIGN KEY (shelf_id) REFERENCES shelves (id))",
        )
        assert not scaffold(engine, tmp_path / "app").problems
    models = (tmp_path / "app/models.py").read_text("utf-8")
    assert models.count("= relationship(") == 2  # the reference and its reverse


def test_odd_names_and_types_get_declarations(tmp_path: Path) -> None:
    """Names that classes need, columns without a type, references to no table."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'odd.db'}")
    run(
        engine,
        'CREATE TABLE "order items" ("1st" INTEGER PRIMARY KEY, registry TEXT, "class" TEXT, '
        '"a b" TEXT, "__x" TEXT, bare, gone_id INTEGER REFERENCES gone (id))',
        "INSERT INTO \"order items\" VALUES (1, 'a', 'b', 'c', 'd', NULL, 5)",
    )
    result = scaffold(engine, tmp_path / "app")
    assert (result.problems, result.records) == ([], 1)
    assert result.remarks == ["order items.gone_id refers to gone.id, which isn't among the tables"]
    assert '        exclude = ("bare",)\n' in (tmp_path / "app/schemas.py").read_text("utf-8")
    assert_formatted(tmp_path / "app")
    assert not scaffold(engine, tmp_path / "app").written
    engine.dispose()


def test_rows_that_cant_be_exported_dont_stop_the_files(shop: sa.Engine, tmp_path: Path) -> None:
    """They are told, for their declarations are right."""
    run(shop, "UPDATE goods SET shelf_id = 99 WHERE id = 3")
    result = scaffold(shop, tmp_path / "app")
    assert (tmp_path / "app/schemas.py").exists()
    assert [problem.message.partition(" (")[0] for problem in result.problems] == [
        "shelf_id = 99 refers to no row of shelves"
    ]
    assert "the records can't be exported, so nothing is proved" in str(result)


def test_models_on_trial_leave_no_broken_mappers(shop: sa.Engine, tmp_path: Path) -> None:
    """Neither those that fail, nor those that are proved."""
    scaffold(shop, tmp_path / "app")
    with pytest.raises(DeclarationError, match=r"app can't be imported: ZeroDivisionError"):
        (tmp_path / "app/models.py").write_text("1 / 0\n", "utf-8")
        scaffold(shop, tmp_path / "app")
    configure_mappers()
    assert not [name for name in sys.modules if name.startswith("_lading_init")]


def test_a_failed_run_leaves_the_package_as_it_was(shop: sa.Engine, tmp_path: Path) -> None:
    """Files are written after all of them were tried out."""
    scaffold(shop, tmp_path / "app")
    (tmp_path / "app/schemas.py").write_text("from . import models\n", "utf-8")
    before = files_of(tmp_path / "app")
    run(shop, *MORE)
    with pytest.raises(DeclarationError, match="has no catalog; expected one Catalog"):
        scaffold(shop, tmp_path / "app")
    assert files_of(tmp_path / "app") == before


def test_arguments_that_cant_be_used_are_refused(shop: sa.Engine, tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(ArgumentError, match="bind=None; expected an engine, or models"):
        scaffold(None, tmp_path / "app")
    with pytest.raises(ArgumentError, match=r"folder=.*; expected a folder"):
        scaffold(shop, tmp_path / "shop.db")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/lading.init.json").write_text("[]", "utf-8")
    with pytest.raises(DeclarationError, match="expected what lading init wrote"):
        scaffold(shop, tmp_path / "app")
    with pytest.raises(TargetError, match="can't be reflected"):
        scaffold(sa.create_engine(f"sqlite:///{tmp_path}"), tmp_path / "other")
