"""``python -m support.drawn SEED [BACKEND [OTHER ...]]``: one drawn application, shown and tried.

``SEED`` may be a range (``0-500``): then only what breaks a rule is shown, and the tally.  What is accepted moves to the others and back.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path

from lading.testing.databases.postgresql import running_server
from support.backends import Backend, MariaDB, PostgreSQL, SQLiteFile, SQLiteMemory
from support.drawn.drawing import draw
from support.drawn.running import run
from support.drawn.source import source_of
from support.drawn.tally import Tally
from support.mariadb_server import found, running_mariadb


def backend_of(name: str, stack: ExitStack, folder: Path) -> Backend:
    """Return a backend by name, which ends with the stack."""
    if name == "postgresql":
        return PostgreSQL(stack.enter_context(running_server()))
    if name == "mariadb":
        server = found("mariadbd")
        assert server is not None, "mariadbd is missing"
        return MariaDB(stack.enter_context(running_mariadb(server)))
    return SQLiteFile(folder) if name == "sqlite-file" else SQLiteMemory()


def say(what: object) -> None:
    """Write a line."""
    sys.stdout.write(f"{what}\n")


def main(seeds: str, name: str = "sqlite-memory", *others: str) -> None:
    """Try the seeds, and say what became of them."""
    first, _, last = seeds.partition("-")
    wanted = range(int(first), int(last or int(first) + 1))
    tally, broken = Tally(), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = backend_of(name, stack, folder)
        away = [backend_of(other, stack, folder) for other in others]
        if not last:
            say(source_of(draw(wanted[0])))
        for seed in wanted:
            inner = folder / str(seed)
            inner.mkdir()
            try:
                tally.add(run(seed, home, inner, *away))
            except Exception as error:
                broken.append(seed)
                if last:
                    say(f"{seed}: {type(error).__name__} {str(error).partition('again, from')[0]}")
                else:
                    traceback.print_exc()
            shutil.rmtree(inner)
    say(tally)
    say(f"broken: {broken}")


if __name__ == "__main__":
    main(*sys.argv[1:])
