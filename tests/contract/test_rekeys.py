"""Changes that look beyond one record: other keys, entities split off, and entities merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lading import export_all, export_document, import_all, import_document
from support.aged_keys import depot
from support.backends import SQLiteMemory
from support.packing import packed
from support.rewriting import entity_bytes


@pytest.mark.parametrize("where", ["sqlite_memory", "postgresql", "mariadb"])
@pytest.mark.parametrize("name", ["old", "old.zip"])
def test_keys_follow_wherever_they_are_written(
    request: pytest.FixtureRequest, tmp_path: Path, where: str, name: str
) -> None:
    """Nested, through keys, in lists, flat and in themselves; look-alikes stay."""
    old, new = depot(1), depot(2)
    packed(old, tmp_path / name)
    expected = entity_bytes(packed(new, tmp_path / "new"))
    with request.getfixturevalue(where).database(new.metadata) as engine:
        report = import_all(engine, tmp_path / name, catalog=new.catalog)
        export_all(engine, tmp_path / "again", catalog=new.catalog)
    assert report["makers"].inserted == 2
    assert report["animals"].inserted == 4
    assert entity_bytes(tmp_path / "again") == expected
