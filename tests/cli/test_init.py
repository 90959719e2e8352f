"""`lading init`: its arguments, what it prints, and how it ends."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import declarative_base

from cli.conftest import query

BASE = declarative_base()
MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base, mapped_column
Base = declarative_base()
class Supplier(Base):
    __tablename__ = "suppliers"
    id = mapped_column(sa.Integer, primary_key=True)
    slug = mapped_column(sa.String(40), unique=True, nullable=False)
    name = mapped_column(sa.Text)
"""


def test_a_package_is_written_and_serves_at_once(run, shop, folder) -> None:
    """Its catalog exports the database; a second run has nothing to do."""
    lines = run("init", shop).stdout.splitlines()
    assert lines[0] == "shop: wrote __init__.py, models.py, schemas.py, lading.init.json"
    assert lines[-1] == "2 entities, 5 records: all come back from a scratch database"
    run("export", shop, "backup", "--catalog", "shop.schemas:catalog")
    assert run("init", shop).stdout.splitlines()[0] == "shop: nothing new"


def test_json_says_the_same(run_json, shop) -> None:
    """With ``--json`` standard output has one line."""
    [document] = run_json("init", shop, "app", "--name", "bakery")
    assert document["written"] == ["__init__.py", "models.py", "schemas.py", "lading.init.json"]
    assert (document["entities"], document["records"], document["problems"]) == (2, 5, [])


def test_models_that_are_there_get_schemas(run, shop, folder, monkeypatch) -> None:
    """With a database they are proved, without one they are only written."""
    (folder / "their_app.py").write_text(MODELS)
    models = ("--models", "their_app:Base")
    assert (
        run("init", "app", *models).stdout.splitlines()[-1] == "  added: schemas.py: SupplierSchema"
    )
    monkeypatch.setenv("DATABASE_URL", shop)
    assert run("init", "app", *models).stdout.splitlines() == [
        "app: nothing new",
        "1 entity, 2 records: all come back from a scratch database",
    ]


def test_rows_that_cant_be_exported_end_with_the_databases_code(run, run_json, shop) -> None:
    """The files are written all the same."""
    query(shop, "UPDATE products SET supplier_id = 9 WHERE id = 1")
    [document] = run_json("init", shop, "app", code=4)
    assert document["problems"][0]["message"].startswith("supplier_id = 9 refers to no row")
    assert len(document["written"]) == 4


def test_what_a_type_does_not_read_is_mended_in_the_models(run, folder) -> None:
    """A day that is none in a DATETIME is named, with the remedy that ``init`` prepares."""
    url = f"sqlite:///{folder / 'clocks.db'}"
    query(url, "CREATE TABLE clocks (id INTEGER PRIMARY KEY, at DATETIME)")
    query(url, "INSERT INTO clocks VALUES (1, '2024-02-30')")
    text = run("export", url, "backup", code=4).stderr
    assert "clocks, at: the database holds '2024-02-30', which is not a datetime (YYYY" in text
    assert "lading init writes models" in text
    run("init", url, code=4)
    models = folder / "clocks" / "models.py"
    source = models.read_text().replace("mapped_column(DateTime)", "mapped_column(String)")
    source = source.replace("import DateTime,", "import String,")
    models.write_text(source.replace("[datetime.datetime]", "[str]"))
    assert run("init", url).stdout.splitlines()[0] == "clocks: nothing new"
    run("export", url, "backup", "--catalog", "clocks.schemas:catalog")
    run("verify", "backup", "--restore", "--catalog", "clocks.schemas:catalog")


def test_a_key_of_numbers_in_a_datetime_has_its_own_name(run, folder) -> None:
    """As in a bundle without declarations."""
    url = f"sqlite:///{folder / 'slots.db'}"
    query(url, "CREATE TABLE slots (at DATETIME PRIMARY KEY)")
    query(url, "INSERT INTO slots VALUES (5)")
    run("init", url)
    run("export", url, "backup", "--catalog", "slots.schemas:catalog")
    assert '{"at":5}' in (folder / "backup" / "01_slots.json").read_text()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("PRAGMA user_version", "it has no tables."),
        ("CREATE TABLE notes (text)", "notes: it has no primary key."),
        ("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)", "alembic_version: "),
    ],
    ids=["empty", "keyless", "revisions"],
)
def test_a_database_without_a_table_to_declare_is_told(
    run, folder, statement: str, reason: str
) -> None:
    """As an export tells it, with what was left out and why; nothing is written."""
    url = f"sqlite:///{folder / 'odd.db'}"
    query(url, statement)
    text = run("init", url, "app", code=4).stderr
    assert reason in text
    assert "Let the application create its tables first" in text
    assert text == run("export", url, "backup", code=4).stderr
    assert not (folder / "app").exists()


def test_a_folder_that_cant_be_written_is_told(run, shop, folder) -> None:
    """It is no bug of lading's."""
    (folder / "file").touch()
    assert "can't be written: Not a directory" in run("init", shop, "file/app", code=3).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument: expected URL (or set DATABASE_URL), or --models."),
        (("a", "b"), "Too many arguments: expected [URL] [PACKAGE]."),
        (("--models", "os.path"), "--models is 'os.path'; expected 'module:attribute'."),
        (("--models", "os:nothing"), "--models 'os:nothing': os has no 'nothing'"),
        (("--models", "os:path", "app"), "source is <module 'posixpath'"),
        (("--models", "cli.test_init:BASE"), "Missing argument: expected PACKAGE, the folder"),
    ],
)
def test_wrong_usage_is_told(run, arguments, message) -> None:
    """By name, with what is expected."""
    assert message in run("init", *arguments, code=2).stderr
