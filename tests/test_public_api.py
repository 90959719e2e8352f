"""The public face: what ``lading`` exports is documented, and nothing leaks beside it."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import lading
from lading import errors

# What exists so far; a name appears when its feature does.
EXPECTED = {
    "Catalog",
    "Diff",
    "EntitySchema",
    "ImportPlan",
    "Manifest",
    "Owned",
    "Ref",
    "default_catalog",
    "diff",
    "export_all",
    "export_document",
    "import_order",
}


def test_all_lists_existing_names_once() -> None:
    """``__all__`` is the contract: each name is there, and stands in it once."""
    assert len(lading.__all__) == len(set(lading.__all__))
    missing = [name for name in lading.__all__ if not hasattr(lading, name)]
    assert not missing


def test_all_holds_what_the_design_names() -> None:
    """Names that others test against can't disappear."""
    assert not EXPECTED - set(lading.__all__)


def test_all_holds_every_public_error() -> None:
    """Whoever catches an error of lading's imports it from the top."""
    public = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.LadingError | UserWarning)
    }
    assert not public - set(lading.__all__)


def test_nothing_public_stands_outside_of_all() -> None:
    """A name without an underscore that isn't in ``__all__`` would be used by accident."""
    strays = [
        name
        for name, value in vars(lading).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name not in lading.__all__
    ]
    assert not [name for name in strays if name not in ("annotations", "TYPE_CHECKING")]


def test_every_public_name_has_a_docstring() -> None:
    """A public docstring gives meaning, side effects and errors; an empty one gives nothing."""
    bare = []
    for name in lading.__all__:
        value = getattr(lading, name)
        own = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
        if not (own or "").strip():
            bare.append(name)
    assert not bare


def test_every_public_method_has_a_docstring() -> None:
    """What a public class offers is documented as well as the class."""
    bare = []
    for name in lading.__all__:
        value = getattr(lading, name)
        if not inspect.isclass(value):
            continue
        for attribute, member in vars(value).items():
            is_callable = callable(member) or isinstance(member, property | classmethod)
            is_class = inspect.isclass(member)
            if attribute.startswith("_") or not is_callable or is_class:
                continue
            if not inspect.getdoc(getattr(value, attribute)):
                bare.append(f"{name}.{attribute}")
    assert not bare


def test_every_argument_is_described() -> None:
    """The reference is made of docstrings: a call with several arguments says what each means."""
    missing = []
    for name in lading.__all__:
        value = getattr(lading, name)
        built = inspect.isclass(value) and "__init__" in vars(value)
        if not (inspect.isfunction(value) or (built and not issubclass(value, Exception))):
            continue
        names = [argument for argument in inspect.signature(value).parameters if argument != "self"]
        if "Args:" in (value.__doc__ or "") or (inspect.isfunction(value) and len(names) > 3):
            missing += [f"{name}: {x}" for x in names if f"        {x}: " not in value.__doc__]
    assert not missing


def test_public_classes_say_where_they_live() -> None:
    """Every public name is defined in lading itself and not re-exported from a dependency."""
    foreign = [
        name
        for name in lading.__all__
        if not getattr(getattr(lading, name), "__module__", "lading").startswith("lading")
    ]
    assert not foreign


def test_no_public_name_is_a_modules() -> None:
    """Importing a module of the package sets an attribute of its name, which would hide ours."""
    modules = {module.name for module in pkgutil.iter_modules(lading.__path__)}
    assert not modules & set(lading.__all__)


def test_types_and_values_come_from_the_same_modules() -> None:
    """What type checkers read of a name is what is imported when it is used."""
    tree = ast.parse(Path(lading.__file__).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in blocks[0].body if isinstance(node, ast.ImportFrom)]
    checked = {alias.name: node.module for node in imports for alias in node.names}
    assert checked == lading._MODULES


def test_dir_lists_what_is_not_imported_yet() -> None:
    """Whoever explores the package finds all of it."""
    assert set(lading.__all__) <= set(dir(lading))


def test_an_unknown_name_is_no_attribute() -> None:
    """It raises what a module without ``__getattr__`` does."""
    with pytest.raises(AttributeError, match="module 'lading' has no attribute 'exporter_all'"):
        lading.exporter_all  # noqa: B018


DECLARES = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from lading import Catalog, EntitySchema, Owned, Ref, default_catalog

class Base(DeclarativeBase):
    pass

class Thing(Base):
    __tablename__ = "things"
    slug: Mapped[str] = mapped_column(primary_key=True)

class ThingSchema(EntitySchema):
    class Meta:
        model = Thing
        catalog = Catalog("things", keep_ids=True, leaves_out={"others": "rubbish"})
"""


STARTS = "from lading import export_all, export_document, import_all, import_document"


@pytest.mark.parametrize(
    "code",
    ["import lading; dir(lading)", DECLARES, STARTS],
    ids=["import", "declare", "names"],
)
def test_declaring_imports_nothing_that_only_exports_and_imports_need(code: str) -> None:
    """An application pays for the rest where it exports or imports, which most of it doesn't."""
    imported = _modules_after(code)
    heavy = {"networkx", "marshmallow_sqlalchemy", "msgspec", "sqlite3", "hypothesis", "rich"}
    assert not heavy & imported
    parts = {name.split(".")[1] for name in imported if name.startswith("lading.")}
    declared = {"catalog", "errors", "mapping", "messages", "model", "schema", "values"}
    assert parts <= {*declared, "exporter", "importer", "options", "report"}
    assert "lading.mapping.derivation" not in imported


def test_importing_lading_imports_neither_of_the_libraries_that_it_builds_on() -> None:
    """The command starts without them, for its help and its completion."""
    assert not {"sqlalchemy", "marshmallow"} & _modules_after("import lading")


def test_a_catalog_alone_adopts_a_database() -> None:
    """Nobody needs to have imported ``EntitySchema`` before."""
    code = (
        "from lading import Catalog; import sqlalchemy as sa; e = sa.create_engine('sqlite://'); "
    )
    code += "c = e.connect(); c.exec_driver_sql('CREATE TABLE t (slug TEXT)'); "
    code += "c.exec_driver_sql('CREATE TABLE u (slug TEXT NOT NULL PRIMARY KEY)'); "
    code += "assert [c.entity for c in Catalog.from_metadata(c).choices()] == ['u']"
    _modules_after(code)


def _modules_after(code: str) -> set[str]:
    """Return the modules that a new process has imported after running code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    run = [sys.executable, "-c", script]
    return set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())
