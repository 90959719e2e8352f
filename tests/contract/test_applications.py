"""Real applications' models and databases, without a declaration: exported, and restored.

They run where ``LADING_APPLICATIONS`` is set and the application is installed; ``make
test-applications`` does both.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lading import Catalog, export_all, import_all
from lading.adopting.left_out import VERSION_TABLE
from lading.fresh_databases.factories import without_rows
from lading.scaffolding.scaffold import scaffold
from support.real_applications import APPLICATIONS, IS_ASKED, RealApplication
from support.rewriting import entity_bytes

# Other people's packages warn as they like.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=APPLICATIONS)
def application(request: Any) -> RealApplication:
    """Return an application that is installed, where these tests are asked for."""
    if not IS_ASKED:
        pytest.skip("LADING_APPLICATIONS isn't set")
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} isn't installed")
    return APPLICATIONS[request.param]


@pytest.fixture
def filled(application: RealApplication, tmp_path: Path) -> str:
    """Return the URL of a database that the application made and filled."""
    url = f"sqlite:///{tmp_path / 'filled.db'}"
    application.fill(url)
    return url


@pytest.mark.parametrize(
    "adopt",
    [
        lambda application, engine: Catalog.from_metadata(application.base(), name="app"),
        lambda _, engine: Catalog.from_metadata(engine, name="app"),
    ],
    ids=["by models", "by reflection"],
)
def test_an_application_is_restored_without_a_declaration(
    application: RealApplication,
    filled: str,
    tmp_path: Path,
    adopt: Callable[[RealApplication, sa.Engine], Catalog],
) -> None:
    """Into a database that it made itself; equal bytes, and it reads what it wrote."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    application.make(other)
    source, target = sa.create_engine(filled), sa.create_engine(other)
    catalog = adopt(application, source)
    assert not {name for name in catalog.coverage() if name != VERSION_TABLE}
    manifest = export_all(source, tmp_path / "a", catalog=catalog)
    empty(target)
    report = import_all(target, tmp_path / "a", catalog=catalog)
    assert report.imported == sum(entry.record_count for entry in manifest.files) > 50
    export_all(target, tmp_path / "b", catalog=catalog)
    assert entity_bytes(tmp_path / "a") == entity_bytes(tmp_path / "b")
    assert application.read(other) == application.read(filled)
    source.dispose()
    target.dispose()


def empty(engine: sa.Engine) -> None:
    """Delete the rows that an application puts into each new database."""
    metadata = sa.MetaData()
    with engine.begin() as connection:
        metadata.reflect(connection)
        tables = [table for table in metadata.tables.values() if table.name != VERSION_TABLE]
        without_rows(connection, tables)


def test_an_applications_database_gets_declarations(filled: str, tmp_path: Path) -> None:
    """Models and schemas that restore it, and a second run that changes nothing."""
    engine = sa.create_engine(filled)
    result = scaffold(engine, tmp_path / "app")
    assert (result.problems, result.remarks) == ([], [])
    again = scaffold(engine, tmp_path / "app")
    assert (again.written, again.changes) == ([], [])
    engine.dispose()


def test_an_applications_models_get_schemas(
    application: RealApplication, filled: str, tmp_path: Path
) -> None:
    """They are its own, imported from where they are."""
    engine = sa.create_engine(filled)
    result = scaffold(engine, tmp_path / "app", models=application.base())
    assert result.problems == []
    assert not (tmp_path / "app/models.py").exists()
    engine.dispose()
