"""The code of Markdown pages: which blocks there are, and whether they do what they show.

The blocks of a page share one namespace and one folder, and run in the page's order:

- ``python`` runs; a ``text`` block right after it is what it prints, or its error as
  ``NameOfError: message``.
- ``console`` runs each line that begins with ``$``; the lines below are its output.
- a ``{code-block}`` with a ``:caption:`` is the file of that name, and is written.

``...`` stands for any text within an output.  A comment ``<!-- not run: why -->`` before a block
leaves it out, and a comment that begins with ``<!-- run`` holds Python that readers don't see.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

FENCE = re.compile(
    r"^(?P<indent> *)(?P<mark>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^ *(?P=mark) *$", re.M | re.S
)
HIDDEN = re.compile(r"^<!-- run\n(?P<body>.*?)^-->", re.M | re.S)
OPTION = re.compile(r":(\w[\w-]*):[ \t]*(.*)\n")
LEFT_OUT = re.compile(r"<!--\s*not run:\s*\S.*?-->\s*\Z", re.S)
#: What is only looked at.
SHOWN = {"text", "json", "toml", "yaml", "ini", "sql", "gitattributes"}
#: A page's commands, where nothing is installed: each is a module of Python's.
COMMANDS = {"python": "", "lading": "-m lading", "pytest": "-m pytest", "flask": "-m flask"}


@dataclass(frozen=True)
class Block:
    """One block of a page: ``line`` counts from 1, ``caption`` is the file that it is."""

    line: int
    language: str
    caption: str | None
    code: str
    runs: bool
    follows: bool  # right after the block before it


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of a page."""
    end = 0
    fences = [(match.start(), match) for match in FENCE.finditer(text)]
    hidden = [(match.start(), match) for match in HIDDEN.finditer(text)]
    for start, match in sorted(fences + hidden, key=lambda pair: pair[0]):
        code, caption = textwrap.dedent(match["body"]), None
        line = text.count("\n", 0, start) + 1
        if match.re is HIDDEN:
            yield Block(line, "python", None, code, runs=True, follows=False)
            continue
        info = match["info"].strip()
        directive = re.fullmatch(r"\{code-block\}\s*(\S*)", info)
        if directive is not None:
            info = directive[1]
            while option := OPTION.match(code):
                caption = option[2].strip() if option[1] == "caption" else caption
                code = code[option.end() :]
            code = code.removeprefix("\n")
        between = text[end:start]
        end = match.end()
        yield Block(line, info, caption, code, not LEFT_OUT.search(between), not between.strip())


def run_page(page: Path) -> None:
    """Run a page's code in the working folder; ``AssertionError`` tells the first wrong line."""
    module = sys.modules["page"] = ModuleType("page")  # where annotations look names up
    names = vars(module)
    blocks = list(blocks_of(page.read_text(encoding="utf-8")))
    commands = _commands(Path.cwd().parent / "commands")
    for place, block in enumerate(blocks):
        where = f"{page.name} line {block.line}"
        if not block.runs or block.language.startswith("{"):
            continue
        if block.caption is not None:
            file = Path(block.caption)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            after = blocks[place + 1] if place + 1 < len(blocks) else None
            shown = after if after and after.follows and after.language == "text" else None
            _run_python(block, shown.code if shown else None, names, where)
        elif block.language == "console":
            _run_console(block, commands, where)
        else:
            assert block.language in SHOWN, f"{where}: can't run {block.language!r}"


def _run_python(block: Block, shown: str | None, names: dict[str, Any], where: str) -> None:
    printed = io.StringIO()
    code = compile("\n" * block.line + block.code, where, "exec", dont_inherit=True)
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            exec(code, names)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            if shown is None or not shown.startswith(type(error).__name__):
                raise
            printed.write(f"{text}\n")
    if shown is not None:
        _hold(shown, printed.getvalue(), where)


def _run_console(block: Block, commands: Path, where: str) -> None:
    """Run the commands of a block one by one; one that shows no output must succeed."""
    parts = re.split(r"^\$ ", block.code, flags=re.M)
    assert not parts[0].strip(), f"{where}: begins without a command"
    for part in parts[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while lines[count - 1].endswith("\\\n"):
            count += 1
        command, shown = "".join(lines[:count]), "".join(lines[count:])
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            env={**os.environ, "PATH": path, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if shown.strip():
            _hold(shown, done.stdout, f"{where}, {command.strip()}")
        else:
            assert done.returncode == 0, f"{where}, {command.strip()}:\n{done.stdout}"


def _hold(shown: str, printed: str, where: str) -> None:
    """Compare what a page shows with what was printed, blanks at the ends of lines aside."""
    expected, actual = (
        "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"
        for text in (shown, printed)
    )
    same = doctest.OutputChecker().check_output(expected, actual, doctest.ELLIPSIS)
    assert same, f"{where} shows\n\n{expected}\nand printed is\n\n{actual}"


def _commands(folder: Path) -> Path:
    """Make a folder of commands that run with this Python."""
    folder.mkdir(exist_ok=True)
    for name, arguments in COMMANDS.items():
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        file.chmod(0o755)
    return folder


def has_code(page: Path) -> bool:
    """Tell whether anything of a page runs."""
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    return any(block.runs and block.language in ("python", "console") for block in blocks)


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
