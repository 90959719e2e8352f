"""What holds for each module, class and function of lading, so that a stranger finds a way."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import lading

ROOT = Path(lading.__file__).parent
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}
#: Lines of a module, and of a function without its docstring.
MODULE, FUNCTION = 400, 40


def test_every_module_says_what_its_job_is() -> None:
    """A module's docstring is where a reader starts."""
    silent = [str(path) for path, tree in TREES.items() if not ast.get_docstring(tree)]
    assert not silent, f"without a docstring: {', '.join(silent)}"


def test_no_module_is_long() -> None:
    """A module of more lines does several jobs."""
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in TREES}
    long = [f"{path}: {count} lines" for path, count in lines.items() if count > MODULE]
    assert not long, "\n".join(long)


def test_no_function_is_long() -> None:
    """A function is read at a glance; what its docstring tells of arguments doesn't count."""
    long = [
        f"{path}, {node.name}: {lines_of(node)} lines"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and lines_of(node) > FUNCTION
    ]
    assert not long, "\n".join(long)


def lines_of(function: ast.FunctionDef) -> int:
    """Count a function's lines without its docstring."""
    assert function.end_lineno is not None
    whole = function.end_lineno - function.lineno + 1
    docstring = function.body[0] if ast.get_docstring(function, clean=False) else None
    if docstring is None or docstring.end_lineno is None:
        return whole
    return whole - (docstring.end_lineno - docstring.lineno + 1)


def test_no_class_has_the_name_of_another() -> None:
    """One word means one thing."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path))
    twice = [f"{name}: {', '.join(paths)}" for name, paths in places.items() if len(paths) > 1]
    assert not twice, "\n".join(twice)
