"""Adds lines to modules that people edit: each stands between theirs, and none of theirs moves."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lading.errors import DeclarationError
from lading.scaffolding.code_layout import imports


class Module:
    """A module's text, with lines to add.

    Args:
        path: Where the module is; a missing one is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        try:
            self.text = content.decode("utf-8")
            self.tree = ast.parse(self.text, path.name)
        except (SyntaxError, ValueError) as error:
            raise DeclarationError(
                "package-unusable", f"{path} isn't Python that can be read: {error}; correct it"
            ) from error
        self.newline = "\r\n" if b"\r\n" in content else "\n"
        self._added: dict[int, list[str]] = {}

    @property
    def is_changed(self) -> bool:
        """Whether a line was added."""
        return bool(self._added)

    def class_named(self, name: str) -> ast.ClassDef | None:
        """Return a class of the module by its name."""
        return next((node for node in self.classes() if node.name == name), None)

    def classes(self) -> list[ast.ClassDef]:
        """Return the module's classes."""
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]

    def insert(self, after: int, text: str) -> None:
        """Add lines after another, by its number, counted from 1.

        Args:
            after: The line's number; 0 is the place before the first.
            text: The lines, without the last one's end.
        """
        self._added.setdefault(after, []).append(text)

    def append_block(self, text: str, after: ast.stmt | None = None) -> None:
        """Add a class, or another statement, after one of the module or at its end.

        Args:
            text: Its lines.
            after: The statement that it follows.
        """
        end = after.end_lineno if after is not None else len(self.text.splitlines())
        self.insert(end or 0, f"\n\n{text}")

    def add_imports(self, wanted: Mapping[str, Iterable[str]], modules: Iterable[str]) -> None:
        """Import what isn't bound yet, each beside its like.

        Args:
            wanted: By module, the names to import from it.
            modules: The modules to import whole.
        """
        bound = self.bound_names()
        for module in modules:
            if module.split(".")[0] not in bound:
                self.insert(self._import_place(ast.Import), f"import {module}")
        for module, names in sorted(wanted.items()):
            if missing := set(names) - bound:
                place = self._import_place(ast.ImportFrom, module)
                self.insert(place, imports((), {module: missing}))

    def add_import(self, line: str) -> None:
        """Add a statement that imports one module, unless there is one that does."""
        node = ast.parse(line).body[0]
        if not any(_imports(other, node) for other in self.tree.body):
            self.insert(self._import_place(type(node)), line)

    def bound_names(self) -> set[str]:
        """Return the names that the module binds, but those inside of classes and functions."""
        names: set[str] = set()
        for node in _outermost(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
        return names

    def _import_place(self, kind: type[ast.stmt], module: str | None = None) -> int:
        """Return the line after which an import stands best.

        Args:
            kind: Which statement it is.
            module: Where it imports from.
        """
        body = self.tree.body
        every: list[ast.stmt] = [
            node for node in body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        alike = [node for node in every if type(node) is kind]
        same = [node for node in alike if module and getattr(node, "module", None) == module]
        after = [node for node in every if getattr(node, "module", None) != "__future__"]
        if kind is ast.Import and not alike and after:
            return after[0].lineno - 1
        best = (same or alike or every or [n for n in body[:1] if isinstance(n, ast.Expr)])[-1:]
        return best[0].end_lineno or 0 if best else 0

    def source(self) -> str:
        """Return the text with what was added."""
        lines = self.text.splitlines(keepends=True)
        if lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += self.newline
        parts: list[str] = []
        for number in range(len(lines) + 1):
            if number:
                parts.append(lines[number - 1])
            for text in self._added.get(number, ()):
                parts += [line + self.newline for line in text.split("\n")]
        return "".join(parts)


def _outermost(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a module holds, but for what classes and functions do."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _outermost(child)


def _imports(node: ast.stmt, wanted: ast.stmt) -> bool:
    """Tell whether a statement imports all that another does, under the same names."""
    if type(node) is not type(wanted) or not isinstance(node, ast.Import | ast.ImportFrom):
        return False
    places = [(getattr(n, "module", None), getattr(n, "level", 0)) for n in (node, wanted)]
    names = [{(a.name, a.asname) for a in n.names} for n in (node, wanted)]  # type: ignore[attr-defined]
    return places[0] == places[1] and names[1] <= names[0]
