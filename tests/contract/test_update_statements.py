"""How many statements updates and mirrors run: so many a chunk, whatever changes in its rows."""

from __future__ import annotations

import pytest

from lading import import_document
from support.backends import Backend
from support.halls import document, hall, halls
from support.statements import statements


def counted(backend: Backend, mode: str, count: int) -> int:
    """Count the statements of an import that turns, moves and changes everything."""
    catalog = halls()
    metadata = next(iter(catalog.use().roots.values())).table.metadata
    before = [hall(n, f"r{n}:{chr(0x4E00 + n)}", guests="abc"[: n % 3]) for n in range(count)]
    bundle = [
        hall(
            n,
            f"r{(n + 1) % count}:{chr(0x4E00 + n)}",
            place=(n + 1) % count,
            small=(n + 7) % count,
            guests="abc"[n % 3 :],
            words="x" * (n % 2),
        )
        for n in range(count if mode == "update" else count - count // 10)
    ]
    with backend.database(metadata) as engine:
        import_document(engine, document(*before), catalog=catalog)
        with statements(engine) as run:
            report = import_document(engine, document(*bundle), catalog=catalog, on_conflict=mode)
    assert report.updated == len(bundle)
    assert report.deleted == count - len(bundle)
    return len(run)


@pytest.mark.parametrize("mode", ["update", "mirror"])
def test_statements_do_not_depend_on_rows(backend: Backend, mode: str) -> None:
    """Forty records cost as many as six hundred in one chunk: none is written by itself."""
    assert counted(backend, mode, 600) <= counted(backend, mode, 40) + 12
