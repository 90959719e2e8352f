"""How a module of schemas names models: what it imports, and the expression for each class."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

#: What a module of schemas calls other things.
_TAKEN = ("catalog",)


@dataclass(slots=True)
class ModelPlaces:
    """The expression for each model that can be imported, and the statements that import it."""

    expressions: dict[type, str] = field(default_factory=dict)
    imports: dict[type, str] = field(default_factory=dict)

    def lines(self, models: Iterable[type]) -> list[str]:
        """Return the statements that import some models, in order and each once."""
        return sorted({self.imports[model] for model in models if model in self.imports})


def of_package(classes: Iterable[type], names: dict[type, str]) -> ModelPlaces:
    """Return the places of the models in the package's own module."""
    places = ModelPlaces()
    for model in classes:
        places.expressions[model] = f"models.{names[model]}"
        places.imports[model] = "from . import models"
    return places


def of_modules(classes: Collection[type]) -> ModelPlaces:
    """Return the places of models wherever they are; classes inside of functions have none."""
    places = ModelPlaces()
    aliases: dict[str, str] = {}
    modules = sorted({model.__module__ for model in classes} & sys.modules.keys())
    for model in classes:
        home = _home(model, modules)
        if home is None:
            continue
        module, name = home
        if module not in aliases:
            free = (alias for alias in _aliases(module) if alias not in aliases.values())
            aliases[module] = next(alias for alias in free if alias not in _TAKEN)
        places.expressions[model] = f"{aliases[module]}.{name}"
        places.imports[model] = import_of(module, aliases[module])
    return places


def _home(model: type, modules: Sequence[str]) -> tuple[str, str] | None:
    """Return a module that has a class, and what it calls it; ``declarative_base()`` knows none."""
    if getattr(sys.modules.get(model.__module__), model.__qualname__, None) is model:
        return model.__module__, model.__qualname__
    for module in modules:
        for name, value in vars(sys.modules[module]).items():
            if value is model:
                return module, name
    return None


def import_of(module: str, alias: str) -> str:
    """Return the statement that imports a module under a name."""
    parent, _, last = module.rpartition(".")
    suffix = "" if alias == last else f" as {alias}"
    return f"from {parent} import {last}{suffix}" if parent else f"import {last}{suffix}"


def _aliases(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from ("_".join(parts[start:]) for start in reversed(range(len(parts))))
    yield from (f"{'_'.join(parts)}_{number}" for number in itertools.count(2))
