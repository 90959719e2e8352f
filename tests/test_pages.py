"""The README and the pages of ``docs/``: their code runs, and they leave nothing out."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import lading
import lading.drawing
import lading.html
import lading.testing
from lading import Finding, errors, formats
from lading.cli.main import main
from support.pages import blocks_of, has_code

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "lading"
README = ROOT / "README.md"
WITH_CODE = [page for page in (README, *sorted(DOCS.rglob("*.md"))) if has_code(page)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """Every block does what the page shows of it; ``support.pages`` says how it is read."""
    folder = tmp_path / "work"
    folder.mkdir()
    path = os.pathsep.join(str(ROOT / name) for name in ("tests", "schemas", "src"))
    done = subprocess.run(
        [sys.executable, "-m", "support.pages", str(page)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr


def test_the_readme_is_short() -> None:
    """It makes somebody want to try: at most 900 words, and code that is read at a glance."""
    text = README.read_text(encoding="utf-8")
    assert len(re.sub(r"<!--.*?-->", "", text, flags=re.S).split()) <= 900
    first = next(block for block in blocks_of(text) if block.language == "python")
    assert first.code.count("\n") <= 30


def test_the_links_of_the_readme_lead_somewhere() -> None:
    """Sphinx checks the links of the pages; the README isn't one of them."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text(encoding="utf-8"))
    assert len(links) > 10
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """Return the module that writes what pages show of the program."""
    spec = importlib.util.spec_from_file_location("generated", DOCS / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_current(generated: ModuleType) -> None:
    """What they show is as the program is now; ``make generated`` writes them."""
    stale = [path.name for path, text in generated.files() if path.read_text("utf-8") != text]
    assert not stale


def test_every_public_name_is_on_a_page() -> None:
    """The reference is complete: what users import, they can look up."""
    text = "\n".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    described = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)", text, re.M))
    names = {f"lading.{name}" for name in lading.__all__ if not name.startswith("_")}
    modules = lading.testing, lading.drawing, lading.html
    names |= {f"{module.__name__}.{name}" for module in modules for name in module.__all__}
    names -= {"lading.drawing.FORMATS"}  # which drawn lists
    names |= {f"lading.formats.{name}" for name in vars(formats) if name.endswith("_schema")}
    assert not names - described


def documented() -> Iterator[tuple[str, Any]]:
    """Yield the functions and methods that the reference shows, by the names that it has."""
    text = "\n".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md"))
    pattern = r"^\.\. auto(function|class):: ([\w.]+).*((?:\n {3}:.*)*)"
    for kind, name, options in re.findall(pattern, text, re.M):
        if kind == "function":  # which may have its module's name
            yield name, attrgetter(name.removeprefix("lading."))(lading)
            continue
        value = pkgutil.resolve_name(name)
        members = re.search(":members: (.+)", options)
        for member in members[1].split(", ") if members else ():
            method = getattr(value, member)
            if callable(method):
                yield f"{name}.{member}", method


@pytest.mark.parametrize(
    ("name", "function"), list(documented()), ids=lambda each: getattr(each, "__name__", each)
)
def test_a_function_of_the_reference_says_what_it_takes_and_returns(
    name: str, function: Any
) -> None:
    """Each parameter by its name, and no other; and what comes back."""
    signature = inspect.signature(function)
    text = inspect.getdoc(function) or ""
    arguments = re.split(r"\n(?:Returns|Yields|Raises):", text.partition("Args:")[2])[0]
    described = re.findall(r"^ {4}(\w+)(?:, \w+)*:", arguments, re.M)
    wanted = [p for p in signature.parameters if p not in ("self", "cls")]
    assert set(described) == set(wanted), name
    if signature.return_annotation not in ("None", None, inspect.Signature.empty):
        assert "Returns:" in text or "Yields:" in text, name


