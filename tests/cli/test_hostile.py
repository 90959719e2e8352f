"""Broken sources and mistaken options: always a code, one clear message, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

BREAKERS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "an empty folder": Path.mkdir,
    "an empty file": Path.touch,
    "text": lambda path: path.write_text("hello"),
    "noise": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(range(256))),
    "null": lambda path: path.write_text("null"),
    "nested": lambda path: path.write_text('{"products": ' + "[" * 5000 + "]" * 5000 + "}"),
    "a number": lambda path: path.write_text('{"products": 3}'),
    "another entity": lambda path: path.write_text('{"prodcts": []}'),
    "a key twice": lambda path: path.write_text('{"products": [], "products": []}'),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a pipe": os.mkfifo,
}  # fmt: skip
#: Commands that read a source, in which ``X`` stands for it and ``DB`` for a database.
READERS = [
    "verify X",
    "verify X --restore --database DB",
    "inspect X",
    "seal X",
    "upgrade X new --database DB",
    "export X new --database DB",
    "export X -",
    "import DB X",
    "import DB X --dry-run",
    "import DB good --expect X",
    "diff X DB",
    "diff DB X",
    "check X --database DB",
    "lock new.json --goldens X --database DB",
    "schema products --version 1 --lock X --database DB",
]


@pytest.mark.parametrize("name", ["source", "source.zip", "source.json"])
@pytest.mark.parametrize("breaker", BREAKERS)
def test_broken_sources_are_told(run, shop, backup, folder, name, breaker) -> None:
    """By whichever command they are read; no exception escapes, and no file is left."""
    if breaker == "a pipe" and name.endswith(".json"):
        pytest.skip("a document may come from a pipe, which waits for its writer")
    shutil.copytree(backup, "good")
    BREAKERS[breaker](Path(name))
    before = sorted(path.name for path in folder.iterdir())
    for reader in READERS:
        args = [{"X": name, "DB": shop}.get(part, part) for part in reader.split()]
        result = run(*args, code=None)
        assert result.exit_code in (1, 2, 3), f"{reader}: {result.output}"
        assert result.exit_code == 1 or "Error: " in result.stderr, reader
        assert sorted(path.name for path in folder.iterdir()) == before, reader
        failure = json.loads(run(*args, "--json", code=None).stdout.splitlines()[0])
        assert failure.get("exit_code", result.exit_code) == result.exit_code, reader


@pytest.mark.parametrize(
    "options",
    [
        "--only x", "--on-conflict x", "--on-conflict x=skip", "--on-conflict products=",
        "--on-conflict =skip", "--on-error x", "--max-bytes 0", "--max-bytes x", "--max-bytes 1",
        "--expect plan --dry-run", "--on-error continue --on-conflict mirror --yes",
        "--nothing", "extra", "--plan nowhere/plan", "--plan good", "--catalog x", "--only",
    ],
)  # fmt: skip
def test_mistaken_options_are_told(run, shop, backup, options) -> None:
    """Nothing is imported."""
    shutil.copytree(backup, "good")
    run("import", shop, "good", "--plan", "plan")
    result = run("import", shop, "good", *options.split(), code=None)
    assert result.exit_code in (2, 3), result.output
    assert "Error: " in result.stderr
    assert "committed" not in result.stdout


def test_paths_of_bytes_that_are_no_text_are_told(run, shop) -> None:
    """As file systems may have them."""
    name = os.fsdecode(b"\xff")
    assert "\\udcff" in run("inspect", name, code=3).stderr
    failure = json.loads(run("inspect", name, "--json", code=3).stdout)
    assert name in failure["message"]
    run("export", shop, name)


def test_evidence_that_cant_be_written_leaves_nothing(run, backup, folder) -> None:
    """Not even a temporary file."""
    (folder / "taken").mkdir()
    before = sorted(folder.iterdir())
    run("verify", backup, "--evidence", "taken", code=3)
    assert sorted(folder.iterdir()) == before
