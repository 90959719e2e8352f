"""Generated code is laid out as ruff's formatter does, without ruff."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lading.scaffolding.code_layout import comment, imports, quoted, statement

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
NAME = "identifier_of_some_length"
LONG = [
    f"x = f({NAME}, {NAME}, {NAME}, {NAME})",
    f"x = f(g('{NAME}', a='{NAME}'), b=False, c=['{NAME}', '{NAME}'])",
    f"x = f(g('{NAME}{NAME}{NAME}', a='{NAME}{NAME}'))",
    f"{NAME}: Mapped[Optional[list['{NAME}{NAME}']]] = relationship('A', back_populates='b')",
    f"{NAME}: Mapped[list['{NAME}']] = relationship('{NAME}', uselist=False)",
    f"x = ('{NAME}', '{NAME}', '{NAME}', '{NAME}')",
    f"x = {{'{NAME}': '{NAME}', '{NAME}2': ['{NAME}', '{NAME}']}}",
    f"x = '{NAME}{NAME}{NAME}{NAME}'",
    f"{NAME} = '{NAME}{NAME}{NAME}'",
    f"x = relationship('{NAME}', primaryjoin=lambda: {NAME}.c.id == {NAME}.c.id)",
    f"{NAME}: Mapped[Optional['{NAME}_and_more']] = relationship('A', back_populates='b')",
    "x = f()",
    "x = (1,)",
    "x = Index('ix', unique=True)",
]


@pytest.mark.skipif(RUFF is None, reason="ruff isn't installed")
def test_statements_are_laid_out_as_ruff_does() -> None:
    """Too long for one line or not, in a class or outside of one."""
    nodes = [ast.parse(source).body[0] for source in LONG]
    lines = [statement(node) for node in nodes]
    lines += ["", "", "class A:", *(statement(node, 4) for node in nodes)]
    text = "\n".join(lines) + "\n"
    command = [str(RUFF), "format", "--isolated", "-"]
    formatted = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert text == formatted.stdout


@pytest.mark.parametrize("text", ["", "a", "it's", '"', "'\"", '\\\'""', "\n\\n", "\\", "é\x00"])
def test_strings_are_quoted_with_few_escapes(text: str) -> None:
    """By double quotes unless that needs more escapes, and they mean what they did."""
    source = quoted(text)
    assert ast.literal_eval(source) == text
    assert source.startswith('"') or text.count('"') > text.count("'")


def test_bytes_stay_as_they_are_written() -> None:
    """Only texts are quoted anew."""
    assert statement(ast.parse("x = f(b'it', 'it')").body[0]) == "x = f(b'it', \"it\")"


def test_names_are_imported_in_isorts_order() -> None:
    """Constants, classes, functions; too many of them one a line."""
    assert imports(["datetime"], {"a": ["text", "Text", "JSON"]}) == (
        "import datetime\nfrom a import JSON, Text, text"
    )
    many = [f"Name{number}" for number in range(20)]
    assert imports([], {"a": many}).splitlines()[:2] == ["from a import (", "    Name0,"]


def test_comments_are_wrapped() -> None:
    """At words, each line within the width."""
    lines = comment("word " * 40, 8).splitlines()
    assert len(lines) > 1
    assert all(line.startswith("        # word") and len(line) <= 88 for line in lines)
