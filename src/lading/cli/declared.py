"""The catalog that an application declares: by option, variable, or its pyproject.toml."""

from __future__ import annotations

import os
import sys
import tomllib
import traceback
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from lading.catalog import Catalog, default_catalog
from lading.errors import DeclarationError
from lading.messages import counted, nearest, shown

VARIABLE = "LADING_CATALOG"
PROJECT = "pyproject.toml"
#: What ``[tool.lading]`` may hold.
SETTINGS = ("catalog",)
EXPECTED = "a Catalog, a declarative base, a registry, a MetaData, or a function that returns one"


def declared_catalog(option: str | None) -> Catalog | None:
    """Return the catalog that the option, the variable or the project names, if any does.

    Raises ``UsageError`` for a name that leads to no catalog.

    Args:
        option: What ``--catalog`` says, as ``module:attribute``.
    """
    _add_to_path(Path.cwd())
    if option is not None:
        return _loaded(option, "--catalog")
    if name := os.environ.get(VARIABLE):
        return _loaded(name, VARIABLE)
    return _of_project()


def _of_project() -> Catalog | None:
    folder = Path.cwd()
    for place in (folder, *folder.parents):
        if (file := place / PROJECT).is_file():
            name = _setting(file)
            if name is None:
                return None
            _add_to_path(place)
            return _loaded(name, f"{file}: [tool.lading] catalog")
    return None


def _setting(file: Path) -> str | None:
    """Return the catalog that a project's file names."""
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{file} can't be read: {error}.") from None
    settings = tool.get("lading", {}) if isinstance(tool, dict) else {}
    if not isinstance(settings, dict):
        raise click.UsageError(f"{file}: [tool.lading] is {shown(settings)}; expected a table.")
    for key in settings:
        if key not in SETTINGS:
            raise click.UsageError(
                f"{file}: [tool.lading] has an unknown key {key!r}; expected one of: "
                f"{nearest(key, SETTINGS)}."
            )
    name = settings.get("catalog")
    if name is not None and not isinstance(name, str):
        raise click.UsageError(
            f"{file}: [tool.lading] catalog is {shown(name)}; expected 'module:attribute'."
        )
    return name


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _loaded(name: str, where: str) -> Catalog:
    """Import the module of a catalog, and return the catalog."""
    module_name, colon, attribute = name.partition(":")
    if module_name.startswith(".") or not module_name or (colon and not attribute):
        raise click.UsageError(f"{where} is {name!r}; expected 'module:attribute'.")
    module = _imported(module_name, f"{where} {name!r}")
    if not colon:
        return _sole_catalog(module, f"{where} {name!r}")
    return _catalog_of(_attribute(module, attribute, f"{where} {name!r}"), f"{where} {name!r}")


def named_models(name: str, option: str) -> Any:
    """Return the declarative base, registry or list of models that an option names.

    Raises ``UsageError`` for a name that leads nowhere.

    Args:
        name: What the option says, as ``module:attribute``.
        option: What it is called.
    """
    _add_to_path(Path.cwd())
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise click.UsageError(f"{option} is {name!r}; expected 'module:attribute'.")
    module = _imported(module_name, f"{option} {name!r}")
    return _attribute(module, attribute, f"{option} {name!r}")


def _attribute(module: Any, attribute: str, where: str) -> Any:
    """Return what a module calls by a dotted name."""
    value = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            names = list(_candidates(value))
            expected = f"one of: {nearest(part, names)}" if names else _elsewhere(module, part)
            raise click.UsageError(
                f"{where}: {module.__name__} has no {part!r}; expected {expected}."
            )
        value = getattr(value, part)
    return value


def _elsewhere(module: Any, name: str) -> str:
    """Say what to write for a module without a catalog; ``lading init`` puts one in a submodule."""
    submodule = f"{module.__name__}.schemas"
    is_there = hasattr(module, "__path__") and find_spec(submodule) is not None
    return f"{submodule}:{name}" if is_there else "module:attribute of a catalog, and it has none"


def _candidates(module: Any) -> Iterator[str]:
    """Name what a module has that is a catalog, or can be made one."""
    for name, value in vars(module).items():
        is_model = hasattr(value, "__table__")
        metadata = getattr(value, "metadata", None) if isinstance(value, type) else value
        if isinstance(metadata, Catalog | sa.MetaData) and not is_model:
            yield name


def _sole_catalog(module: Any, where: str) -> Catalog:
    """Return the catalog of a module that is named alone."""
    catalogs = [value for value in vars(module).values() if isinstance(value, Catalog)]
    if len(catalogs) == 1:
        return catalogs[0]
    if not catalogs and default_catalog.schemas:
        return default_catalog
    known = ", ".join(_candidates(module))
    expected = f"module:attribute with one of: {known}" if known else _elsewhere(module, "catalog")
    raise click.UsageError(
        f"{where}: the module has {counted(len(catalogs), 'catalog')}; expected {expected}."
    )


def _imported(module_name: str, where: str) -> Any:
    try:
        return import_module(module_name)
    except click.ClickException:
        raise
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise click.UsageError(
                f"{where}: there is no module {error.name!r}; expected one that Python can import "
                f"from here ({Path.cwd()}) or has installed."
            ) from None
        raise click.UsageError(_broken_text(where, error)) from None
    except (Exception, SystemExit) as error:  # the application's own mistakes
        raise click.UsageError(_broken_text(where, error)) from None


def _broken_text(where: str, error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}, line {frame.lineno}"
    return f"{where} failed: {type(error).__name__}: {error} ({place})."


def _catalog_of(value: Any, where: str) -> Catalog:
    """Return the catalog that an attribute is, returns or describes."""
    if callable(value) and not isinstance(value, type | Catalog):
        try:
            value = value()
        except Exception as error:
            raise click.UsageError(_broken_text(where, error)) from None
    if isinstance(value, Catalog):
        return value
    try:
        return Catalog.from_metadata(value)
    except DeclarationError:
        is_extension = hasattr(value, "Model") and hasattr(value, "metadatas")
        hint = " Of Flask-SQLAlchemy, name db.Model." if is_extension else ""
        text = f"{where} is {shown(value)}; expected {EXPECTED}.{hint}"
        raise click.UsageError(text) from None
