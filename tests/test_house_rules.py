"""What holds for each module, class and function of lading, so that a stranger finds a way."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
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


def test_public_functions_describe_their_arguments() -> None:
    """Of more than three, each stands under ``Args:``; a command's are told by its options."""
    bare = [
        f"{path}, {node.name}"
        for path, tree in TREES.items()
        for node in public_functions(tree)
        if len(parameters_of(node)) > 3
        and not {"command", "overload", "wraps"} & set(decorators_of(node))
        and "Args:" not in (ast.get_docstring(node) or "")
    ]
    assert not bare, "\n".join(bare)


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions and methods of a module that others may call."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in inner:
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
                yield function


def parameters_of(function: ast.FunctionDef) -> list[str]:
    """Name what a caller gives."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    more = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [arg.arg for arg in (*named, *more) if arg.arg not in ("self", "cls")]


def decorators_of(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names of a function's decorators, without their modules."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        yield ast.unparse(called).rpartition(".")[2]


def test_no_class_has_the_name_of_another() -> None:
    """One word means one thing."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path))
    twice = [f"{name}: {', '.join(paths)}" for name, paths in places.items() if len(paths) > 1]
    assert not twice, "\n".join(twice)
