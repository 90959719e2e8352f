"""Where a catalog comes from: the option, the variable, the project, or nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.conftest import DECLARED
from lading import Catalog

MODULE = f"""{DECLARED}
class Deep:
    inside = catalog

def make():
    return catalog

def needs(argument):
    return catalog

def fails():
    raise RuntimeError("out of order")

number = 3
"""


@pytest.fixture(autouse=True)
def modules(folder, monkeypatch):
    """A module of an application, which is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("shop_schemas.py").write_text(MODULE)
    Path("shop_broken.py").write_text("import sqlalchemy\n\nimport nowhere_at_all\n")
    Path("shop_exits.py").write_text("raise SystemExit('no settings')\n")
    yield
    for name in ("shop_schemas", "shop_broken", "shop_exits", "shop_later"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "name",
    [
        "shop_schemas",
        "shop_schemas:catalog",
        "shop_schemas:make",
        "shop_schemas:Deep.inside",
    ],
)
def test_a_catalog_is_named_by_module_and_attribute(run, shop, name) -> None:
    """The module may stand alone where it has one catalog; a function is called."""
    result = run("export", shop, "backup", "--catalog", name)
    assert "1 entity, 3 records" in result.stdout
    assert "No catalog is named" not in result.stderr


@pytest.mark.parametrize("name", ["shop_schemas:Base", "shop_schemas:Base.metadata"])
def test_models_are_adopted(run, shop, name) -> None:
    """A declarative base or a MetaData is as good as a catalog of what it has."""
    assert "1 entity, 3 records" in run("export", shop, "backup", "--catalog", name).stdout


def test_the_variable_and_the_project_name_it_as_well(run, shop, monkeypatch, folder) -> None:
    """The option counts before the variable, and the variable before the project."""
    Path("pyproject.toml").write_text('[tool.lading]\ncatalog = "shop_schemas:catalog"\n')
    assert "1 entity" in run("export", shop, "a").stdout
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert "1 entity" in run("export", shop, "a").stdout
    monkeypatch.setenv("LADING_CATALOG", "shop_schemas:number")
    assert "LADING_CATALOG 'shop_schemas:number' is 3" in run("export", shop, "b", code=2).stderr
    assert "1 entity" in run("export", shop, "c", "--catalog", "shop_schemas:make").stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shop_schemas:number", "is 3; expected a Catalog, a declarative base"),
        ("shop_schemas:needs", "failed: TypeError: needs() missing"),
        ("shop_schemas:fails", "failed: RuntimeError: out of order ("),
        ("shop_schemas:catalogue", "has no 'catalogue'; expected one of: catalog"),
        ("shop_nowhere:catalog", "there is no module 'shop_nowhere'"),
        ("shop_broken:catalog", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("shop_exits:catalog", "SystemExit: no settings"),
        ("shop_schemas:", "expected 'module:attribute'"),
        (":catalog", "expected 'module:attribute'"),
        ("", "expected 'module:attribute'"),
        ("shop schemas:catalog", "there is no module 'shop schemas'"),
        ("json:dumps", "failed: TypeError: dumps() missing"),
        (
            "json",
            "the module has 0 catalogs; expected module:attribute of a catalog, and it has no",
        ),
        ("shop_alone", "the module has 0 catalogs; expected shop_alone.schemas:catalog."),
        ("json:catalog", "has no 'catalog'; expected module:attribute of a catalog, and it has no"),
        ("shop_package:catalog", "expected shop_package.schemas:catalog"),
        ("..:x", "expected 'module:attribute'"),
    ],
)
def test_names_that_lead_nowhere_say_why(run, shop, name, message) -> None:
    """It is wrong usage, told in one message without a traceback."""
    for package in ("shop_package", "shop_alone"):
        Path(package).mkdir()
        for module in ("__init__", "schemas"):
            Path(package, f"{module}.py").touch()
    result = run("export", shop, "backup", "--catalog", name, code=2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_the_extension_of_flask_is_told_from_its_base(run, shop, folder) -> None:
    """`db` is what people have at hand; `db.Model` is what has the tables."""
    (folder / "flask_shop.py").write_text("import flask_sqlalchemy as f\ndb = f.SQLAlchemy()\n")
    result = run("export", shop, "backup", "--catalog", "flask_shop:db", code=2)
    assert "Of Flask-SQLAlchemy, name db.Model." in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.lading]\ncatalogue = 'x'\n", "unknown key 'catalogue'; expected one of: catalog"),
        ("[tool.lading]\ncatalog = 3\n", "catalog is 3; expected 'module:attribute'"),
        ("[tool]\nlading = 3\n", "[tool.lading] is 3; expected a table"),
        ("[tool.lading", "can't be read"),
    ],
)
def test_mistakes_of_the_project_are_told_with_its_file(run, shop, folder, text, message) -> None:
    """Nothing in the project's table is passed over."""
    Path("pyproject.toml").write_text(text)
    stderr = run("export", shop, "backup", code=2).stderr
    assert message in stderr
    assert str(folder / "pyproject.toml") in stderr


