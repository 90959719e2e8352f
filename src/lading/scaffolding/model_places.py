"""How a module of schemas names models: what it imports, and the expression for each class."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
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


def of_modules(classes: Iterable[type]) -> ModelPlaces:
    """Return the places of models wherever they are; classes inside of functions have none."""
    places = ModelPlaces()
    aliases: dict[str, str] = {}
    for model in classes:
        module = sys.modules.get(model.__module__)
        if getattr(module, model.__qualname__, None) is not model:
            continue
        if model.__module__ not in aliases:
            free = (name for name in _aliases(model.__module__) if name not in aliases.values())
            aliases[model.__module__] = next(name for name in free if name not in _TAKEN)
        alias = aliases[model.__module__]
        places.expressions[model] = f"{alias}.{model.__qualname__}"
        places.imports[model] = import_of(model.__module__, alias)
    return places


def import_of(module: str, alias: str) -> str:
    """Return the statement that imports a module under a name."""
    parent, _, last = module.rpartition(".")
    suffix = "" if alias == last else f" as {alias}"
    return f"from {parent} import {last}{suffix}" if parent else f"import {last}{suffix}"


def _aliases(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from ("_".join(parts[start:]) for start in reversed(range(len(parts))))
    yield from (f"{'_'.join(parts)}_{number}" for number in itertools.count(2))
