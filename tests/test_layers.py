"""Each module of lading imports only from the layers below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lading

ROOT = Path(lading.__file__).parent

# A module may import from its own layer and from any before it; a folder counts whole.
LAYERS: list[set[str]] = [
    {"errors", "version"},
    {"jsontext", "rules", "shaperules", "kind", "moments", "values", "arrays"},
    {"keys", "manifest", "report"},
    {"declare"},
    {"derive", "options"},
    {"engine"},
    {"bundle"},
    {"payload", "contents", "contradictions", "formats"},
    {"goldens"},
    {"exporter", "importer", "upgrader", "verifier", "differ", "jsonschemas", "locking"},
    {"testing"},
    {"show", "cli"},
    {"__init__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# What a folder may import beside itself, where the layer alone allows too much.
NARROW = {"bundle": {"errors", "jsontext", "rules", "shaperules", "manifest", "bundle"}}
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


def part_of(module: str) -> str:
    """Return the layer's member that a dotted name or a path belongs to."""
    return module.removesuffix(".py").split("/")[0].split(".")[0]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the members of lading that a module imports when it runs."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides its layer"
            module = str(node.module)
            within = module == "lading"
            names = [f"{module}.{alias.name}" if within else module for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "lading":
                yield part_of(name.removeprefix("lading").lstrip(".") or "__init__")


@pytest.mark.parametrize("path", MODULES)
def test_imports_only_from_layers_below(path: str) -> None:
    """A module that reached upwards would tie two jobs together."""
    part = part_of(path)
    assert part in RANK, f"{path} belongs to no layer; give it one here and in pyproject.toml"
    for name in imported(ast.parse((ROOT / path).read_text())):
        assert RANK[name] <= RANK[part], f"{path} imports {name}, which stands above {part}"
        assert name in NARROW.get(part, RANK), f"{path} imports {name}; {part} may not"


@pytest.mark.parametrize("path", MODULES)
def test_no_underscored_name_of_another_module(path: str) -> None:
    """What a module underscores is its own business."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lading"):
            names = [alias.name for alias in node.names]
            private = [n for n in names if n.startswith("_") and not n.startswith("__")]
            assert not private, f"{path} imports {', '.join(private)} of {node.module}"


@pytest.mark.parametrize("path", MODULES)
def test_every_module_says_what_its_job_is(path: str) -> None:
    """A module's docstring is where a reader starts."""
    assert ast.get_docstring(ast.parse((ROOT / path).read_text())), f"{path} has no docstring"


def test_typing_imports_are_not_counted() -> None:
    """The walk sees what runs: a guard for types alone ties nothing."""
    source = (
        "from typing import TYPE_CHECKING\n"
        "from lading.errors import shown\n"
        "if TYPE_CHECKING:\n"
        "    from lading.engine.read import RecordReader\n"
        "def late():\n"
        "    from lading import exporter\n"
    )
    assert list(imported(ast.parse(source))) == ["errors", "exporter"]