def test_mistakes_of_declarations_are_all_listed(run, shop) -> None:
    """As the library lists them; the code is that of wrong usage."""
    Path("shop_schemas.py").write_text(
        MODULE.replace("class Meta:", "class Meta:\n        natural_key = 'sku'")
    )
    stderr = run("inspect", shop, "--catalog", "shop_schemas", code=2).stderr
    assert "'sku'" in stderr


def test_another_key_of_a_bundle_is_given_no_reasons(run, shop) -> None:
    """The catalog says why it has its own key, and not why an older bundle had another."""
    run("export", shop, "b", "--catalog", "shop_schemas")
    assert "    key: slug (" in run("inspect", "b", "--catalog", "shop_schemas").stdout
    by_price = MODULE.replace("class Meta:", "class Meta:\n        natural_key = 'price'")
    Path("shop_later.py").write_text(by_price)
    assert "    key: slug\n" in run("inspect", "b", "--catalog", "shop_later").stdout


def test_owned_is_for_reflection_alone(run, shop) -> None:
    """A declared catalog says by itself what is owned."""
    assert (
        "--owned" in run("export", shop, "b", "--owned", "--catalog", "shop_schemas", code=2).stderr
    )


def test_a_bundle_alone_says_what_it_needs(run, backup) -> None:
    """A comparison needs a catalog, or a database to take it from."""
    stderr = run("diff", backup, backup, code=2).stderr
    assert "expected --catalog, LADING_CATALOG or [tool.lading]" in stderr


def test_the_database_of_a_bundle_stands_in_for_a_catalog(run, backup, shop, monkeypatch) -> None:
    """By --database, or by DATABASE_URL."""
    run("diff", backup, backup, "--database", shop)
    monkeypatch.setenv("DATABASE_URL", shop)
    run("diff", backup, backup)
    run("verify", backup, "--restore")


def test_a_project_that_names_no_catalog_is_passed_over(run, shop) -> None:
    """The database is taken as it is, and projects above aren't asked."""
    Path("pyproject.toml").write_text("[tool.other]\n")
    result = run("export", shop, "backup")
    assert "2 entities, 5 records" in result.stdout


def test_a_module_without_a_catalog_may_fill_the_default_one(run, shop, monkeypatch) -> None:
    """What a script declares belongs to it."""
    filled = Catalog("scripts")
    monkeypatch.setattr("lading.cli.declared.default_catalog", filled)
    Path("shop_script.py").write_text(
        DECLARED.replace('catalog = Catalog("shop")', "from lading.cli import declared").replace(
            "catalog = catalog", "catalog = declared.default_catalog"
        )
    )
    monkeypatch.delitem(sys.modules, "shop_script", raising=False)
    assert "1 entity, 3 records" in run("export", shop, "backup", "--catalog", "shop_script").stdout
