"""Each module of lading imports only from the layers below its own, and none in a circle.

The layers are those that ``pyproject.toml`` gives to import-linter: they are written down once.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import networkx as nx

import lading

ROOT = Path(lading.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
TREES = {
    ".".join(("lading", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): (
        ast.parse(path.read_text())
    )
    for path in sorted(ROOT.rglob("*.py"))
}


def layers() -> list[list[str]]:
    """Return the layers, highest first; each lists its modules and folders."""
    contracts = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]
    lines: list[str] = next(c["layers"] for c in contracts if c["type"] == "layers")
    return [[name.strip(" ()") for name in line.replace("|", ":").split(":")] for line in lines]


def part_of(module: str) -> str:
    """Return the member of a layer that a module belongs to."""
    return module.removeprefix("lading").lstrip(".").split(".")[0]


def module_of(name: str) -> str:
    """Return the module that a dotted name is or stands in."""
    return name if name in TREES else module_of(name.rpartition(".")[0])


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of lading that a module imports, for types alone as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides its layer"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (module_of(name) for name in names if name.split(".")[0] == "lading")


def graph() -> nx.DiGraph[str]:
    """Return an edge from each module to each that it imports."""
    edges: nx.DiGraph[str] = nx.DiGraph()
    for module, tree in TREES.items():
        edges.add_edges_from((module, name) for name in imported(tree) if name != module)
    return edges


def test_imports_only_from_layers_below() -> None:
    """A module that reached upwards would tie two jobs together."""
    rank = {name: -number for number, names in enumerate(layers()) for name in names}
    rank[""] = 1
    missing = sorted({part_of(module) for module in TREES} - set(rank))
    assert not missing, f"{', '.join(missing)}: without a layer; give it one in pyproject.toml"
    upwards = [
        f"{module} imports {name}, which stands above it"
        for module, name in graph().edges
        if rank[part_of(name)] > rank[part_of(module)]
    ]
    assert not upwards, "\n".join(upwards)


def folder_of(module: str) -> str:
    """Return the folder that a module is in, which is the module itself at the top."""
    is_folder = ROOT.joinpath(*module.split(".")[1:]).is_dir()
    above = module.rpartition(".")[0]
    return module if is_folder or above == "lading" else above


def circles(edges: nx.DiGraph[str]) -> list[str]:
    """Name what imports each other, directly or through others."""
    knots = nx.strongly_connected_components(edges)
    return [", ".join(sorted(knot)) for knot in knots if len(knot) > 1]


def test_no_modules_import_each_other() -> None:
    """None can be read without the other, nor imported in another order."""
    found = circles(graph())
    assert not found, "\n".join(found)


def test_no_folders_import_each_other() -> None:
    """Two folders that need each other are one room with a wall through it."""
    edges: nx.DiGraph[str] = nx.DiGraph()
    edges.add_edges_from((folder_of(one), folder_of(other)) for one, other in graph().edges)
    edges.remove_edges_from([*nx.selfloop_edges(edges)])
    found = circles(edges)
    assert not found, "\n".join(found)


def test_no_underscored_name_of_another_module() -> None:
    """What a module underscores is its own business."""
    private = [
        f"{module} imports {alias.name} of {node.module}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lading")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not private, "\n".join(private)


def test_every_import_is_counted() -> None:
    """Those inside of functions, and those for types alone."""
    source = (
        "from typing import TYPE_CHECKING\n"
        "from lading.errors import LadingError\n"
        "if TYPE_CHECKING:\n"
        "    from lading.report import ImportReport\n"
        "def late():\n"
        "    from lading import exporter\n"
    )
    assert sorted(imported(ast.parse(source))) == [
        "lading.errors",
        "lading.exporter",
        "lading.report",
    ]
