"""Loads written modules under names of their own, and takes them and their mappers back.

A class that can't be mapped stays in its registry, and fails whatever is configured after it.
So registries that a trial made are disposed of, and no module keeps its name.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, registry

from lading.errors import DeclarationError, LadingError

_NUMBERS = itertools.count(1)


def fault_of_models(source: str) -> Exception | None:
    """Say why models can't be used, or what warns of them, if so; nothing stays of them.

    Args:
        source: A module's source.
    """
    name = _free_name()
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", sa.exc.SAWarning)
            exec(compile(source, f"<{name}>", "exec"), module.__dict__)  # noqa: S102
            for models in registries(vars(module).values()):
                models.configure()
    except Exception as error:
        return error
    finally:
        _forget(name)
    return None


@contextmanager
def package(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the modules ``models`` (or nothing, without one) and ``schemas`` of a package.

    Args:
        folder: The package's folder; what lies beside it can be imported as well.

    Raises:
        DeclarationError: A module can't be imported.
    """
    name = _free_name()
    parent = str(folder.resolve().parent)
    sys.path.insert(0, parent)
    importlib.invalidate_caches()
    try:
        yield _imported(name, folder)
    finally:
        if parent in sys.path:
            sys.path.remove(parent)
        _forget(name)


def _imported(name: str, folder: Path) -> tuple[Any, Any]:
    init = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(
        name, init, submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        models, schemas = (
            importlib.import_module(f"{name}.{part}") if (folder / f"{part}.py").exists() else None
            for part in ("models", "schemas")
        )
    except LadingError:
        raise
    except Exception as error:  # code of the application's own may raise anything
        raise DeclarationError(
            "package-unusable",
            f"the package {folder} can't be imported: {type(error).__name__}: {error}; correct it",
        ) from error
    return models, schemas


def registries(objects: Any) -> list[registry]:
    """Return the registries of declarative bases and mapped classes, each once."""
    models_once: dict[registry, None] = {}
    for candidate in objects:
        models = getattr(candidate, "registry", None) if isinstance(candidate, type) else None
        models = candidate if isinstance(candidate, registry) else models
        if isinstance(models, registry):
            models_once[models] = None
    return list(models_once)


def _forget(name: str) -> None:
    """Take a module back, with its submodules and their mappers."""
    modules = [key for key in sys.modules if key == name or key.startswith(f"{name}.")]
    for key in modules:
        module = sys.modules.pop(key)
        for models in registries(vars(module).values()):
            if _is_of(models, name):
                models.dispose(cascade=True)


def _is_of(models: registry, name: str) -> bool:
    """Tell whether all classes of a registry are of a module or of its submodules."""
    classes = [manager.class_ for manager in models._managers]  # mapped or not
    return all(f"{cls.__module__}.".startswith(f"{name}.") for cls in classes)


def _free_name() -> str:
    return f"_lading_init_{next(_NUMBERS)}"


def is_mapped(candidate: Any) -> bool:
    """Tell whether something is a mapped class."""
    return isinstance(candidate, type) and isinstance(sa.inspect(candidate, raiseerr=False), Mapper)
