"""What tests of the `lading` command share: a bakery's small cousin in SQLite, and a runner."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from lading.cli.main import main
from lading.cli.schemas import output_schema

TABLES = """
CREATE TABLE suppliers (id INTEGER PRIMARY KEY, slug VARCHAR(40) NOT NULL UNIQUE, name TEXT);
CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    slug VARCHAR(40) NOT NULL UNIQUE,
    price INTEGER NOT NULL,
    supplier_id INTEGER REFERENCES suppliers (id)
);
"""
ROWS = """
INSERT INTO suppliers VALUES (1, 'mill', 'The Mill'), (2, 'dairy', 'The Dairy');
INSERT INTO products VALUES (1, 'flour', 100, 1), (2, 'butter', 250, 2), (3, 'salt', 30, NULL);
"""
#: A module that declares the products; tests add to it.
DECLARED = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from lading import Catalog, EntitySchema

class Base(DeclarativeBase):
    pass

class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    price: Mapped[int]

catalog = Catalog("shop")

class ProductSchema(EntitySchema):
    class Meta:
        model = Product
        catalog = catalog
"""
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with no variable of lading's set."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "LADING_CATALOG", "LADING_TRACEBACK", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Run a command line, and return what came of it."""

    def invoke(*args: str, code: int | None = 0, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, args, input=stdin)
        if code is not None:
            assert result.exit_code == code, result.output
        return result

    return invoke


def make_database(path: Path, *, rows: str = ROWS) -> str:
    """Make a SQLite database of suppliers and products, and return its URL."""
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES + rows)
    connection.close()
    return f"sqlite:///{path}"


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    """Ask or change such a database, and return the rows."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    with connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


@pytest.fixture
def shop(folder: Path) -> str:
    """The URL of a database with two suppliers and three products."""
    return make_database(folder / "shop.db")


@pytest.fixture
def empty(folder: Path) -> str:
    """The URL of a database with the same tables, and no row."""
    return make_database(folder / "empty.db", rows="")


@pytest.fixture
def run_json(run: Run) -> Callable[..., list[Any]]:
    """Run a command with ``--json``: each line it prints is valid by the command's schema."""

    def invoke(command: str, *args: str, code: int = 0, **settings: Any) -> list[Any]:
        lines = run(command, *args, "--json", code=code, **settings).stdout.splitlines()
        values = [json.loads(line) for line in lines]
        validator = Draft202012Validator(output_schema(command))
        for value in values:
            validator.validate(value)
        return values

    return invoke


@pytest.fixture
def backup(run: Run, shop: str, folder: Path) -> str:
    """A bundle of the shop."""
    run("export", shop, "backup")
    return str(folder / "backup")