def test_every_guarantee_has_its_test() -> None:
    """A promise names files that exist; a name alone stands in the folder of the one before."""
    text = (DOCS / "explanation" / "guarantees.md").read_text("utf-8")
    rows = re.findall(r"^\| .* \| (`tests/.*) \|$", text, re.M)
    assert len(rows) > 35
    for row in rows:
        folder = ROOT
        for name in re.findall(r"`((?:tests/|test_)[\w/*.]+)`", row):
            path = ROOT / name if "/" in name else folder / name
            folder = path.parent
            assert list(folder.glob(path.name)), f"{row}: there is no {path}"


def test_every_command_and_option_is_on_the_page(generated: ModuleType) -> None:
    """The page of the command line is complete, whatever commands there are."""
    page = generated.commands_page()
    with click.Context(main, info_name="lading") as context:
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            assert f"(command-{name})=" in page
            flags = [flag for option in command.params for flag in option.opts]
            assert not [flag for flag in flags if flag.startswith("--") and flag not in page]
    assert "<!-- commands -->" in (DOCS / "reference" / "command-line.md").read_text("utf-8")


ERRORS = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")


def test_every_error_has_its_code_and_anchor() -> None:
    """Whoever meets an error finds its section; no two share a code."""
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.LadingError | UserWarning)
    ]
    for group, prefix in ((errors.LadingError, "error"), (UserWarning, "warning")):
        codes = [cls.code for cls in classes if issubclass(cls, group)]
        assert len(codes) == len(set(codes)) > 3
        assert not [code for code in codes if f"({prefix}-{code})=\n" not in ERRORS]


def test_every_code_has_its_anchor() -> None:
    """Of problems and errors as well as of findings; and what the page explains exists."""
    assert codes_of_source() | rules_of_findings() == {
        anchor for _, anchor in re.findall(r"^\| `([\w-]+)`\{#([a-z-]+)\} \|", ERRORS, re.M)
    }
    rows = re.findall(r"^\| `([\w-]+)`\{#([a-z-]+)\} \|", ERRORS, re.M)
    assert len({anchor for _, anchor in rows}) == len(rows)
    assert all(Finding(name, "", "", "", "", "").code == anchor for name, anchor in rows)


def test_every_error_of_a_payload_or_database_has_a_code() -> None:
    """Its text is a message with one; mypy sees to it that problems have theirs."""
    classes = {"BundleError", "ChecksumError", "VersionError", "TargetError"}
    calls = [
        call
        for call in _nodes_of_source()
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args
    ]
    raised = [call.args[0] for call in calls if getattr(call.func, "id", "") in classes]
    texts = [ast.unparse(text) for text in raised]
    assert len(texts) > 100
    assert not [
        t
        for t in texts
        if not (t.startswith(("Message(", "coded(")) or t.isupper() or t == "problem.text")
    ]


def codes_of_source() -> set[str]:
    """Return the codes that messages are written with, where they are."""
    calls = [node for node in _nodes_of_source() if isinstance(node, ast.Call)]
    places = {"Message": [0], "coded": [1], "DeclarationError": [0], "report": [0, 1]}
    arguments = [
        call.args[place]
        for call in calls
        for place in places.get(getattr(call.func, "id", getattr(call.func, "attr", "")), ())
        if place < len(call.args)
    ]
    texts = {a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return {text for text in texts if re.fullmatch("[a-z-]+", text)}


def rules_of_findings() -> set[str]:
    """Return the codes of the rules that the source of ``check`` names."""
    files = [SOURCE / "locker.py", *(SOURCE / "locking").glob("*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    rules = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', text)) - {"LOCK_VERSION"}
    return {rule.lower().replace("_", "-") for rule in rules}


def test_every_message_that_is_explained_exists() -> None:
    """A message that changes is changed on its page as well."""
    texts = "\n".join(
        node.value
        for node in _nodes_of_source()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    messages = re.findall(r"^\| `[a-z-]+`\{#[a-z-]+\} \| `([^`]+)` \|", ERRORS, re.M)
    assert len(messages) > 110
    parts = [(message, part) for message in messages for part in message.split("…")]
    spoken = [(message, part.strip(" ;,:()").removeprefix("expected ")) for message, part in parts]
    assert not [message for message, part in spoken if part not in texts]


def _nodes_of_source() -> Iterator[ast.AST]:
    for file in SOURCE.rglob("*.py"):
        yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))
