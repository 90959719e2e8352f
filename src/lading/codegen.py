"""Compiles generated functions, with their source registered so that tracebacks show it."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from types import CodeType
from typing import Any

import msgspec

_numbers = count(1)
#: How many compiled expressions are kept.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Expression:
    """Python source over one value ``{x}``, and the names that it uses.

    ``refused`` by raising ``ValueError``; a template of ``{x}`` alone does nothing.
    """

    template: str
    names: dict[str, Any] = field(default_factory=dict)

    def function(self) -> Callable[[Any], Any]:
        """Return the expression as a function of its value."""
        source = CodeBuilder("expression")
        made: Callable[[Any], Any] = source.compile(f"lambda x: {source.use(self, 'x')}")
        return made


PLAIN = Expression("{x}")


def calling(function: Callable[[Any], Any]) -> Expression:
    """Return the expression that calls a function."""
    return Expression("call({x})", {"call": function})


class CodeBuilder:
    """Collects the names of a generated function, and compiles it."""

    def __init__(self, title: str) -> None:
        self.title = title
        #: ``UNSET`` stands in structs for fields that their records don't have.
        self.names: dict[str, Any] = {"UNSET": msgspec.UNSET}

    def name(self, value: Any, hint: str = "v") -> str:
        """Make a value known to the generated code, and return its name."""
        name = f"{hint}_{len(self.names)}"
        self.names[name] = value
        return name

    def use(self, expression: Expression, variable: str) -> str:
        """Return an expression's source over a variable."""
        names = {name: self.name(value, name) for name, value in expression.names.items()}
        text = expression.template
        for name, unique in names.items():
            text = text.replace(f"{name}(", f"{unique}(").replace(f"{name}[", f"{unique}[")
        return text.replace("{x}", variable)

    def compile(self, text: str) -> Any:
        """Evaluate a generated expression."""
        return eval(_code(self.title, text), self.names)  # noqa: S307 - our own source


@lru_cache(MOST)
def _code(title: str, text: str) -> CodeType:
    """Compile an expression, which differs by its names alone where schemas are alike."""
    file = f"<lading {title} {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    return compile(text, file, "eval")
